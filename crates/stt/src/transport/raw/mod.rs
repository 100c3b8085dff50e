//! Standalone frames over plain UDP and WebSocket, without a session
//! (`docs/spec/stt-frame.md`, `docs/spec/stt-websocket.md` 3).
//!
//! **No replay protection, no handshake, no acknowledgement, no congestion control:** a recorded
//! frame can be sent again, and whoever sends may say that it comes from anywhere. A
//! [`Node`](crate::Node) has all of that.

mod error;
mod udp;
mod ws;

pub use error::FrameTransportError;
pub use udp::{UdpTransport, UdpTransportStats};
pub use ws::{WebSocketListener, WebSocketTransport, WsClientOptions};

use stt_core::{SttFrame, SttFrameError};

/// The frame that these bytes are, all of them.
fn whole(bytes: &[u8]) -> Result<SttFrame, FrameTransportError> {
    let (frame, used) = SttFrame::from_bytes(bytes).map_err(|error| match error {
        // What is missing can't come any more.
        SttFrameError::Incomplete { needed } => FrameTransportError::Partial {
            len: bytes.len(),
            needed,
        },
        error => error.into(),
    })?;
    if used < bytes.len() {
        return Err(FrameTransportError::Trailing {
            len: bytes.len() - used,
        });
    }
    Ok(frame)
}

#[cfg(test)]
mod tests;
