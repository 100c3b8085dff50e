//! STT on tokio: nodes, sessions and streams over UDP and WebSocket (`docs/spec/stt-node.md`).
//!
//! The protocol itself is `stt-core`, a state machine without I/O; this crate gives it sockets, a
//! clock and randomness. Beside it stand the primitives, which never look into a payload
//! (`docs/spec/stt-primitives.md`).

mod dispatcher;
mod endpoints;
mod events;
mod handler;
pub mod streaming;

pub use dispatcher::{DispatchError, FrameDispatcher};
pub use endpoints::{EndpointError, EndpointLimits, EndpointManager};
pub use events::{Emitted, EventEmitter, HandlerFailure, HandlerKey};
pub use handler::{BoxError, HandlerError};
pub use stt_core as core;
pub use stt_crypto as crypto;
pub use stt_store as store;
