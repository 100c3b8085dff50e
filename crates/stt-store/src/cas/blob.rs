//! The sealed bytes of an object (`docs/spec/stt-store.md`, section 6).

use stt_crypto::{ChunkKey, TAG_LEN, secret::StorageKey};

use crate::{FormatError, hex};

/// Bytes of plaintext in every chunk but the last.
pub(crate) const CHUNK: usize = 1 << CHUNK_LOG2;
/// Its logarithm, as manifests name it.
pub(crate) const CHUNK_LOG2: u8 = 16;
/// The same chunk, sealed.
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG_LEN;
/// AES-256-GCM, the suite of blobs.
pub(crate) const SUITE: u8 = 1;
/// The largest object in bytes (section 5).
pub(crate) const MAX_OBJECT: u64 = 1 << 46;

/// Where an object's bytes are and how they are sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlobRef {
    /// From it the key comes.
    pub(crate) salt: [u8; 32],
    /// Its name, as bytes.
    pub(crate) id: [u8; 16],
}

impl BlobRef {
    /// The blob's path in the store.
    pub(crate) fn path(&self) -> String {
        format!("blobs/{}", hex::encode(&self.id))
    }

    /// What seals and opens its chunks.
    pub(crate) fn sealer(&self, key: &StorageKey) -> BlobKey {
        let mut aad = [SUITE; 17];
        aad[1..].copy_from_slice(&self.id);
        BlobKey {
            key: key.object_key(&self.salt),
            aad,
        }
    }
}

/// How many bytes the blob of an object of `size` bytes has.
pub(crate) const fn sealed_len(size: u64) -> u64 {
    size + size.div_ceil(CHUNK as u64) * TAG_LEN as u64
}

/// The key of one blob's chunks.
pub(crate) struct BlobKey {
    key: ChunkKey,
    aad: [u8; 17],
}

impl BlobKey {
    /// Seals plaintext that comes in pieces as the chunks from `first` on; `last` says that the
    /// object ends with it. Every chunk but the object's last one is full.
    pub(crate) fn seal<'a>(
        &self,
        first: u64,
        last: bool,
        pieces: impl Iterator<Item = &'a [u8]>,
        len: usize,
    ) -> Vec<u8> {
        let chunks = len.div_ceil(CHUNK);
        let mut out = Vec::with_capacity(len + chunks * TAG_LEN);
        let mut number = first;
        let mut start = 0;
        let mut left = len;
        for mut piece in pieces {
            while !piece.is_empty() {
                let room = start + CHUNK - out.len();
                let (now, rest) = piece.split_at(room.min(piece.len()));
                out.extend_from_slice(now);
                left -= now.len();
                piece = rest;
                if out.len() == start + CHUNK || left == 0 {
                    out.extend_from_slice(&[0; TAG_LEN]);
                    let ends = last && left == 0;
                    self.key.seal(number, ends, &self.aad, &mut out[start..]);
                    number += 1;
                    start = out.len();
                }
            }
        }
        out
    }

    /// Opens chunk `number` of an object of `size` bytes in place; gives the plaintext's length.
    pub(crate) fn open(
        &self,
        number: u64,
        size: u64,
        chunk: &mut [u8],
    ) -> Result<usize, FormatError> {
        let last = (number + 1) * CHUNK as u64 >= size;
        self.key
            .open(number, last, &self.aad, chunk)
            .map_err(|_| FormatError::Chunk {
                number,
                offset: number * SEALED_CHUNK as u64,
            })
    }

    /// Opens a run of whole chunks, of which the first is `number`, and moves their plaintext
    /// together at the start of `run`, whose length becomes that of the plaintext.
    pub(crate) fn open_run(
        &self,
        mut number: u64,
        size: u64,
        run: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let mut plain = 0;
        let mut at = 0;
        while at < run.len() {
            let end = run.len().min(at + SEALED_CHUNK);
            let len = self.open(number, size, &mut run[at..end])?;
            run.copy_within(at..at + len, plain);
            plain += len;
            at = end;
            number += 1;
        }
        run.truncate(plain);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use stt_crypto::secret::Seed;

    use super::*;

    pub(crate) fn key() -> BlobKey {
        let blob = BlobRef {
            salt: [1; 32],
            id: [2; 16],
        };
        blob.sealer(&Seed::new(&[3; 32]).unwrap().storage_key())
    }

    #[test]
    fn lengths_are_those_of_the_specification() {
        assert_eq!(sealed_len(1), 17);
        assert_eq!(sealed_len(65_536), 65_552);
        assert_eq!(sealed_len(65_537), 65_537 + 32);
        assert_eq!(sealed_len(MAX_OBJECT), MAX_OBJECT + (16 << 30));
    }

    #[test]
    fn chunks_cannot_be_cut_added_or_exchanged() {
        let object = vec![7; 3 * CHUNK];
        let sealed = key().seal(0, true, [&object[..]].into_iter(), object.len());
        let size = object.len() as u64;
        let open = |number, size, at: usize| {
            key().open(number, size, &mut sealed[at..at + SEALED_CHUNK].to_vec())
        };
        assert!(open(0, size, 0).is_ok());
        assert!(open(1, size, 0).is_err());
        assert!(open(0, size, SEALED_CHUNK).is_err());
        // The end is where the sealer said.
        assert!(open(2, size, 2 * SEALED_CHUNK).is_ok());
        assert!(open(2, size + 1, 2 * SEALED_CHUNK).is_err());
        assert!(open(1, 2 * CHUNK as u64, SEALED_CHUNK).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_pieces_come_back(
            len in 1usize..200_000,
            cuts in prop::collection::vec(0usize..200_000, 0..6),
        ) {
            let object: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % len).collect();
            cuts.extend([0, len]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &object[cut[0]..cut[1]]);
            let mut sealed = key().seal(0, true, pieces, len);
            prop_assert_eq!(sealed.len() as u64, sealed_len(len as u64));
            key().open_run(0, len as u64, &mut sealed).unwrap();
            prop_assert_eq!(sealed, object);
        }
    }
}
