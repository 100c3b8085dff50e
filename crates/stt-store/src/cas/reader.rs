//! Reading an object (`docs/spec/stt-store.md`, section 8).

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{
    address::Hasher,
    blob::{BlobKey, SEALED_CHUNK, sealed_len},
    manifest::{Body, Manifest},
    storage::{Inner, check_len},
};
use crate::{Address, FormatError, StoreError, backend::Pull, blocking};

/// Chunks that are read at once.
const RUN: usize = 16;

/// Reads an object from its start. The whole object was read when [`Self::next`] gives nothing
/// more; every byte before that was checked.
pub struct ObjectReader {
    address: Address,
    size: u64,
    rest: Rest,
}

enum Rest {
    Blob {
        pull: Pull,
        key: Arc<BlobKey>,
        next_chunk: u64,
    },
    Inline(Vec<u8>),
    Nothing,
}

impl ObjectReader {
    pub(super) async fn open(inner: &Inner, manifest: Manifest) -> Result<Self, StoreError> {
        let Manifest {
            address,
            size,
            body,
        } = manifest;
        let rest = match body {
            Body::Inline(bytes) => Rest::Inline(bytes),
            Body::Blob(blob) => {
                let pull = inner.backend.large(&blob.path()).await?;
                let found = pull.as_ref().map(Pull::len);
                check_len(&address, &blob, found, sealed_len(size))?;
                match pull {
                    Some(pull) => Rest::Blob {
                        pull,
                        key: Arc::new(blob.sealer(&inner.key)),
                        next_chunk: 0,
                    },
                    None => Rest::Nothing,
                }
            }
        };
        Ok(Self {
            address,
            size,
            rest,
        })
    }

    /// Bytes of the whole object.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The object's address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The next piece, up to 1 MiB; nothing at the end.
    ///
    /// # Errors
    ///
    /// The object is damaged here, or the backend fails. Nothing more can be read then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        match core::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Nothing => Ok(None),
            Rest::Inline(bytes) => Ok((!bytes.is_empty()).then(|| bytes.into())),
            Rest::Blob {
                pull,
                key,
                next_chunk,
            } => {
                let run = read_run(self.address, self.size, pull, &key, next_chunk);
                let (pull, run) = run.await?;
                let next_chunk = next_chunk + RUN as u64;
                if next_chunk * (SEALED_CHUNK as u64) < pull.len() {
                    self.rest = Rest::Blob {
                        pull,
                        key,
                        next_chunk,
                    };
                }
                Ok(Some(run.into()))
            }
        }
    }

    /// Reads what is left as a stream of pieces.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
        stream::try_unfold(self, |mut reader| async move {
            Ok(reader.next().await?.map(|piece| (piece, reader)))
        })
    }

    /// Reads what is left into memory.
    pub(super) async fn read_all(mut self) -> Result<Vec<u8>, StoreError> {
        let (address, size) = (self.address, self.size);
        match core::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Nothing => Ok(Vec::new()),
            Rest::Inline(bytes) => Ok(bytes),
            Rest::Blob { pull, key, .. } => {
                let path = pull.path().to_owned();
                pull.read_object(size, key, move |cause| {
                    StoreError::damaged(&address, &path, cause)
                })
                .await
            }
        }
    }

    /// Reads all of it and compares the hash.
    pub(super) async fn verify(mut self) -> Result<u64, StoreError> {
        let mut hasher = Hasher::new();
        let place = match &self.rest {
            Rest::Blob { pull, .. } => pull.path().to_owned(),
            _ => "its manifest".to_owned(),
        };
        while let Some(piece) = self.next().await? {
            hasher = blocking(move || {
                hasher.update(&piece);
                Ok(hasher)
            })
            .await?;
        }
        if hasher.finish() != self.address {
            let cause = FormatError::Hash;
            return Err(StoreError::damaged(&self.address, &place, cause));
        }
        Ok(self.size)
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was stored is left out.
        f.debug_struct("ObjectReader")
            .field("address", &self.address)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Reads and opens the run of chunks that begins with `first`.
async fn read_run(
    address: Address,
    size: u64,
    pull: Pull,
    key: &Arc<BlobKey>,
    first: u64,
) -> Result<(Pull, Vec<u8>), StoreError> {
    let left = pull.len() - first * SEALED_CHUNK as u64;
    let expected = left.min((RUN * SEALED_CHUNK) as u64);
    let (key, path) = (Arc::clone(key), pull.path().to_owned());
    let (pull, run) = pull
        .read(expected as usize, move |mut run| {
            if run.len() as u64 != expected {
                // Cut while it was being read.
                return Err(FormatError::Length {
                    found: first * SEALED_CHUNK as u64 + run.len() as u64,
                    expected: sealed_len(size),
                });
            }
            key.open_run(first, size, &mut run)?;
            Ok(run)
        })
        .await?;
    match run {
        Ok(run) => Ok((pull, run)),
        Err(cause) => Err(StoreError::damaged(&address, &path, cause)),
    }
}
