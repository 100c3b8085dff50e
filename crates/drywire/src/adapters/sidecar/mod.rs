//! Adapters in another process, spoken to over its stdin and stdout (`docs/spec/sidecar.md`).

mod client;
mod launch;
mod message;
mod options;
mod process;
mod stderr;
mod value;

pub use client::{Sidecar, SidecarProcess};
pub use launch::ENTROPY_PREFIX;
pub use options::SidecarOptions;
pub use stderr::LogSink;
