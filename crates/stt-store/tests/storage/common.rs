//! What the tests share.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use stt_crypto::secret::{Seed, StorageKey};
use stt_store::{Backend, BinaryStorage, Environment, NoRandomness, StorageOptions, StoreError};

/// Bytes that are unique in a process, and a time that tests move on. Two processes take different
/// `stream`s.
pub(crate) struct TestEnvironment {
    stream: u64,
    drawn: AtomicU64,
    /// Milliseconds added to the time of the file system.
    pub(crate) ahead: AtomicU64,
    /// How often the time was read, and after how many times `ahead` grows by how much.
    read: AtomicU64,
    jump: Mutex<Option<(u64, u64)>>,
}

impl TestEnvironment {
    pub(crate) fn new(stream: u64) -> Arc<Self> {
        Arc::new(Self {
            stream,
            drawn: AtomicU64::new(0),
            ahead: AtomicU64::new(0),
            read: AtomicU64::new(0),
            jump: Mutex::new(None),
        })
    }

    /// From the `reads`th reading of the time on from now, it is `by_ms` later.
    pub(crate) fn jump_after(&self, reads: u64, by_ms: u64) {
        let at = self.read.load(Ordering::Relaxed) + reads;
        *self.jump.lock().expect("no test panicked with it") = Some((at, by_ms));
    }
}

impl Environment for TestEnvironment {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        for block in out.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::Relaxed);
            let mut input = [0; 16];
            input[..8].copy_from_slice(&self.stream.to_be_bytes());
            input[8..].copy_from_slice(&number.to_be_bytes());
            block.copy_from_slice(&key(9).index_name(&hash(&input))[..block.len()]);
        }
        Ok(())
    }

    /// The file system stamps its files with the real time, so the tests start from it.
    #[expect(clippy::disallowed_methods, reason = "compared with times of files")]
    fn now(&self) -> Duration {
        let read = self.read.fetch_add(1, Ordering::Relaxed);
        let mut jump = self.jump.lock().expect("no test panicked with it");
        if let Some((at, by_ms)) = *jump
            && read >= at
        {
            self.ahead.fetch_add(by_ms, Ordering::Relaxed);
            *jump = None;
        }
        let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        now.expect("the clock is past 1970")
            + Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
}

fn hash(input: &[u8]) -> [u8; 32] {
    *stt_store::Address::of(input).as_bytes()
}

pub(crate) fn key(seed: u8) -> StorageKey {
    let seed = Seed::new(&[seed; 32]).expect("the seed is not empty");
    seed.storage_key()
}

pub(crate) async fn open_folder(path: &Path) -> Result<BinaryStorage, StoreError> {
    open(Backend::folder(path)?).await
}

pub(crate) async fn open(backend: Backend) -> Result<BinaryStorage, StoreError> {
    let options = StorageOptions::default();
    BinaryStorage::open(backend, key(1), TestEnvironment::new(0), options).await
}

/// `len` bytes that differ with `seed` and have no period of a chunk.
pub(crate) fn object(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
