//! Content-addressed storage: formats and sealing, which do no I/O, and over them
//! `BinaryStorage`.

mod address;
#[cfg(feature = "backend")]
pub(crate) mod blob;
#[cfg(feature = "backend")]
mod error;
mod format;
#[cfg(feature = "backend")]
mod manifest;
#[cfg(feature = "backend")]
mod options;
#[cfg(feature = "backend")]
mod reader;
#[cfg(feature = "backend")]
mod storage;
#[cfg(feature = "backend")]
mod upkeep;
#[cfg(feature = "backend")]
mod writer;

pub use address::{Address, AddressError};
#[cfg(feature = "backend")]
pub(crate) use blob::{BlobKey, CHUNK, SEALED_CHUNK, sealed_len};
#[cfg(feature = "backend")]
pub use error::StoreError;
pub use format::FormatError;
#[cfg(feature = "backend")]
pub use options::StorageOptions;
#[cfg(feature = "backend")]
pub use reader::ObjectReader;
#[cfg(feature = "backend")]
pub use storage::{BinaryStorage, Stored};
#[cfg(feature = "backend")]
pub use upkeep::{Collected, Entry, StorageStats};
#[cfg(feature = "backend")]
pub use writer::ObjectWriter;
