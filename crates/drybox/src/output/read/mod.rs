//! Reading outputs back (`docs/spec/outputs.md`).
//!
//! Every reader takes bytes from anywhere: it never panics, says where the trouble is, and allocates
//! in proportion to what it was given.

mod capture;
mod events;
mod metrics;

pub use capture::{CaptureError, CaptureReader, Record, fuzz_capture};
pub use events::{EventLine, Events, events};
pub use metrics::{Columns, StringColumn};

/// What is wrong with a text output, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
#[non_exhaustive]
pub struct LineError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl LineError {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}
