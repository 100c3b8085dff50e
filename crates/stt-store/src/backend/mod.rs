//! Where a store keeps its files (`docs/spec/stt-store.md`, sections 3 and 7.4): a folder, memory,
//! S3, or any other `object_store`.

mod folder;
mod read;
#[cfg(feature = "s3")]
mod s3;
mod whole;

use core::fmt;
use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    Error, GetOptions, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutPayload, memory::InMemory, path::Path,
};

pub(crate) use self::read::Pull;
#[cfg(feature = "s3")]
pub use self::s3::S3Options;
use crate::StoreError;

/// Chunks of 64 KiB in a part of an upload to disk: large enough that a write costs little beside
/// its bytes, small enough that sealing, writing and hashing run beside each other.
const PART_CHUNKS: u64 = 16;
/// The same for services, which take parts from 5 MiB on and at most 10,000 of them.
const REMOTE_PART_CHUNKS: u64 = 128;

/// Where a store keeps its files.
#[derive(Clone)]
pub struct Backend {
    store: Arc<dyn ObjectStore>,
    /// The folder, if it is one.
    folder: Option<PathBuf>,
    part_chunks: u64,
    /// Whether it is a service: the age of an object counts from the start of its upload there, and
    /// answers may be lost.
    service: bool,
}

impl Backend {
    /// In memory: for tests and for what need not last.
    pub fn memory() -> Self {
        Self {
            store: Arc::new(InMemory::new()),
            folder: None,
            part_chunks: PART_CHUNKS,
            service: false,
        }
    }

    /// Any object store with conditional puts. Objects of up to 80 GB fit into the 10,000 parts of
    /// 8 MiB that services usually allow.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            folder: None,
            part_chunks: REMOTE_PART_CHUNKS,
            service: true,
        }
    }

    /// Chunks in a part of an upload.
    pub(crate) const fn part_chunks(&self) -> u64 {
        self.part_chunks
    }

    pub(crate) const fn is_service(&self) -> bool {
        self.service
    }

    /// The bytes of a small file; nothing if it isn't there, an error with its length if that is
    /// more than `max`.
    pub(crate) async fn small(&self, path: &str, max: u64) -> Result<Small, StoreError> {
        let result = match self
            .store
            .get_opts(&Path::from(path), GetOptions::new())
            .await
        {
            Ok(result) => result,
            Err(Error::NotFound { .. }) => return Ok(Small::Missing),
            Err(source) => return Err(StoreError::backend("reading", path, source)),
        };
        if result.meta.size > max {
            return Ok(Small::TooLong(result.meta.size));
        }
        let bytes = result.bytes().await;
        let bytes = bytes.map_err(|source| StoreError::backend("reading", path, source))?;
        Ok(Small::Bytes(bytes.into()))
    }

    /// A large file, to be read from its start; nothing if it isn't there.
    pub(crate) async fn large(&self, path: &str) -> Result<Option<Pull>, StoreError> {
        match self
            .store
            .get_opts(&Path::from(path), GetOptions::new())
            .await
        {
            Ok(result) => Ok(Some(Pull::new(path, result))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(StoreError::backend("reading", path, source)),
        }
    }

    /// The length of a file; nothing if it isn't there.
    pub(crate) async fn len(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match self.store.head(&Path::from(path)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(StoreError::backend("reading", path, source)),
        }
    }

    /// Puts a file where none is, durably and at once; says whether it did.
    pub(crate) async fn create(&self, path: &str, bytes: Bytes) -> Result<bool, StoreError> {
        match self.put(path, bytes, PutMode::Create).await {
            Ok(()) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(StoreError::backend("writing", path, source)),
        }
    }

    /// Puts a file whether one is there or not, durably and at once.
    pub(crate) async fn replace(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.put(path, bytes, PutMode::Overwrite).await;
        put.map_err(|source| StoreError::backend("writing", path, source))
    }

    async fn put(&self, path: &str, bytes: Bytes, mode: PutMode) -> Result<(), Error> {
        let payload = PutPayload::from(bytes);
        self.store
            .put_opts(&Path::from(path), payload, mode.into())
            .await
            .map(drop)
    }

    /// Begins a file that comes in parts and is there when it is completed.
    pub(crate) async fn upload(&self, path: &str) -> Result<Box<dyn MultipartUpload>, StoreError> {
        let upload = self.store.put_multipart(&Path::from(path)).await;
        upload.map_err(|source| StoreError::backend("writing", path, source))
    }

    /// Deletes a file; says whether it was there.
    pub(crate) async fn delete(&self, path: &str) -> Result<bool, StoreError> {
        match self.store.delete(&Path::from(path)).await {
            Ok(()) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(StoreError::backend("deleting", path, source)),
        }
    }

    /// Every file under `folder` with its name there.
    pub(crate) fn list(
        &self,
        folder: &'static str,
    ) -> BoxStream<'static, Result<(String, ObjectMeta), StoreError>> {
        self.store
            .list(Some(&Path::from(folder)))
            .map_err(move |source| StoreError::backend("listing", folder, source))
            .try_filter_map(|meta| async move {
                let name = meta.location.filename().map(str::to_owned);
                Ok(name.map(|name| (name, meta)))
            })
            .boxed()
    }

    /// Makes deletions and links of others in `folder` durable (7.4).
    pub(crate) async fn sync(&self, folder: &'static str) -> Result<(), StoreError> {
        match self.folder.clone() {
            Some(root) => folder::sync(root, folder).await,
            None => Ok(()),
        }
    }

    /// Deletes what uploads that never ended have left (10.1), if last changed before `before`;
    /// says how many there were.
    pub(crate) async fn delete_staged(
        &self,
        before: core::time::Duration,
    ) -> Result<u64, StoreError> {
        match self.folder.clone() {
            Some(root) => folder::delete_staged(root, before).await,
            None => Ok(0),
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Backend({})", self.store)
    }
}

/// A small file.
pub(crate) enum Small {
    Bytes(Vec<u8>),
    Missing,
    TooLong(u64),
}
