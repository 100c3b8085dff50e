//! Sessions (`docs/spec/stt-node.md` section 5).

mod calls;
mod core;
mod handle;
mod migrate;

pub(crate) use core::SessionCore;
pub(crate) use handle::Handle;
pub use handle::{Session, SessionEnd, SessionState};
