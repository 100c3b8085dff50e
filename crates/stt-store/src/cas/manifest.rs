//! Manifests, each of which commits an object (`docs/spec/stt-store.md`, section 5), and the mark
//! of a store (section 4).

use stt_crypto::{TAG_LEN, secret::StorageKey};

use super::blob::{BlobRef, CHUNK_LOG2, MAX_OBJECT, SUITE, sealed_len};
use crate::{Address, FormatError};

/// Objects up to this many bytes are in their manifest (5.1).
pub(crate) const INLINE_MAX: usize = 65_536;
/// Bytes of the longest manifest.
pub(crate) const MANIFEST_MAX: u64 = (HEAD + FIXED + INLINE_MAX + TAG_LEN) as u64;
/// Bytes of a mark.
pub(crate) const MARK_LEN: usize = HEAD + TAG_LEN;

const MANIFEST_START: [u8; 4] = *b"STM\x01";
const MARK_START: [u8; 4] = *b"STK\x01";
/// Start and salt.
const HEAD: usize = 4 + 32;
/// Kind, address and size.
const FIXED: usize = 1 + 32 + 8;
/// Suite, chunk size, salt and id.
const BLOB: usize = 1 + 1 + 32 + 16;

const INLINE_KIND: u8 = 0;
const BLOB_KIND: u8 = 1;

/// What is known of a committed object.
pub(crate) struct Manifest {
    pub(crate) address: Address,
    /// Bytes of the object.
    pub(crate) size: u64,
    pub(crate) body: Body,
}

/// Where the object's bytes are.
pub(crate) enum Body {
    Blob(BlobRef),
    Inline(Vec<u8>),
}

impl Manifest {
    /// The blob, if it has one.
    #[cfg(feature = "backend")]
    pub(crate) fn blob(&self) -> Option<BlobRef> {
        match self.body {
            Body::Blob(blob) => Some(blob),
            Body::Inline(_) => None,
        }
    }

    /// Bytes of the blob.
    pub(crate) fn blob_len(&self) -> Option<u64> {
        match self.body {
            Body::Blob(_) => Some(sealed_len(self.size)),
            Body::Inline(_) => None,
        }
    }

    /// Seals it for its name. `salt` is 32 random bytes, used for no other.
    pub(crate) fn seal(&self, key: &StorageKey, salt: &[u8; 32]) -> Vec<u8> {
        let name = key.index_name(self.address.as_bytes());
        let mut out = Vec::with_capacity(HEAD + FIXED + BLOB + TAG_LEN);
        out.extend_from_slice(&MANIFEST_START);
        out.extend_from_slice(salt);
        let kind = match self.body {
            Body::Blob(_) => BLOB_KIND,
            Body::Inline(_) => INLINE_KIND,
        };
        out.push(kind);
        out.extend_from_slice(self.address.as_bytes());
        out.extend_from_slice(&self.size.to_be_bytes());
        match &self.body {
            Body::Blob(blob) => {
                out.extend_from_slice(&[SUITE, CHUNK_LOG2]);
                out.extend_from_slice(&blob.salt);
                out.extend_from_slice(&blob.id);
            }
            Body::Inline(bytes) => out.extend_from_slice(bytes),
        }
        out.extend_from_slice(&[0; TAG_LEN]);
        key.manifest_key(salt)
            .seal(0, true, &aad(&name), &mut out[HEAD..]);
        out
    }

    /// Opens what lies under `name`.
    pub(crate) fn open(
        key: &StorageKey,
        name: &[u8; 32],
        mut bytes: Vec<u8>,
    ) -> Result<Self, FormatError> {
        let salt = salt(&bytes, MANIFEST_START)?;
        let len = key
            .manifest_key(&salt)
            .open(0, true, &aad(name), &mut bytes[HEAD..])?;
        let manifest = Self::parse(&bytes[HEAD..HEAD + len])?;
        if key.index_name(manifest.address.as_bytes()) != *name {
            return Err(FormatError::Address);
        }
        Ok(manifest)
    }

    fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let wrong_length = |expected: usize| FormatError::Length {
            found: bytes.len() as u64,
            expected: expected as u64,
        };
        let (&kind, rest) = bytes.split_first().ok_or(wrong_length(FIXED))?;
        let (address, rest) = rest.split_first_chunk().ok_or(wrong_length(FIXED))?;
        let (size, rest) = rest.split_first_chunk().ok_or(wrong_length(FIXED))?;
        let size = u64::from_be_bytes(*size);
        let body = match kind {
            INLINE_KIND => {
                if size > INLINE_MAX as u64 {
                    return Err(FormatError::Field { field: "size" });
                }
                if rest.len() as u64 != size {
                    return Err(wrong_length(FIXED + size as usize));
                }
                Body::Inline(rest.to_vec())
            }
            BLOB_KIND => {
                if size <= INLINE_MAX as u64 || size > MAX_OBJECT {
                    return Err(FormatError::Field { field: "size" });
                }
                let rest: &[u8; BLOB] = rest.try_into().map_err(|_| wrong_length(FIXED + BLOB))?;
                if rest[0] != SUITE {
                    return Err(FormatError::Field { field: "suite" });
                }
                if rest[1] != CHUNK_LOG2 {
                    return Err(FormatError::Field {
                        field: "chunk size",
                    });
                }
                let mut blob = BlobRef {
                    salt: [0; 32],
                    id: [0; 16],
                };
                blob.salt.copy_from_slice(&rest[2..34]);
                blob.id.copy_from_slice(&rest[34..]);
                Body::Blob(blob)
            }
            _ => return Err(FormatError::Field { field: "kind" }),
        };
        Ok(Self {
            address: Address::new(*address),
            size,
            body,
        })
    }
}

/// A mark: it tells the seed of the store. `salt` is 32 random bytes.
pub(crate) fn seal_mark(key: &StorageKey, salt: &[u8; 32]) -> [u8; MARK_LEN] {
    let mut mark = [0; MARK_LEN];
    mark[..4].copy_from_slice(&MARK_START);
    mark[4..HEAD].copy_from_slice(salt);
    key.manifest_key(salt)
        .seal(0, true, &MARK_START, &mut mark[HEAD..]);
    mark
}

/// Whether the mark is of this seed.
pub(crate) fn check_mark(key: &StorageKey, bytes: &[u8]) -> Result<(), FormatError> {
    let mut mark: [u8; MARK_LEN] = bytes.try_into().map_err(|_| FormatError::Length {
        found: bytes.len() as u64,
        expected: MARK_LEN as u64,
    })?;
    let salt = salt(&mark, MARK_START)?;
    key.manifest_key(&salt)
        .open(0, true, &MARK_START, &mut mark[HEAD..])?;
    Ok(())
}

fn salt(bytes: &[u8], start: [u8; 4]) -> Result<[u8; 32], FormatError> {
    let (found, rest) = bytes.split_first_chunk().ok_or(FormatError::Start)?;
    if *found != start {
        return Err(FormatError::Start);
    }
    rest.first_chunk().copied().ok_or(FormatError::Length {
        found: bytes.len() as u64,
        expected: HEAD as u64,
    })
}

fn aad(name: &[u8; 32]) -> [u8; 36] {
    let mut aad = [0; 36];
    aad[..4].copy_from_slice(&MANIFEST_START);
    aad[4..].copy_from_slice(name);
    aad
}
