use stt_crypto::SegmentError;
use thiserror::Error;

use super::MAX_SEGMENT_SIZE;

/// Why bytes were not encoded (`docs/spec/stt-primitives.md` §1).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A segment or chunk of that size can't be.
    #[error("a segment size of {size} bytes; 1 to {MAX_SEGMENT_SIZE} are possible")]
    Size {
        /// What was asked for.
        size: usize,
    },
    /// The operating system gave no random bytes for the salt.
    #[error("no random bytes from the operating system: {0}")]
    Random(#[from] getrandom::Error),
    /// The stream has ended, or is too long.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The source of the bytes failed.
    #[error("the source of the stream failed: {0}")]
    Source(#[from] std::io::Error),
}

/// Why segments were not decoded (`docs/spec/stt-primitives.md` §2 and §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The segment isn't authentic, or another encoder's.
    #[error("segment {sequence}: {cause}")]
    Segment {
        /// The number that it came with.
        sequence: u64,
        /// What is wrong.
        cause: SegmentError,
    },
    /// A segment past the last, or a last one before others.
    #[error("segment {sequence} and the end of the stream at {end} exclude each other")]
    Beyond {
        /// The number that it came with.
        sequence: u64,
        /// The number of segments that the stream has.
        end: u64,
    },
    /// Too much waits for an earlier segment.
    #[error(
        "segment {sequence} has no room among {limit} bytes that wait for segment {missing}: send it again later"
    )]
    ReorderFull {
        /// The number that it came with.
        sequence: u64,
        /// The first that is missing.
        missing: u64,
        /// [`super::ReassemblyLimits::reorder_bytes`].
        limit: usize,
    },
    /// Too much was not taken yet.
    #[error("{limit} decoded bytes lie unread: take some, then receive segment {sequence} again")]
    ReadyFull {
        /// The number that it came with.
        sequence: u64,
        /// [`super::ReassemblyLimits::ready_bytes`].
        limit: usize,
    },
    /// The stream stopped before its authenticated end.
    #[error("the stream is incomplete: segment {missing} never arrived")]
    Incomplete {
        /// The first that is missing.
        missing: u64,
    },
    /// The decoder was closed.
    #[error("the decoder is closed")]
    Closed,
}
