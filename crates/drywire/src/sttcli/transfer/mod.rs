//! `drywire send` and `drywire recv` (`docs/spec/stt-commands.md` 4).

mod files;
mod message;
mod names;
mod place;
mod receive;
mod report;
mod send;

pub use receive::RecvArgs;
pub(super) use receive::run as receive;
pub use send::SendArgs;
pub(super) use send::run as send;

/// Bytes that are read and written at once.
const CHUNK: usize = 256 << 10;

/// Length of a SHA3-256.
const HASH_LEN: usize = 32;
