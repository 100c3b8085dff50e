use std::io;

use stt_core::SttFrameError;
use thiserror::Error;

use crate::transport::ws::WsError;

/// Why a standalone frame was not sent or received.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameTransportError {
    /// It can't be written, or what came is none.
    #[error(transparent)]
    Frame(#[from] SttFrameError),
    /// What came is the beginning of a frame.
    #[error("{len} bytes of a frame of at least {needed}: a message holds a whole one")]
    Partial {
        /// Bytes that came.
        len: usize,
        /// Bytes that the frame has at least.
        needed: usize,
    },
    /// What came holds more than a frame.
    #[error("{len} bytes behind the frame: a message holds exactly one")]
    Trailing {
        /// How many.
        len: usize,
    },
    /// The frame doesn't fit a UDP datagram.
    #[error(
        "a frame of {len} bytes; a UDP datagram takes {max}: use a WebSocket, or a node's streams"
    )]
    TooLong {
        /// Its bytes.
        len: usize,
        /// What fits.
        max: usize,
    },
    /// The socket fails.
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    /// The WebSocket fails.
    #[error(transparent)]
    WebSocket(#[from] WsError),
    /// The transport was closed, by this end or the other.
    #[error("the transport is closed")]
    Closed,
}
