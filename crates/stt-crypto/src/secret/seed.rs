//! Seeds and the root that everything lasting comes from (`docs/spec/stt-crypto.md`, section 3).

use argon2::{Algorithm, Argon2, Params, Version};
use thiserror::Error;

use crate::{
    kdf::{expand, extract},
    label,
    secret::{ChamberKey, NodeKey, Psk, ResetKey, Secret, StorageKey},
};

/// From how many bytes on a seed is used as it is; a shorter one passes Argon2id first.
pub const MIN_SEED_LEN: usize = 32;

/// A seed, stretched and turned into its root. The seed's own bytes are not kept.
#[derive(Debug)]
pub struct Seed {
    root: Secret<32>,
    short: bool,
}

impl Seed {
    /// Derives the root. A seed under [`MIN_SEED_LEN`] bytes takes 19 MiB of memory and some tens
    /// of milliseconds on the way, and [`Self::is_short`].
    ///
    /// # Errors
    ///
    /// The seed is empty.
    pub fn new(seed: &[u8]) -> Result<Self, EmptySeed> {
        if seed.is_empty() {
            return Err(EmptySeed);
        }
        let short = seed.len() < MIN_SEED_LEN;
        let root = if short {
            extract(label::ROOT, stretch(seed).expose())
        } else {
            extract(label::ROOT, seed)
        };
        Ok(Self { root, short })
    }

    /// Whether the seed had fewer than [`MIN_SEED_LEN`] bytes. Worth a warning: whoever watches a
    /// handshake can test guesses of it offline.
    pub const fn is_short(&self) -> bool {
        self.short
    }

    /// The pre-shared key of handshakes, from a seed that peers share.
    pub fn psk(&self) -> Psk {
        Psk::new(
            self.derive(label::PSK, &[]),
            self.derive(label::COOKIE, &[]),
        )
    }

    /// The static key of `identity`. Equal seeds and identities give equal keys.
    pub fn node_key(&self, identity: &[u8]) -> NodeKey {
        NodeKey::new(&self.derive(label::NODE, &[identity]))
    }

    /// The key of the stateless-reset tokens of `identity`.
    pub fn reset_key(&self, identity: &[u8]) -> ResetKey {
        ResetKey::from_secret(self.derive(label::RESET, &[identity]))
    }

    #[cfg(test)]
    pub(crate) const fn expose_root(&self) -> &[u8; 32] {
        self.root.expose()
    }

    /// The keys of a content-addressed store.
    pub fn storage_key(&self) -> StorageKey {
        StorageKey::new(&self.derive(label::STORAGE, &[]))
    }

    /// The keys of the chamber of a node.
    pub fn chamber_key(&self, node_id: &[u8; 32]) -> ChamberKey {
        ChamberKey::new(&self.derive(label::CHAMBER, &[node_id]))
    }

    /// A sub-key of the root.
    pub(crate) fn derive<const N: usize>(&self, label: &[u8], context: &[&[u8]]) -> Secret<N> {
        expand(&self.root, label, context)
    }
}

/// Argon2id with 19 MiB and two passes (RFC 9106).
fn stretch(seed: &[u8]) -> Secret<32> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("the costs are within the domain");
    let mut out = Secret::zero();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(seed, label::SHORT_SEED, out.as_mut_bytes())
        .expect("seed, salt and output are within the domain");
    out
}

/// The seed has no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the seed is empty: give at least 1 byte, better {MIN_SEED_LEN} random ones")]
pub struct EmptySeed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_seeds_are_told_and_empty_ones_refused() {
        assert_eq!(Seed::new(b"").unwrap_err(), EmptySeed);
        assert!(Seed::new(b"x").unwrap().is_short());
        assert!(Seed::new(&[7; 31]).unwrap().is_short());
        assert!(!Seed::new(&[7; 32]).unwrap().is_short());
        assert!(!Seed::new(&[7; 5000]).unwrap().is_short());
    }

    #[test]
    fn equal_seeds_and_identities_give_equal_nodes() {
        let (seed, other) = (Seed::new(&[7; 32]).unwrap(), Seed::new(&[8; 32]).unwrap());
        let id = |seed: &Seed, identity: &[u8]| seed.node_key(identity).node_id();
        assert_eq!(id(&seed, b"a"), id(&Seed::new(&[7; 32]).unwrap(), b"a"));
        assert_ne!(id(&seed, b"a"), id(&seed, b"b"));
        assert_ne!(id(&seed, b"a"), id(&seed, b""));
        assert_ne!(id(&seed, b"a"), id(&other, b"a"));
    }
}
