//! `BinaryStorage`: opening, looking up, committing, removing
//! (`docs/spec/stt-store.md`, sections 4, 7 and 9).

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{io, pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use stt_crypto::secret::StorageKey;

use super::{
    blob::BlobRef,
    manifest::{Body, MANIFEST_MAX, MARK_LEN, Manifest, check_mark, seal_mark},
    options::StorageOptions,
    reader::ObjectReader,
    writer::ObjectWriter,
};
use crate::{
    Address, Environment, FormatError, StoreError,
    backend::{Backend, Small},
    environment::random,
    hex,
};

const MARK: &str = "store";
pub(super) const INDEX: &str = "index";
pub(super) const BLOBS: &str = "blobs";
/// How often a commit tries again when others remove the object at the same moment.
const ATTEMPTS: u32 = 16;

/// Encrypted objects, each under the SHA3-256 of its bytes.
///
/// Cheap to clone; any number of tasks, and of processes, may use one store at once.
#[derive(Clone)]
pub struct BinaryStorage(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) backend: Backend,
    pub(super) key: StorageKey,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) options: StorageOptions,
    /// Bytes of all files, as far as this process knows.
    pub(super) used: AtomicU64,
}

/// An object that is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its address.
    pub address: Address,
    /// Its bytes.
    pub size: u64,
    /// Whether it wasn't there before.
    pub new: bool,
}

impl BinaryStorage {
    /// Opens a store, or makes one where there is none.
    ///
    /// # Errors
    ///
    /// The store was made with another seed or its mark is damaged; the backend fails.
    pub async fn open(
        backend: Backend,
        key: StorageKey,
        environment: Arc<dyn Environment>,
        options: StorageOptions,
    ) -> Result<Self, StoreError> {
        let inner = Inner {
            backend,
            key,
            environment,
            options,
            used: AtomicU64::new(0),
        };
        inner.check_mark().await?;
        let storage = Self(Arc::new(inner));
        if storage.0.options.get_capacity().is_some() {
            storage.stats().await?;
        }
        Ok(storage)
    }

    /// Stores bytes; they are there when this returns. Equal bytes are kept once.
    ///
    /// # Errors
    ///
    /// A limit of the store, or the backend; nothing was stored then.
    pub async fn store(&self, object: impl Into<Bytes>) -> Result<Address, StoreError> {
        let mut writer = self.writer();
        writer.write(object.into()).await?;
        Ok(writer.finish().await?.address)
    }

    /// Stores a stream of any length in bounded memory.
    ///
    /// # Errors
    ///
    /// As [`Self::store`]; or the stream's error, and nothing was stored.
    pub async fn store_stream(
        &self,
        object: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Stored, StoreError> {
        let mut object = pin!(object);
        let mut writer = self.writer();
        while let Some(bytes) = object.next().await {
            writer.write(bytes.map_err(StoreError::Source)?).await?;
        }
        writer.finish().await
    }

    /// Stores an object that comes piece by piece. Dropping the writer stores nothing.
    pub fn writer(&self) -> ObjectWriter {
        ObjectWriter::new(Arc::clone(&self.0))
    }

    /// The bytes of an object, all of them authentic.
    ///
    /// # Errors
    ///
    /// It isn't there, is damaged, or the backend fails.
    pub async fn retrieve(&self, address: &Address) -> Result<Vec<u8>, StoreError> {
        self.reader(address).await?.read_all().await
    }

    /// Reads an object piece by piece in bounded memory, each piece checked.
    ///
    /// # Errors
    ///
    /// It isn't there, is damaged, or the backend fails.
    pub async fn reader(&self, address: &Address) -> Result<ObjectReader, StoreError> {
        for _ in 0..ATTEMPTS {
            let manifest = self.0.manifest(address).await?;
            let blob = manifest.blob();
            match ObjectReader::open(&self.0, manifest).await {
                // Removed in between, or is it really missing?
                Err(StoreError::Damaged {
                    cause: FormatError::Missing,
                    ..
                }) if self.0.manifest(address).await?.blob() != blob => {}
                result => return result,
            }
        }
        Err(StoreError::Unsettled { address: *address })
    }

    /// Whether an object is there. Says nothing about the state of its bytes: see
    /// [`Self::verify`].
    ///
    /// # Errors
    ///
    /// The backend fails.
    pub async fn exists(&self, address: &Address) -> Result<bool, StoreError> {
        let path = self.0.index_path(address);
        Ok(self.0.backend.len(&path).await?.is_some())
    }

    /// Reads an object, computes its SHA3-256 again, and gives its size.
    ///
    /// # Errors
    ///
    /// It isn't there, is damaged, or the backend fails.
    pub async fn verify(&self, address: &Address) -> Result<u64, StoreError> {
        self.reader(address).await?.verify().await
    }

    /// Removes an object, also a damaged one; says whether it was there.
    ///
    /// # Errors
    ///
    /// The backend fails. The object may be gone nevertheless.
    pub async fn remove(&self, address: &Address) -> Result<bool, StoreError> {
        let inner = &self.0;
        let manifest = match inner.manifest(address).await {
            Ok(manifest) => Some(manifest),
            Err(StoreError::NotFound { .. }) => return Ok(false),
            // What it names isn't known; the blob is an orphan then.
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        let was_there = inner.backend.delete(&inner.index_path(address)).await?;
        inner.backend.sync(INDEX).await?;
        if let Some(Manifest {
            body: Body::Blob(blob),
            ..
        }) = manifest
        {
            inner.backend.delete(&blob.path()).await?;
        }
        Ok(was_there)
    }
}

impl Inner {
    pub(super) fn index_path(&self, address: &Address) -> String {
        let name = self.key.index_name(address.as_bytes());
        format!("{INDEX}/{}", hex::encode(&name))
    }

    /// The manifest of an object.
    pub(super) async fn manifest(&self, address: &Address) -> Result<Manifest, StoreError> {
        let name = self.key.index_name(address.as_bytes());
        match self.manifest_named(&name).await? {
            Some(Ok(manifest)) => Ok(manifest),
            Some(Err(cause)) => {
                let path = self.index_path(address);
                Err(StoreError::damaged(address, &path, cause))
            }
            None => Err(StoreError::NotFound { address: *address }),
        }
    }

    /// The manifest of a name, if it is there, and if it opens.
    pub(super) async fn manifest_named(
        &self,
        name: &[u8; 32],
    ) -> Result<Option<Result<Manifest, FormatError>>, StoreError> {
        let path = format!("{INDEX}/{}", hex::encode(name));
        Ok(match self.backend.small(&path, MANIFEST_MAX).await? {
            Small::Bytes(bytes) => Some(Manifest::open(&self.key, name, bytes)),
            Small::Missing => None,
            Small::TooLong(found) => Some(Err(FormatError::Length {
                found,
                expected: MANIFEST_MAX,
            })),
        })
    }

    /// Commits an object (7.1 to 7.3). `ready` is when its blob, if it has one, was ready.
    pub(super) async fn commit(
        &self,
        manifest: &Manifest,
        ready: Duration,
    ) -> Result<bool, StoreError> {
        let address = &manifest.address;
        let path = self.index_path(address);
        for _ in 0..ATTEMPTS {
            match self.whole(address).await {
                Ok(()) => {
                    self.backend.sync(INDEX).await?;
                    return Ok(false);
                }
                Err(StoreError::NotFound { .. }) => {
                    let sealed = self.sealed(manifest, ready)?;
                    let len = sealed.len() as u64;
                    if self.backend.create(&path, sealed).await? {
                        self.used.fetch_add(len, Ordering::Relaxed);
                        self.check_committed(manifest).await?;
                        return Ok(true);
                    }
                }
                Err(StoreError::Damaged { .. }) => {
                    let sealed = self.sealed(manifest, ready)?;
                    self.backend.replace(&path, sealed).await?;
                    self.check_committed(manifest).await?;
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Unsettled { address: *address })
    }

    /// Seals a manifest, if it isn't too late for its blob.
    fn sealed(&self, manifest: &Manifest, ready: Duration) -> Result<Bytes, StoreError> {
        let late = self.environment.now().saturating_sub(ready) > self.options.get_grace() / 2;
        if late && matches!(manifest.body, Body::Blob(_)) {
            return Err(StoreError::Overtaken {
                address: manifest.address,
            });
        }
        let salt = random(&*self.environment)?;
        Ok(manifest.seal(&self.key, &salt).into())
    }

    /// After the commit: the blob was not collected before it (7.3). The manifest stays where it
    /// is: by now it may be another writer's.
    async fn check_committed(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let (Some(blob), Some(len)) = (manifest.blob(), manifest.blob_len()) else {
            return Ok(());
        };
        if self.backend.len(&blob.path()).await? == Some(len) {
            return Ok(());
        }
        match self.manifest(&manifest.address).await {
            Ok(now) if now.blob() == Some(blob) => Err(StoreError::Overtaken {
                address: manifest.address,
            }),
            // Removed, or removed and stored again, since the commit.
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// After a commit that failed: deletes the blob if it is certain that nothing names it.
    /// Otherwise it is an orphan at worst.
    pub(super) async fn take_back(&self, manifest: &Manifest, error: &StoreError) {
        // What a service was asked for may still happen after the answer was lost.
        let open_end = self.backend.is_service() && matches!(error, StoreError::Backend { .. });
        let Some(blob) = manifest.blob().filter(|_| !open_end) else {
            return;
        };
        match self.manifest(&manifest.address).await {
            Ok(now) if now.blob() == Some(blob) => {}
            Ok(_) | Err(StoreError::NotFound { .. }) => {
                self.backend.delete(&blob.path()).await.ok();
            }
            Err(_) => {}
        }
    }

    /// Whether an object is there with all its files, as far as their lengths tell.
    async fn whole(&self, address: &Address) -> Result<(), StoreError> {
        let manifest = self.manifest(address).await?;
        if let (Body::Blob(blob), Some(expected)) = (&manifest.body, manifest.blob_len()) {
            let found = self.backend.len(&blob.path()).await?;
            check_len(address, blob, found, expected)?;
        }
        Ok(())
    }

    /// Refuses what would pass the capacity.
    pub(super) fn reserve(&self, needed: u64) -> Result<(), StoreError> {
        let used = self.used.load(Ordering::Relaxed);
        match self.options.get_capacity() {
            Some(capacity) if used.saturating_add(needed) > capacity => Err(StoreError::Full {
                used,
                capacity,
                needed,
            }),
            _ => Ok(()),
        }
    }

    async fn check_mark(&self) -> Result<(), StoreError> {
        let damaged = |cause| StoreError::Damaged {
            object: "the store".to_owned(),
            place: MARK.to_owned(),
            cause,
        };
        // A second time if another process makes the store at the same moment.
        for _ in 0..ATTEMPTS {
            match self.backend.small(MARK, MARK_LEN as u64).await? {
                Small::Bytes(bytes) => {
                    return match check_mark(&self.key, &bytes) {
                        Ok(()) => Ok(()),
                        Err(FormatError::Sealed(_)) => Err(StoreError::OtherSeed {
                            place: MARK.to_owned(),
                        }),
                        Err(cause) => Err(damaged(cause)),
                    };
                }
                Small::TooLong(found) => {
                    return Err(damaged(FormatError::Length {
                        found,
                        expected: MARK_LEN as u64,
                    }));
                }
                Small::Missing => {
                    self.check_first_manifest().await?;
                    let mark = seal_mark(&self.key, &random(&*self.environment)?);
                    let mark = Bytes::copy_from_slice(&mark);
                    if self.backend.create(MARK, mark).await? {
                        return Ok(());
                    }
                }
            }
        }
        Err(StoreError::OtherSeed {
            place: MARK.to_owned(),
        })
    }

    /// A store without mark is taken over by a seed that opens what is in it.
    async fn check_first_manifest(&self) -> Result<(), StoreError> {
        let mut names = self.backend.list(INDEX);
        while let Some(entry) = names.next().await {
            let (name, _) = entry?;
            let Some(name) = hex::decode_name(&name) else {
                continue;
            };
            match self.manifest_named(&name).await? {
                Some(Ok(_)) => return Ok(()),
                Some(Err(_)) => {
                    return Err(StoreError::OtherSeed {
                        place: format!("{INDEX}/{}", hex::encode(&name)),
                    });
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// Compares the length of a blob with what the manifest says.
pub(super) fn check_len(
    address: &Address,
    blob: &BlobRef,
    found: Option<u64>,
    expected: u64,
) -> Result<(), StoreError> {
    let cause = match found {
        Some(found) if found == expected => return Ok(()),
        Some(found) => FormatError::Length { found, expected },
        None => FormatError::Missing,
    };
    Err(StoreError::damaged(address, &blob.path(), cause))
}

impl fmt::Debug for BinaryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BinaryStorage")
            .field("backend", &self.0.backend)
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
