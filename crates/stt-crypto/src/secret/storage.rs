//! The keys of what rests encrypted (`docs/spec/stt-store.md`, section 1).

use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{AeadInOut, KeyInit},
};

use crate::{
    chunk::{ChunkKey, ChunkRefused},
    cookie::XNONCE_LEN,
    hash::keyed,
    kdf::{expand, extract},
    label,
    secret::{Secret, SecretBytes},
    suite::TAG_LEN,
};

/// The keys of a content-addressed store.
#[derive(Debug)]
pub struct StorageKey {
    index: Secret<32>,
    manifest: Secret<32>,
    object: Secret<32>,
}

impl StorageKey {
    pub(crate) fn new(storage: &Secret<32>) -> Self {
        Self {
            index: expand(storage, label::STORE_INDEX, &[]),
            manifest: expand(storage, label::STORE_MANIFEST, &[]),
            object: expand(storage, label::STORE_OBJECT, &[]),
        }
    }

    /// The name under which the manifest of an address is kept: without the key nobody can tell
    /// which address a name stands for.
    pub fn index_name(&self, address: &[u8; 32]) -> [u8; 32] {
        keyed(&self.index, &[address])
    }

    /// The key of one manifest. `salt` is 32 random bytes, used for no other.
    pub fn manifest_key(&self, salt: &[u8; 32]) -> ChunkKey {
        chunk_key(&self.manifest, salt)
    }

    /// The key of one object's chunks. `salt` is 32 random bytes, used for no other.
    pub fn object_key(&self, salt: &[u8; 32]) -> ChunkKey {
        chunk_key(&self.object, salt)
    }
}

fn chunk_key(key: &Secret<32>, salt: &[u8; 32]) -> ChunkKey {
    let key: Secret<32> = expand(&extract(salt, key.expose()), label::STORE_CHUNKS, &[]);
    ChunkKey::new(&key)
}

/// The keys of a chamber: of one seed and one node.
#[derive(Debug)]
pub struct ChamberKey {
    name: Secret<32>,
    value: Secret<32>,
}

impl ChamberKey {
    pub(crate) fn new(chamber: &Secret<32>) -> Self {
        Self {
            name: expand(chamber, label::CHAMBER_NAME, &[]),
            value: expand(chamber, label::CHAMBER_VALUE, &[]),
        }
    }

    /// The slot that stands for a name of a kind in the open.
    pub fn slot(&self, kind: u8, name: &[u8]) -> [u8; 32] {
        keyed(&self.name, &[&[kind], name])
    }

    /// The nonce, then what sealing gives. `nonce` is 24 random bytes.
    ///
    /// # Panics
    ///
    /// The plaintext has 256 GiB or more, past the AEAD's limit.
    pub fn seal(&self, nonce: &[u8; XNONCE_LEN], associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(XNONCE_LEN + plaintext.len() + TAG_LEN);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(plaintext);
        let tag = XChaCha20Poly1305::new(self.value.expose().into())
            .encrypt_inout_detached(nonce.into(), associated, (&mut sealed[XNONCE_LEN..]).into())
            .expect("the plaintext is within the AEAD's limit");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens what [`Self::seal`] gave.
    ///
    /// # Errors
    ///
    /// Sealed by another seed or node, with other associated data, or changed since.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<SecretBytes, ChunkRefused> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<XNONCE_LEN>()
            .ok_or(ChunkRefused)?;
        let (text, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(ChunkRefused)?;
        let mut plaintext = SecretBytes::new(text.to_vec());
        XChaCha20Poly1305::new(self.value.expose().into())
            .decrypt_inout_detached(
                nonce.into(),
                associated,
                plaintext.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| ChunkRefused)?;
        Ok(plaintext)
    }
}

#[cfg(test)]
mod tests {
    use crate::secret::Seed;

    #[test]
    fn keys_are_apart_by_seed_node_kind_and_salt() {
        let (seed, other) = (Seed::new(&[1; 32]).unwrap(), Seed::new(&[2; 32]).unwrap());
        let names = [
            seed.storage_key().index_name(&[0; 32]),
            seed.storage_key().index_name(&[1; 32]),
            other.storage_key().index_name(&[0; 32]),
            seed.chamber_key(&[0; 32]).slot(1, b"a"),
            seed.chamber_key(&[0; 32]).slot(2, b"a"),
            seed.chamber_key(&[0; 32]).slot(1, b"b"),
            seed.chamber_key(&[1; 32]).slot(1, b"a"),
            other.chamber_key(&[0; 32]).slot(1, b"a"),
        ];
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{i}");
        }

        let key = seed.storage_key();
        let mut sealed = [0; 20];
        key.object_key(&[3; 32]).seal(0, true, b"", &mut sealed);
        for wrong in [
            key.object_key(&[4; 32]),
            key.manifest_key(&[3; 32]),
            other.storage_key().object_key(&[3; 32]),
        ] {
            assert!(wrong.open(0, true, b"", &mut sealed.clone()).is_err());
        }
        assert_eq!(
            key.object_key(&[3; 32]).open(0, true, b"", &mut sealed),
            Ok(4)
        );
    }

    #[test]
    fn every_change_of_a_chamber_value_is_refused() {
        let key = Seed::new(&[1; 32]).unwrap().chamber_key(&[0; 32]);
        let sealed = key.seal(&[7; 24], b"associated", b"value");
        assert_eq!(key.open(b"associated", &sealed).unwrap().expose(), b"value");
        for bit in 0..8 * sealed.len() {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"associated", &forged).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(key.open(b"associated", &sealed[..len]).is_err(), "{len}");
        }
        assert!(key.open(b"associatee", &sealed).is_err());
    }
}
