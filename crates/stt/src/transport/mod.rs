//! What carries packets and frames: a node's UDP sockets and links (`docs/spec/stt-node.md`
//! sections 2 to 4), WebSocket (`docs/spec/stt-websocket.md`), and both for standalone frames.
//!
//! Most programs need a [`Node`](crate::Node) and nothing of this but the options of its WebSockets.
//! **The transports of standalone frames, [`UdpTransport`] and [`WebSocketTransport`], give no
//! replay protection**, no handshake and no acknowledgement: a recorded frame can be sent again.

pub(crate) mod links;
pub(crate) mod path;
mod raw;
#[cfg(feature = "tls")]
mod tls;
pub(crate) mod udp;
pub(crate) mod ws;

pub use raw::{
    FrameTransportError, UdpTransport, UdpTransportStats, WebSocketListener, WebSocketTransport,
    WsClientOptions,
};
#[cfg(feature = "tls")]
pub use tls::{TlsClient, TlsServer};
pub use ws::{OriginPolicy, WsError, WsListenOptions};
