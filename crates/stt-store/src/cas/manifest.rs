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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stt_crypto::secret::Seed;

    use super::*;

    fn key(seed: u8) -> StorageKey {
        Seed::new(&[seed; 32]).unwrap().storage_key()
    }

    fn blob(size: u64) -> Manifest {
        Manifest {
            address: Address::of(b"large"),
            size,
            body: Body::Blob(BlobRef {
                salt: [1; 32],
                id: [2; 16],
            }),
        }
    }

    fn open(manifest: &Manifest) -> Result<Manifest, FormatError> {
        let name = key(1).index_name(manifest.address.as_bytes());
        Manifest::open(&key(1), &name, manifest.seal(&key(1), &[3; 32]))
    }

    #[test]
    fn sizes_fit_their_kind() {
        let inline = |size, bytes: &[u8]| Manifest {
            address: Address::of(b"small"),
            size,
            body: Body::Inline(bytes.to_vec()),
        };
        assert!(open(&inline(3, b"abc")).is_ok());
        assert!(open(&inline(2, b"abc")).is_err());
        assert!(open(&inline(4, b"abc")).is_err());
        let full = inline(65_536, &[7; INLINE_MAX]);
        assert_eq!(full.seal(&key(1), &[3; 32]).len() as u64, MANIFEST_MAX);
        assert!(open(&full).is_ok());
        assert!(open(&inline(65_537, &[7; INLINE_MAX + 1])).is_err());
        for (size, fits) in [
            (65_536, false),
            (65_537, true),
            (MAX_OBJECT, true),
            (MAX_OBJECT + 1, false),
            (u64::MAX, false),
        ] {
            assert_eq!(open(&blob(size)).is_ok(), fits, "{size}");
        }
    }

    #[test]
    fn unknown_fields_are_told() {
        let manifest = blob(100_000);
        let mut sealed = manifest.seal(&key(1), &[3; 32]);
        let name = key(1).index_name(manifest.address.as_bytes());
        let chunk = key(1).manifest_key(&[3; 32]);
        let len = chunk
            .open(0, true, &aad(&name), &mut sealed[HEAD..])
            .unwrap();
        let plain = sealed[HEAD..HEAD + len].to_vec();
        assert_eq!(len, FIXED + BLOB);
        for (at, field) in [(0, "kind"), (FIXED, "suite"), (FIXED + 1, "chunk size")] {
            let mut other = plain.clone();
            other[at] = 9;
            let error = Manifest::parse(&other).err();
            assert_eq!(error, Some(FormatError::Field { field }));
        }
    }

    #[test]
    fn a_mark_is_of_one_seed() {
        let mark = seal_mark(&key(1), &[3; 32]);
        assert_eq!(check_mark(&key(1), &mark), Ok(()));
        for bit in 0..8 * mark.len() {
            let mut forged = mark;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(check_mark(&key(1), &forged).is_err(), "bit {bit}");
        }
        let other = check_mark(&key(2), &mark);
        assert!(matches!(other, Err(FormatError::Sealed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Manifest::open(&key(1), &[0; 32], bytes.clone()).is_err());
            prop_assert!(check_mark(&key(1), &bytes).is_err());
            let mut started = MANIFEST_START.to_vec();
            started.extend_from_slice(&bytes);
            prop_assert!(Manifest::open(&key(1), &[0; 32], started).is_err());
            // What an owner of the key could have sealed.
            if let Ok(manifest) = Manifest::parse(&bytes) {
                prop_assert!(manifest.size <= MAX_OBJECT);
            }
        }
    }
}
