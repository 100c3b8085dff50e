use std::{
    fmt,
    sync::{Arc, OnceLock, Weak},
};

use stt_core::{Connection, ConnectionHandle, Dir, Side, StreamId, message::Preface};
use stt_crypto::{NodeId, secret::Key32};
use tokio::sync::{Notify, futures::Notified};

use super::{Session, handle::Handle};
use crate::{
    driver::{Sending, Shared, Signal, State},
    error::CloseReason,
    message::{self, Inbox},
    stream::SendStream,
};

/// What all handles of a session share.
pub(crate) struct SessionCore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) handle: ConnectionHandle,
    id: [u8; 8],
    peer: NodeId,
    side: Side,
    key: Key32,
    closed: OnceLock<CloseReason>,
    /// The application's handle.
    pub(super) application: OnceLock<Weak<Handle>>,
    opened: [Notify; 2],
    available: [Notify; 2],
    pub(super) received: Notify,
    pub(super) changed: Notify,
    inbox: Inbox,
}

impl SessionCore {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        handle: ConnectionHandle,
        connection: &Connection,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            handle,
            id: connection.exporter().session_id(),
            peer: *connection.peer(),
            side: connection.side(),
            key: connection.exporter().session_key(),
            closed: OnceLock::new(),
            application: OnceLock::new(),
            opened: [Notify::new(), Notify::new()],
            available: [Notify::new(), Notify::new()],
            received: Notify::new(),
            changed: Notify::new(),
            inbox: Inbox::default(),
        }
    }

    pub(crate) const fn id(&self) -> [u8; 8] {
        self.id
    }

    pub(crate) const fn peer(&self) -> NodeId {
        self.peer
    }

    pub(super) const fn side(&self) -> Side {
        self.side
    }

    pub(super) const fn key(&self) -> &Key32 {
        &self.key
    }

    /// Messages of the peer.
    pub(crate) const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Why the session is over, if it is.
    pub(crate) fn close_reason(&self) -> Option<&CloseReason> {
        self.closed.get()
    }

    /// The first reason counts.
    pub(crate) fn set_closed(&self, reason: CloseReason) {
        drop(self.closed.set(reason));
    }

    /// The reason to give where the session turned out to be gone.
    pub(crate) fn gone(&self) -> CloseReason {
        self.closed.get().cloned().unwrap_or(CloseReason::Stopped)
    }

    /// A handle like the application's, unless that has given the session up.
    pub(crate) fn session(&self) -> Option<Session> {
        let handle = self.application.get()?.upgrade()?;
        Some(Session::from_handle(handle))
    }

    /// Wakes the calls that wait for `signal`.
    pub(crate) fn signal(&self, signal: Signal) {
        match signal {
            Signal::Opened(dir) => self.opened[dir as usize].notify_waiters(),
            Signal::Available(dir) => self.available[dir as usize].notify_waiters(),
            Signal::Received => self.received.notify_waiters(),
            Signal::Changed => self.changed.notify_waiters(),
            Signal::All => {
                message::clear(self);
                for notify in self.opened.iter().chain(&self.available) {
                    notify.notify_waiters();
                }
                self.received.notify_waiters();
                self.changed.notify_waiters();
            }
        }
    }

    pub(super) fn opened(&self, dir: Dir) -> &Notify {
        &self.opened[dir as usize]
    }

    /// Tries until `attempt` has something, after each time that `notify` tells of news. Dropping
    /// the future takes nothing.
    pub(super) async fn wait<T>(
        &self,
        notify: &Notify,
        mut attempt: impl FnMut(&mut State) -> Option<T>,
    ) -> T {
        if let Some(value) = self.shared.with(&mut attempt) {
            return value;
        }
        let mut notified: std::pin::Pin<&mut Notified<'_>> = std::pin::pin!(notify.notified());
        loop {
            notified.as_mut().enable();
            if let Some(value) = self.shared.with(&mut attempt) {
                return value;
            }
            notified.as_mut().await;
            notified.set(notify.notified());
        }
    }

    /// Waits until the session is over, and tells why.
    pub(super) async fn closed(&self) -> CloseReason {
        self.wait(&self.changed, |_| self.close_reason().cloned())
            .await
    }

    /// Opens a stream that carries what `preface` says; waits while the peer allows no more.
    pub(crate) async fn open(&self, dir: Dir, preface: Preface) -> Result<StreamId, CloseReason> {
        self.wait(&self.available[dir as usize], |state| {
            if let Some(reason) = self.close_reason() {
                return Some(Err(reason.clone()));
            }
            let Some(connection) = state.connection(self.handle) else {
                return Some(Err(self.gone()));
            };
            let streams = connection.streams();
            let id = streams.open(dir)?;
            // Any stream holds this much. It goes out with the first bytes.
            let written = streams.write(id, &[preface.to_byte()]);
            debug_assert_eq!(written, Ok(1), "a new stream takes a byte");
            if let Some(entry) = state.entry(self.handle) {
                entry.sending.insert(id, Sending::default());
                if dir == Dir::Bi {
                    entry.receiving.insert(id, None);
                }
            }
            Some(Ok(id))
        })
        .await
    }

    /// Opens a stream for messages. It doesn't keep the session open.
    pub(crate) async fn open_messages(
        self: &Arc<Self>,
        preface: Preface,
    ) -> Result<SendStream, CloseReason> {
        let id = self.open(Dir::Uni, preface).await?;
        Ok(SendStream::new(Arc::clone(self), None, id))
    }
}

impl fmt::Debug for SessionCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is left out.
        f.debug_struct("Session")
            .field("handle", &self.handle)
            .field("peer", &self.peer)
            .field("side", &self.side)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
