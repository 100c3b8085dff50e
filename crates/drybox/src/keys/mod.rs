//! Key material for adapters (`docs/spec/keys.md`).

mod decode;
mod derive;
mod spec;
#[cfg(test)]
mod tests;

pub use spec::normal_form;
pub(crate) use spec::shown_form;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    adapter::CryptoConfig,
    output::{PublicKey, Secrets},
    scenario::{KeyForm, KeyKind, KeySource, Scenario},
    side::Side,
};

/// Reads key files. DryBox itself opens nothing: the edge does, within its bounds.
pub trait KeyFiles {
    /// The content of a file; a relative path is relative to the scenario's folder. An
    /// implementation bounds what it reads.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// Why a private key can't be used: exit code 4. Never holds the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key's file can't be read.
    #[error("{place}: cannot read the key file {}: {cause}; name a readable file", path.display())]
    Unreadable {
        /// File, line and key of the scenario.
        place: String,
        /// The key file as the scenario names it.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The text or file is no key.
    #[error(
        "{place}: {what}; give 32 bytes (or 64, of which the first 32 are used) as hex, base64 or a file"
    )]
    NotAKey {
        /// File, line and key of the scenario.
        place: String,
        /// What is wrong.
        what: String,
    },
}

/// Both sides' key pairs.
pub struct Keys {
    kind: KeyKind,
    pairs: [Pair; 2],
}

struct Pair {
    private: Zeroizing<[u8; 32]>,
    public: [u8; 32],
    key_id: String,
}

/// Provides both sides' keys: what the scenario gives, else derived from the effective seed and the
/// normal forms of both adapter specs (`docs/spec/keys.md`, section 2).
///
/// # Errors
/// [`KeyError`] where the scenario gives a key that can't be read.
pub fn provision<F: KeyFiles + ?Sized>(
    scenario: &Scenario,
    specs: [&str; 2],
    effective_seed: u64,
    files: &F,
) -> Result<Keys, KeyError> {
    let kind = scenario.crypto.kind;
    let pair = |side: Side| {
        let private = match &scenario.crypto.private[side.index()] {
            Some(source) => given(source, side, files)?,
            None => derive::private(effective_seed, specs, kind, side),
        };
        Ok(Pair::new(kind, private))
    };
    Ok(Keys {
        kind,
        pairs: [pair(Side::Left)?, pair(Side::Right)?],
    })
}

/// The key that a scenario gives (`docs/spec/keys.md`, section 1).
fn given<F: KeyFiles + ?Sized>(
    source: &KeySource,
    side: Side,
    files: &F,
) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let place = || {
        format!(
            "{}:{}: crypto.{}_priv",
            source.file,
            source.line,
            side.name()
        )
    };
    let text = source.text.as_str();
    let (key, what) = match source.form {
        KeyForm::Hex => (decode::hex(text), "this is not 64 (or 128) hex digits"),
        KeyForm::Base64 => (
            decode::base64(text),
            "this is not 32 (or 64) bytes in base64",
        ),
        KeyForm::Bare => (decode::text(text), ""),
        KeyForm::Path => (None, ""),
    };
    if let Some(key) = key {
        return Ok(key);
    }
    if matches!(source.form, KeyForm::Hex | KeyForm::Base64) {
        return Err(KeyError::NotAKey {
            place: place(),
            what: what.to_owned(),
        });
    }
    // A bare text that was meant as a key must not be shown as if it were a path.
    if source.form == KeyForm::Bare && !decode::may_be_path(text) {
        return Err(KeyError::NotAKey {
            place: place(),
            what: "this is neither hex nor base64 of 32 (or 64) bytes, nor a path".to_owned(),
        });
    }
    let path = Path::new(text);
    let content = files
        .read(path)
        .map(Zeroizing::new)
        .map_err(|cause| KeyError::Unreadable {
            place: place(),
            path: path.to_owned(),
            cause,
        })?;
    decode::file(&content).ok_or_else(|| KeyError::NotAKey {
        place: place(),
        what: format!("the file {} holds no key", path.display()),
    })
}

impl Pair {
    fn new(kind: KeyKind, private: Zeroizing<[u8; 32]>) -> Self {
        let public = match kind {
            KeyKind::Ed25519 => ed25519_dalek::SigningKey::from_bytes(&private)
                .verifying_key()
                .to_bytes(),
            KeyKind::X25519 => {
                let secret = x25519_dalek::StaticSecret::from(*private);
                x25519_dalek::PublicKey::from(&secret).to_bytes()
            }
        };
        Self {
            private,
            public,
            key_id: key_id(&public),
        }
    }
}

/// The first 8 hex digits of a public key's SHA-256.
fn key_id(public: &[u8; 32]) -> String {
    let digest = Sha256::digest(public);
    digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Keys {
    /// What each adapter is handed, left first.
    pub fn configs(&self) -> [CryptoConfig; 2] {
        Side::BOTH.map(|side| {
            let own = &self.pairs[side.index()];
            let peer = &self.pairs[side.peer().index()];
            CryptoConfig {
                private: *own.private,
                public: own.public,
                peer_public: peer.public,
                key_id: own.key_id.clone(),
                peer_key_id: peer.key_id.clone(),
            }
        })
    }

    /// The private keys, for those who keep them out of outputs.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.pairs.iter().map(|pair| *pair.private))
    }

    /// The public keys, left first.
    pub fn public_keys(&self) -> [PublicKey; 2] {
        Side::BOTH.map(|side| {
            let pair = &self.pairs[side.index()];
            PublicKey {
                side,
                algorithm: self.kind.name(),
                public: pair.public,
                key_id: pair.key_id.clone(),
            }
        })
    }

    /// The text of `pubkeys.txt`.
    pub fn pubkeys_txt(&self) -> String {
        PublicKey::to_text(&self.public_keys())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, pairs } = self;
        let ids = pairs.each_ref().map(|pair| pair.key_id.as_str());
        f.debug_struct("Keys")
            .field("kind", kind)
            .field("key_ids", &ids)
            .finish_non_exhaustive()
    }
}
