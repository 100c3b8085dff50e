use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use stt_core::{StreamId, WriteError as CoreError};
use tokio::{io::AsyncWrite, task::coop};

use crate::{
    driver::Outcome,
    error::WriteError,
    session::{Handle, SessionCore},
};

/// The sending half of a stream: bytes in order, then the end.
///
/// Writes are cancel-safe: a call that is dropped has written nothing. Flushing does nothing:
/// what is written is sent as soon as possible. Dropping the stream finishes it.
#[derive(Debug)]
pub struct SendStream {
    core: Arc<SessionCore>,
    /// Keeps the session open.
    _keep: Option<Arc<Handle>>,
    id: StreamId,
    /// Finished or reset by this end.
    is_ended: bool,
}

impl SendStream {
    pub(crate) const fn new(
        core: Arc<SessionCore>,
        keep: Option<Arc<Handle>>,
        id: StreamId,
    ) -> Self {
        Self {
            core,
            _keep: keep,
            id,
            is_ended: false,
        }
    }

    /// The stream's number, the same at both ends.
    pub const fn id(&self) -> u64 {
        self.id.as_u64()
    }

    /// Copies as much of `data` to the send buffer as that takes, at most 128 KiB; waits while it
    /// takes nothing. Tells how many bytes.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub async fn write(&mut self, data: &[u8]) -> Result<usize, WriteError> {
        std::future::poll_fn(|cx| self.poll_write_bytes(cx, data)).await
    }

    /// Writes all of `data`. Not cancel-safe as a whole: a dropped call may have written a part.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub async fn write_all_bytes(&mut self, mut data: &[u8]) -> Result<(), WriteError> {
        while !data.is_empty() {
            let written = self.write(data).await?;
            data = &data[written..];
        }
        Ok(())
    }

    /// Ends the stream behind what was written. [`SendStream::stopped`] tells when the peer has
    /// everything.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; a stream that was finished before is no error.
    pub fn finish(&mut self) -> Result<(), WriteError> {
        if std::mem::replace(&mut self.is_ended, true) {
            return Ok(());
        }
        let core = &self.core;
        core.shared.with(|state| {
            if let Some(reason) = core.close_reason() {
                return Err(reason.clone().into());
            }
            let Some(connection) = state.connection(core.handle) else {
                return Err(core.gone().into());
            };
            let is_short = connection.bytes_in_flight() == 0;
            let finished = connection.streams().finish(self.id);
            state.sends(is_short);
            finished.map_err(|error| match error {
                CoreError::Stopped(code) => WriteError::Stopped(code),
                _ => WriteError::Closed,
            })
        })
    }

    /// Gives the stream up: what the peer has not acknowledged may never arrive. It is told `code`.
    ///
    /// # Errors
    ///
    /// The peer has everything, it was reset before, or the session is over.
    pub fn reset(&mut self, code: u64) -> Result<(), WriteError> {
        self.is_ended = true;
        let core = &self.core;
        core.shared.with(|state| {
            if let Some(reason) = core.close_reason() {
                return Err(reason.clone().into());
            }
            let Some(connection) = state.connection(core.handle) else {
                return Err(core.gone().into());
            };
            let reset = connection.streams().reset(self.id, code);
            state.wants_turn();
            reset.map_err(|_| WriteError::Closed)
        })
    }

    /// Sets which of the session's streams send first: larger before smaller, 0 to begin with.
    ///
    /// # Errors
    ///
    /// The stream or the session is over.
    pub fn set_priority(&mut self, priority: i32) -> Result<(), WriteError> {
        let core = &self.core;
        core.shared.with(|state| {
            let Some(connection) = state.connection(core.handle) else {
                return Err(core.gone().into());
            };
            let set = connection.streams().set_priority(self.id, priority);
            set.map_err(|_| WriteError::Closed)
        })
    }

    /// Waits until the peer has everything of a finished stream (`None`), or wants no more of it
    /// (its code).
    ///
    /// # Errors
    ///
    /// The stream was reset by this end, or the session ended before.
    pub async fn stopped(&mut self) -> Result<Option<u64>, WriteError> {
        std::future::poll_fn(|cx| self.poll_stopped(cx)).await
    }

    fn poll_write_bytes(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, WriteError>> {
        let coop = ready!(coop::poll_proceed(cx));
        if self.is_ended {
            return Poll::Ready(Err(WriteError::Closed));
        }
        let data = &data[..data.len().min(PIECE)];
        let core = &self.core;
        let written = core.shared.with(|state| {
            if let Some(reason) = core.close_reason() {
                return Poll::Ready(Err(reason.clone().into()));
            }
            let Some(connection) = state.endpoint.connection(core.handle) else {
                return Poll::Ready(Err(core.gone().into()));
            };
            let is_short = data.len() <= SHORT && connection.bytes_in_flight() == 0;
            match connection.streams().write(self.id, data) {
                Ok(written) => {
                    state.sends(is_short);
                    Poll::Ready(Ok(written))
                }
                Err(CoreError::Blocked) => {
                    if let Some(entry) = state.entries.get_mut(&core.handle)
                        && let Some(sending) = entry.sending.get_mut(&self.id)
                    {
                        sending.waker = Some(cx.waker().clone());
                    }
                    Poll::Pending
                }
                Err(CoreError::Stopped(code)) => Poll::Ready(Err(WriteError::Stopped(code))),
                Err(_) => Poll::Ready(Err(WriteError::Closed)),
            }
        });
        if written.is_ready() {
            coop.made_progress();
        }
        written
    }

    fn poll_stopped(&mut self, cx: &Context<'_>) -> Poll<Result<Option<u64>, WriteError>> {
        let core = &self.core;
        core.shared.with(|state| {
            let Some(entry) = state.entries.get_mut(&core.handle) else {
                return Poll::Ready(Err(core.gone().into()));
            };
            let Some(sending) = entry.sending.get_mut(&self.id) else {
                return Poll::Ready(Err(WriteError::Closed));
            };
            match sending.outcome {
                Some(Outcome::Finished) => return Poll::Ready(Ok(None)),
                Some(Outcome::Stopped(code)) => return Poll::Ready(Ok(Some(code))),
                None => {}
            }
            if let Some(reason) = core.close_reason() {
                return Poll::Ready(Err(reason.clone().into()));
            }
            let Some(connection) = state.endpoint.connection(core.handle) else {
                return Poll::Ready(Err(core.gone().into()));
            };
            match connection.streams().send_state(self.id) {
                stt_core::SendState::ResetSent | stt_core::SendState::Closed => {
                    Poll::Ready(Err(WriteError::Closed))
                }
                _ => {
                    sending.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }
}

impl AsyncWrite for SendStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut()
            .poll_write_bytes(cx, data)
            .map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().finish().map_err(io::Error::from))
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        let core = &self.core;
        core.shared.with(|state| {
            if let Some(entry) = state.entry(core.handle) {
                entry.sending.remove(&self.id);
            }
            if !self.is_ended
                && let Some(connection) = state.connection(core.handle)
            {
                // Stopped or closed before: nothing is left to finish.
                let _ = connection.streams().finish(self.id);
                state.wants_turn();
            }
        });
    }
}

/// Bytes that one call copies at most: the lock is held meanwhile.
const PIECE: usize = 128 << 10;
/// Bytes that surely go into one packet.
const SHORT: usize = 1_024;
