use core::fmt;

use stt_crypto::{
    NodeId,
    secret::{NodeKey, Psk},
};

/// Who a node is, and the seeds that it shares with its peers
/// (`docs/spec/stt-handshake.md` §13).
pub struct Credentials {
    key: NodeKey,
    /// The first opens sessions; all answer. Never empty.
    psks: Vec<Psk>,
}

impl Credentials {
    /// The most seeds at once.
    pub const MAX_SEEDS: usize = 4;

    /// A node with the static key `key` that opens sessions with `psk`, of the current shared seed.
    pub fn new(key: NodeKey, psk: Psk) -> Self {
        Self {
            key,
            psks: vec![psk],
        }
    }

    /// Also answers those who use another shared seed, for instance the one before.
    ///
    /// # Errors
    ///
    /// There are [`Credentials::MAX_SEEDS`] already.
    pub fn with_further_seed(mut self, psk: Psk) -> Result<Self, TooManySeeds> {
        if self.psks.len() == Self::MAX_SEEDS {
            return Err(TooManySeeds);
        }
        self.psks.push(psk);
        Ok(self)
    }

    /// The node's id.
    pub fn node_id(&self) -> NodeId {
        self.key.node_id()
    }

    pub(crate) const fn key(&self) -> &NodeKey {
        &self.key
    }

    /// The one that opens sessions.
    pub(crate) fn psk(&self) -> &Psk {
        &self.psks[0]
    }

    /// All of them, the one that opens first.
    pub(crate) fn psks(&self) -> &[Psk] {
        &self.psks
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys are left out.
        f.debug_struct("Credentials")
            .field("node_id", &self.node_id())
            .field("seeds", &self.psks.len())
            .finish_non_exhaustive()
    }
}

/// More than [`Credentials::MAX_SEEDS`] shared seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {} shared seeds: take an old one away first",
    Credentials::MAX_SEEDS
)]
pub struct TooManySeeds;
