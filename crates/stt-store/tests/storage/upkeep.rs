//! What dead writers leave behind, and writers beside each other.

use std::{fs, sync::atomic::Ordering};

use bytes::Bytes;
use futures_util::future::try_join_all;
use stt_store::{Backend, BinaryStorage, StorageOptions, StoreError};

use crate::common::{TestEnvironment, key, object, open, open_folder};

const CHUNK: usize = 65_536;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn orphans_are_collected_after_the_grace_period_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let environment = TestEnvironment::new(0);
    let backend = Backend::folder(folder.path()).unwrap();
    let options = StorageOptions::default();
    let storage = BinaryStorage::open(backend, key(1), environment.clone(), options);
    let storage = storage.await.unwrap();
    let kept = storage.store(object(1, 3 * CHUNK)).await.unwrap();
    let small = storage.store(object(1, 30)).await.unwrap();
    let blobs = folder.path().join("blobs");
    let orphan = blobs.join("00112233445566778899aabbccddeeff");
    fs::write(&orphan, [0; 100]).unwrap();
    fs::write(blobs.join("00112233445566778899aabbccddee00#1"), b"half").unwrap();
    fs::write(folder.path().join("index/00ff#3"), b"half").unwrap();
    let mine = blobs.join("notes#1.txt");
    fs::write(&mine, b"mine").unwrap();

    let young = storage.collect().await.unwrap();
    assert_eq!((young.blobs, young.staged), (0, 0));
    environment.ahead.store(DAY_MS + 60_000, Ordering::Relaxed);
    // With a manifest that can't be read it isn't known what is an orphan.
    let damaged = folder.path().join("index").join("0".repeat(64));
    fs::write(&damaged, b"rot").unwrap();
    let error = storage.collect().await.unwrap_err();
    assert!(error.to_string().contains(&"0".repeat(64)), "{error}");
    assert!(orphan.exists());
    fs::remove_file(&damaged).unwrap();
    let old = storage.collect().await.unwrap();
    assert_eq!((old.blobs, old.bytes, old.staged), (1, 100, 0));
    assert!(!orphan.exists() && mine.exists());
    storage.verify(&kept).await.unwrap();
    storage.verify(&small).await.unwrap();
    let again = storage.collect().await.unwrap();
    assert_eq!((again.blobs, again.staged), (0, 0));
}

#[tokio::test]
async fn what_an_upload_left_is_collected() {
    let folder = tempfile::tempdir().unwrap();
    let environment = TestEnvironment::new(0);
    let backend = Backend::folder(folder.path()).unwrap();
    let options = StorageOptions::default();
    let storage = BinaryStorage::open(backend, key(1), environment.clone(), options);
    let storage = storage.await.unwrap();
    let staged = folder
        .path()
        .join("blobs/00112233445566778899aabbccddee00#1");
    fs::write(&staged, b"half").unwrap();
    assert_eq!(storage.stats().await.unwrap().blobs, 0);
    assert_eq!(storage.collect().await.unwrap().staged, 0);
    environment.ahead.store(DAY_MS + 60_000, Ordering::Relaxed);
    assert_eq!(storage.collect().await.unwrap().staged, 1);
    assert!(!staged.exists());
}

/// A put that slept between its blob and its commit for longer than half the grace period.
#[tokio::test]
async fn a_put_that_is_overtaken_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let environment = TestEnvironment::new(0);
    let backend = Backend::folder(folder.path()).unwrap();
    let options = StorageOptions::default();
    let storage = BinaryStorage::open(backend, key(1), environment.clone(), options);
    let storage = storage.await.unwrap();
    let bytes = Bytes::from(object(1, 3 * CHUNK));
    // The first reading of the time is before the upload, the second at the blob's last part.
    environment.jump_after(2, DAY_MS / 2 + 60_000);
    let error = storage.store(bytes.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Overtaken { .. }), "{error}");
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.objects, stats.blobs), (0, 0));
    let address = storage.store(bytes).await.unwrap();
    storage.verify(&address).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_of_the_same_and_of_other_objects() {
    let folder = tempfile::tempdir().unwrap();
    for backend in [Backend::memory(), Backend::folder(folder.path()).unwrap()] {
        let storage = open(backend).await.unwrap();
        let writers = (0..24u64).map(|i| {
            let storage = storage.clone();
            let len = [50, 3 * CHUNK + 5, 17 * CHUNK][i as usize % 3];
            // Each object has four writers.
            let bytes = object(i % 6, len);
            tokio::spawn(async move {
                let address = storage.store(bytes.clone()).await.unwrap();
                assert!(storage.retrieve(&address).await.unwrap() == bytes);
                address
            })
        });
        let mut addresses = try_join_all(writers).await.unwrap();
        addresses.sort_unstable();
        addresses.dedup();
        let stats = storage.stats().await.unwrap();
        assert_eq!(stats.objects as usize, addresses.len());
        assert_eq!(addresses.len(), 6);
        assert_eq!(stats.blobs, 4, "one for each large object");
        for address in addresses {
            storage.verify(&address).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_and_removed_at_once_is_whole_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_folder(folder.path()).await.unwrap();
    let bytes = Bytes::from(object(1, 2 * CHUNK));
    let address = stt_store::Address::of(&bytes);
    let tasks = (0..4).map(|i| {
        let (storage, bytes) = (storage.clone(), bytes.clone());
        tokio::spawn(async move {
            for _ in 0..20 {
                if i % 2 == 0 {
                    storage.store(bytes.clone()).await.unwrap();
                } else {
                    storage.remove(&address).await.unwrap();
                }
                match storage.retrieve(&address).await {
                    Ok(found) => assert!(found == bytes),
                    Err(StoreError::NotFound { .. } | StoreError::Unsettled { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    try_join_all(tasks).await.unwrap();
    let address = storage.store(bytes).await.unwrap();
    storage.verify(&address).await.unwrap();
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_folder(folder.path()).await.unwrap();
    let mut writer = storage.writer();
    writer.write(object(1, 20 * CHUNK).into()).await.unwrap();
    drop(writer);
    let address = storage.store(object(2, 2 * CHUNK)).await.unwrap();
    storage.verify(&address).await.unwrap();
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.objects, stats.blobs), (1, 1));
}
