//! The store in a bucket of a real S3 service, which the test starts on a local port: signed
//! requests, multipart uploads and conditional puts go over HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::TryStreamExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use stt_crypto::secret::Seed;
use stt_store::{
    Address, Backend, BinaryStorage, Environment, NoRandomness, S3Options, StorageOptions,
    StoreError,
};
use tokio::net::TcpListener;

#[derive(Default)]
struct TestEnvironment {
    drawn: AtomicU64,
    ahead_s: AtomicU64,
}

impl Environment for TestEnvironment {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        out.fill(0x5c);
        out[..8].copy_from_slice(&number.to_be_bytes());
        Ok(())
    }

    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now + Duration::from_secs(self.ahead_s.load(Ordering::Relaxed))
    }
}

/// A service with one bucket, `bucket`, in a folder.
struct Service {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Service {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bucket")).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("id", "key"));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // How a connection ends is the client's affair.
                    let connection = server.serve_connection(TokioIo::new(socket), service);
                    drop(connection.await);
                });
            }
        });
        Self { folder, endpoint }
    }

    fn options(&self) -> S3Options {
        let mut options = S3Options::default();
        options.bucket = "bucket".to_owned();
        options.prefix = "a/store".to_owned();
        options.endpoint = self.endpoint.clone();
        options.access_key_id = "id".to_owned();
        options.secret_access_key = "key".to_owned();
        options.allow_http = true;
        options
    }
}

async fn open(
    options: &S3Options,
    seed: u8,
    environment: Arc<TestEnvironment>,
) -> Result<BinaryStorage, StoreError> {
    let key = Seed::new(&[seed; 32]).unwrap().storage_key();
    let limits = StorageOptions::default();
    BinaryStorage::open(Backend::s3(options)?, key, environment, limits).await
}

fn object(seed: u8, len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (i / 251) as u8 ^ (i % 251) as u8 ^ seed)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_every_size_come_back() {
    let service = Service::start().await;
    let environment = Arc::new(TestEnvironment::default());
    let storage = open(&service.options(), 1, environment.clone())
        .await
        .unwrap();
    let mut stored = Vec::new();
    // Inline; one part; several parts of 8 MiB.
    for (seed, len) in [
        (1, 0),
        (2, 1_000),
        (3, 200_000),
        (4, 8 << 20),
        (5, (17 << 20) + 3),
    ] {
        let bytes = object(seed, len);
        let address = storage.store(bytes.clone()).await.unwrap();
        assert_eq!(address, Address::of(&bytes));
        assert!(storage.exists(&address).await.unwrap());
        assert!(storage.retrieve(&address).await.unwrap() == bytes, "{len}");
        assert_eq!(storage.verify(&address).await.unwrap(), len as u64);
        assert_eq!(storage.store(bytes).await.unwrap(), address);
        stored.push(address);
    }
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.objects, stats.blobs), (5, 3));
    let listed: Vec<_> = storage.list().try_collect().await.unwrap();
    let mut listed: Vec<_> = listed.iter().map(|entry| entry.address).collect();
    listed.sort_unstable();
    stored.sort_unstable();
    assert_eq!(listed, stored);

    // Another client of the same bucket.
    let other = open(&service.options(), 1, Arc::default()).await.unwrap();
    for address in &stored {
        other.verify(address).await.unwrap();
        assert!(other.remove(address).await.unwrap());
        let error = storage.retrieve(address).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    }
    assert_eq!(storage.stats().await.unwrap(), Default::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_seeds_keys_buckets_and_damage_are_errors() {
    let service = Service::start().await;
    let storage = open(&service.options(), 1, Arc::default()).await.unwrap();
    let address = storage.store(object(1, 300_000)).await.unwrap();

    let error = open(&service.options(), 2, Arc::default())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::OtherSeed { .. }), "{error}");
    let mut options = service.options();
    options.secret_access_key = "another".to_owned();
    let error = open(&options, 1, Arc::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Backend { .. }), "{error}");
    let mut options = service.options();
    options.bucket = "nowhere".to_owned();
    assert!(open(&options, 1, Arc::default()).await.is_err());
    assert!(!format!("{:?}", service.options()).contains("\"key\""));

    let blobs = service.folder.path().join("bucket/a/store/blobs");
    let blob = std::fs::read_dir(blobs).unwrap().next().unwrap().unwrap();
    let mut bytes = std::fs::read(blob.path()).unwrap();
    bytes[100_000] ^= 1;
    std::fs::write(blob.path(), bytes).unwrap();
    let error = storage.retrieve(&address).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_collected() {
    let service = Service::start().await;
    let environment = Arc::new(TestEnvironment::default());
    let storage = open(&service.options(), 1, environment.clone())
        .await
        .unwrap();
    let kept = storage.store(object(1, 300_000)).await.unwrap();
    let lost = storage.store(object(2, 300_000)).await.unwrap();
    // As a writer that died before its commit leaves it.
    let index = service.folder.path().join("bucket/a/store/index");
    let name = Seed::new(&[1; 32])
        .unwrap()
        .storage_key()
        .index_name(lost.as_bytes());
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::remove_file(index.join(name)).unwrap();
    assert_eq!(storage.collect().await.unwrap().blobs, 0);
    environment.ahead_s.store(25 * 60 * 60, Ordering::Relaxed);
    assert_eq!(storage.collect().await.unwrap().blobs, 1);
    storage.verify(&kept).await.unwrap();
}
