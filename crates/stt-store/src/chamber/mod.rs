//! The chamber: keys, sessions and tickets of a node in one encrypted file
//! (`docs/spec/stt-store.md`, sections 13 to 16).

mod absence;
pub(crate) mod entry;
mod error;
mod file;
mod store;

pub use entry::{MAX_NAME, MAX_VALUE};
pub use error::ChamberError;
pub use store::{Chamber, MAX_ENTRIES};
