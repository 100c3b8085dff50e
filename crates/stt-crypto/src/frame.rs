//! Payloads of standalone frames (`docs/spec/stt-crypto.md`, section 7).

use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{AeadInOut, KeyInit},
};
use thiserror::Error;

use crate::{cookie::XNONCE_LEN, secret::Secret, suite::TAG_LEN};

/// The suite of frames: XChaCha20-Poly1305.
pub const FRAME_SUITE: u8 = 1;

/// What the receiver of a frame needs besides the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameMetadata {
    /// How the payload is sealed: [`FRAME_SUITE`].
    pub suite: u8,
    /// 24 random bytes.
    pub nonce: [u8; XNONCE_LEN],
}

impl FrameMetadata {
    /// Bytes on the wire.
    pub const LEN: usize = 1 + XNONCE_LEN;

    /// Suite, then nonce.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [self.suite; Self::LEN];
        bytes[1..].copy_from_slice(&self.nonce);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Another suite, or another length than this suite's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        let (&suite, nonce) = bytes
            .split_first()
            .ok_or(FrameError::MetadataLength { found: bytes.len() })?;
        if suite != FRAME_SUITE {
            return Err(FrameError::UnknownSuite { suite });
        }
        let nonce = nonce
            .try_into()
            .map_err(|_| FrameError::MetadataLength { found: bytes.len() })?;
        Ok(Self { suite, nonce })
    }
}

pub(crate) fn seal(
    key: &Secret<32>,
    payload: &[u8],
    associated: &[u8],
    nonce: &[u8; XNONCE_LEN],
) -> (Vec<u8>, FrameMetadata) {
    let mut sealed = Vec::with_capacity(payload.len() + TAG_LEN);
    sealed.extend_from_slice(payload);
    let tag = XChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(nonce.into(), &aad(associated), sealed.as_mut_slice().into())
        .expect("the payload is within the AEAD's limit");
    sealed.extend_from_slice(&tag);
    (
        sealed,
        FrameMetadata {
            suite: FRAME_SUITE,
            nonce: *nonce,
        },
    )
}

pub(crate) fn open(
    key: &Secret<32>,
    encrypted: &[u8],
    metadata: &FrameMetadata,
    associated: &[u8],
) -> Result<Vec<u8>, FrameError> {
    if metadata.suite != FRAME_SUITE {
        return Err(FrameError::UnknownSuite {
            suite: metadata.suite,
        });
    }
    let Some((text, tag)) = encrypted.split_last_chunk::<TAG_LEN>() else {
        return Err(FrameError::TooShort);
    };
    let mut payload = text.to_vec();
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(
            (&metadata.nonce).into(),
            &aad(associated),
            payload.as_mut_slice().into(),
            tag.into(),
        )
        .map_err(|_| FrameError::Refused)?;
    Ok(payload)
}

fn aad(associated: &[u8]) -> Vec<u8> {
    let mut aad = Vec::with_capacity(1 + associated.len());
    aad.push(FRAME_SUITE);
    aad.extend_from_slice(associated);
    aad
}

/// Why a frame was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Sealed in a way that this version doesn't know.
    #[error("the frame is sealed with suite {suite}, known is {FRAME_SUITE}")]
    UnknownSuite {
        /// The suite named.
        suite: u8,
    },
    /// Metadata that doesn't fit its suite.
    #[error(
        "the frame's metadata has {found} bytes, expected {}",
        FrameMetadata::LEN
    )]
    MetadataLength {
        /// Bytes that came.
        found: usize,
    },
    /// Fewer bytes than a tag.
    #[error("the encrypted payload is shorter than its tag of {TAG_LEN} bytes")]
    TooShort,
    /// Another seed, nonce or associated data, or changed on the way.
    #[error("the frame does not open: another seed or associated data, forged or damaged")]
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_refused() {
        let key = Secret::new([1; 32]);
        let nonce = [2; XNONCE_LEN];
        let (sealed, metadata) = seal(&key, b"payload", b"associated", &nonce);
        assert_eq!(
            open(&key, &sealed, &metadata, b"associated").unwrap(),
            b"payload"
        );

        for bit in 0..8 * sealed.len() {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let error = open(&key, &forged, &metadata, b"associated").unwrap_err();
            assert_eq!(error, FrameError::Refused, "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(
                open(&key, &sealed[..len], &metadata, b"associated").is_err(),
                "{len} bytes"
            );
        }
        for bit in 0..8 * XNONCE_LEN {
            let mut forged = metadata;
            forged.nonce[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open(&key, &sealed, &forged, b"associated").is_err(),
                "bit {bit}"
            );
        }
        for associated in [&b""[..], b"associatee", b"associated "] {
            assert!(
                open(&key, &sealed, &metadata, associated).is_err(),
                "{associated:?}"
            );
        }
        assert!(open(&Secret::new([3; 32]), &sealed, &metadata, b"associated").is_err());
        let other = FrameMetadata { suite: 2, nonce };
        assert_eq!(
            open(&key, &sealed, &other, b"associated").unwrap_err(),
            FrameError::UnknownSuite { suite: 2 }
        );
    }

    #[test]
    fn metadata_comes_back_and_other_bytes_are_refused() {
        let metadata = FrameMetadata {
            suite: FRAME_SUITE,
            nonce: [9; XNONCE_LEN],
        };
        let bytes = metadata.to_bytes();
        assert_eq!(FrameMetadata::from_bytes(&bytes), Ok(metadata));
        for len in 0..bytes.len() {
            let error = FrameMetadata::from_bytes(&bytes[..len]).unwrap_err();
            assert_eq!(error, FrameError::MetadataLength { found: len });
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(FrameMetadata::from_bytes(&longer).is_err());
        longer[0] = 0;
        assert_eq!(
            FrameMetadata::from_bytes(&longer).unwrap_err(),
            FrameError::UnknownSuite { suite: 0 }
        );
    }
}
