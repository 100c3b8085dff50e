//! Several processes on one store, and processes that are killed.
//!
//! The children are this very test program, told by a variable of the environment to put objects
//! and to write the address of each on their standard output once it is acknowledged.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use futures_util::TryStreamExt;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use stt_store::{Address, Backend, BinaryStorage, StorageOptions};

use crate::common::{TestEnvironment, key, object, open_folder};

const CHUNK: usize = 65_536;
const FOLDER: &str = "STT_STORE_TEST_FOLDER";
const RANGE: &str = "STT_STORE_TEST_RANGE";

/// Object `i` of the tests: mostly small, every fourth with a blob.
fn numbered(i: u64) -> Vec<u8> {
    object(
        i,
        if i.is_multiple_of(4) {
            CHUNK + 4_321
        } else {
            500
        },
    )
}

/// The child: nothing to do when the tests run it themselves.
#[test]
#[expect(clippy::disallowed_methods, reason = "how the parent tells the child")]
fn child() {
    let (Ok(folder), Ok(range)) = (std::env::var(FOLDER), std::env::var(RANGE)) else {
        return;
    };
    let (from, to) = range.split_once("..").expect("the parent gives a range");
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let backend = Backend::folder(Path::new(&folder)).unwrap();
        let stream = u64::from(std::process::id());
        let environment = TestEnvironment::new(stream);
        let options = StorageOptions::default();
        let storage = BinaryStorage::open(backend, key(1), environment, options);
        let storage = storage.await.unwrap();
        for i in from..to {
            let address = storage.store(numbered(i)).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "stored {i} {address}").unwrap();
            out.flush().unwrap();
        }
    });
}

fn start(folder: &Path, range: std::ops::Range<u64>) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(RANGE, format!("{}..{}", range.start, range.end))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// The next acknowledged object that the child tells of.
fn next(out: &mut impl BufRead) -> Option<(u64, Address)> {
    let mut line = String::new();
    loop {
        line.clear();
        if out.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        // A line cut by the kill tells nothing; the harness's words may stand in front.
        if let Some((_, rest)) = line.split_once("stored ")
            && line.ends_with('\n')
            && let Some((i, address)) = rest.trim_end().split_once(' ')
        {
            return Some((i.parse().unwrap(), address.parse().unwrap()));
        }
    }
}

#[tokio::test]
async fn two_processes_share_a_store() {
    let folder = tempfile::tempdir().unwrap();
    // Half of what they put is the same.
    let mut children = [start(folder.path(), 0..60), start(folder.path(), 30..90)];
    for (child, out) in &mut children {
        while next(out).is_some() {}
        assert!(child.wait().unwrap().success());
    }
    let storage = open_folder(folder.path()).await.unwrap();
    for i in 0..90 {
        let bytes = numbered(i);
        let found = storage.retrieve(&Address::of(&bytes)).await.unwrap();
        assert!(found == bytes, "object {i}");
    }
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.objects, stats.blobs), (90, 23));
}

/// 1,000 puts by processes that are killed (SIGKILL) while they put: after as many acknowledgements
/// as a fixed sequence says, at whatever instant that happens to be.
#[tokio::test]
async fn killed_writers_lose_nothing_acknowledged_and_leave_nothing_half() {
    const PUTS: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut from, mut kills) = (0, 0);
    while from < PUTS {
        let lives = rng.next_u32() % 32;
        let (mut child, mut out) = start(folder.path(), from..PUTS);
        let mut heard = 0;
        while heard <= lives
            && let Some((i, address)) = next(&mut out)
        {
            acknowledged.push((i, address));
            from = i + 1;
            heard += 1;
        }
        // Killed in the middle of whatever it does: a spin of varying length, not a wait for it.
        for _ in 0..rng.next_u32() % 2_000_000 {
            std::hint::spin_loop();
        }
        kills += u64::from(child.kill().is_ok() && from < PUTS);
        child.wait().unwrap();
        // What it had still acknowledged.
        while let Some((i, address)) = next(&mut out) {
            acknowledged.push((i, address));
            from = i + 1;
        }
    }
    assert!(kills >= 20, "{kills} kills");
    assert!(acknowledged.iter().map(|(i, _)| *i).eq(0..PUTS));

    let storage = open_folder(folder.path()).await.unwrap();
    for (i, address) in &acknowledged {
        let bytes = numbered(*i);
        assert!(
            storage.retrieve(address).await.unwrap() == bytes,
            "object {i}"
        );
    }
    // Whatever else is listed is whole too.
    let listed: Vec<_> = storage.list().try_collect().await.unwrap();
    assert_eq!(listed.len(), acknowledged.len());
    for entry in listed {
        storage.verify(&entry.address).await.unwrap();
    }
}
