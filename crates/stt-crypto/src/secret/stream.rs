//! The isolated key of a stream of segments (`docs/spec/stt-crypto.md`, section 8).

use crate::{
    kdf::{expand, extract},
    label,
    secret::Secret,
    segment::{SALT_LEN, SegmentOpener, SegmentSealer},
};

/// The key of one (session id, stream id), from which encoders and decoders come. Any number of
/// encoders may share it, each with a salt of its own.
#[derive(Debug)]
pub struct StreamContext(Secret<32>);

impl StreamContext {
    pub(crate) const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    /// An encoder. `salt` is 16 random bytes, used by no other encoder.
    pub fn sealer(&self, salt: [u8; SALT_LEN]) -> SegmentSealer {
        SegmentSealer::new(salt, &self.segment_key(&salt))
    }

    /// A decoder for the segments of one encoder, whichever is heard first.
    pub fn opener(&self) -> SegmentOpener {
        SegmentOpener::new(Self(Secret::new(*self.0.expose())))
    }

    pub(crate) fn segment_key(&self, salt: &[u8; SALT_LEN]) -> Secret<32> {
        expand(&extract(salt, self.0.expose()), label::SEGMENT, &[])
    }
}
