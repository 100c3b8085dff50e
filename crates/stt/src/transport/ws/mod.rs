//! WebSocket (RFC 6455), both ends, for messages of bounded size
//! (`docs/spec/stt-websocket.md`).
//!
//! Frames are `fastwebsockets`'; the opening handshake, limits, control frames and the end of a
//! connection are here.

mod connection;
mod error;
#[cfg(any(feature = "__fuzz", test))]
pub(crate) mod fuzz;
mod handshake;
mod listener;
mod options;
mod pump;
mod socket;

pub(crate) use connection::{Accept, Connect, Connection, accept, connect};
pub use error::WsError;
pub(crate) use listener::serve;
pub(crate) use options::{HANDSHAKE_TIMEOUT, KEEP_ALIVE};
pub use options::{OriginPolicy, WsListenOptions};
pub(crate) use pump::{Deliver, End, Outgoing, pump};

#[cfg(test)]
mod tests;
