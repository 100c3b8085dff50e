//! Keyed BLAKE3 (`docs/spec/stt-crypto.md`, 1.3).

use zeroize::Zeroize;

use crate::secret::Secret;

/// The hash of the pieces, one after the other.
pub(crate) fn keyed(key: &Secret<32>, pieces: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key.expose());
    for piece in pieces {
        hasher.update(piece);
    }
    let hash = hasher.finalize();
    hasher.zeroize();
    hash.into()
}

/// The first 16 bytes of [`keyed`].
pub(crate) fn keyed_16(key: &Secret<32>, pieces: &[&[u8]]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&keyed(key, pieces)[..16]);
    out
}
