//! What goes in comes out, once.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use stt_store::{Address, Backend, StorageOptions, StoreError};

use crate::common::{TestEnvironment, key, object, open, open_folder};

const CHUNK: usize = 65_536;
/// Lengths around every boundary of the format, and parts of uploads.
const LENGTHS: [usize; 14] = [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    2 * CHUNK + 1,
    15 * CHUNK + 7,
    16 * CHUNK,
    16 * CHUNK + 1,
    17 * CHUNK,
    32 * CHUNK - 1,
    32 * CHUNK,
    40 * CHUNK + 12_345,
];

#[tokio::test]
async fn every_length_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    for backend in [Backend::memory(), Backend::folder(folder.path()).unwrap()] {
        let storage = open(backend).await.unwrap();
        for (i, len) in LENGTHS.into_iter().enumerate() {
            let bytes = object(i as u64, len);
            let address = storage.store(bytes.clone()).await.unwrap();
            assert_eq!(address, Address::of(&bytes));
            assert!(storage.exists(&address).await.unwrap());
            assert!(storage.retrieve(&address).await.unwrap() == bytes, "{len}");
            let reader = storage.reader(&address).await.unwrap();
            assert_eq!(reader.size(), len as u64);
            let pieces: Vec<Bytes> = reader.into_stream().try_collect().await.unwrap();
            assert!(pieces.concat() == bytes, "{len} in pieces");
            assert_eq!(storage.verify(&address).await.unwrap(), len as u64);
        }
    }
}

#[tokio::test]
async fn however_it_is_cut_it_is_the_same_object() {
    let storage = open(Backend::memory()).await.unwrap();
    for (len, piece) in [
        (CHUNK + 1, 1),
        (CHUNK, 1000),
        (20 * CHUNK + 5, 777),
        (20 * CHUNK + 5, 16_384),
        (40 * CHUNK, CHUNK),
        (40 * CHUNK, 33 * CHUNK),
    ] {
        let bytes = object(len as u64, len);
        let pieces = bytes.chunks(piece).map(|piece| Ok(piece.to_vec().into()));
        let stored = storage.store_stream(stream::iter(pieces)).await.unwrap();
        assert_eq!(stored.address, Address::of(&bytes));
        assert_eq!(stored.size, len as u64);
        assert!(storage.retrieve(&stored.address).await.unwrap() == bytes);
        storage.remove(&stored.address).await.unwrap();
    }
}

#[tokio::test]
async fn equal_bytes_are_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_folder(folder.path()).await.unwrap();
    for len in [100, 3 * CHUNK] {
        let bytes = Bytes::from(object(1, len));
        let before = storage.stats().await.unwrap();
        let first = storage
            .store_stream(stream::iter([Ok(bytes.clone())]))
            .await;
        assert!(first.unwrap().new);
        let once = storage.stats().await.unwrap();
        let again = storage
            .store_stream(stream::iter([Ok(bytes.clone())]))
            .await;
        assert!(!again.unwrap().new);
        assert_eq!(storage.stats().await.unwrap(), once);
        assert_eq!(once.objects, before.objects + 1);
        assert_eq!(once.blobs, before.blobs + u64::from(len > CHUNK));
    }
}

#[tokio::test]
async fn removed_objects_are_gone_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_folder(folder.path()).await.unwrap();
    for len in [10, 5 * CHUNK] {
        let address = storage.store(object(1, len)).await.unwrap();
        let mut reader = storage.reader(&address).await.unwrap();
        assert!(storage.remove(&address).await.unwrap());
        assert!(!storage.remove(&address).await.unwrap());
        assert!(!storage.exists(&address).await.unwrap());
        let error = storage.retrieve(&address).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        // Who was reading it gets all of it.
        let mut read = 0;
        while let Some(piece) = reader.next().await.unwrap() {
            read += piece.len();
        }
        assert_eq!(read, len);
    }
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.objects, stats.blobs, stats.bytes), (0, 0, 0));
}

#[tokio::test]
async fn the_list_holds_what_is_there() {
    let storage = open(Backend::memory()).await.unwrap();
    let mut expected = Vec::new();
    for i in 0..40 {
        let len = 4_000 * i as usize;
        expected.push((storage.store(object(i, len)).await.unwrap(), len as u64));
    }
    let listed: Vec<_> = storage
        .list()
        .map(|entry| entry.map(|entry| (entry.address, entry.size)))
        .try_collect()
        .await
        .unwrap();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    assert_ne!(
        listed, expected,
        "the order of names is not that of addresses"
    );
}

#[tokio::test]
async fn limits_are_kept_and_nothing_stays_behind() {
    let backend = Backend::memory();
    let mut options = StorageOptions::default();
    options.max_object(300_000).capacity(Some(500_000));
    let environment = TestEnvironment::new(0);
    let storage = stt_store::BinaryStorage::open(backend, key(1), environment, options);
    let storage = storage.await.unwrap();
    storage.store(object(1, 300_000)).await.unwrap();
    let before = storage.stats().await.unwrap();

    let error = storage.store(object(2, 300_001)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit: 300_000 }));
    let error = storage.store(object(2, 300_000)).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(storage.stats().await.unwrap(), before);
    storage.store(object(2, 1_000)).await.unwrap();
}

#[tokio::test]
async fn a_failing_source_stores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_folder(folder.path()).await.unwrap();
    let pieces = (0..40).map(|i| Ok(object(i, CHUNK).into()));
    let pieces = stream::iter(pieces).chain(stream::iter([Err(std::io::Error::other("torn"))]));
    let error = storage.store_stream(pieces).await.unwrap_err();
    assert!(matches!(error, StoreError::Source(_)), "{error}");
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.objects, stats.blobs), (0, 0));
}
