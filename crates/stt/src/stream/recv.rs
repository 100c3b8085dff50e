use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use stt_core::{ReadError as CoreError, StreamId};
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::coop,
};

use crate::{
    driver::State,
    error::{ReadError, ReadToEndError},
    session::{Handle, SessionCore},
};

/// The receiving half of a stream: bytes in order, then the end.
///
/// Reads are cancel-safe: a call that is dropped has taken nothing. Dropping the stream before its
/// end tells the peer to stop sending.
#[derive(Debug)]
pub struct RecvStream {
    core: Arc<SessionCore>,
    /// Keeps the session open.
    _keep: Option<Arc<Handle>>,
    id: StreamId,
    end: End,
}

/// Whether more can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// Read to the end.
    Fin,
    Reset(u64),
    /// By this end.
    Stopped,
}

impl RecvStream {
    pub(crate) const fn new(
        core: Arc<SessionCore>,
        keep: Option<Arc<Handle>>,
        id: StreamId,
    ) -> Self {
        Self {
            core,
            _keep: keep,
            id,
            end: End::Open,
        }
    }

    /// The stream's number, the same at both ends.
    pub const fn id(&self) -> u64 {
        self.id.as_u64()
    }

    /// Reads some bytes to the front of `out`, waits if there are none, and tells how many; `None`
    /// at the end of the stream.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn read(&mut self, out: &mut [u8]) -> Result<Option<usize>, ReadError> {
        if out.is_empty() {
            return Ok(Some(0));
        }
        let len = std::future::poll_fn(|cx| self.poll_with(cx, |source| source.read(out))).await?;
        Ok((len > 0).then_some(len))
    }

    /// Reads some bytes, at most `max`; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        if max == 0 {
            return Ok(Some(Bytes::new()));
        }
        let mut chunk = Vec::new();
        let len =
            std::future::poll_fn(|cx| self.poll_with(cx, |source| source.append(&mut chunk, max)))
                .await?;
        Ok((len > 0).then(|| chunk.into()))
    }

    /// Reads everything up to the end of the stream. Not cancel-safe: what a dropped call has read
    /// is lost.
    ///
    /// # Errors
    ///
    /// There are more than `limit` bytes, or [`ReadError`].
    pub async fn read_to_end(&mut self, limit: usize) -> Result<Vec<u8>, ReadToEndError> {
        let mut bytes = Vec::new();
        loop {
            let max = (limit - bytes.len()).saturating_add(1).min(PIECE);
            let read = std::future::poll_fn(|cx| {
                self.poll_with(cx, |source| source.append(&mut bytes, max))
            });
            if read.await? == 0 {
                return Ok(bytes);
            }
            if bytes.len() > limit {
                return Err(ReadToEndError::TooLong { limit });
            }
        }
    }

    /// Wants nothing more, and asks the peer to give the stream up: it is told `code`. A stream
    /// that is over stays as it is.
    pub fn stop(&mut self, code: u64) {
        if self.end != End::Open {
            return;
        }
        self.end = End::Stopped;
        let core = &self.core;
        core.shared.with(|state| {
            if let Some(connection) = state.connection(core.handle) {
                // Over before: nothing is left to stop.
                let _ = connection.streams().stop(self.id, code);
                state.wants_turn();
            }
        });
    }

    /// Takes bytes with `take`, or waits for some. 0 bytes are the end.
    fn poll_with(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut Source<'_>) -> Result<usize, CoreError>,
    ) -> Poll<Result<usize, ReadError>> {
        let coop = ready!(coop::poll_proceed(cx));
        match self.end {
            End::Open => {}
            End::Fin => return Poll::Ready(Ok(0)),
            End::Reset(code) => return Poll::Ready(Err(ReadError::Reset(code))),
            End::Stopped => return Poll::Ready(Err(ReadError::Closed)),
        }
        let (core, id) = (&self.core, self.id);
        let taken = core.shared.with(|state| {
            let mut source = Source { state, core, id };
            match take(&mut source) {
                Ok(len) => {
                    source.grant();
                    Poll::Ready(Ok(len))
                }
                Err(CoreError::Blocked) => source.wait(cx),
                Err(CoreError::Reset(code)) => Poll::Ready(Err(ReadError::Reset(code))),
                Err(_) => Poll::Ready(Err(match core.close_reason() {
                    Some(reason) => ReadError::Session(reason.clone()),
                    None => ReadError::Closed,
                })),
            }
        });
        match &taken {
            Poll::Ready(Ok(0)) => self.end = End::Fin,
            Poll::Ready(Err(ReadError::Reset(code))) => self.end = End::Reset(*code),
            _ => {}
        }
        if taken.is_ready() {
            coop.made_progress();
        }
        taken
    }
}

/// A stream's bytes: in its connection, or what was left when that went.
struct Source<'a> {
    state: &'a mut State,
    core: &'a SessionCore,
    id: StreamId,
}

impl Source<'_> {
    /// Copies some bytes; 0 at the end.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, CoreError> {
        let (core, id) = (self.core, self.id);
        if core.close_reason().is_some() {
            return self.read_rest(|bytes| {
                let len = bytes.len().min(out.len());
                out[..len].copy_from_slice(&bytes[..len]);
                len
            });
        }
        let connection = self.state.connection(core.handle);
        let connection = connection.ok_or(CoreError::Unknown(id))?;
        let len = out.len().min(PIECE);
        let read = connection.streams().read(id, &mut out[..len])?;
        Ok(read.unwrap_or(0))
    }

    /// Appends some bytes, at most `max`; 0 at the end.
    fn append(&mut self, out: &mut Vec<u8>, max: usize) -> Result<usize, CoreError> {
        let (core, id) = (self.core, self.id);
        let mut copy = |bytes: &[u8]| {
            let len = bytes.len().min(max);
            out.extend_from_slice(&bytes[..len]);
            len
        };
        if core.close_reason().is_some() {
            return self.read_rest(copy);
        }
        let connection = self.state.connection(core.handle);
        let streams = connection.ok_or(CoreError::Unknown(id))?.streams();
        let Some(bytes) = streams.peek(id)? else {
            return Ok(0);
        };
        let len = copy(bytes);
        streams.consume(id, len);
        Ok(len)
    }

    /// The session is over: what was kept of the stream.
    fn read_rest(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Result<usize, CoreError> {
        let id = self.id;
        let entry = self.state.entry(self.core.handle);
        let rest = entry.and_then(|entry| entry.rest.as_mut());
        let stream = rest.and_then(|rest| rest.streams.get_mut(&id));
        let stream = stream.ok_or(CoreError::Unknown(id))?;
        let bytes = stream.bytes();
        if !bytes.is_empty() {
            let len = take(bytes);
            stream.consume(len);
            return Ok(len);
        }
        match stream.end() {
            Ok(true) => Ok(0),
            Ok(false) => Err(CoreError::Unknown(id)),
            Err(code) => Err(CoreError::Reset(code)),
        }
    }

    /// Nothing is there: waits for it.
    fn wait(&mut self, cx: &Context<'_>) -> Poll<Result<usize, ReadError>> {
        // A stream that was opened and not written is not known to the peer, who is to write now.
        self.grant();
        if let Some(entry) = self.state.entry(self.core.handle)
            && let Some(waker) = entry.receiving.get_mut(&self.id)
        {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Has credit sent if some is due.
    fn grant(&mut self) {
        let connection = self.state.connection(self.core.handle);
        if connection.is_some_and(|connection| connection.streams().has_pending()) {
            self.state.wants_turn();
        }
    }
}

impl AsyncRead for RecvStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let stream = self.get_mut();
        let out = buf.initialize_unfilled();
        let len = ready!(stream.poll_with(cx, |source| source.read(out)))?;
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        let core = &self.core;
        let is_open = self.end == End::Open;
        core.shared.with(|state| {
            if let Some(entry) = state.entry(core.handle) {
                entry.receiving.remove(&self.id);
                if let Some(rest) = &mut entry.rest {
                    rest.streams.remove(&self.id);
                }
            }
            if is_open && let Some(connection) = state.connection(core.handle) {
                // Over before: nothing is left to stop.
                let _ = connection.streams().stop(self.id, 0);
                state.wants_turn();
            }
        });
    }
}

/// Bytes that one call copies at most: the lock is held meanwhile.
const PIECE: usize = 128 << 10;
