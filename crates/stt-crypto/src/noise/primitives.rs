//! What `snow` computes with: X25519, ChaCha20-Poly1305 and SHA-256 of AWS-LC, and a generator that
//! yields the caller's ephemeral key, once.

use core::cell::Cell;

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    digest, hmac,
};
use snow::{
    Error,
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::CryptoResolver,
    types::{Cipher, Dh, Hash, Random},
};
use zeroize::Zeroizing;

use super::effort::{count_key_generation, count_multiplication};
use crate::{
    kdf::extract,
    secret::{NodeKey, Secret},
    suite::TAG_LEN,
};

/// Resolves the primitives of one handshake.
pub(super) struct Primitives {
    /// The node's key. It reaches `snow` through here and not as bytes.
    local: Option<NodeKey>,
    ephemeral: Cell<Option<Secret<32>>>,
}

impl Primitives {
    pub(super) const fn new(local: Option<NodeKey>, ephemeral: Secret<32>) -> Self {
        Self {
            local,
            ephemeral: Cell::new(Some(ephemeral)),
        }
    }
}

impl CryptoResolver for Primitives {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Once(self.ephemeral.take())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519).then(|| -> Box<dyn Dh> {
            Box::new(X25519 {
                local: self.local.clone(),
                key: None,
            })
        })
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        matches!(choice, HashChoice::SHA256).then(|| -> Box<dyn Hash> { Box::<Sha256>::default() })
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        matches!(choice, CipherChoice::ChaChaPoly)
            .then(|| -> Box<dyn Cipher> { Box::<ChaChaPoly>::default() })
    }
}

/// Yields 32 bytes once.
struct Once(Option<Secret<32>>);

impl Random for Once {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        let bytes = self.0.take().ok_or(Error::Rng)?;
        if dest.len() != bytes.expose().len() {
            return Err(Error::Rng);
        }
        dest.copy_from_slice(bytes.expose());
        Ok(())
    }
}

/// A key pair of `snow`'s: the node's own once it is `set`, an ephemeral one once `generate`d.
struct X25519 {
    local: Option<NodeKey>,
    key: Option<NodeKey>,
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    /// Ignores the bytes: the node's key is here already, with its public half.
    fn set(&mut self, _: &[u8]) {
        self.key = self.local.clone();
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut scalar = Secret::<32>::zero();
        rng.try_fill_bytes(scalar.as_mut_bytes())?;
        count_key_generation();
        self.key = Some(NodeKey::new(&scalar));
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        self.key.as_ref().map_or(&[], |key| key.public().as_bytes())
    }

    /// Nothing: private keys stay where they are.
    fn privkey(&self) -> &[u8] {
        &[]
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        count_multiplication();
        let key = self.key.as_ref().ok_or(Error::Dh)?;
        let peer = pubkey.first_chunk().ok_or(Error::Dh)?;
        let out = out.first_chunk_mut().ok_or(Error::Dh)?;
        key.agree(peer, out).map_err(|_| Error::Dh)
    }
}

/// ChaCha20-Poly1305 with Noise's nonce: four zero bytes, then the number little-endian.
#[derive(Default)]
struct ChaChaPoly(Option<LessSafeKey>);

impl ChaChaPoly {
    fn nonce(number: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&number.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes by type");
        self.0 = Some(LessSafeKey::new(key));
    }

    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let key = self
            .0
            .as_ref()
            .expect("snow encrypts after it has set a key only");
        let (text, room) = out.split_at_mut(plaintext.len());
        text.copy_from_slice(plaintext);
        let tag = key
            .seal_in_place_separate_tag(Self::nonce(nonce), Aad::from(authtext), text)
            .expect("Noise messages are within the AEAD's limit");
        room[..TAG_LEN].copy_from_slice(tag.as_ref());
        plaintext.len() + TAG_LEN
    }

    fn decrypt(
        &self,
        nonce: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let key = self.0.as_ref().ok_or(Error::Decrypt)?;
        let split = ciphertext
            .len()
            .checked_sub(TAG_LEN)
            .ok_or(Error::Decrypt)?;
        let (text, tag) = ciphertext.split_at(split);
        let out = out.get_mut(..split).ok_or(Error::Decrypt)?;
        key.open_separate_gather(Self::nonce(nonce), Aad::from(authtext), text, tag, out)
            .map_err(|_| Error::Decrypt)?;
        Ok(split)
    }
}

/// SHA-256 in one go: what is hashed in a handshake is short, and one call costs less than a
/// context.
#[derive(Default)]
struct Sha256(Zeroizing<Vec<u8>>);

impl Hash for Sha256 {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0.clear();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        out[..32].copy_from_slice(digest::digest(&digest::SHA256, &self.0).as_ref());
    }

    fn hmac(&mut self, key: &[u8], data: &[u8], out: &mut [u8]) {
        sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data, out);
    }

    /// As Noise has it (its section 4.3), with the second key set up once, and wiped.
    fn hkdf(
        &mut self,
        chaining_key: &[u8],
        input_key_material: &[u8],
        outputs: usize,
        out1: &mut [u8],
        out2: &mut [u8],
        out3: &mut [u8],
    ) {
        let temp = extract(chaining_key, input_key_material);
        let key = hmac::Key::new(hmac::HMAC_SHA256, temp.expose());
        sign(&key, &[1], out1);
        let mut input = Secret::<33>::zero();
        let mut next = |number: u8, previous: &[u8], out: &mut [u8]| {
            input.as_mut_bytes()[..32].copy_from_slice(&previous[..32]);
            input.as_mut_bytes()[32] = number;
            sign(&key, input.expose(), out);
        };
        if outputs >= 2 {
            next(2, out1, out2);
        }
        if outputs >= 3 {
            next(3, out2, out3);
        }
    }
}

fn sign(key: &hmac::Key, data: &[u8], out: &mut [u8]) {
    hmac::sign_to_buffer(key, data, out).expect("snow gives room for the tag");
}
