//! Keys that an endpoint keeps for itself (`docs/spec/stt-crypto.md`, sections 12 and 13).

use core::fmt;

use subtle::ConstantTimeEq;

use crate::{cookie::COOKIE_LEN, hash::keyed_16, secret::Secret};

/// The secret behind cookies. An endpoint draws a new one every two minutes and keeps the one
/// before for as long.
#[derive(Debug)]
pub struct CookieKey(Secret<32>);

impl CookieKey {
    /// Takes 32 random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(random))
    }

    /// The cookie for a HELLO with connection id `icid` and ephemeral key `e` that came over
    /// `path`. Of path and icid the first 255 bytes count; both are shorter by their formats.
    pub fn mac(&self, path: &[u8], icid: &[u8], e: &[u8; 32]) -> [u8; COOKIE_LEN] {
        let [path, icid] = [path, icid].map(|field| &field[..field.len().min(255)]);
        let len = |field: &[u8]| [field.len() as u8];
        keyed_16(&self.0, &[&len(path), path, &len(icid), icid, e])
    }

    /// Whether `cookie` is the one of [`Self::mac`]; in constant time.
    pub fn verify(&self, path: &[u8], icid: &[u8], e: &[u8; 32], cookie: &[u8]) -> bool {
        self.mac(path, icid, e).ct_eq(cookie).into()
    }
}

/// The key of an endpoint's stateless-reset tokens.
#[derive(Debug)]
pub struct ResetKey(Secret<32>);

impl ResetKey {
    pub(crate) const fn from_secret(key: Secret<32>) -> Self {
        Self(key)
    }

    /// Takes 32 random bytes, for an endpoint that won't be known again after a restart. Others
    /// use [`Seed::reset_key`](super::Seed::reset_key).
    pub const fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(random))
    }

    /// The token that ends what is sent to `wire_id`.
    pub fn token(&self, wire_id: &[u8]) -> ResetToken {
        ResetToken(keyed_16(&self.0, &[wire_id]))
    }
}

/// Whoever knows it can end the session that it belongs to (RFC 9000 §10.3). Comparison is in
/// constant time, also against what came off the wire.
#[derive(Clone, Copy)]
pub struct ResetToken([u8; 16]);

impl ResetToken {
    /// Bytes of a token.
    pub const LEN: usize = 16;

    /// A token that the peer gave.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be sent to the peer.
    pub const fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether a datagram ends with this token.
    pub fn ends(&self, datagram: &[u8]) -> bool {
        datagram
            .last_chunk::<16>()
            .is_some_and(|tail| self.0.ct_eq(tail).into())
    }
}

impl PartialEq for ResetToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for ResetToken {}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_holds_for_its_path_id_and_ephemeral_key_only() {
        let key = CookieKey::new([3; 32]);
        let cookie = key.mac(b"path", b"icid", &[9; 32]);
        assert!(key.verify(b"path", b"icid", &[9; 32], &cookie));
        assert!(!key.verify(b"pathi", b"cid", &[9; 32], &cookie));
        assert!(!key.verify(b"path", b"icie", &[9; 32], &cookie));
        assert!(!key.verify(b"path", b"icid", &[8; 32], &cookie));
        assert!(!key.verify(b"path", b"icid", &[9; 32], &cookie[..15]));
        assert!(!key.verify(b"path", b"icid", &[9; 32], b""));
        assert!(!CookieKey::new([4; 32]).verify(b"path", b"icid", &[9; 32], &cookie));
        for bit in 0..8 * COOKIE_LEN {
            let mut forged = cookie;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !key.verify(b"path", b"icid", &[9; 32], &forged),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_token_belongs_to_its_key_and_wire_id() {
        let key = ResetKey::new([5; 32]);
        let token = key.token(&[1, 2, 3, 4]);
        assert!(token == key.token(&[1, 2, 3, 4]));
        assert!(token != key.token(&[1, 2, 3]));
        assert!(token != ResetKey::new([6; 32]).token(&[1, 2, 3, 4]));
        let mut datagram = vec![0x80; 5];
        datagram.extend_from_slice(token.expose());
        assert!(token.ends(&datagram));
        assert!(!token.ends(&datagram[..20]));
        assert!(!token.ends(b"short"));
    }
}
