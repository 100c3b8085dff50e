//! The store beside the same work done by hand, in turns, each in a fresh folder. Run by
//! `cargo xtask bench store`; `--quick` for a rough view, a word for the rows that hold it.

#![expect(clippy::print_stdout, reason = "the table is the output")]

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{self, SHA3_256},
};
use bytes::Bytes;
use stt_crypto::secret::Seed;
use stt_store::{Backend, BinaryStorage, Environment, NoRandomness, StorageOptions};
use tokio::runtime::Runtime;

const LARGE: usize = 16 << 20;
const SMALL: usize = 4 << 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
        .map_or("", |word| word.as_str());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("threads can be started");
    let rounds = if quick { 5 } else { 25 };

    println!("| row | by hand | ours ms | by hand ms | ratio | target |");
    println!("|---|---|---|---|---|---|");
    let rows: [(&str, &str, f64, Row); 4] = [
        (
            "put of 16 MiB",
            "SHA3-256, AES-256-GCM, write, fsync",
            1.1,
            put_large,
        ),
        ("get of 16 MiB", "read, AES-256-GCM", 0.8, get_large),
        (
            "put of 4 KiB",
            "write, fsync, rename, fsync of the folder",
            0.5,
            put_small,
        ),
        (
            "put of 4 KiB, 16 at once",
            "the same by 16 threads",
            0.8,
            put_small_at_once,
        ),
    ];
    for (name, hand, target, row) in rows {
        if !name.contains(only) {
            continue;
        }
        let (ours, by_hand) = row(&runtime, rounds);
        let ratio = by_hand.as_secs_f64() / ours.as_secs_f64();
        let missed = if ratio < target { " MISSED" } else { "" };
        println!(
            "| {name} | {hand} | {:.2} | {:.2} | {ratio:.2}× | ≥ {target}×{missed} |",
            1e3 * ours.as_secs_f64(),
            1e3 * by_hand.as_secs_f64(),
        );
    }
}

type Row = fn(&Runtime, u32) -> (Duration, Duration);

/// A generator good enough for keys that guard nothing.
struct BenchEnvironment(AtomicU64);

impl Environment for BenchEnvironment {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        out.fill(0x5c);
        out[..8].copy_from_slice(&number.to_be_bytes());
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1 << 31)
    }
}

fn open(runtime: &Runtime, folder: &Path) -> BinaryStorage {
    let key = Seed::new(&[1; 32]).expect("not empty").storage_key();
    let environment = Arc::new(BenchEnvironment(AtomicU64::new(0)));
    let backend = Backend::folder(folder).expect("the folder can be made");
    let options = StorageOptions::default();
    runtime
        .block_on(BinaryStorage::open(backend, key, environment, options))
        .expect("the store can be made")
}

fn object(number: u32, len: usize) -> Vec<u8> {
    let mut object: Vec<u8> = (0..len)
        .map(|i| (i / 251) as u8 ^ (i % 251) as u8)
        .collect();
    object[..4].copy_from_slice(&number.to_be_bytes());
    object
}

/// The shortest of both, taken in turns: what disturbs a run only ever lengthens it.
fn in_turns(
    rounds: u32,
    mut ours: impl FnMut(u32) -> Duration,
    mut by_hand: impl FnMut(u32) -> Duration,
) -> (Duration, Duration) {
    let mut best = (Duration::MAX, Duration::MAX);
    for round in 0..rounds {
        best.0 = best.0.min(ours(round));
        best.1 = best.1.min(by_hand(round));
    }
    best
}

#[expect(clippy::disallowed_methods, reason = "this is what a benchmark is for")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let value = work();
    (value, begin.elapsed())
}

/// Runs a task on the runtime's threads. The clock starts before the task can.
fn on<T: Send + 'static>(
    runtime: &Runtime,
    task: impl Future<Output = T> + Send + 'static,
) -> (Result<T, tokio::task::JoinError>, Duration) {
    timed(|| runtime.block_on(runtime.spawn(task)))
}

fn put_large(runtime: &Runtime, rounds: u32) -> (Duration, Duration) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let storage = open(runtime, &folder.path().join("store"));
    let cipher = Cipher::new();
    in_turns(
        rounds,
        |round| {
            let object = Bytes::from(object(round, LARGE));
            let storage = storage.clone();
            let (stored, took) = on(runtime, async move { storage.store(object).await });
            stored.expect("no panic").expect("there is room");
            took
        },
        |round| {
            let mut object = object(round, LARGE);
            let path = folder.path().join(format!("hand {round}"));
            let ((), took) = timed(|| {
                let address = digest::digest(&SHA3_256, &object);
                assert_eq!(address.as_ref().len(), 32);
                cipher.seal(&mut object);
                let mut file = File::create(&path).expect("there is room");
                file.write_all(&object).expect("there is room");
                file.sync_all().expect("there is room");
            });
            took
        },
    )
}

fn get_large(runtime: &Runtime, rounds: u32) -> (Duration, Duration) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let storage = open(runtime, &folder.path().join("store"));
    let address = runtime
        .block_on(storage.store(object(0, LARGE)))
        .expect("there is room");
    let cipher = Cipher::new();
    let mut sealed = object(0, LARGE);
    cipher.seal(&mut sealed);
    let path = folder.path().join("hand");
    fs::write(&path, &sealed).expect("there is room");
    in_turns(
        4 * rounds,
        |_| {
            let storage = storage.clone();
            let (object, took) = on(runtime, async move { storage.retrieve(&address).await });
            let object = object.expect("no panic").expect("it is there");
            assert_eq!(object.len(), LARGE);
            took
        },
        |_| {
            let (object, took) = timed(|| {
                let mut object = fs::read(&path).expect("it is there");
                cipher.open(&mut object);
                object
            });
            assert_eq!(object.len(), LARGE);
            took
        },
    )
}

fn put_small(runtime: &Runtime, rounds: u32) -> (Duration, Duration) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let storage = open(runtime, &folder.path().join("store"));
    let hand = folder.path().join("hand");
    fs::create_dir(&hand).expect("there is room");
    in_turns(
        20 * rounds,
        |round| {
            let object = object(round, SMALL);
            let storage = storage.clone();
            let (stored, took) = on(runtime, async move { storage.store(object).await });
            stored.expect("no panic").expect("there is room");
            took
        },
        |round| {
            let object = object(round, SMALL);
            let ((), took) = timed(|| put_by_hand(&hand, round, &object));
            took
        },
    )
}

/// What the disk takes when the next put need not wait for the one before.
fn put_small_at_once(runtime: &Runtime, rounds: u32) -> (Duration, Duration) {
    const AT_ONCE: u32 = 16;
    const EACH: u32 = 8;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let storage = open(runtime, &folder.path().join("store"));
    let hand = folder.path().join("hand");
    fs::create_dir(&hand).expect("there is room");
    let numbers = |round: u32, one: u32| {
        let first = (round * AT_ONCE + one) * EACH;
        first..first + EACH
    };
    in_turns(
        rounds,
        |round| {
            let storage = storage.clone();
            let (done, took) = on(runtime, async move {
                let puts: Vec<_> = (0..AT_ONCE)
                    .map(|one| {
                        let storage = storage.clone();
                        tokio::spawn(async move {
                            for number in numbers(round, one) {
                                let stored = storage.store(object(number, SMALL)).await;
                                stored.expect("there is room");
                            }
                        })
                    })
                    .collect();
                for put in puts {
                    put.await.expect("no panic");
                }
            });
            done.expect("no panic");
            took
        },
        |round| {
            let ((), took) = timed(|| {
                std::thread::scope(|scope| {
                    for one in 0..AT_ONCE {
                        let hand = &hand;
                        scope.spawn(move || {
                            for number in numbers(round, one) {
                                put_by_hand(hand, number, &object(number, SMALL));
                            }
                        });
                    }
                });
            });
            took
        },
    )
}

fn put_by_hand(folder: &Path, number: u32, object: &[u8]) {
    let path = folder.join(format!("{number}"));
    let staged = folder.join(format!("{number}.new"));
    let mut file = File::create(&staged).expect("there is room");
    file.write_all(object).expect("there is room");
    file.sync_all().expect("there is room");
    fs::rename(&staged, &path).expect("there is room");
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .expect("the folder is there");
}

/// AES-256-GCM over a whole object.
struct Cipher(LessSafeKey);

impl Cipher {
    fn new() -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("the key is 32 bytes");
        Self(LessSafeKey::new(key))
    }

    fn seal(&self, object: &mut Vec<u8>) {
        self.0
            .seal_in_place_append_tag(nonce(), Aad::empty(), object)
            .expect("the object is not too long");
    }

    fn open(&self, object: &mut Vec<u8>) {
        let opened = self.0.open_in_place(nonce(), Aad::empty(), object);
        let len = opened.expect("it was sealed so").len();
        object.truncate(len);
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}
