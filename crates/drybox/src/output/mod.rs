//! What a run leaves behind: metrics, events, captures, PCM and the summary
//! (`docs/spec/outputs.md`), and the readers of the same.
//!
//! This is the only module of the crate that touches the file system. A run writes through one
//! [`Recorder`], into a folder or into memory.

mod capture;
mod counts;
mod decimal;
mod error;
mod event;
mod files;
mod json;
pub mod read;
mod recorder;
mod row;
mod scrub;
mod sink;
mod spellings;
mod summary;
#[cfg(test)]
mod tests;
mod wav;

pub use capture::{CAPTURE_MAGIC, CAPTURE_VERSION, CaptureEvent, CaptureLayer, MAX_RECORD_BYTES};
pub use counts::{EventCounts, MAX_EVENT_TYPES, OTHER_EVENTS};
pub use error::OutputError;
pub use event::{MAX_DEPTH, MAX_LINE_BYTES, TOO_DEEP};
pub use files::{clear, write_whole};
pub use recorder::{Recorded, Recorder, RecorderOptions};
pub use row::{COLUMNS, HEADER, Row, RowLayer};
pub use scrub::{REMOVED, Scrubber, Secrets};
pub use summary::{
    AdapterNames, DirectionStats, Directions, LatencyStats, PartialWindow, PerSide, PublicKey,
    Summary, UnitStats,
};
pub use wav::PcmTap;
