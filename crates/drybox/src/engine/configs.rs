//! What each adapter is told, from the scenario.

use std::path::Path;

use crate::{
    Side,
    adapter::{AdapterConfig, CryptoConfig, DEFAULT_SDU_MAX_BYTES},
    rng::Streams,
    scenario::Scenario,
};

/// The configurations of both sides, left first.
pub fn configs(
    scenario: &Scenario,
    crypto: Option<[CryptoConfig; 2]>,
    out_dir: Option<&Path>,
) -> [AdapterConfig; 2] {
    let streams = Streams::new(scenario.seed);
    let mut crypto = crypto.map_or([None, None], |keys| keys.map(Some));
    Side::BOTH.map(|side| AdapterConfig {
        side,
        tick_ms: scenario.tick_ms,
        seed: scenario.seed,
        mode: scenario.mode,
        sdu_max_bytes: DEFAULT_SDU_MAX_BYTES,
        out_dir: out_dir.map(Path::to_owned),
        rng_seed: low_128_bits(&streams.key(&format!("{}/ctx", side.letter()))),
        python_seed: low_128_bits(&streams.key("py")),
        crypto: crypto[side.index()].take(),
        settings: scenario.sides[side.index()].settings.clone(),
    })
}

/// The first 16 bytes of a stream's key, little-endian (`docs/spec/determinism.md`, section 1).
fn low_128_bits(key: &[u8; 32]) -> u128 {
    key.iter()
        .take(16)
        .rev()
        .fold(0, |number, &byte| (number << 8) | u128::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rng_seed_is_little_endian() {
        let mut key = [0xff; 32];
        key[..16].fill(0);
        key[0] = 1;
        key[15] = 0x80;
        assert_eq!(low_128_bits(&key), 1 | (0x80 << 120));
    }
}
