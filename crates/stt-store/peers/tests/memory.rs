//! Objects of any size pass through bounded memory.

#![expect(unsafe_code, reason = "an allocator that counts")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart, memory::InMemory, path::Path,
};
use stt_crypto::secret::Seed;
use stt_store::{Backend, BinaryStorage, Environment, NoRandomness, StorageOptions};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the issue allows.
const LIMIT: usize = 64 << 20;
const GIB: u64 = 1 << 30;

struct TestEnvironment;

impl Environment for TestEnvironment {
    fn fill_random(&self, out: &mut [u8]) -> std::result::Result<(), NoRandomness> {
        out.fill(7);
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1 << 31)
    }
}

/// Keeps small objects, and of uploads only their length.
#[derive(Debug, Default)]
struct Null {
    small: InMemory,
    uploaded: Arc<AtomicUsize>,
}

impl fmt::Display for Null {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Null")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Null {
    async fn put_opts(&self, to: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.small.put_opts(to, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Upload(Arc::clone(&self.uploaded))))
    }

    async fn get_opts(&self, from: &Path, options: GetOptions) -> Result<GetResult> {
        if !from.as_ref().starts_with("blobs/") {
            return self.small.get_opts(from, options).await;
        }
        // As long as the blob, its bytes made up.
        let mut result = self
            .small
            .get_opts(&Path::from("store"), GetOptions::new())
            .await?;
        let size = self.uploaded.load(Ordering::Relaxed) as u64;
        result.meta.size = size;
        result.range = 0..size;
        let piece = Bytes::from(vec![0; 1 << 20]);
        let pieces = stream::unfold(size, move |left| {
            let now = left.min(piece.len() as u64);
            let piece = piece.slice(..now as usize);
            async move { (now > 0).then(|| (Ok(piece), left - now)) }
        });
        result.payload = GetResultPayload::Stream(Box::pin(pieces));
        Ok(result)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.small.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.small.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.small.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented {
            operation: "copying".to_owned(),
            implementer: self.to_string(),
        })
    }
}

#[derive(Debug)]
struct Upload(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        self.0.fetch_add(part.content_length(), Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        Ok(PutResult {
            e_tag: None,
            version: None,
            extensions: Default::default(),
        })
    }

    async fn abort(&mut self) -> Result<()> {
        Ok(())
    }
}

fn zeros() -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::iter((0..GIB >> 18).map(|_| Ok(Bytes::from(vec![0; 1 << 18]))))
}

async fn open(backend: Backend) -> BinaryStorage {
    let key = Seed::new(&[1; 32]).unwrap().storage_key();
    let options = StorageOptions::default();
    let storage = BinaryStorage::open(backend, key, Arc::new(TestEnvironment), options);
    storage.await.unwrap()
}

/// What is allocated at most while `work` is done, besides what was before.
async fn peak(work: impl Future<Output = ()>) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work.await;
    PEAK.load(Ordering::Relaxed).saturating_sub(before)
}

/// One test, so that nothing else allocates beside what is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_passes_through_64_mib() {
    let null = open(Backend::new(Arc::new(Null::default()))).await;
    let mut address = None;
    let put = peak(async {
        let stored = null.store_stream(zeros()).await.unwrap();
        assert_eq!(stored.size, GIB);
        address = Some(stored.address);
    });
    let put = put.await;
    println!("put through parts of 8 MiB: {} KiB at most", put >> 10);
    assert!(put < LIMIT, "{put} bytes");
    // What comes back is not what was put, so the first chunk ends it: the memory is that of a run.
    let get = peak(async {
        let mut reader = null.reader(&address.unwrap()).await.unwrap();
        assert!(reader.next().await.is_err());
    });
    let get = get.await;
    assert!(get < LIMIT, "{get} bytes");

    let folder = tempfile::tempdir().unwrap();
    let storage = open(Backend::folder(folder.path()).unwrap()).await;
    let put = peak(async {
        address = Some(storage.store_stream(zeros()).await.unwrap().address);
    });
    let put = put.await;
    println!("put to a folder: {} KiB at most", put >> 10);
    assert!(put < LIMIT, "{put} bytes");
    let get = peak(async {
        let mut reader = storage.reader(&address.unwrap()).await.unwrap();
        let mut read = 0;
        while let Some(piece) = reader.next().await.unwrap() {
            read += piece.len() as u64;
        }
        assert_eq!(read, GIB);
    });
    let get = get.await;
    println!("get from a folder: {} KiB at most", get >> 10);
    assert!(get < LIMIT, "{get} bytes");
}
