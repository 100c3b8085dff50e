//! The STC suite: everything cryptographic that STT uses, built from vetted primitives only
//! (`docs/spec/stt-crypto.md`, whose sections are cited).
//!
//! Nothing here draws randomness or reads a clock: ephemeral keys, salts and nonces are arguments.
//! Every type that holds a secret is in [`secret`]; such types wipe themselves, show nothing in
//! `Debug` and compare in constant time or not at all.

#[cfg(any(feature = "__fuzz", test))]
#[doc(hidden)]
pub mod __fuzz;
mod chunk;
mod cookie;
mod frame;
mod hash;
mod identity;
mod kdf;
mod label;
mod noise;
mod packet;
pub mod secret;
mod segment;
mod stc;
mod suite;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use chunk::{ChunkKey, ChunkRefused};
pub use cookie::{COOKIE_LEN, CookieRefused, SEALED_COOKIE_LEN, XNONCE_LEN};
pub use frame::{FRAME_SUITE, FrameError, FrameMetadata};
pub use identity::{NodeId, PublicKey};
#[cfg(any(test, feature = "testing"))]
pub use noise::{Effort, effort};
pub use noise::{
    Initiator, MAX_MESSAGE_LEN, MESSAGE_OVERHEAD, NoiseError, RESUME_OVERHEAD, Responder, Session,
    ephemeral_of,
};
pub use packet::{ForgeryCount, HeaderKey, LimitReached, OpenError, PacketKey, SealError};
pub use segment::{
    SALT_LEN, SEGMENT_OVERHEAD, Segment, SegmentError, SegmentOpener, SegmentSealer,
};
pub use stc::{SessionIdTooLong, Stc};
pub use suite::{Aead, TAG_LEN};
