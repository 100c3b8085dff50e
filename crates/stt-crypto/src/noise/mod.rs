//! The handshake patterns (`docs/spec/stt-crypto.md`, section 9): `Noise_IXpsk0` for a first
//! session, `Noise_NNpsk0` for one that resumes it.
//!
//! The Noise state machine is `snow`'s; its primitives are AWS-LC's ([`primitives`]).

mod effort;
mod handshake;
mod primitives;
#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "testing"))]
pub use effort::{Effort, effort};
pub use handshake::{
    Initiator, MAX_MESSAGE_LEN, MESSAGE_OVERHEAD, NoiseError, RESUME_OVERHEAD, Responder, Session,
    ephemeral_of,
};
