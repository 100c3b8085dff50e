use std::sync::Arc;

use stt_core::{Side, Stats};
use stt_crypto::{NodeId, secret::Key32};

use super::SessionCore;
use crate::{driver::Linger, error::CloseReason, message};

/// A session with a peer: any number of streams and datagrams both ways.
///
/// Clones are handles of one session. When the last one is dropped, with those of its streams, the
/// session is closed once the peer has all that was written, or after two seconds.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) handle: Arc<Handle>,
}

/// Tells of a session's end without being a handle of it: the session may end meanwhile because all
/// its handles were dropped.
#[derive(Clone, Debug)]
pub struct SessionEnd(Arc<SessionCore>);

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// Both ends can send.
    Open,
    /// Over.
    Closed,
}

/// The application's share of a session: when it goes, so does the session.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(super) core: Arc<SessionCore>,
    messages: message::Outgoing,
}

impl Session {
    /// The first handle of a session.
    pub(crate) fn new(core: &Arc<SessionCore>) -> Self {
        let handle = Arc::new(Handle {
            core: Arc::clone(core),
            messages: message::Outgoing::default(),
        });
        drop(core.application.set(Arc::downgrade(&handle)));
        Self { handle }
    }

    pub(super) const fn from_handle(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    pub(crate) fn core(&self) -> &Arc<SessionCore> {
        &self.handle.core
    }

    pub(crate) fn outgoing(&self) -> &message::Outgoing {
        &self.handle.messages
    }

    /// The session's id: the same at both ends, never on the wire, no secret.
    pub fn id(&self) -> [u8; 8] {
        self.core().id()
    }

    /// Who is at the other end, proven.
    pub fn peer(&self) -> NodeId {
        self.core().peer()
    }

    /// Which end this is: the initiator opened the session.
    pub fn side(&self) -> Side {
        self.core().side()
    }

    /// A key that only the two ends have, for the application's use; the session's own packets are
    /// sealed with others.
    pub fn session_key(&self) -> &Key32 {
        self.core().key()
    }

    /// Where the session stands.
    pub fn state(&self) -> SessionState {
        match self.close_reason() {
            None => SessionState::Open,
            Some(_) => SessionState::Closed,
        }
    }

    /// Why the session is over; `None` while it isn't.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.core().close_reason().cloned()
    }

    /// Figures since the session began; `None` once it is over and forgotten.
    pub fn stats(&self) -> Option<Stats> {
        let core = self.core();
        core.shared.with(|state| {
            let connection = state.endpoint.connection_ref(core.handle)?;
            Some(connection.stats())
        })
    }
}

impl SessionEnd {
    pub(super) const fn new(core: Arc<SessionCore>) -> Self {
        Self(core)
    }

    /// Waits until the session is over, and tells why.
    pub async fn wait(&self) -> CloseReason {
        self.0.closed().await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let core = Arc::clone(&self.core);
        let shared = &core.shared;
        // Entries hold no handle: none is dropped with the lock held.
        let entry = shared.with(|state| {
            if state.is_over(core.handle) {
                return state.entries.remove(&core.handle);
            }
            if let Some(entry) = state.entry(core.handle) {
                entry.is_orphan = true;
            }
            let linger = Linger {
                at: shared.clock.now() + Linger::DROPPED,
                code: 0,
                reason: "",
            };
            state.watch(core.handle, Some(linger));
            None
        });
        drop(entry);
    }
}
