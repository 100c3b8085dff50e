//! Storage at rest for STT (`docs/spec/stt-store.md`, whose sections are cited): objects addressed
//! by their hash, and a chamber of keys, sessions and tickets. Both rest encrypted.
//!
//! The formats do no I/O. `BinaryStorage` is there with the feature `backend`, which brings tokio;
//! S3 with the feature `s3`. Randomness and the time come through an [`Environment`].

#[cfg(feature = "backend")]
mod backend;
#[cfg(feature = "backend")]
mod blocking;
mod cas;
mod chamber;
mod environment;
mod hex;
#[cfg(all(test, feature = "backend"))]
mod tests;

#[cfg(feature = "backend")]
pub use backend::Backend;
#[cfg(feature = "s3")]
pub use backend::S3Options;
#[cfg(feature = "backend")]
pub(crate) use blocking::blocking;
pub use cas::{Address, AddressError, FormatError};
#[cfg(feature = "backend")]
pub use cas::{
    BinaryStorage, Collected, Entry, ObjectReader, ObjectWriter, StorageOptions, StorageStats,
    StoreError, Stored,
};
pub use chamber::{Chamber, ChamberError, MAX_ENTRIES, MAX_NAME, MAX_VALUE};
pub use environment::{Environment, NoRandomness};
