use std::{convert::Infallible, future::ready, io::Cursor};

use bytes::BytesMut;
use fastwebsockets::{
    Frame, OpCode, Payload, Role, WebSocketRead, WebSocketWrite, after_handshake_split,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Chain};

use super::WsError;

pub(super) type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// Reads messages.
pub(crate) struct Reader {
    frames: WebSocketRead<Chain<Cursor<Vec<u8>>, ReadHalf>>,
    limit: usize,
    /// What has come of a message in several frames.
    partial: Option<BytesMut>,
}

/// Writes messages.
pub(crate) struct Writer {
    frames: WebSocketWrite<WriteHalf>,
}

/// What a peer sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A whole binary message.
    Message(BytesMut),
    /// To be answered by a pong with the same bytes.
    Ping(BytesMut),
    Pong,
    /// The last that comes.
    Close,
}

/// A connection whose opening handshake is done. `rest` is what came behind it; messages of more
/// than `limit` bytes are refused.
pub(super) fn halves(
    read: ReadHalf,
    write: WriteHalf,
    rest: Vec<u8>,
    role: Role,
    limit: usize,
) -> (Reader, Writer) {
    let read = Cursor::new(rest).chain(read);
    let (mut frames, writer) = after_handshake_split(read, write, role);
    // A pong has to leave by the writer, which is elsewhere.
    frames.set_auto_pong(false);
    frames.set_auto_close(false);
    // The library refuses what reaches this size.
    frames.set_max_message_size(limit.saturating_add(1));
    let reader = Reader {
        frames,
        limit,
        partial: None,
    };
    (reader, Writer { frames: writer })
}

impl Reader {
    /// What comes next. Not to be cancelled and called again: a part of a frame may be lost.
    pub(crate) async fn next(&mut self) -> Result<Incoming, WsError> {
        loop {
            let mut nothing_to_send = |_: Frame<'_>| ready(Ok::<(), Infallible>(()));
            let frame = self
                .frames
                .read_frame(&mut nothing_to_send)
                .await
                .map_err(|error| WsError::from_frames(error, self.limit))?;
            let (is_last, opcode) = (frame.fin, frame.opcode);
            let bytes = into_bytes(frame.payload);
            match opcode {
                OpCode::Ping => return Ok(Incoming::Ping(bytes)),
                OpCode::Pong => return Ok(Incoming::Pong),
                OpCode::Close => return Ok(Incoming::Close),
                OpCode::Text => return Err(WsError::Text),
                OpCode::Binary => {
                    if self.partial.is_some() {
                        let error = fastwebsockets::WebSocketError::InvalidFragment;
                        return Err(WsError::Protocol(error));
                    }
                    if is_last {
                        return Ok(Incoming::Message(bytes));
                    }
                    self.partial = Some(bytes);
                }
                OpCode::Continuation => {
                    let limit = self.limit;
                    let Some(partial) = &mut self.partial else {
                        let error = fastwebsockets::WebSocketError::InvalidContinuationFrame;
                        return Err(WsError::Protocol(error));
                    };
                    if bytes.len() > limit - partial.len() {
                        return Err(WsError::TooLong { limit });
                    }
                    partial.extend_from_slice(&bytes);
                    if is_last && let Some(message) = self.partial.take() {
                        return Ok(Incoming::Message(message));
                    }
                }
            }
        }
    }
}

impl Writer {
    /// Sends a binary message. A client masks it where it lies.
    pub(crate) async fn message(&mut self, bytes: &mut [u8]) -> Result<(), WsError> {
        self.frame(Frame::binary(bytes.into())).await
    }

    pub(crate) async fn ping(&mut self) -> Result<(), WsError> {
        let empty = Payload::Owned(Vec::new());
        self.frame(Frame::new(true, OpCode::Ping, None, empty))
            .await
    }

    pub(crate) async fn pong(&mut self, bytes: &mut [u8]) -> Result<(), WsError> {
        self.frame(Frame::pong(bytes.into())).await
    }

    /// Says that nothing follows (RFC 6455 §7.4.1 lists the codes).
    pub(crate) async fn close(&mut self, code: u16) -> Result<(), WsError> {
        self.frame(Frame::close(code, b"")).await?;
        self.flush().await
    }

    /// Sees that everything has left for the socket (TLS gathers).
    pub(crate) async fn flush(&mut self) -> Result<(), WsError> {
        let flushed = self.frames.flush().await;
        flushed.map_err(|error| WsError::from_frames(error, 0))
    }

    async fn frame(&mut self, frame: Frame<'_>) -> Result<(), WsError> {
        let written = self.frames.write_frame(frame).await;
        written.map_err(|error| WsError::from_frames(error, 0))
    }
}

fn into_bytes(payload: Payload<'_>) -> BytesMut {
    match payload {
        Payload::Bytes(bytes) => bytes,
        // The reader gives no others.
        other => BytesMut::from(&*other),
    }
}
