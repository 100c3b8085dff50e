//! Keys that a session gives out (`docs/spec/stt-crypto.md`, section 10).

use thiserror::Error;

use crate::{
    kdf::{expand, extract},
    label,
    secret::{Key32, Secret},
};

/// Derives keys from a finished handshake. Both peers get the same, and nobody else; key updates
/// don't change them.
#[derive(Debug)]
pub struct Exporter(Secret<32>);

impl Exporter {
    pub(crate) fn new(h: &[u8], k1_k2: &Secret<64>) -> Self {
        Self(expand(&extract(h, k1_k2.expose()), label::EXPORTER, &[]))
    }

    #[cfg(test)]
    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// A key of the user's own, bound to `label` and `context`.
    ///
    /// # Errors
    ///
    /// The label is longer than 255 bytes.
    pub fn export(&self, label: &[u8], context: &[u8]) -> Result<Key32, LabelTooLong> {
        let len = u8::try_from(label.len()).map_err(|_| LabelTooLong { len: label.len() })?;
        Ok(expand(&self.0, label::EXPORT, &[&[len], label, context]))
    }

    /// The session key that the documented interface shows.
    pub fn session_key(&self) -> Key32 {
        expand(&self.0, label::SESSION_KEY, &[])
    }

    /// The session's id: the same at both peers, never sent, no secret.
    pub fn session_id(&self) -> [u8; 8] {
        *expand(&self.0, label::SESSION_ID, &[]).expose()
    }

    /// What a ticket for resumption holds ([`Psk::resume`](super::Psk::resume)).
    pub fn resumption_secret(&self) -> Key32 {
        expand(&self.0, label::RESUMPTION, &[])
    }
}

/// An export label that has no room in its length byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an export label has {len} bytes, at most 255 are possible")]
pub struct LabelTooLong {
    /// Bytes of the label.
    pub len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_and_context_are_kept_apart() {
        let exporter = Exporter::new(&[1; 32], &Secret::new([2; 64]));
        let all = [
            exporter.export(b"ab", b"c").unwrap(),
            exporter.export(b"a", b"bc").unwrap(),
            exporter.export(b"", b"abc").unwrap(),
            exporter.export(b"abc", b"").unwrap(),
            exporter.session_key(),
            exporter.resumption_secret(),
        ];
        for (i, key) in all.iter().enumerate() {
            assert!(!all[..i].contains(key), "{i}");
        }
        assert!(exporter.export(&[0; 255], b"").is_ok());
        assert_eq!(
            exporter.export(&[0; 256], b"").unwrap_err(),
            LabelTooLong { len: 256 }
        );
    }
}
