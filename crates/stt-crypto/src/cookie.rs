//! COOKIE packets' contents (`docs/spec/stt-crypto.md`, section 12).

use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{AeadInOut, KeyInit},
};
use thiserror::Error;

use crate::{secret::Psk, suite::TAG_LEN};

/// Bytes of a cookie.
pub const COOKIE_LEN: usize = 16;
/// Bytes of a cookie as it is sealed.
pub const SEALED_COOKIE_LEN: usize = COOKIE_LEN + TAG_LEN;
/// Bytes of a nonce that is drawn at random.
pub const XNONCE_LEN: usize = 24;

impl Psk {
    /// Seals a cookie for the holder of the seed that sent the ephemeral key `e`. The nonce is
    /// random.
    pub fn seal_cookie(
        &self,
        e: &[u8; 32],
        cookie: &[u8; COOKIE_LEN],
        nonce: &[u8; XNONCE_LEN],
    ) -> [u8; SEALED_COOKIE_LEN] {
        let mut sealed = [0; SEALED_COOKIE_LEN];
        let (text, room) = sealed.split_at_mut(COOKIE_LEN);
        text.copy_from_slice(cookie);
        let tag = XChaCha20Poly1305::new(self.cookie().into())
            .encrypt_inout_detached(nonce.into(), e, text.into())
            .expect("16 bytes are within the AEAD's limit");
        room.copy_from_slice(&tag);
        sealed
    }

    /// The cookie in what a responder answered to `e`.
    ///
    /// # Errors
    ///
    /// It is forged, or the answer to another HELLO or seed.
    pub fn open_cookie(
        &self,
        e: &[u8; 32],
        sealed: &[u8; SEALED_COOKIE_LEN],
        nonce: &[u8; XNONCE_LEN],
    ) -> Result<[u8; COOKIE_LEN], CookieRefused> {
        let (text, tag) = sealed
            .split_first_chunk::<COOKIE_LEN>()
            .ok_or(CookieRefused)?;
        let tag: &[u8; TAG_LEN] = tag.try_into().map_err(|_| CookieRefused)?;
        let mut cookie = *text;
        XChaCha20Poly1305::new(self.cookie().into())
            .decrypt_inout_detached(nonce.into(), e, cookie.as_mut_slice().into(), tag.into())
            .map_err(|_| CookieRefused)?;
        Ok(cookie)
    }
}

/// A sealed cookie that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the cookie does not open: forged, or for another HELLO or seed")]
pub struct CookieRefused;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Seed;

    #[test]
    fn a_cookie_opens_for_its_seed_and_ephemeral_key_only() {
        let psk = Seed::new(&[1; 32]).unwrap().psk();
        let (e, nonce) = ([2; 32], [3; XNONCE_LEN]);
        let sealed = psk.seal_cookie(&e, &[4; COOKIE_LEN], &nonce);
        assert_eq!(psk.open_cookie(&e, &sealed, &nonce), Ok([4; COOKIE_LEN]));
        assert_eq!(
            psk.open_cookie(&[9; 32], &sealed, &nonce),
            Err(CookieRefused)
        );
        assert_eq!(
            psk.open_cookie(&e, &sealed, &[9; XNONCE_LEN]),
            Err(CookieRefused)
        );
        let other = Seed::new(&[9; 32]).unwrap().psk();
        assert_eq!(other.open_cookie(&e, &sealed, &nonce), Err(CookieRefused));
        for bit in 0..8 * SEALED_COOKIE_LEN {
            let mut forged = sealed;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                psk.open_cookie(&e, &forged, &nonce),
                Err(CookieRefused),
                "bit {bit}"
            );
        }
    }
}
