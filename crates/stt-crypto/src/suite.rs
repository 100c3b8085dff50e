//! The AEADs of packets and their limits (`docs/spec/stt-crypto.md`, 11.1 and 11.5).

use aws_lc_rs::aead;

/// Bytes that sealing adds.
pub const TAG_LEN: usize = 16;

/// An AEAD for packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Aead {
    /// AES-256-GCM: the fastest where the processor has AES instructions.
    Aes256Gcm = 1,
    /// ChaCha20-Poly1305: the fastest elsewhere.
    ChaCha20Poly1305 = 2,
}

impl Aead {
    /// All of them, in the order in which a peer that says nothing prefers them.
    pub const ALL: [Self; 2] = [Self::Aes256Gcm, Self::ChaCha20Poly1305];

    /// The AEAD that a byte names.
    pub const fn from_wire(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Aes256Gcm),
            2 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    /// The byte that names it.
    pub const fn to_wire(self) -> u8 {
        self as u8
    }

    /// How many packets one key may seal (RFC 9001 §6.6).
    pub const fn confidentiality_limit(self) -> u64 {
        match self {
            Self::Aes256Gcm => 1 << 23,
            Self::ChaCha20Poly1305 => 1 << 62,
        }
    }

    /// How many packets may fail to open in one session, over all keys (RFC 9001 §6.6).
    pub const fn integrity_limit(self) -> u64 {
        match self {
            Self::Aes256Gcm => 1 << 52,
            Self::ChaCha20Poly1305 => 1 << 36,
        }
    }

    pub(crate) const fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }

    pub(crate) const fn header_algorithm(self) -> &'static aead::quic::Algorithm {
        match self {
            Self::Aes256Gcm => &aead::quic::AES_256,
            Self::ChaCha20Poly1305 => &aead::quic::CHACHA20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_aeads_are_one_to_one() {
        let known: Vec<Aead> = (0..=255).filter_map(Aead::from_wire).collect();
        assert_eq!(known, Aead::ALL);
        assert!(
            Aead::ALL
                .iter()
                .all(|aead| Aead::from_wire(aead.to_wire()) == Some(*aead))
        );
    }
}
