use std::{io, time::Duration};

use fastwebsockets::WebSocketError;
use thiserror::Error;

/// Why a WebSocket can't be opened or has ended (`docs/spec/stt-websocket.md`).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WsError {
    /// The address can't be bound, or the socket fails.
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    /// The host's name doesn't resolve, or nobody listens there.
    #[error("can't connect to {host}:{port}: {source}")]
    Connect {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The opening handshake took too long.
    #[error("the opening handshake took more than {0:?}")]
    TimedOut(Duration),
    /// The server answered, but didn't switch to WebSocket.
    #[error("the server refused with HTTP status {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its text.
        reason: String,
    },
    /// The server's answer is no WebSocket handshake, or not one for what was asked.
    #[error("not the answer of an STT WebSocket server: {0}")]
    BadResponse(&'static str),
    /// A client's request was refused.
    #[error("refused a request with HTTP status {status}: {reason}")]
    BadRequest {
        /// The HTTP status it got.
        status: u16,
        /// Why.
        reason: &'static str,
    },
    /// The head of a request or response is too long.
    #[error("an HTTP head of more than {limit} bytes")]
    HeadTooLong {
        /// The limit, bytes.
        limit: usize,
    },
    /// The path or another field of the request can't be sent.
    #[error("{field} can't be sent in an HTTP request: {value:?}")]
    Field {
        /// Which one.
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// A message is longer than this end takes.
    #[error("a message of more than {limit} bytes")]
    TooLong {
        /// The limit, bytes.
        limit: usize,
    },
    /// Nothing came from the peer for three keep-alives, or it took nothing.
    #[error("the peer was silent, or took nothing, for too long")]
    Silent,
    /// The peer sent text.
    #[error("a text message, where only binary ones are")]
    Text,
    /// The peer broke the protocol.
    #[error("against the WebSocket protocol: {0}")]
    Protocol(#[source] WebSocketError),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The connection ended without a closing handshake.
    #[error("the connection was cut")]
    Cut,
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Tls(String),
}

impl WsError {
    /// From reading or writing frames.
    pub(super) fn from_frames(error: WebSocketError, limit: usize) -> Self {
        match error {
            WebSocketError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Self::Io(error)
            }
            WebSocketError::IoError(_)
            | WebSocketError::UnexpectedEOF
            | WebSocketError::ConnectionClosed => Self::Cut,
            WebSocketError::FrameTooLarge => Self::TooLong { limit },
            WebSocketError::InvalidUTF8 => Self::Text,
            other => Self::Protocol(other),
        }
    }

    /// What to tell the peer on closing (RFC 6455 §7.4.1); `None` if it can't be told.
    pub(super) const fn close_code(&self) -> Option<u16> {
        match self {
            Self::TooLong { .. } => Some(1009),
            Self::Text => Some(1003),
            Self::Protocol(_) => Some(1002),
            _ => None,
        }
    }
}
