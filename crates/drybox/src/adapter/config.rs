//! What an adapter is told about the run.

use std::{fmt, path::PathBuf};

use serde_json::{Map, Value};

use crate::{scenario::Mode, side::Side};

/// The `cfg` of one adapter (users' document, section 1.2).
#[derive(Debug, Clone)]
pub struct AdapterConfig {
    /// Which side the adapter plays.
    pub side: Side,
    /// Logical time between ticks, in ms.
    pub tick_ms: u64,
    /// The effective seed of the run.
    pub seed: u64,
    /// The mode of the run.
    pub mode: Mode,
    /// The largest SDU that the adapter may send, in bytes: the smaller of what it announced and
    /// what SAR can carry over the bearer, 256·(mtu − 3).
    pub sdu_max_bytes: usize,
    /// Where the run's outputs go, if anywhere.
    pub out_dir: Option<PathBuf>,
    /// The seed of `ctx.rng`: the first 16 bytes of the key of stream `"<side>/ctx"`, little-endian
    /// (`docs/spec/determinism.md`, section 1).
    pub rng_seed: u128,
    /// The seed for a Python process's global generators: stream `"py"`, likewise.
    pub python_seed: u128,
    /// Key material of this side.
    pub crypto: Option<CryptoConfig>,
    /// Every other key of this side's scenario block (`modem` and the adapter's own settings), in
    /// the order of the scenario.
    pub settings: Map<String, Value>,
}

/// The key material of one side (users' document, section 2.3).
#[derive(Clone)]
pub struct CryptoConfig {
    /// 32-byte private seed.
    pub private: [u8; 32],
    /// 32-byte public key.
    pub public: [u8; 32],
    /// The peer's public key.
    pub peer_public: [u8; 32],
    /// First 8 hex digits of SHA-256 of the public key.
    pub key_id: String,
    /// The same of the peer's.
    pub peer_key_id: String,
}

impl fmt::Debug for CryptoConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            private: _,
            public: _,
            peer_public: _,
            key_id,
            peer_key_id,
        } = self;
        f.debug_struct("CryptoConfig")
            .field("private", &"..")
            .field("key_id", key_id)
            .field("peer_key_id", peer_key_id)
            .finish_non_exhaustive()
    }
}
