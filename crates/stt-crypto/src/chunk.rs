//! Chunks of what rests encrypted (`docs/spec/stt-store.md`, 1.2).

use core::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use thiserror::Error;

use crate::{secret::Secret, suite::TAG_LEN};

/// Seals and opens the chunks of one object, in any order and from any number of threads.
///
/// A number is sealed once under a key: the key comes from a fresh salt, and who seals counts up.
pub struct ChunkKey(LessSafeKey);

impl ChunkKey {
    pub(crate) fn new(key: &Secret<32>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key.expose());
        Self(LessSafeKey::new(key.expect("the key has 32 bytes by type")))
    }

    /// Encrypts in place: `body` is the plaintext and then [`TAG_LEN`] bytes that receive the tag.
    ///
    /// # Panics
    ///
    /// `body` has no room for the tag, or 64 GiB, past the AEAD's limit.
    pub fn seal(&self, number: u64, last: bool, aad: &[u8], body: &mut [u8]) {
        let split = body
            .len()
            .checked_sub(TAG_LEN)
            .expect("the caller leaves room for the tag");
        let (text, room) = body.split_at_mut(split);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce(number, last), Aad::from(aad), text)
            .expect("a chunk is within the AEAD's limit");
        room.copy_from_slice(tag.as_ref());
    }

    /// Decrypts in place and tells how many bytes of `body` are plaintext.
    ///
    /// # Errors
    ///
    /// It is not chunk `number`, last or not, of this key and `aad`; `body` holds nothing useful
    /// then.
    pub fn open(
        &self,
        number: u64,
        last: bool,
        aad: &[u8],
        body: &mut [u8],
    ) -> Result<usize, ChunkRefused> {
        if body.len() < TAG_LEN {
            return Err(ChunkRefused);
        }
        match self
            .0
            .open_in_place(nonce(number, last), Aad::from(aad), body)
        {
            Ok(plaintext) => Ok(plaintext.len()),
            Err(_) => Err(ChunkRefused),
        }
    }
}

impl fmt::Debug for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkKey(..)")
    }
}

/// Three zero bytes, the number, and whether it is the last.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

/// Something at rest is not what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it does not open: another seed or place, forged or damaged")]
pub struct ChunkRefused;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_bound_to_number_end_and_associated_data() {
        let key = ChunkKey::new(&Secret::new([1; 32]));
        let mut sealed = b"plaintext................".to_vec();
        key.seal(7, false, b"aad", &mut sealed);
        let open = |number, last, aad: &[u8], sealed: &[u8]| {
            let mut body = sealed.to_vec();
            key.open(number, last, aad, &mut body)
                .map(|len| body[..len].to_vec())
        };
        assert_eq!(open(7, false, b"aad", &sealed).unwrap(), b"plaintext");
        for (number, last, aad) in [(8, false, &b"aad"[..]), (7, true, b"aad"), (7, false, b"")] {
            assert_eq!(open(number, last, aad, &sealed), Err(ChunkRefused));
        }
        for bit in 0..8 * sealed.len() {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(7, false, b"aad", &forged), Err(ChunkRefused), "{bit}");
        }
        for len in 0..sealed.len() {
            assert_eq!(open(7, false, b"aad", &sealed[..len]), Err(ChunkRefused));
        }
    }
}
