//! Initiator and responder.

use core::fmt;
use std::sync::OnceLock;

use snow::{Builder, HandshakeState, params::NoiseParams};
use thiserror::Error;
use zeroize::Zeroize;

use super::primitives::Primitives;
use crate::{
    identity::PublicKey,
    secret::{Exporter, NodeKey, Psk, Secret, TrafficSecret},
    suite::TAG_LEN,
};

/// Bytes of a Noise message at most.
pub const MAX_MESSAGE_LEN: usize = 65_535;
/// What a message of suite 1 adds to its payload: `e`, `s` with its tag, the payload's tag.
pub const MESSAGE_OVERHEAD: usize = 32 + 32 + TAG_LEN + TAG_LEN;
/// What a message of suite 2 adds to its payload: `e` and the payload's tag.
pub const RESUME_OVERHEAD: usize = 32 + TAG_LEN;

/// The ephemeral key in front of a Noise message: the same in every copy of a HELLO, and unlike
/// that of any other.
pub fn ephemeral_of(message: &[u8]) -> Option<&[u8; 32]> {
    message.first_chunk()
}

/// What a finished handshake gives.
#[derive(Debug)]
pub struct Session {
    /// For packets to the peer.
    pub send: TrafficSecret,
    /// For packets from the peer.
    pub receive: TrafficSecret,
    /// For everything else.
    pub exporter: Exporter,
    /// The peer's static key; of a resumed session, where the ticket knows it, `None`.
    pub peer: Option<PublicKey>,
}

/// The side that has sent message 1.
pub struct Initiator(HandshakeState);

impl Initiator {
    /// Starts a session and gives message 1. `ephemeral` is 32 bytes from a cryptographic
    /// generator, never used again.
    ///
    /// # Errors
    ///
    /// The message would be too long.
    pub fn start(
        psk: &Psk,
        key: &NodeKey,
        prologue: &[u8],
        ephemeral: [u8; 32],
        payload: &[u8],
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        Self::open(
            Pattern::IxPsk0,
            psk,
            Some(key),
            prologue,
            ephemeral,
            payload,
        )
    }

    /// Starts a session that resumes an earlier one, with the psk of [`Psk::resume`].
    ///
    /// # Errors
    ///
    /// The message would be too long.
    pub fn resume(
        psk: &Psk,
        prologue: &[u8],
        ephemeral: [u8; 32],
        payload: &[u8],
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        Self::open(Pattern::NnPsk0, psk, None, prologue, ephemeral, payload)
    }

    fn open(
        pattern: Pattern,
        psk: &Psk,
        key: Option<&NodeKey>,
        prologue: &[u8],
        ephemeral: [u8; 32],
        payload: &[u8],
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        let mut state = pattern.build(psk, key, prologue, ephemeral, true)?;
        let message = write(&mut state, pattern, payload)?;
        Ok((Self(state), message))
    }

    /// Reads message 2 and gives the session and the responder's payload.
    ///
    /// # Errors
    ///
    /// The message is not the responder's answer. The initiator stays as it was: the genuine one
    /// may still come. After a success every further call fails.
    pub fn finish(&mut self, message: &[u8]) -> Result<(Session, Vec<u8>), NoiseError> {
        let payload = read(&mut self.0, message)?;
        Ok((session(&mut self.0), payload))
    }
}

/// The side that has read message 1.
pub struct Responder {
    state: HandshakeState,
    pattern: Pattern,
    peer: Option<PublicKey>,
}

impl Responder {
    /// Reads message 1 and gives the initiator's payload. Costs no scalar multiplication.
    /// `ephemeral` is as in [`Initiator::start`].
    ///
    /// # Errors
    ///
    /// The message was made with another seed, or changed.
    pub fn read(
        psk: &Psk,
        key: &NodeKey,
        prologue: &[u8],
        message: &[u8],
        ephemeral: [u8; 32],
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        Self::open(
            Pattern::IxPsk0,
            psk,
            Some(key),
            prologue,
            message,
            ephemeral,
        )
    }

    /// Reads message 1 of a session that resumes an earlier one.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn resume(
        psk: &Psk,
        prologue: &[u8],
        message: &[u8],
        ephemeral: [u8; 32],
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        Self::open(Pattern::NnPsk0, psk, None, prologue, message, ephemeral)
    }

    fn open(
        pattern: Pattern,
        psk: &Psk,
        key: Option<&NodeKey>,
        prologue: &[u8],
        message: &[u8],
        ephemeral: [u8; 32],
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        let mut state = pattern.build(psk, key, prologue, ephemeral, false)?;
        let payload = read(&mut state, message)?;
        let peer = peer_of(&state);
        Ok((
            Self {
                state,
                pattern,
                peer,
            },
            payload,
        ))
    }

    /// The static key that the initiator claims; it has proven it when its first packet opens.
    /// `None` where a session is resumed.
    pub const fn peer(&self) -> Option<&PublicKey> {
        self.peer.as_ref()
    }

    /// Gives the session and message 2.
    ///
    /// # Errors
    ///
    /// The payload is too long, or the initiator's key is of low order.
    pub fn respond(mut self, payload: &[u8]) -> Result<(Session, Vec<u8>), NoiseError> {
        let message = write(&mut self.state, self.pattern, payload)?;
        Ok((session(&mut self.state), message))
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Initiator(..)")
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The Noise state is left out.
        f.debug_struct("Responder")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
enum Pattern {
    IxPsk0,
    NnPsk0,
}

impl Pattern {
    fn params(self) -> NoiseParams {
        static IX: OnceLock<NoiseParams> = OnceLock::new();
        static NN: OnceLock<NoiseParams> = OnceLock::new();
        let (cell, name) = match self {
            Self::IxPsk0 => (&IX, "Noise_IXpsk0_25519_ChaChaPoly_SHA256"),
            Self::NnPsk0 => (&NN, "Noise_NNpsk0_25519_ChaChaPoly_SHA256"),
        };
        cell.get_or_init(|| name.parse().expect("snow knows the pattern"))
            .clone()
    }

    const fn overhead(self) -> usize {
        match self {
            Self::IxPsk0 => MESSAGE_OVERHEAD,
            Self::NnPsk0 => RESUME_OVERHEAD,
        }
    }

    fn build(
        self,
        psk: &Psk,
        key: Option<&NodeKey>,
        prologue: &[u8],
        ephemeral: [u8; 32],
        initiator: bool,
    ) -> Result<HandshakeState, NoiseError> {
        let primitives = Primitives::new(key.cloned(), Secret::new(ephemeral));
        let mut builder = Builder::with_resolver(self.params(), Box::new(primitives))
            .prologue(prologue)?
            .psk(0, psk.noise())?;
        if key.is_some() {
            // Where a key belongs in the pattern; the key itself is with the primitives.
            builder = builder.local_private_key(&[])?;
        }
        Ok(if initiator {
            builder.build_initiator()?
        } else {
            builder.build_responder()?
        })
    }
}

fn write(
    state: &mut HandshakeState,
    pattern: Pattern,
    payload: &[u8],
) -> Result<Vec<u8>, NoiseError> {
    let len = pattern.overhead() + payload.len();
    if len > MAX_MESSAGE_LEN {
        return Err(NoiseError::TooLong { len });
    }
    let mut message = vec![0; len];
    let written = state.write_message(payload, &mut message)?;
    message.truncate(written);
    Ok(message)
}

fn read(state: &mut HandshakeState, message: &[u8]) -> Result<Vec<u8>, NoiseError> {
    if message.len() > MAX_MESSAGE_LEN {
        return Err(NoiseError::TooLong { len: message.len() });
    }
    let mut payload = vec![0; message.len()];
    let read = state.read_message(message, &mut payload)?;
    payload.truncate(read);
    Ok(payload)
}

fn peer_of(state: &HandshakeState) -> Option<PublicKey> {
    state
        .get_remote_static()
        .and_then(<[u8]>::first_chunk)
        .map(|key| PublicKey::new(*key))
}

/// Section 9.5 of the page: k1 is the initiator's, k2 the responder's.
fn session(state: &mut HandshakeState) -> Session {
    let (mut k1, mut k2) = state.dangerously_get_raw_split();
    let mut both = Secret::<64>::zero();
    both.as_mut_bytes()[..32].copy_from_slice(&k1);
    both.as_mut_bytes()[32..].copy_from_slice(&k2);
    let exporter = Exporter::new(state.get_handshake_hash(), &both);
    let from_initiator = TrafficSecret::new(Secret::new(k1));
    let from_responder = TrafficSecret::new(Secret::new(k2));
    k1.zeroize();
    k2.zeroize();
    let (send, receive) = if state.is_initiator() {
        (from_initiator, from_responder)
    } else {
        (from_responder, from_initiator)
    };
    Session {
        send,
        receive,
        exporter,
        peer: peer_of(state),
    }
}

/// Why a handshake message was not written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoiseError {
    /// A tag is wrong: made with another seed or prologue, forged, or damaged.
    #[error("the handshake message does not open: made with another seed, forged or damaged")]
    Refused,
    /// It ends inside a key.
    #[error("the handshake message ends early")]
    Truncated,
    /// A public key of low order: the shared secret would be known to everybody.
    #[error("the peer's public key is of low order, which no honest peer uses")]
    WeakKey,
    /// More than Noise allows.
    #[error("a handshake message of {len} bytes, at most {MAX_MESSAGE_LEN} are possible")]
    TooLong {
        /// Bytes of the message.
        len: usize,
    },
    /// The handshake has given its session already.
    #[error("the handshake is finished")]
    Finished,
}

impl From<snow::Error> for NoiseError {
    fn from(error: snow::Error) -> Self {
        match error {
            snow::Error::Dh => Self::WeakKey,
            snow::Error::Input => Self::Truncated,
            snow::Error::State(_) => Self::Finished,
            _ => Self::Refused,
        }
    }
}
