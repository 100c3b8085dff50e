//! From start to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stt_core::Endpoint;
use tokio::{
    runtime::Handle,
    sync::{OwnedMutexGuard, broadcast},
    time::timeout,
};

use super::{NodeEvent, Tickets, builder::Setup, environment::entropy};
use crate::{
    clock::Clock,
    driver::{self, Linger, Phase, Shared, State},
    error::NodeError,
    message::Sinks,
    transport::udp::UdpSocket,
};

/// The right to start or stop a node.
pub(super) type Turn = OwnedMutexGuard<()>;

/// Binds, and lets the driver run.
pub(super) async fn start(
    setup: &Setup,
    events: broadcast::Sender<NodeEvent>,
    sinks: Arc<Sinks>,
    turn: Turn,
) -> Result<(Arc<Shared>, SocketAddr, Turn), NodeError> {
    let runtime = Handle::current();
    let address = resolve(&setup.host, setup.port).await?;
    let socket = UdpSocket::bind(address).map_err(|source| NodeError::Bind { address, source })?;
    let bound = socket.local();
    let (opened, turn) = match &setup.chamber_path {
        Some(path) => {
            let (opened, turn) = Tickets::open(path.clone(), setup, turn).await?;
            (Some(opened), turn)
        }
        None => (None, turn),
    };
    let run = opened.as_ref().map(|opened| opened.run);
    let mut endpoint = Endpoint::new(setup.endpoint(run)?, entropy()?);
    let tickets = opened.map(|opened| {
        for ticket in opened.tickets {
            endpoint.add_ticket(ticket);
        }
        opened.keeper
    });
    let socket = Arc::new(socket);
    let mut state = State::new(endpoint, setup.backlog);
    state.sockets.add(Arc::clone(&socket));
    let shared = Arc::new(Shared::new(
        state,
        Clock::start(),
        setup.busy_poll,
        events,
        tickets,
        runtime,
        sinks,
    ));
    shared.spawn(driver::run(Arc::clone(&shared), socket, 0));
    Ok((shared, bound, turn))
}

/// The first address of a name.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<SocketAddr, NodeError> {
    let failed = |source| NodeError::Resolve {
        host: host.to_owned(),
        source,
    };
    let mut addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(failed)?;
    let none = || failed(std::io::ErrorKind::NotFound.into());
    addresses.next().ok_or_else(none)
}

/// Ends sessions in an orderly way, then everything.
pub(super) async fn stop(shared: &Arc<Shared>) {
    let unaccepted = shared.with(|state| {
        if state.phase == Phase::Running {
            state.phase = Phase::Ending;
        }
        let at = shared.clock.now() + Linger::STOPPING;
        let handles: Vec<_> = state.entries.keys().copied().collect();
        for handle in handles {
            let linger = Linger {
                at,
                code: 0,
                reason: "the node stops",
            };
            state.watch(handle, Some(linger));
        }
        let attempts: Vec<_> = state.opening.keys().copied().collect();
        for handle in attempts {
            state.endpoint.abandon(handle);
        }
        state.wants_turn();
        std::mem::take(&mut state.accepted)
    });
    shared.accepted.notify_waiters();
    drop(unaccepted);
    // Peers that don't answer don't hold it up.
    drop(
        timeout(
            PATIENCE,
            until(shared, |state| state.endpoint.sessions() == 0),
        )
        .await,
    );
    // Then what carried them, in order as well.
    shared.with(|state| state.links.end());
    drop(timeout(FAREWELL, until(shared, |state| state.links.len() == 0)).await);

    shared.tear_down();
    shared.end_tasks().await;
    // The file is for the next start.
    if let Some(tickets) = &shared.tickets {
        tickets.closed().await;
    }
}

/// Until nothing is left of what goes with the node.
async fn until(shared: &Shared, is_over: impl Fn(&State) -> bool) {
    let mut gone = std::pin::pin!(shared.gone.notified());
    loop {
        gone.as_mut().enable();
        if shared.with(|state| is_over(state)) {
            return;
        }
        gone.as_mut().await;
        gone.set(shared.gone.notified());
    }
}

/// For flushing and for the last words.
const PATIENCE: Duration = Duration::from_secs(2);
/// For the ends of WebSockets: a peer has a second for its answer.
const FAREWELL: Duration = Duration::from_millis(1_500);
