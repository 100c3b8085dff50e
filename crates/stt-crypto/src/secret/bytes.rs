//! Secret bytes of a fixed length.

use core::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes: wiped when they go, compared in constant time, never printed.
pub struct Secret<const N: usize>([u8; N]);

/// A 32-byte key.
pub type Key32 = Secret<32>;

impl<const N: usize> Secret<N> {
    /// Takes the bytes over. The caller's own copy, if it keeps one, is the caller's to wipe.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All zero, to be filled.
    pub(crate) const fn zero() -> Self {
        Self([0; N])
    }

    /// The bytes themselves. Whoever copies them has to wipe the copy.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    pub(crate) const fn as_mut_bytes(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Zeroize for Secret<N> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

impl<const N: usize> TryFrom<&[u8]> for Secret<N> {
    type Error = WrongLength;

    fn try_from(bytes: &[u8]) -> Result<Self, WrongLength> {
        match bytes.try_into() {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(WrongLength {
                expected: N,
                found: bytes.len(),
            }),
        }
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.ct_eq(&other.0)
    }
}

/// In constant time, so every `==` is.
impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>(..)")
    }
}

/// Bytes of another length than the secret's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the secret takes {expected} bytes, found {found}")]
pub struct WrongLength {
    /// Bytes that the secret has.
    pub expected: usize,
    /// Bytes that came.
    pub found: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_sees_every_bit() {
        for bit in 0..256 {
            let mut bytes = [0xa5; 32];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Secret::new(bytes) != Secret::new([0xa5; 32]), "bit {bit}");
        }
        assert!(Secret::new([0xa5; 32]) == Secret::new([0xa5; 32]));
    }

    #[test]
    fn wiping_leaves_zeros() {
        let mut secret = Secret::new([0xa5; 32]);
        secret.zeroize();
        assert_eq!(secret.expose(), &[0; 32]);
    }

    #[test]
    fn another_length_is_told() {
        let error = Key32::try_from(&[1; 31][..]).unwrap_err();
        assert_eq!(error.to_string(), "the secret takes 32 bytes, found 31");
        assert!(Key32::try_from(&[1; 32][..]).unwrap() == Secret::new([1; 32]));
    }
}
