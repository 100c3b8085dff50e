//! The documented face of the suite: one seed, and what users do with it
//! (`docs/spec/stt-crypto.md`, sections 4 to 8).

use thiserror::Error;

use crate::{
    frame::{self, FrameError, FrameMetadata},
    hash::keyed,
    identity::NodeId,
    kdf::{expand, extract},
    label,
    secret::{EmptySeed, Key32, NodeKey, Secret, Seed, StreamContext},
};

/// What `STCWrapper` of the users' documents does.
///
/// Dicts arrive as their canonical serialization; randomness is an argument.
///
/// ```
/// use stt_crypto::Stc;
///
/// let stc = Stc::new(b"32 bytes or more, from a generator")?;
/// let nonce = [7; 24]; // 24 random bytes
/// let (sealed, metadata) = stc.encrypt_frame(b"payload", b"associated", &nonce);
/// assert_eq!(stc.decrypt_frame(&sealed, &metadata, b"associated")?, b"payload");
/// assert!(stc.decrypt_frame(&sealed, &metadata, b"something else").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Stc {
    seed: Seed,
    hash_key: Secret<32>,
    frame_key: Secret<32>,
}

impl Stc {
    /// Derives the suite's keys from a seed ([`Seed::new`]).
    ///
    /// # Errors
    ///
    /// The seed is empty.
    pub fn new(seed: &[u8]) -> Result<Self, EmptySeed> {
        Ok(Self::from_seed(Seed::new(seed)?))
    }

    /// The same from a seed that is there already.
    pub fn from_seed(seed: Seed) -> Self {
        let hash_key = seed.derive(label::HASH, &[]);
        let frame_key = seed.derive(label::FRAME, &[&[frame::FRAME_SUITE]]);
        Self {
            seed,
            hash_key,
            frame_key,
        }
    }

    /// The seed.
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }

    /// 32 bytes of keyed hash over the data and a canonical context; no context is `b""`.
    pub fn hash_data(&self, data: &[u8], context: &[u8]) -> [u8; 32] {
        let context_len = (context.len() as u64).to_be_bytes();
        keyed(&self.hash_key, &[&context_len, context, data])
    }

    /// The static key of `identity`.
    pub fn node_key(&self, identity: &[u8]) -> NodeKey {
        self.seed.node_key(identity)
    }

    /// The id that a handshake with [`Self::node_key`] of `identity` proves.
    pub fn generate_node_id(&self, identity: &[u8]) -> NodeId {
        self.node_key(identity).node_id()
    }

    /// A key bound to a canonical context.
    pub fn derive_session_key(&self, context: &[u8]) -> Key32 {
        self.seed.derive(label::SESSION, &[context])
    }

    /// The key that follows `key`. It depends on no seed, so both peers can derive it.
    pub fn rotate_session_key(key: &Key32, nonce: &[u8]) -> Key32 {
        expand(&extract(nonce, key.expose()), label::ROTATE, &[])
    }

    /// Seals a frame's payload. `associated` is canonical; `nonce` is 24 random bytes.
    ///
    /// # Panics
    ///
    /// The payload has 256 GiB or more, past the AEAD's limit.
    pub fn encrypt_frame(
        &self,
        payload: &[u8],
        associated: &[u8],
        nonce: &[u8; 24],
    ) -> (Vec<u8>, FrameMetadata) {
        frame::seal(&self.frame_key, payload, associated, nonce)
    }

    /// Opens what [`Self::encrypt_frame`] has sealed.
    ///
    /// # Errors
    ///
    /// Another suite; or changed, of another seed, or with other associated data.
    pub fn decrypt_frame(
        &self,
        encrypted: &[u8],
        metadata: &FrameMetadata,
        associated: &[u8],
    ) -> Result<Vec<u8>, FrameError> {
        frame::open(&self.frame_key, encrypted, metadata, associated)
    }

    /// The context of a stream's segments, with keys of its own. A context tells no direction:
    /// use one stream id per direction.
    ///
    /// # Errors
    ///
    /// The session id is longer than 255 bytes.
    pub fn create_stream_context(
        &self,
        session_id: &[u8],
        stream_id: u64,
    ) -> Result<StreamContext, SessionIdTooLong> {
        let len = u8::try_from(session_id.len()).map_err(|_| SessionIdTooLong {
            len: session_id.len(),
        })?;
        let context: [&[u8]; 3] = [&[len], session_id, &stream_id.to_be_bytes()];
        Ok(StreamContext::new(
            self.seed.derive(label::STREAM, &context),
        ))
    }
}

/// A session id that has no room in its length byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a session id has {len} bytes, at most 255 are possible")]
pub struct SessionIdTooLong {
    /// Bytes of the id.
    pub len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stc() -> Stc {
        Stc::new(&[1; 32]).unwrap()
    }

    #[test]
    fn hashes_keep_context_data_and_seeds_apart() {
        let hash = |data: &[u8], context: &[u8]| stc().hash_data(data, context);
        assert_eq!(hash(b"data", b"context"), hash(b"data", b"context"));
        assert_ne!(hash(b"data", b"context"), hash(b"tdata", b"contex"));
        assert_ne!(hash(b"data", b""), hash(b"", b"data"));
        assert_ne!(
            hash(b"data", b""),
            Stc::new(&[2; 32]).unwrap().hash_data(b"data", b"")
        );
    }

    #[test]
    fn session_keys_follow_context_key_and_nonce() {
        let key = stc().derive_session_key(b"context");
        assert!(key == stc().derive_session_key(b"context"));
        assert!(key != stc().derive_session_key(b"contexu"));
        let next = Stc::rotate_session_key(&key, b"nonce");
        assert!(next != key);
        assert!(next == Stc::rotate_session_key(&key, b"nonce"));
        assert!(next != Stc::rotate_session_key(&key, b"noncf"));
        assert!(next != Stc::rotate_session_key(&next, b"nonce"));
    }

    #[test]
    fn a_node_id_is_the_one_of_the_node_key() {
        assert_eq!(stc().generate_node_id(b"a"), stc().node_key(b"a").node_id());
    }

    #[test]
    fn long_session_ids_are_refused() {
        assert!(stc().create_stream_context(&[0; 255], 0).is_ok());
        assert_eq!(
            stc().create_stream_context(&[0; 256], 0).unwrap_err(),
            SessionIdTooLong { len: 256 }
        );
    }
}
