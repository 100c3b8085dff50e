//! STT on tokio: nodes, sessions and streams over UDP and WebSocket (`docs/spec/stt-node.md`).
//!
//! The protocol itself is `stt-core`, a state machine without I/O; this crate gives it sockets, a
//! clock and randomness.

pub use stt_core as core;
pub use stt_crypto as crypto;
pub use stt_store as store;
