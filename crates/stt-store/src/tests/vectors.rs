//! The known answers in `vectors/stt-store`, made by a second implementation.

use core::time::Duration;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use stt_crypto::{ChunkKey, TAG_LEN, secret::Seed};

use crate::{
    Address, Backend, BinaryStorage, Environment, NoRandomness, StorageOptions,
    chamber::entry::{Entry, Kind, Place, seal},
};

fn read(name: &str) -> Value {
    let path = format!(
        "{}/../../vectors/stt-store/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("the vectors are JSON")
}

/// The bytes of a field in hex.
fn bytes(case: &Value, field: &str) -> Vec<u8> {
    let digits = case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {case}"));
    assert_eq!(digits.len() % 2, 0, "{field}");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn array<const N: usize>(case: &Value, field: &str) -> [u8; N] {
    let bytes = bytes(case, field);
    bytes
        .try_into()
        .unwrap_or_else(|_| panic!("{field} has another length"))
}

/// A number that is a decimal string.
fn number(case: &Value, field: &str) -> u64 {
    let digits = case[field].as_str().expect("a string");
    digits.parse().expect("a decimal number")
}

fn cases<'a>(of: &'a Value, field: &str, expected: usize) -> &'a [Value] {
    let cases = of[field].as_array().expect("a list");
    assert_eq!(cases.len(), expected, "{field}");
    cases
}

#[test]
fn names_slots_and_chunks() {
    for case in cases(&read("keys.json"), "cases", 3) {
        let seed = Seed::new(&bytes(case, "seed")).unwrap();
        let key = seed.storage_key();
        for known in cases(case, "names", 3) {
            let name = key.index_name(&array(known, "address"));
            assert_eq!(name, array(known, "name"));
        }
        for known in cases(case, "chunks", 8) {
            let salt = array(known, "salt");
            let chunk: ChunkKey = match known["key"].as_str() {
                Some("manifest") => key.manifest_key(&salt),
                Some("object") => key.object_key(&salt),
                other => panic!("another key: {other:?}"),
            };
            let (n, last) = (number(known, "number"), known["last"].as_bool().unwrap());
            let aad = bytes(known, "aad");
            let mut sealed = bytes(known, "plaintext");
            let len = sealed.len();
            sealed.extend([0; TAG_LEN]);
            chunk.seal(n, last, &aad, &mut sealed);
            assert_eq!(sealed, bytes(known, "sealed"), "{known}");
            assert_eq!(chunk.open(n, last, &aad, &mut sealed), Ok(len));
            assert_eq!(sealed[..len], bytes(known, "plaintext"));
        }
        let chamber = seed.chamber_key(&array(case, "node_id"));
        for known in cases(case, "slots", 5) {
            let kind = u8::try_from(known["kind"].as_u64().unwrap()).unwrap();
            let slot = chamber.slot(kind, &bytes(known, "name"));
            assert_eq!(slot, array(known, "slot"), "{known}");
        }
    }
}

#[test]
fn entries_of_a_chamber() {
    let case = read("chamber.json");
    let seed = Seed::new(&bytes(&case, "seed")).unwrap();
    let key = seed.chamber_key(&array(&case, "node_id"));
    let entries = cases(&case, "entries", 5);
    for known in entries.iter().chain([&case["mark"]]) {
        let (name, value) = (bytes(known, "name"), bytes(known, "value"));
        let place = match known["kind"].as_u64() {
            Some(0) => Place::MARK,
            Some(1) => Place::of(&key, Kind::Key, &name),
            Some(2) => Place::of(&key, Kind::Session, &name),
            Some(3) => Place::of(&key, Kind::Ticket, &name),
            other => panic!("another kind: {other:?}"),
        };
        assert_eq!(place.slot, array(known, "slot"));
        let expiry = number(known, "expiry");
        let expires = (expiry != 0).then(|| Duration::from_millis(expiry));
        let sealed = seal(&key, &place, &name, &value, expires, &array(known, "nonce"));
        assert_eq!(sealed, bytes(known, "sealed"), "{known}");
        let entry = Entry::open(&key, &place, &sealed).unwrap();
        assert_eq!(entry.name, name);
        assert_eq!(entry.value.expose(), value);
        let now = Duration::from_millis(1_800_000_000_000);
        assert_eq!(entry.expired(now), expiry != 0);
    }
}

/// Random bytes that were drawn before.
struct Drawn(Mutex<Vec<u8>>);

impl Environment for Drawn {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        let mut left = self.0.lock().unwrap();
        assert!(left.len() >= out.len(), "more is drawn than in the vectors");
        let rest = left.split_off(out.len());
        out.copy_from_slice(&std::mem::replace(&mut *left, rest));
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

fn files(folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files(folder, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

#[tokio::test]
async fn a_store_from_the_same_random_bytes_is_the_same_to_the_byte() {
    let case = read("store.json");
    let key = || Seed::new(&bytes(&case, "seed")).unwrap().storage_key();
    let open = async |folder: &Path, environment| {
        let backend = Backend::folder(folder).unwrap();
        let options = StorageOptions::default();
        BinaryStorage::open(backend, key(), environment, options)
            .await
            .unwrap()
    };
    let known: BTreeMap<_, _> = case["files"]
        .as_object()
        .unwrap()
        .keys()
        .map(|path| (path.clone(), bytes(&case["files"], path)))
        .collect();
    assert_eq!(known.len(), 6);
    let objects: Vec<(Address, Vec<u8>)> = cases(&case, "objects", 4)
        .iter()
        .map(|known| {
            let len = usize::try_from(known["length"].as_u64().unwrap()).unwrap();
            let object = (0..len).map(|i| (167 * i + 13 * (i >> 8)) as u8).collect();
            (Address::new(array(known, "address")), object)
        })
        .collect();

    let folder = tempfile::tempdir().unwrap();
    let environment = Arc::new(Drawn(Mutex::new(bytes(&case, "drawn"))));
    let storage = open(folder.path(), Arc::clone(&environment) as _).await;
    for (address, object) in &objects {
        assert_eq!(storage.store(object.clone()).await.unwrap(), *address);
    }
    assert!(environment.0.lock().unwrap().is_empty(), "less is drawn");
    let mut made = BTreeMap::new();
    files(folder.path(), "", &mut made);
    assert!(made == known, "other files: {:?}", made.keys());

    // And theirs is read.
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in &known {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let storage = open(folder.path(), Arc::new(Drawn(Mutex::default()))).await;
    for (address, object) in &objects {
        assert!(storage.retrieve(address).await.unwrap() == *object);
        assert_eq!(storage.verify(address).await.unwrap(), object.len() as u64);
    }
}
