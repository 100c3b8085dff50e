//! Stream codecs: bytes of any meaning to sealed segments and back
//! (`docs/spec/stt-primitives.md` §1 to §3).
//!
//! [`BinaryStreamEncoder`] and [`BinaryStreamDecoder`] are for links that lose order: each segment
//! has a number. [`StreamEncoder`] and [`StreamDecoder`] are for those that keep it.
//!
//! ```
//! use stt::{crypto::Stc, streaming::{BinaryStreamDecoder, BinaryStreamEncoder, StreamMode}};
//!
//! let stc = Stc::new(b"32 bytes or more, from a generator")?;
//! let context = stc.create_stream_context(b"session!", 7)?;
//! let mut encoder = BinaryStreamEncoder::new(&context, StreamMode::Bounded, 4)?;
//! let segments = encoder.encode_all(b"any bytes at all")?;
//!
//! let decoder = BinaryStreamDecoder::new(&context);
//! for (sequence, segment) in segments.iter().rev() {
//!     decoder.receive_segment(segment, *sequence)?;
//! }
//! assert_eq!(decoder.try_receive_all().unwrap()?, b"any bytes at all");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunks;
mod decoder;
mod encoder;
mod error;
mod reassembly;
#[cfg(test)]
mod tests;

pub use chunks::{ChunkOpener, EncodedChunks, StreamDecoder, StreamEncoder};
pub use decoder::BinaryStreamDecoder;
pub use encoder::{BinaryStreamEncoder, Segment, SegmentReader, StreamMode};
pub use error::{DecodeError, EncodeError};
pub use reassembly::{Reassembly, ReassemblyLimits, Received};

/// Plaintext bytes of a [`BinaryStreamEncoder`]'s segment by default (§1.2).
pub const DEFAULT_SEGMENT_SIZE: usize = 1_400;
/// Plaintext bytes of a [`StreamEncoder`]'s chunk by default (§3.1).
pub const DEFAULT_CHUNK_SIZE: usize = 65_536;
/// The most plaintext of a segment or chunk, bytes (§1.2).
pub const MAX_SEGMENT_SIZE: usize = 16 << 20;
