//! Sealing and opening packets (`docs/spec/stt-crypto.md`, section 11).

use core::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey, quic::HeaderProtectionKey};
use thiserror::Error;

use crate::{
    secret::Secret,
    suite::{Aead, TAG_LEN},
};

/// One past the largest packet number.
const PN_END: u64 = 1 << 62;

/// The AEAD key of one direction and one key phase.
///
/// The number of packets it seals is counted, and numbers only grow: it refuses rather than repeat
/// a nonce or pass the AEAD's confidentiality limit.
pub struct PacketKey {
    key: LessSafeKey,
    iv: Secret<12>,
    aead: Aead,
    /// The smallest number that may be sealed next.
    next_pn: u64,
    sealed: u64,
}

impl PacketKey {
    pub(crate) fn new(aead: Aead, key: &Secret<32>, iv: Secret<12>) -> Self {
        let key = UnboundKey::new(aead.algorithm(), key.expose())
            .expect("both AEADs take keys of 32 bytes");
        Self {
            key: LessSafeKey::new(key),
            iv,
            aead,
            next_pn: 0,
            sealed: 0,
        }
    }

    /// Encrypts in place: `body` is the payload and then [`TAG_LEN`] bytes that receive the tag.
    /// `aad` is the header before header protection. Allocates nothing.
    ///
    /// # Errors
    ///
    /// See [`SealError`]; `body` is as it was.
    pub fn seal(&mut self, pn: u64, aad: &[u8], body: &mut [u8]) -> Result<(), SealError> {
        if pn < self.next_pn || pn >= PN_END {
            return Err(SealError::Number {
                pn,
                next: self.next_pn,
            });
        }
        if self.sealed >= self.aead.confidentiality_limit() {
            return Err(SealError::LimitReached);
        }
        let Some(split) = body.len().checked_sub(TAG_LEN) else {
            return Err(SealError::NoRoom);
        };
        let (payload, room) = body.split_at_mut(split);
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(pn), Aad::from(aad), payload)
            .map_err(|_| SealError::TooLong)?;
        room.copy_from_slice(tag.as_ref());
        self.next_pn = pn + 1;
        self.sealed += 1;
        Ok(())
    }

    /// Decrypts in place and tells how many bytes of `body` are the payload. `aad` is the header
    /// after header protection was taken off. Allocates nothing.
    ///
    /// # Errors
    ///
    /// The packet isn't one of the peer's; `body` holds nothing useful then. The caller counts
    /// these ([`ForgeryCount`]).
    pub fn open(&self, pn: u64, aad: &[u8], body: &mut [u8]) -> Result<usize, OpenError> {
        if body.len() < TAG_LEN {
            return Err(OpenError::TooShort);
        }
        match self.key.open_in_place(self.nonce(pn), Aad::from(aad), body) {
            Ok(payload) => Ok(payload.len()),
            Err(_) => Err(OpenError::Forged),
        }
    }

    /// As [`PacketKey::open`], but leaves `body` as it is and writes the payload to the beginning of `out`,
    /// which may be longer.
    ///
    /// # Errors
    ///
    /// As [`PacketKey::open`]; `out` holds nothing useful then. Besides, `out` may have too little
    /// room: at least [`TAG_LEN`] bytes less than `body` are needed.
    pub fn open_to(
        &self,
        pn: u64,
        aad: &[u8],
        body: &[u8],
        out: &mut [u8],
    ) -> Result<usize, OpenError> {
        let Some((payload, tag)) = body.split_last_chunk::<TAG_LEN>() else {
            return Err(OpenError::TooShort);
        };
        let Some(out) = out.get_mut(..payload.len()) else {
            return Err(OpenError::NoRoom);
        };
        self.key
            .open_separate_gather(self.nonce(pn), Aad::from(aad), payload, tag, out)
            .map_err(|_| OpenError::Forged)?;
        Ok(payload.len())
    }

    /// The AEAD.
    pub const fn aead(&self) -> Aead {
        self.aead
    }

    /// How many packets it has sealed. Sessions update their keys well before the
    /// [limit](Aead::confidentiality_limit).
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// The iv with the packet number XORed into its last eight bytes.
    fn nonce(&self, pn: u64) -> Nonce {
        let mut nonce = *self.iv.expose();
        if let Some(low) = nonce.last_chunk_mut::<8>() {
            *low = (u64::from_be_bytes(*low) ^ pn).to_be_bytes();
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// For tests of the limit, which nobody can wait for.
    #[cfg(any(test, feature = "testing"))]
    pub fn pretend_sealed(&mut self, sealed: u64) {
        self.sealed = sealed;
    }
}

impl fmt::Debug for PacketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key itself is left out.
        f.debug_struct("PacketKey")
            .field("aead", &self.aead)
            .field("iv", &self.iv)
            .field("next_pn", &self.next_pn)
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}

/// The key that hides packet numbers and key phases in one direction.
pub struct HeaderKey(HeaderProtectionKey);

impl HeaderKey {
    /// Bytes of ciphertext that a mask is made from.
    pub const SAMPLE_LEN: usize = 16;

    pub(crate) fn new(aead: Aead, key: &Secret<32>) -> Self {
        Self(
            HeaderProtectionKey::new(aead.header_algorithm(), key.expose())
                .expect("both algorithms take keys of 32 bytes"),
        )
    }

    /// What is XORed onto the flags (its first byte) and the packet number (RFC 9001 §5.4).
    pub fn mask(&self, sample: &[u8; Self::SAMPLE_LEN]) -> [u8; 5] {
        self.0
            .new_mask(sample)
            .expect("the sample has its length by type")
    }
}

impl fmt::Debug for HeaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderKey(..)")
    }
}

/// How many packets of a session failed to open, over all keys and both its lives before and after
/// key updates (RFC 9001 §6.6).
#[derive(Debug)]
pub struct ForgeryCount {
    left: u64,
    failed: u64,
}

impl ForgeryCount {
    /// None yet.
    pub const fn new(aead: Aead) -> Self {
        Self {
            left: aead.integrity_limit(),
            failed: 0,
        }
    }

    /// Counts one.
    ///
    /// # Errors
    ///
    /// It was the last that the AEAD's integrity limit leaves: the session has to end.
    pub const fn record(&mut self) -> Result<(), LimitReached> {
        self.failed += 1;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            Err(LimitReached)
        } else {
            Ok(())
        }
    }

    /// How many there were.
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// For tests of the limit, which nobody can wait for.
    #[cfg(any(test, feature = "testing"))]
    pub const fn pretend_left(&mut self, left: u64) {
        self.left = left;
    }
}

/// Why a packet was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The number was used under this key, or is past the last one.
    #[error("packet number {pn} is not between {next} and 2^62 - 1: numbers only grow")]
    Number {
        /// The number given.
        pn: u64,
        /// The smallest that is free.
        next: u64,
    },
    /// The key has sealed as many packets as its AEAD allows.
    #[error("the key has sealed all the packets that its AEAD allows: update the keys")]
    LimitReached,
    /// No 16 bytes for the tag.
    #[error("there is no room for the tag of {TAG_LEN} bytes")]
    NoRoom,
    /// More than the AEAD takes at once (tens of gigabytes).
    #[error("the payload is longer than the AEAD takes")]
    TooLong,
}

/// Why a packet was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Fewer bytes than a tag.
    #[error("the packet is shorter than its tag of {TAG_LEN} bytes")]
    TooShort,
    /// Another key, number or header, or changed on the way.
    #[error("the packet does not open: forged, damaged or under another key")]
    Forged,
    /// The buffer for the payload is too short.
    #[error("the payload is longer than the buffer for it")]
    NoRoom,
}

/// The AEAD's integrity limit is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("as many packets failed to open as the AEAD allows: the session has to end")]
pub struct LimitReached;

#[cfg(test)]
mod tests;
