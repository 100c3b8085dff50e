use stt_crypto::{NodeId, NoiseError};

use super::{EnvelopeError, HelloError, Icid};
use crate::wire::ParamsError;

/// Why a HELLO was not answered with a session (`docs/spec/stt-handshake.md` §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It was offered a lesser version than both ends speak.
    #[error("the HELLO is of a lesser version than both ends speak: somebody kept the better away")]
    Downgrade,
    /// There are as many half-open handshakes as there may be.
    #[error("too many half-open handshakes, of all peers or of this address")]
    Full,
    /// No HELLO of any version.
    #[error("malformed HELLO: {0}")]
    Malformed(EnvelopeError),
    /// No AEAD that both ends use.
    #[error("no AEAD in common with the peer: allow one that it offers")]
    NoCommonAead,
    /// Parameters that can't be read, in a HELLO made with the right seed.
    #[error("the HELLO's {0}")]
    Parameters(ParamsError),
    /// A peer that isn't among the allowed ones.
    #[error("node {0} is not allowed: add it to the allowed peers if it should be")]
    NotAllowed(NodeId),
    /// Made with a shared seed that isn't ours, or damaged.
    #[error("made with a seed that this node does not hold, or damaged")]
    WrongSeed,
    /// A version or suite that isn't spoken here.
    #[error("version {version} suite {suite} is not spoken here")]
    WrongVersion {
        /// The HELLO's version.
        version: u8,
        /// The HELLO's suite.
        suite: u8,
    },
    /// A key of low order, which no honest peer has.
    #[error("the peer's key is of low order, which no honest peer uses")]
    WeakKey,
}

impl From<HelloError> for Refusal {
    fn from(error: HelloError) -> Self {
        match error {
            HelloError::Malformed(error) => Self::Malformed(error),
            HelloError::Unknown { version, suite, .. } => Self::WrongVersion { version, suite },
        }
    }
}

impl From<NoiseError> for Refusal {
    fn from(error: NoiseError) -> Self {
        match error {
            NoiseError::WeakKey => Self::WeakKey,
            _ => Self::WrongSeed,
        }
    }
}

/// What was wrong with an answer to a HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// It has not the form of one, or answers another HELLO.
    #[error("no answer to this HELLO: {0}")]
    Malformed(#[from] EnvelopeError),
    /// It has the name of another attempt.
    #[error("the answer to another HELLO, {found:?}")]
    OtherAttempt {
        /// The name in the answer.
        found: Icid,
    },
    /// Forged, damaged, or made with another seed.
    #[error("the answer is not authentic: {0}")]
    Forged(#[from] NoiseError),
    /// An authentic answer, of another node than the one expected.
    #[error("node {found} answered instead of the expected one")]
    WrongPeer {
        /// Who answered.
        found: NodeId,
    },
    /// An authentic answer whose parameters can't be read.
    #[error("the peer's {0}")]
    Parameters(#[from] ParamsError),
    /// An authentic answer that names no AEAD of the offer.
    #[error("the peer chose an AEAD that it was not offered")]
    AeadNotOffered,
}
