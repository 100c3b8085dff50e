use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
};

use stt_crypto::NodeId;
use tokio::sync::broadcast;

use super::{
    Builder, NodeEvent, NodeStats,
    builder::{Setup, locked},
    run,
};
use crate::{
    driver::{Phase, Shared},
    error::NodeError,
    message::Sinks,
    session::Session,
};

/// An STT node: an identity, a UDP socket, and the sessions with its peers.
///
/// Clones are handles of one node. When the last one is dropped nothing new is opened; sessions
/// that have handles go on.
#[derive(Clone, Debug)]
pub struct Node {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    setup: Setup,
    node_id: NodeId,
    events: broadcast::Sender<NodeEvent>,
    sinks: Arc<Sinks>,
    /// While it is started or stopped nobody else does.
    turn: Arc<tokio::sync::Mutex<()>>,
    running: Mutex<Option<Running>>,
}

struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Node {
    /// A node of these seeds, each 32 random bytes or more; shorter ones are stretched with
    /// Argon2id, which takes a moment and helps little. Peers are those who have the shared seed.
    pub fn builder(node_seed: impl AsRef<[u8]>, shared_seed: impl AsRef<[u8]>) -> Builder {
        Builder::new(node_seed.as_ref(), shared_seed.as_ref())
    }

    pub(super) fn new(setup: Setup) -> Self {
        let node_id = setup.node_id();
        Self {
            inner: Arc::new(Inner {
                setup,
                node_id,
                events: broadcast::Sender::new(EVENTS),
                sinks: Arc::default(),
                turn: Arc::default(),
                running: Mutex::new(None),
            }),
        }
    }

    /// Binds the UDP socket and begins to answer; gives the address that was bound.
    ///
    /// # Errors
    ///
    /// It runs already, the address can't be bound, or the chamber can't be opened.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn start(&self) -> Result<SocketAddr, NodeError> {
        let inner = &self.inner;
        let turn = Arc::clone(&inner.turn).lock_owned().await;
        if self.shared().is_some() {
            return Err(NodeError::AlreadyStarted);
        }
        let (events, sinks) = (inner.events.clone(), Arc::clone(&inner.sinks));
        let (shared, address, _turn) = run::start(&inner.setup, events, sinks, turn).await?;
        *locked(&inner.running) = Some(Running { shared, address });
        Ok(address)
    }

    /// Lets sessions finish what was written, at most a second, closes them, and ends everything:
    /// when it returns no task and no socket of the node is left. A node that isn't running is
    /// left alone. Dropping the future doesn't stop the stopping; whoever starts or stops the node
    /// next waits for its end.
    pub async fn stop(&self) {
        let turn = Arc::clone(&self.inner.turn).lock_owned().await;
        let Some(shared) = self.shared() else {
            return;
        };
        let inner = Arc::clone(&self.inner);
        let runtime = shared.runtime.clone();
        let stopping = runtime.spawn(async move {
            run::stop(&shared).await;
            *locked(&inner.running) = None;
            drop(turn);
        });
        // An error is the end of the runtime, and with it of all tasks.
        drop(stopping.await);
    }

    /// The node's id, which peers see proven.
    pub fn node_id(&self) -> NodeId {
        self.inner.node_id
    }

    /// Whether one of its seeds is under 32 bytes: an observer of a handshake can try guesses.
    pub fn has_short_seed(&self) -> bool {
        self.inner.setup.has_short_seed()
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.shared().is_some()
    }

    /// The address that was bound.
    ///
    /// # Errors
    ///
    /// It isn't running.
    pub fn local_addr(&self) -> Result<SocketAddr, NodeError> {
        let running = locked(&self.inner.running);
        let running = running.as_ref().ok_or(NodeError::NotStarted)?;
        Ok(running.address)
    }

    /// Waits for the next session that a peer opens; `None` once the node is stopped.
    pub async fn accept(&self) -> Option<Session> {
        let shared = self.shared()?;
        let mut notified = std::pin::pin!(shared.accepted.notified());
        loop {
            notified.as_mut().enable();
            let next = shared.with(|state| match state.accepted.pop_front() {
                Some(session) => Some(Some(session)),
                None => (state.phase != Phase::Running).then_some(None),
            });
            if let Some(next) = next {
                return next;
            }
            notified.as_mut().await;
            notified.set(shared.accepted.notified());
        }
    }

    /// What happens from now on. A reader that is 256 events behind loses the oldest.
    pub fn events(&self) -> broadcast::Receiver<NodeEvent> {
        self.inner.events.subscribe()
    }

    /// Figures since it was started; zeros if it isn't running.
    pub fn stats(&self) -> NodeStats {
        let Some(shared) = self.shared() else {
            return NodeStats::default();
        };
        shared.with(|state| NodeStats {
            sessions: state.endpoint.sessions(),
            half_open: state.endpoint.half_open(),
            to_accept: state.accepted.len(),
            web_sockets: state.links.len(),
            messages_failed: shared.messages_failed.load(Relaxed),
            endpoint: state.endpoint.stats(),
        })
    }

    /// What runs, if it does.
    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        let running = locked(&self.inner.running);
        running.as_ref().map(|running| Arc::clone(&running.shared))
    }

    /// Who takes messages, whether or not it runs.
    pub(crate) fn sinks(&self) -> &Sinks {
        &self.inner.sinks
    }

    pub(super) fn setup(&self) -> &Setup {
        &self.inner.setup
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(running) = locked(&self.running).take() {
            let unaccepted = running.shared.with(|state| {
                if state.phase == Phase::Running {
                    state.phase = Phase::Ending;
                }
                state.wants_turn();
                std::mem::take(&mut state.accepted)
            });
            drop(unaccepted);
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Events that wait for a slow reader.
const EVENTS: usize = 256;
