use std::collections::BTreeMap;

use rand_core::Rng;
use stt_crypto::secret::{ResetKey, ResetToken};

use crate::wire::WireId;

/// Stateless resets, both ways (`docs/spec/stt-handshake.md` §14.3, §14.4).
pub(super) struct Resets {
    key: ResetKey,
    run: u32,
    /// Tokens of peers are found by their keyed hash, so that finding them tells nothing of them.
    hash: ResetKey,
    watched: BTreeMap<TokenHash, u32>,
}

/// Names a watched token.
pub(super) type TokenHash = [u8; ResetToken::LEN];

impl Resets {
    pub(super) const fn new(key: ResetKey, run: u32, hash: ResetKey) -> Self {
        Self {
            key,
            run,
            hash,
            watched: BTreeMap::new(),
        }
    }

    /// The token of an id of this run.
    pub(super) fn token(&self, id: &WireId) -> ResetToken {
        token(&self.key, self.run, id)
    }

    /// The reset that answers a packet of `len` bytes for `id`, which is no id of this run; `None`
    /// if there is none to send.
    pub(super) fn answer(&self, rng: &mut impl Rng, id: &WireId, len: usize) -> Option<Vec<u8>> {
        let before = self.run.checked_sub(1)?;
        let len = len.checked_sub(1)?.min(LONGEST);
        if len < SHORTEST {
            return None;
        }
        let mut datagram = vec![0; len];
        rng.fill_bytes(&mut datagram);
        // As the first byte of a sealed packet.
        datagram[0] = 0x80 | datagram[0] & 0x1f;
        datagram[len - ResetToken::LEN..].copy_from_slice(token(&self.key, before, id).expose());
        Some(datagram)
    }

    /// From now on a reset with this token ends the session at `index`.
    pub(super) fn watch(&mut self, token: &ResetToken, index: u32) -> TokenHash {
        let hash = self.hash(token.expose());
        self.watched.insert(hash, index);
        hash
    }

    pub(super) fn unwatch(&mut self, hash: &TokenHash) {
        self.watched.remove(hash);
    }

    /// The session that this datagram is a reset of.
    pub(super) fn find(&self, datagram: &[u8]) -> Option<u32> {
        if datagram.len() < SHORTEST || self.watched.is_empty() {
            return None;
        }
        let hash = self.hash(datagram.last_chunk()?);
        self.watched.get(&hash).copied()
    }

    fn hash(&self, token: &[u8; ResetToken::LEN]) -> TokenHash {
        *self.hash.token(token).expose()
    }
}

fn token(key: &ResetKey, run: u32, id: &WireId) -> ResetToken {
    let mut input = [0; 4 + WireId::MAX_LEN];
    input[..4].copy_from_slice(&run.to_be_bytes());
    input[4..4 + id.len()].copy_from_slice(id.as_bytes());
    key.token(&input[..4 + id.len()])
}

/// Bytes of the shortest packet that may be one: it must pass for a sealed packet (RFC 9000
/// §10.3).
const SHORTEST: usize = 21;
/// No reason to send more: shorter than most packets, long enough to look like one.
const LONGEST: usize = 43;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn resets(run: u32) -> Resets {
        Resets::new(ResetKey::new([1; 32]), run, ResetKey::new([2; 32]))
    }

    #[test]
    fn a_restarted_endpoint_resets_what_its_former_run_began() {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let id = WireId::new(&[1, 2, 3, 4]).unwrap();
        let mut peer = resets(9);
        let hash = peer.watch(&resets(0).token(&id), 5);
        for len in 0..100 {
            let answer = resets(1).answer(&mut rng, &id, len);
            assert_eq!(answer.is_some(), len >= 22);
            if let Some(datagram) = answer {
                assert!(datagram.len() < len && (21..=43).contains(&datagram.len()));
                assert_eq!(datagram[0] & 0xe0, 0x80);
                assert_eq!(peer.find(&datagram), Some(5));
                let mut forged = datagram.clone();
                forged[datagram.len() - 1] ^= 1;
                assert_eq!(peer.find(&forged), None);
            }
        }
        let datagram = resets(1).answer(&mut rng, &id, 50).unwrap();
        peer.unwatch(&hash);
        assert_eq!(peer.find(&datagram), None);
    }

    #[test]
    fn asking_gives_no_token_of_this_run() {
        let mut rng = ChaCha20Rng::from_seed([4; 32]);
        let id = WireId::new(&[1]).unwrap();
        assert_eq!(resets(0).answer(&mut rng, &id, 50), None);
        let datagram = resets(1).answer(&mut rng, &id, 50).unwrap();
        assert!(!resets(1).token(&id).ends(&datagram));
    }
}
