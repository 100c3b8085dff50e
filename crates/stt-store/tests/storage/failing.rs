//! A backend that fails: a full disk, a file that may not be written, at any operation.
//!
//! The full disk is a wrapper that answers as a file system does; the tests mount nothing.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
    local::LocalFileSystem, path::Path,
};
use stt_store::{Backend, StoreError};

use crate::common::{object, open, open_folder};

const CHUNK: usize = 65_536;

/// Fails every write from a given one on.
#[derive(Debug)]
struct Failing {
    store: LocalFileSystem,
    writes: Arc<AtomicU64>,
    from: u64,
    kind: io::ErrorKind,
}

fn fail(writes: &AtomicU64, from: u64, kind: io::ErrorKind) -> Result<()> {
    if writes.fetch_add(1, Ordering::Relaxed) < from {
        return Ok(());
    }
    Err(Error::Generic {
        store: "failing",
        source: io::Error::from(kind).into(),
    })
}

impl Failing {
    fn write(&self) -> Result<()> {
        fail(&self.writes, self.from, self.kind)
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failing")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Failing {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.write()?;
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.write()?;
        let upload = self.store.put_multipart_opts(location, options).await?;
        Ok(Box::new(FailingUpload {
            upload,
            writes: Arc::clone(&self.writes),
            from: self.from,
            kind: self.kind,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FailingUpload {
    upload: Box<dyn MultipartUpload>,
    writes: Arc<AtomicU64>,
    from: u64,
    kind: io::ErrorKind,
}

#[async_trait::async_trait]
impl MultipartUpload for FailingUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        if let Err(error) = fail(&self.writes, self.from, self.kind) {
            return Box::pin(async { Err(error) });
        }
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        fail(&self.writes, self.from, self.kind)?;
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}

/// At whichever write the disk is full or may not be written: an error that says so, nothing that
/// was there is lost, nothing half is there, and once it works again the put goes through.
#[tokio::test]
async fn every_write_may_fail() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied] {
        for len in [1_000, 20 * CHUNK] {
            let mut failures = 0;
            for from in 0.. {
                let folder = tempfile::tempdir().unwrap();
                let whole = open_folder(folder.path()).await.unwrap();
                let before = whole.store(object(1, 2 * CHUNK)).await.unwrap();
                let writes = Arc::new(AtomicU64::new(0));
                let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
                let failing = Failing {
                    store: store.with_fsync(true),
                    writes,
                    from,
                    kind,
                };
                let storage = open(Backend::new(Arc::new(failing))).await.unwrap();
                let stored = storage.store(object(2, len)).await;
                whole.verify(&before).await.unwrap();
                let stats = whole.stats().await.unwrap();
                let Err(error) = stored else {
                    assert_eq!(stats.objects, 2);
                    break;
                };
                failures += 1;
                assert_eq!(error.io_kind(), Some(kind), "write {from}: {error}");
                assert!(matches!(error, StoreError::Backend { .. }), "{error}");
                assert_eq!(stats.objects, 1, "write {from}");
                // A service may have taken a manifest of which it says that it failed: the blob is
                // left to the collection.
                assert!(stats.blobs <= 2, "write {from}");
                let address = whole.store(object(2, len)).await.unwrap();
                whole.verify(&address).await.unwrap();
            }
            // A manifest; or begin, parts, end and manifest.
            assert!(failures >= if len < CHUNK { 1 } else { 4 }, "{failures}");
        }
    }
}

/// As root every folder can be written, so this is for the others; the test above is for all.
#[cfg(unix)]
#[tokio::test]
async fn a_folder_without_permission_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    if std::fs::write(locked.join("probe"), b"").is_ok() {
        println!("skipped: this user may write anywhere");
        return;
    }
    let error = Backend::folder(&locked.join("store")).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::PermissionDenied));
    assert!(error.to_string().contains("locked"), "{error}");
}
