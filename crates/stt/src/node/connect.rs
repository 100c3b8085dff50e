use std::{net::SocketAddr, sync::Arc, time::Duration};

use stt_core::{ConnectionHandle, LinkProfile, endpoint::ConnectConfig, handshake::Ticket};
use stt_crypto::NodeId;
use tokio::sync::oneshot;

use super::Node;
use crate::{
    driver::{Phase, Shared},
    error::ConnectError,
    session::Session,
    transport::path::{Route, canonical},
};

/// How to open a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Who must answer: anybody else is a wrong peer, before any data. Default: whoever holds the
    /// shared seed.
    pub expected_peer: Option<NodeId>,
    /// When to give up. Over UDP the time begins once the peer's name is resolved, over a WebSocket
    /// it counts from the call. Default 20 s.
    pub timeout: Duration,
    /// What is known of the link. Default: the node's own profile.
    pub profile: Option<LinkProfile>,
    /// Whether an earlier session may be resumed, if the node has a chamber. Default true.
    pub resume: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            expected_peer: None,
            timeout: Duration::from_secs(20),
            profile: None,
            resume: true,
        }
    }
}

impl Node {
    /// Opens a session over UDP to the node at this name or address.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: nobody answered, or not the right one.
    pub async fn connect_udp(&self, host: &str, port: u16) -> Result<Session, ConnectError> {
        let options = ConnectOptions::default();
        self.connect_udp_with(host, port, options).await
    }

    /// The same with options. Dropping the future gives the attempt up.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect_udp_with(
        &self,
        host: &str,
        port: u16,
        options: ConnectOptions,
    ) -> Result<Session, ConnectError> {
        let shared = self.shared().ok_or(ConnectError::Stopped)?;
        let remote = resolve(&shared, host, port).await?;
        let route = Route::Udp {
            remote,
            socket: 0,
            local: None,
        };
        let profile = options.profile.unwrap_or(self.setup().profile);
        open(&shared, route, profile, options).await
    }
}

/// Opens a session by `route`.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    route: Route,
    profile: LinkProfile,
    options: ConnectOptions,
) -> Result<Session, ConnectError> {
    let ticket = match &shared.tickets {
        Some(tickets) if options.resume => {
            tickets
                .take(shared, options.expected_peer, &route.to_path())
                .await
        }
        _ => None,
    };
    let config = ConnectConfig {
        profile,
        expected_peer: options.expected_peer,
        ticket,
        timeout: options.timeout,
    };
    let (done, outcome) = oneshot::channel();
    let handle = shared.with(|state| {
        if state.phase != Phase::Running {
            return Err(ConnectError::Stopped);
        }
        let begun = state.begin(shared.clock.now(), route, config, done);
        begun.map_err(ConnectError::Begin)
    })?;
    let mut attempt = Pending {
        shared: Some(shared),
        handle,
    };
    let outcome = outcome.await;
    attempt.shared = None;
    // Nobody is left to tell the outcome: the node has stopped.
    outcome.unwrap_or(Err(ConnectError::Stopped))
}

/// An attempt that ends if nobody waits for it any more.
struct Pending<'a> {
    shared: Option<&'a Arc<Shared>>,
    handle: ConnectionHandle,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared {
            // Its end is told like any other; nobody listens.
            shared.with(|state| {
                if state.opening.contains_key(&self.handle) {
                    state.endpoint.abandon(self.handle);
                    state.wants_turn();
                }
            });
        }
    }
}

/// The first address of a name that the node's socket can send to.
async fn resolve(shared: &Shared, host: &str, port: u16) -> Result<SocketAddr, ConnectError> {
    let failed = |source| ConnectError::Resolve {
        host: host.to_owned(),
        source,
    };
    let found = match host.parse::<std::net::IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => tokio::net::lookup_host((host, port))
            .await
            .map_err(failed)?
            .collect(),
    };
    let socket = shared.with(|state| state.sockets.get(0).cloned());
    let socket = socket.ok_or(ConnectError::Stopped)?;
    let addresses = || found.iter().map(|address| canonical(*address));
    if let Some(address) = addresses().find(|address| socket.reaches(*address)) {
        return Ok(address);
    }
    match addresses().next() {
        Some(peer) => Err(ConnectError::Family {
            peer,
            local: socket.local(),
        }),
        None => Err(failed(std::io::ErrorKind::NotFound.into())),
    }
}

/// What resumes a session, or nothing.
pub(super) type MaybeTicket = Option<Ticket>;
