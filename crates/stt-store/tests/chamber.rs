//! The chamber through its public interface.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use stt_crypto::secret::{ChamberKey, Seed};
use stt_store::{Chamber, ChamberError, Environment, MAX_NAME, MAX_VALUE, NoRandomness};

/// A counter for randomness, and a time that the test sets.
#[derive(Default)]
struct TestEnvironment {
    drawn: AtomicU64,
    now_ms: AtomicU64,
}

impl Environment for TestEnvironment {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        out.fill(0x5c);
        out[..8].copy_from_slice(&number.to_be_bytes());
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms.load(Ordering::Relaxed))
    }
}

fn key(seed: u8, node: u8) -> ChamberKey {
    let seed = Seed::new(&[seed; 32]).expect("the seed is not empty");
    seed.chamber_key(&[node; 32])
}

fn open(path: &Path) -> Chamber {
    let environment = Arc::new(TestEnvironment::default());
    Chamber::open(path, key(1, 1), environment).expect("the chamber opens")
}

#[test]
fn what_is_stored_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    chamber.store_key("a", b"first").unwrap();
    chamber.store_key("a", b"second").unwrap();
    chamber.store_session("a", b"session").unwrap();
    drop(chamber);

    let mut chamber = open(&path);
    let value = chamber.retrieve_key("a").unwrap().unwrap();
    assert_eq!(value.expose(), b"second");
    let value = chamber.retrieve_session("a").unwrap().unwrap();
    assert_eq!(value.expose(), b"session");
    assert!(chamber.retrieve_key("b").unwrap().is_none());
    assert_eq!(chamber.check().unwrap(), 2);
    assert!(chamber.remove_key("a").unwrap());
    assert!(!chamber.remove_key("a").unwrap());
    assert!(chamber.retrieve_key("a").unwrap().is_none());
    assert!(chamber.retrieve_session("a").unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    drop(open(&path));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn any_name_is_only_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    let long = "ä".repeat(MAX_NAME / 2);
    let names = [
        "",
        " ",
        "../../../../tmp/evil",
        "/etc/passwd",
        "C:\\Windows",
        "a/b",
        ".",
        "..",
        "nul\0byte",
        "new\nline",
        "e\u{301}",
        "\u{e9}",
        "🗝️",
        "مفتاح",
        "\u{202e}reversed",
        &long,
    ];
    for name in names {
        chamber.store_key(name, name.as_bytes()).unwrap();
    }
    for name in names {
        let value = chamber.retrieve_key(name).unwrap().unwrap();
        assert_eq!(value.expose(), name.as_bytes(), "{name:?}");
    }
    let mut expected = names.map(str::to_owned);
    expected.sort_unstable();
    let listed: Vec<String> = chamber
        .list_keys()
        .unwrap()
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(listed, expected);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "the chamber and nothing beside it");
}

#[test]
fn limits_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let chamber = open(&folder.path().join("chamber"));
    let error = chamber
        .store_key(&"x".repeat(MAX_NAME + 1), b"")
        .unwrap_err();
    assert!(matches!(error, ChamberError::NameTooLong { .. }), "{error}");
    let error = chamber.store_key("big", &vec![0; MAX_VALUE + 1]);
    let error = error.unwrap_err();
    assert!(
        matches!(error, ChamberError::ValueTooLong { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("\"big\""), "{error}");
    chamber.store_key("big", &vec![7; MAX_VALUE]).unwrap();
    let value = chamber.retrieve_key("big").unwrap().unwrap();
    assert_eq!(value.expose(), vec![7; MAX_VALUE]);
}

#[test]
fn another_seed_node_process_or_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    chamber.store_key("a", b"value").unwrap();
    let environment = || Arc::new(TestEnvironment::default());
    let error = Chamber::open(&path, key(1, 1), environment()).unwrap_err();
    assert!(matches!(error, ChamberError::InUse { .. }), "{error}");
    drop(chamber);
    for (seed, node) in [(2, 1), (1, 2)] {
        let error = Chamber::open(&path, key(seed, node), environment()).unwrap_err();
        assert!(matches!(error, ChamberError::OtherOwner { .. }), "{error}");
        assert!(error.to_string().contains("chamber"), "{error}");
    }
    // Nothing was lost by that.
    assert!(open(&path).retrieve_key("a").unwrap().is_some());

    let text = folder.path().join("text");
    std::fs::write(&text, vec![b'x'; 10_000]).unwrap();
    let error = Chamber::open(&text, key(1, 1), environment()).unwrap_err();
    assert!(matches!(error, ChamberError::Database { .. }), "{error}");
    let error = Chamber::open(folder.path(), key(1, 1), environment()).unwrap_err();
    assert!(matches!(error, ChamberError::Io { .. }), "{error}");
    let missing = folder.path().join("missing/chamber");
    let error = Chamber::open(&missing, key(1, 1), environment()).unwrap_err();
    assert!(matches!(error, ChamberError::Io { .. }), "{error}");
}

#[test]
fn tickets_are_taken_once_and_expire() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let environment = Arc::new(TestEnvironment::default());
    let at = |ms| environment.now_ms.store(ms, Ordering::Relaxed);
    let chamber = Chamber::open(&path, key(1, 1), environment.clone()).unwrap();
    let expiry = Duration::from_millis(1000);
    for name in [&b"one"[..], b"two", b"three"] {
        chamber.store_ticket(name, b"ticket", expiry).unwrap();
    }
    chamber
        .store_ticket(b"long", b"ticket", Duration::from_millis(5000))
        .unwrap();
    at(999);
    let ticket = chamber.take_ticket(b"one").unwrap().unwrap();
    assert_eq!(ticket.expose(), b"ticket");
    assert!(chamber.take_ticket(b"one").unwrap().is_none());
    at(1000);
    assert!(chamber.take_ticket(b"two").unwrap().is_none());
    assert_eq!(chamber.expire_tickets().unwrap(), 1);
    assert_eq!(chamber.expire_tickets().unwrap(), 0);
    drop(chamber);
    // What was taken stays taken.
    let chamber = Chamber::open(&path, key(1, 1), environment.clone()).unwrap();
    assert!(chamber.take_ticket(b"one").unwrap().is_none());
    assert!(chamber.take_ticket(b"long").unwrap().is_some());
}

#[test]
fn nothing_of_names_and_values_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    chamber
        .store_key("a telling name", b"a secret value")
        .unwrap();
    chamber
        .store_session("a telling name", b"a secret value")
        .unwrap();
    drop(chamber);
    let bytes = std::fs::read(&path).unwrap();
    for secret in [&b"telling"[..], b"secret v"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

/// Every byte of a file is damaged in turn, by a bit of it, and by two more where that is noticed:
/// the chamber gives the right value or an error that names the file or the key; never another value,
/// nor nothing where something was, and it never panics. Keys that are damaged can be stored again,
/// or an error tells that they can't. Of a file that can't be read nothing is lost by trying: once
/// the bit is turned back, all is there.
#[test]
fn flipped_bits_are_errors() {
    // In memory if there is such a folder, for each try waits for the disk; else not every byte.
    let (folder, step) = match tempfile::tempdir_in("/dev/shm") {
        Ok(folder) => (folder, 1),
        Err(_) => (tempfile::tempdir().unwrap(), 101),
    };
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    let names: Vec<String> = (0..4).map(|i| format!("key {i}")).collect();
    for name in &names {
        chamber.store_key(name, value_of(name).as_bytes()).unwrap();
    }
    drop(chamber);
    let original = std::fs::read(&path).unwrap();
    const WORKERS: usize = 4;
    let (original, names, folder) = (&original, &names, folder.path());
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || {
                    let path = folder.join(format!("chamber {worker}"));
                    let mut counts = Flips::default();
                    for at in (worker..original.len()).step_by(WORKERS * step) {
                        let first = at % 8;
                        if counts.flip(&path, original, at, first, names) {
                            for more in [3, 6] {
                                counts.flip(&path, original, at, (first + more) % 8, names);
                            }
                        }
                    }
                    counts
                })
            })
            .collect();
        let counts = workers.into_iter().map(|worker| worker.join().unwrap());
        counts.fold(Flips::default(), Flips::plus)
    });
    assert!(counts.refused > 0 && counts.named > 0, "{counts:?}");
}

fn value_of(name: &str) -> String {
    format!("value of {name}")
}

/// What flipped bits have led to.
#[derive(Debug, Default)]
struct Flips {
    /// The file isn't opened, or keys can't be read.
    refused: u32,
    /// A key is damaged.
    named: u32,
    unnoticed: u32,
}

impl Flips {
    const fn plus(self, other: Self) -> Self {
        Self {
            refused: self.refused + other.refused,
            named: self.named + other.named,
            unnoticed: self.unnoticed + other.unnoticed,
        }
    }

    /// Flips a bit and tries everything; whether that was noticed.
    fn flip(
        &mut self,
        path: &Path,
        original: &[u8],
        at: usize,
        bit: usize,
        names: &[String],
    ) -> bool {
        let turn = |bytes: &mut [u8]| bytes[at] ^= 1 << bit;
        let mut bytes = original.to_vec();
        turn(&mut bytes);
        std::fs::write(path, &bytes).unwrap();
        let place = format!("bit {bit} of byte {at}");
        let environment = Arc::new(TestEnvironment::default());
        let damaged = match Chamber::open(path, key(1, 1), environment) {
            Ok(chamber) => damaged(&chamber, names, &place),
            Err(error) => {
                assert!(error.to_string().contains("chamber"), "{place}: {error}");
                None
            }
        };
        match damaged {
            Some(damaged) if damaged.is_empty() => {
                self.unnoticed += 1;
                return false;
            }
            Some(damaged) => {
                self.named += 1;
                store_again(&open(path), &damaged, names, &place);
            }
            None => {
                self.refused += 1;
                let mut bytes = std::fs::read(path).unwrap();
                turn(&mut bytes);
                std::fs::write(path, &bytes).unwrap();
                let left = self::damaged(&open(path), names, &place);
                assert_eq!(left, Some(Vec::new()), "{place}");
            }
        }
        true
    }
}

/// Reads all keys: which of them are damaged, or nothing if some can't be read.
fn damaged(chamber: &Chamber, names: &[String], place: &str) -> Option<Vec<String>> {
    let (mut damaged, mut is_readable) = (Vec::new(), true);
    for name in names {
        match chamber.retrieve_key(name) {
            Ok(Some(value)) => assert_eq!(value.expose(), value_of(name).as_bytes(), "{place}"),
            Ok(None) => panic!("{name} seems never to have been there: {place}"),
            Err(ChamberError::Damaged { name: told, .. }) => {
                assert_eq!(told, format!("{name:?}"), "{place}");
                damaged.push(name.clone());
            }
            Err(error) => {
                assert!(error.to_string().contains("chamber"), "{place}: {error}");
                is_readable = false;
            }
        }
    }
    is_readable.then_some(damaged)
}

/// Stores what is damaged again: then all is right, or an error tells that it can't be.
fn store_again(chamber: &Chamber, lost: &[String], names: &[String], place: &str) {
    let stored: Result<Vec<()>, _> = lost
        .iter()
        .map(|name| chamber.store_key(name, value_of(name).as_bytes()))
        .collect();
    let left = damaged(chamber, names, place);
    match stored {
        Ok(_) => assert_eq!(left, Some(Vec::new()), "{place}"),
        Err(error) => assert!(error.to_string().contains("chamber"), "{place}: {error}"),
    }
}

/// Wherever the file is cut: the right value, or an error; nothing seems never to have been there.
#[test]
fn files_that_are_cut_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    let names: Vec<String> = (0..20).map(|i| format!("key {i}")).collect();
    for name in &names {
        chamber.store_key(name, name.as_bytes()).unwrap();
    }
    drop(chamber);
    let original = std::fs::read(&path).unwrap();
    let mut refused = 0;
    // Of an empty file a chamber is made, as of one that isn't there.
    for step in 1..40 {
        let len = original.len() * step / 40 + step;
        std::fs::write(&path, &original[..len]).unwrap();
        let environment = Arc::new(TestEnvironment::default());
        let Ok(chamber) = Chamber::open(&path, key(1, 1), environment) else {
            refused += 1;
            continue;
        };
        for name in &names {
            match chamber.retrieve_key(name) {
                Ok(Some(value)) => assert_eq!(value.expose(), name.as_bytes()),
                Ok(None) => panic!("{name} seems never to have been there: cut at {len}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 0);
}

/// A bit of the place where a key is: the key isn't found there any more.
#[test]
fn a_key_that_is_not_where_it_was_put_is_damaged_and_not_absent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chamber");
    let chamber = open(&path);
    for i in 0..20 {
        let name = format!("key {i}");
        chamber.store_key(&name, name.as_bytes()).unwrap();
    }
    drop(chamber);
    // Where it is: a keyed hash of kind and name.
    let slot = key(1, 1).slot(1, b"key 7");
    let mut bytes = std::fs::read(&path).unwrap();
    let places: Vec<usize> = (0..bytes.len() - slot.len())
        .filter(|&at| bytes[at..at + slot.len()] == slot)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        // Another order among the keys, and the same one.
        bytes[at + 31] ^= 1;
    }
    std::fs::write(&path, &bytes).unwrap();

    let mut chamber = open(&path);
    for _ in 0..2 {
        let error = chamber.retrieve_key("key 7").unwrap_err();
        assert!(
            matches!(&error, ChamberError::Damaged { name, .. } if name == "\"key 7\""),
            "{error}"
        );
        // Others are there, and what never was isn't.
        assert!(chamber.retrieve_key("key 8").unwrap().is_some());
        assert!(chamber.retrieve_key("key 77").unwrap().is_none());
        assert!(chamber.retrieve_session("key 7").unwrap().is_none());
    }
    let error = chamber.check().unwrap_err();
    assert!(matches!(error, ChamberError::Damaged { .. }), "{error}");
    // Looking changed nothing.
    assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len());
    // It can be removed by its name, and is gone then.
    assert!(chamber.remove_key("key 7").unwrap());
    assert!(!chamber.remove_key("key 7").unwrap());
    assert!(chamber.retrieve_key("key 7").unwrap().is_none());
    chamber.store_key("key 7", b"again").unwrap();
    let again = chamber.retrieve_key("key 7").unwrap().unwrap();
    assert_eq!(again.expose(), b"again");
    assert_eq!(chamber.list_keys().unwrap().len(), 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn it_behaves_as_a_map(
        steps in prop::collection::vec((0u8..3, 0usize..4, any::<Vec<u8>>()), 1..20)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let chamber = open(&folder.path().join("chamber"));
        let mut model = std::collections::BTreeMap::new();
        for (step, name, value) in steps {
            let name = ["", "a", "ключ", "a\0"][name];
            match step {
                0 => {
                    chamber.store_key(name, &value).unwrap();
                    model.insert(name, value);
                }
                1 => {
                    let removed = chamber.remove_key(name).unwrap();
                    prop_assert_eq!(removed, model.remove(name).is_some());
                }
                _ => {
                    let found = chamber.retrieve_key(name).unwrap();
                    let found = found.as_ref().map(|value| value.expose());
                    prop_assert_eq!(found, model.get(name).map(Vec::as_slice));
                }
            }
        }
    }
}
