//! What is wrong with bytes read from a store.

use stt_crypto::ChunkRefused;
use thiserror::Error;

/// Why a file of the store is not taken for what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Another object than the one asked for, or under another name.
    #[error("it is the manifest of another object")]
    Address,
    /// A chunk of a blob.
    #[error("chunk {number} at byte {offset} does not open: changed, or from another object")]
    Chunk {
        /// Which one, from 0.
        number: u64,
        /// Where it begins in the file.
        offset: u64,
    },
    /// The content reads back with another hash.
    #[error("its content has another hash than its address")]
    Hash,
    /// Fewer or more bytes than there have to be.
    #[error("it has {found} bytes, expected {expected}")]
    Length {
        /// Bytes that there are.
        found: u64,
        /// Bytes that there should be.
        expected: u64,
    },
    /// The manifest is there, the blob is not.
    #[error("it is missing")]
    Missing,
    /// Opened, but not understood.
    #[error("its {field} is not one that this version knows")]
    Field {
        /// The field of the manifest.
        field: &'static str,
    },
    /// The seal does not open.
    #[error(transparent)]
    Sealed(#[from] ChunkRefused),
    /// Other first bytes.
    #[error("it does not begin as one of this store's files of version 1")]
    Start,
}
