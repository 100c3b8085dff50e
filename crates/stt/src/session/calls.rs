//! What an application asks of a session.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use stt_core::{Dir, SendDatagramError, message::Preface};

use super::{Session, SessionEnd};
use crate::{
    error::{CloseReason, DatagramError},
    stream::{RecvStream, SendStream},
};

impl Session {
    /// Opens a stream on which both ends send. Waits while the peer allows no more streams.
    ///
    /// # Errors
    ///
    /// The session is over.
    pub async fn open_bi(&self) -> Result<(SendStream, RecvStream), CloseReason> {
        let id = self.core().open(Dir::Bi, Preface::Application).await?;
        let keep = || Some(Arc::clone(&self.handle));
        let core = || Arc::clone(self.core());
        Ok((
            SendStream::new(core(), keep(), id),
            RecvStream::new(core(), keep(), id),
        ))
    }

    /// Opens a stream on which this end sends. Waits while the peer allows no more streams.
    ///
    /// # Errors
    ///
    /// The session is over.
    pub async fn open_uni(&self) -> Result<SendStream, CloseReason> {
        let id = self.core().open(Dir::Uni, Preface::Application).await?;
        let keep = Some(Arc::clone(&self.handle));
        Ok(SendStream::new(Arc::clone(self.core()), keep, id))
    }

    /// Waits for the next stream of the peer on which both ends send.
    ///
    /// # Errors
    ///
    /// The session is over.
    pub async fn accept_bi(&self) -> Result<(SendStream, RecvStream), CloseReason> {
        let id = self.accept(Dir::Bi).await?;
        let keep = || Some(Arc::clone(&self.handle));
        let core = || Arc::clone(self.core());
        Ok((
            SendStream::new(core(), keep(), id),
            RecvStream::new(core(), keep(), id),
        ))
    }

    /// Waits for the next stream of the peer on which only it sends.
    ///
    /// # Errors
    ///
    /// The session is over.
    pub async fn accept_uni(&self) -> Result<RecvStream, CloseReason> {
        let id = self.accept(Dir::Uni).await?;
        let keep = Some(Arc::clone(&self.handle));
        Ok(RecvStream::new(Arc::clone(self.core()), keep, id))
    }

    async fn accept(&self, dir: Dir) -> Result<stt_core::StreamId, CloseReason> {
        let core = self.core();
        core.wait(core.opened(dir), |state| {
            let Some(entry) = state.entry(core.handle) else {
                return Some(Err(core.gone()));
            };
            // Streams that came before the end can still be read.
            if let Some(id) = entry.accepted[dir as usize].pop_front() {
                entry.receiving.insert(id, None);
                return Some(Ok(id));
            }
            core.close_reason().map(|reason| Err(reason.clone()))
        })
        .await
    }

    /// Sends a datagram: whole or not at all, without order, never again. If they are written
    /// faster than they leave, the oldest are dropped.
    ///
    /// # Errors
    ///
    /// It is longer than [`Session::max_datagram`], or the session is over.
    pub fn send_datagram(&self, data: &[u8]) -> Result<(), DatagramError> {
        let core = self.core();
        core.shared.with(|state| {
            if let Some(reason) = core.close_reason() {
                return Err(reason.clone().into());
            }
            let Some(connection) = state.connection(core.handle) else {
                return Err(core.gone().into());
            };
            let is_short = connection.bytes_in_flight() == 0;
            match connection.datagrams().send(data) {
                Ok(()) => {
                    state.sends(is_short);
                    Ok(())
                }
                Err(SendDatagramError::TooLarge { len, max }) => {
                    Err(DatagramError::TooLarge { len, max })
                }
                // The node's datagrams drop their oldest.
                Err(_) => Ok(()),
            }
        })
    }

    /// Waits for the next datagram. If they come faster than they are taken, the oldest are
    /// dropped.
    ///
    /// # Errors
    ///
    /// The session is over, and all that came were taken.
    pub async fn recv_datagram(&self) -> Result<Bytes, CloseReason> {
        let core = self.core();
        core.wait(&core.received, |state| {
            if let Some(entry) = state.entry(core.handle)
                && let Some(rest) = &mut entry.rest
            {
                let datagram = rest.datagrams.pop_front();
                return Some(datagram.map(Bytes::from).ok_or_else(|| core.gone()));
            }
            if let Some(reason) = core.close_reason() {
                return Some(Err(reason.clone()));
            }
            let Some(connection) = state.connection(core.handle) else {
                return Some(Err(core.gone()));
            };
            connection.datagrams().recv().map(|data| Ok(data.into()))
        })
        .await
    }

    /// The longest datagram that fits a packet now, bytes; 0 once the session is over.
    pub fn max_datagram(&self) -> usize {
        let core = self.core();
        core.shared.with(|state| {
            let connection = state.connection(core.handle);
            connection.map_or(0, |connection| connection.datagrams().max_size())
        })
    }

    /// Changes the keys, and waits until both ends use the new ones.
    ///
    /// # Errors
    ///
    /// The session ended before.
    pub async fn rekey(&self) -> Result<(), CloseReason> {
        let core = self.core();
        let mut wanted = None;
        core.wait(&core.changed, |state| {
            if let Some(reason) = core.close_reason() {
                return Some(Err(reason.clone()));
            }
            let epoch = state.entry(core.handle).map(|entry| entry.epoch);
            let Some((epoch, connection)) = epoch.zip(state.connection(core.handle)) else {
                return Some(Err(core.gone()));
            };
            let wanted = *wanted.get_or_insert_with(|| {
                connection.rekey();
                connection.stats().key_epoch + 1
            });
            state.wants_turn();
            (epoch >= wanted).then_some(Ok(()))
        })
        .await
    }

    /// Waits until the peer has everything that was written and finished so far, and what is
    /// written meanwhile.
    ///
    /// # Errors
    ///
    /// The session ended before.
    pub async fn flushed(&self) -> Result<(), CloseReason> {
        let core = self.core();
        core.wait(&core.changed, |state| {
            if let Some(reason) = core.close_reason() {
                return Some(Err(reason.clone()));
            }
            let Some(connection) = state.connection(core.handle) else {
                return Some(Err(core.gone()));
            };
            if connection.is_flushed() {
                return Some(Ok(()));
            }
            state.watch(core.handle, None);
            None
        })
        .await
    }

    /// Ends the session at once: what is not acknowledged may be lost; [`Session::flushed`] waits
    /// for that. `code` and `reason` are for the peer's application.
    pub fn close(&self, code: u64, reason: &str) {
        let core = self.core();
        let shared = &core.shared;
        shared.with_wakes(|state, wakes| {
            if state.is_over(core.handle) {
                return;
            }
            let now = shared.clock.now();
            if let Some(connection) = state.connection(core.handle) {
                connection.close(now, code, reason);
            }
            // Calls see it at once, not with the driver's next turn.
            let reason = stt_core::ConnectionError::LocallyClosed;
            state.on_closed(shared, core.handle, reason.into(), wakes);
            state.wants_turn();
        });
    }

    /// Waits until the session is over, and tells why.
    pub async fn closed(&self) -> CloseReason {
        self.core().closed().await
    }

    /// Waits for the session's end as [`Session::closed`] does, but isn't a handle of it.
    pub fn end(&self) -> SessionEnd {
        SessionEnd::new(Arc::clone(self.core()))
    }

    /// Sends a packet that asks for an acknowledgement: measures the round trip, keeps the path
    /// open.
    pub fn ping(&self) {
        let core = self.core();
        core.shared.with(|state| {
            if let Some(connection) = state.connection(core.handle) {
                connection.ping();
                state.wants_turn();
            }
        });
    }

    /// Where the peer is, if the session runs over UDP.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        let core = self.core();
        core.shared.with(|state| {
            let connection = state.endpoint.connection_ref(core.handle)?;
            crate::node::PathAddress::from(connection.path()).udp()
        })
    }
}
