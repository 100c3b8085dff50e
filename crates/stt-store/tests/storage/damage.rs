//! Whatever happens to the files: the right bytes or an error that names the object.

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, TryStreamExt};
use stt_store::{Address, Backend, BinaryStorage, FormatError, StorageOptions, StoreError};

use crate::common::{TestEnvironment, key, object, open_folder};

const CHUNK: usize = 65_536;

/// A store of one small and one large object.
struct Fixture {
    folder: tempfile::TempDir,
    storage: BinaryStorage,
    small: Address,
    large: Address,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = open_folder(folder.path()).await.unwrap();
        let small = storage.store(object(1, 300)).await.unwrap();
        let large = storage.store(object(2, 2 * CHUNK + 99)).await.unwrap();
        Self {
            folder,
            storage,
            small,
            large,
        }
    }

    fn index(&self, address: &Address) -> PathBuf {
        let name = key(1).index_name(address.as_bytes());
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.path().join("index").join(name)
    }

    fn blob(&self) -> PathBuf {
        files(&self.folder.path().join("blobs")).remove(0)
    }

    /// The object is refused in every way of reading, by its name.
    async fn assert_damaged(&self, address: &Address, what: &str) {
        let place = match self.storage.retrieve(address).await {
            Err(StoreError::Damaged { object, place, .. }) => {
                assert!(object.contains(&address.to_string()), "{what}: {object}");
                place
            }
            other => panic!("{what}: {:?}", other.map(|bytes| bytes.len())),
        };
        assert!(self.folder.path().join(&place).parent().unwrap().exists());
        let error = self.storage.verify(address).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{what}: {error}"
        );
        assert!(error.to_string().contains(&place), "{what}: {error}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_an_error() {
    let fixture = Fixture::new().await;
    for (address, path) in [
        (fixture.small, fixture.index(&fixture.small)),
        (fixture.large, fixture.index(&fixture.large)),
        (fixture.large, fixture.blob()),
    ] {
        let original = fs::read(&path).unwrap();
        let step = (original.len() / 150).max(1);
        let ends = [original.len() - 1, original.len() - 16];
        for at in (0..original.len()).step_by(step).chain(ends) {
            let mut bytes = original.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let what = format!("byte {at} of {}", path.display());
            fixture.assert_damaged(&address, &what).await;
        }
        fs::write(&path, &original).unwrap();
        fixture.storage.verify(&address).await.unwrap();
    }
}

#[tokio::test]
async fn files_that_are_cut_longer_or_gone_are_errors() {
    let fixture = Fixture::new().await;
    for (address, path) in [
        (fixture.small, fixture.index(&fixture.small)),
        (fixture.large, fixture.index(&fixture.large)),
        (fixture.large, fixture.blob()),
    ] {
        let original = fs::read(&path).unwrap();
        for len in [0, 1, 35, 36, original.len() / 2, original.len() - 1] {
            fs::write(&path, &original[..len]).unwrap();
            fixture
                .assert_damaged(&address, &format!("{len} bytes"))
                .await;
        }
        let longer = [&original[..], b"x"].concat();
        fs::write(&path, longer).unwrap();
        fixture.assert_damaged(&address, "a byte more").await;
        let much_longer = [&original[..], &vec![0; 100_000]].concat();
        fs::write(&path, much_longer).unwrap();
        fixture.assert_damaged(&address, "much more").await;
        fs::write(&path, &original).unwrap();
    }
    // Whole chunks less.
    let blob = fixture.blob();
    let original = fs::read(&blob).unwrap();
    fs::write(&blob, &original[..CHUNK + 16]).unwrap();
    fixture.assert_damaged(&fixture.large, "a chunk").await;
    fs::remove_file(&blob).unwrap();
    fixture.assert_damaged(&fixture.large, "no blob").await;
    // What is gone altogether was not stored.
    fs::remove_file(fixture.index(&fixture.large)).unwrap();
    let error = fixture.storage.retrieve(&fixture.large).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    assert_eq!(
        fixture.storage.retrieve(&fixture.small).await.unwrap(),
        object(1, 300)
    );
}

#[tokio::test]
async fn swapped_and_renamed_files_are_errors() {
    let fixture = Fixture::new().await;
    let (small, large) = (fixture.index(&fixture.small), fixture.index(&fixture.large));
    let parked = fixture.folder.path().join("parked");
    fs::rename(&small, &parked).unwrap();
    fs::rename(&large, &small).unwrap();
    fs::rename(&parked, &large).unwrap();
    fixture.assert_damaged(&fixture.small, "swapped").await;
    fixture.assert_damaged(&fixture.large, "swapped").await;
    fs::rename(&small, &parked).unwrap();
    fs::rename(&large, &small).unwrap();
    fs::rename(&parked, &large).unwrap();

    // Another object's blob, of the same length, under this one's name.
    let first = fixture.blob();
    fixture
        .storage
        .store(object(3, 2 * CHUNK + 99))
        .await
        .unwrap();
    let blobs = files(&fixture.folder.path().join("blobs"));
    let second = blobs.iter().find(|blob| **blob != first).unwrap();
    let original = fs::read(&first).unwrap();
    fs::copy(second, &first).unwrap();
    fixture.assert_damaged(&fixture.large, "another blob").await;
    // Chunks exchanged within one blob.
    let mut bytes = original.clone();
    let (a, b) = bytes.split_at_mut(CHUNK + 16);
    a.swap_with_slice(&mut b[..CHUNK + 16]);
    fs::write(&first, bytes).unwrap();
    fixture
        .assert_damaged(&fixture.large, "exchanged chunks")
        .await;
}

#[tokio::test]
async fn storing_again_heals_and_the_rest_is_untouched() {
    for what in ["manifest", "blob", "no blob"] {
        let fixture = Fixture::new().await;
        let path = match what {
            "manifest" => fixture.index(&fixture.large),
            _ => fixture.blob(),
        };
        match what {
            "no blob" => fs::remove_file(&path).unwrap(),
            _ => fs::write(&path, b"rot").unwrap(),
        }
        fixture.assert_damaged(&fixture.large, what).await;
        let address = fixture
            .storage
            .store(object(2, 2 * CHUNK + 99))
            .await
            .unwrap();
        assert_eq!(address, fixture.large);
        fixture.storage.verify(&address).await.unwrap();
        fixture.storage.verify(&fixture.small).await.unwrap();
    }
}

#[tokio::test]
async fn the_list_goes_on_after_a_damaged_manifest() {
    let fixture = Fixture::new().await;
    fs::write(fixture.index(&fixture.small), b"rot").unwrap();
    fs::write(fixture.folder.path().join("index/notes.txt"), b"mine").unwrap();
    let entries: Vec<_> = fixture.storage.list().collect().await;
    assert_eq!(entries.len(), 2);
    let listed: Vec<_> = entries.iter().flatten().collect();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].address, fixture.large);
    // Also a damaged object can be removed.
    assert!(fixture.storage.remove(&fixture.small).await.unwrap());
    let entries: Result<Vec<_>, _> = fixture.storage.list().try_collect().await;
    assert_eq!(entries.unwrap().len(), 1);
}

#[tokio::test]
async fn another_seed_is_refused_with_and_without_mark() {
    let fixture = Fixture::new().await;
    let open = |seed| {
        let backend = Backend::folder(fixture.folder.path()).unwrap();
        let options = StorageOptions::default();
        BinaryStorage::open(backend, key(seed), TestEnvironment::new(9), options)
    };
    let error = open(2).await.unwrap_err();
    assert!(matches!(error, StoreError::OtherSeed { .. }), "{error}");
    let mark = fixture.folder.path().join("store");
    fs::remove_file(&mark).unwrap();
    let error = open(2).await.unwrap_err();
    assert!(matches!(error, StoreError::OtherSeed { .. }), "{error}");
    // The right one makes the mark again.
    let storage = open(1).await.unwrap();
    storage.verify(&fixture.large).await.unwrap();
    assert!(mark.exists());
    for damage in [&b""[..], b"STK\x01", &[b'x'; 52], &[b'x'; 100]] {
        fs::write(&mark, damage).unwrap();
        let error = open(1).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
}

#[tokio::test]
async fn no_address_leaves_the_folder() {
    for text in [
        "",
        "../store",
        "/etc/passwd",
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434",
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a/",
        "../../bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434aaa",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
    let fixture = Fixture::new().await;
    let outside = files(fixture.folder.path());
    let names: Vec<_> = outside.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["blobs", "index", "store"]);
    let error = fixture.storage.retrieve(&Address::new([0; 32])).await;
    assert!(matches!(error, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn bit_rot_says_where() {
    let fixture = Fixture::new().await;
    let blob = fixture.blob();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[CHUNK + 16 + 5] ^= 1;
    fs::write(&blob, bytes).unwrap();
    match fixture.storage.retrieve(&fixture.large).await {
        Err(StoreError::Damaged { cause, .. }) => {
            let (number, offset) = (1, 65_552);
            assert_eq!(cause, FormatError::Chunk { number, offset });
        }
        other => panic!("{:?}", other.map(|bytes| bytes.len())),
    }
    // A reader that goes piece by piece gives nothing out of a run that has a damaged chunk.
    let mut reader = fixture.storage.reader(&fixture.large).await.unwrap();
    assert!(reader.next().await.is_err());
    assert!(reader.next().await.unwrap().is_none());
}
