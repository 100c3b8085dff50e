//! What can go wrong with a store (`docs/spec/stt-store.md`, 8.2).

use std::{error::Error, io};

use thiserror::Error;

use crate::{Address, FormatError, NoRandomness};

/// Why an operation on a store failed. What it was about is named: the object's address, or the
/// file of the store where the address isn't known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What holds the files failed.
    #[error("{operation} {place}: {source}")]
    Backend {
        /// What was being done.
        operation: &'static str,
        /// The file of the store.
        place: String,
        /// What it said.
        source: object_store::Error,
    },
    /// A file of the store is not what was stored.
    #[error("{object} is damaged: {place}: {cause}")]
    Damaged {
        /// The address, or "an object" where it can't be known.
        object: String,
        /// The file of the store.
        place: String,
        /// What is wrong with it.
        cause: FormatError,
    },
    /// The store's size limit.
    #[error("the store is full: {used} of {capacity} bytes are used and {needed} more are needed")]
    Full {
        /// Bytes in use.
        used: u64,
        /// The limit.
        capacity: u64,
        /// What would have been added.
        needed: u64,
    },
    /// The file system failed.
    #[error("{operation} {place}: {source}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The file or folder.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// No object has this address.
    #[error("no object {address} is stored here")]
    NotFound {
        /// The address.
        address: Address,
    },
    /// The store belongs to another seed.
    #[error("the store's {place} does not open: it was made with another seed, or is damaged")]
    OtherSeed {
        /// The file that tells.
        place: String,
    },
    /// A put that took too long to commit.
    #[error(
        "{address} was not stored: more time than half the grace period passed between its bytes and its commit; store it again"
    )]
    Overtaken {
        /// The object's address.
        address: Address,
    },
    /// The bytes to be stored could not be read.
    #[error("reading the bytes to be stored: {0}")]
    Source(io::Error),
    /// The runtime is shutting down.
    #[error("the runtime is stopping")]
    Stopped,
    /// Larger than objects may be here.
    #[error("the object is larger than {limit} bytes, the limit of this store")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The manifest comes and goes as others store and remove the object.
    #[error("{address} is being stored and removed by others all the time; try again")]
    Unsettled {
        /// The object's address.
        address: Address,
    },
}

impl StoreError {
    pub(crate) fn backend(
        operation: &'static str,
        place: &str,
        source: object_store::Error,
    ) -> Self {
        Self::Backend {
            operation,
            place: place.to_owned(),
            source,
        }
    }

    pub(crate) fn damaged(address: &Address, place: &str, cause: FormatError) -> Self {
        Self::Damaged {
            object: format!("object {address}"),
            place: place.to_owned(),
            cause,
        }
    }

    /// The error of the file system behind this one, if there is one: a full disk is
    /// [`io::ErrorKind::StorageFull`], no permission [`io::ErrorKind::PermissionDenied`].
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut error: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(this) = error {
            if let Some(io) = this.downcast_ref::<io::Error>() {
                return Some(io.kind());
            }
            error = this.source();
        }
        None
    }
}
