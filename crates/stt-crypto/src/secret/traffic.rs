//! One direction's traffic secret (`docs/spec/stt-crypto.md`, section 11).

use crate::{
    kdf::expand,
    label,
    packet::{HeaderKey, PacketKey},
    secret::Secret,
    suite::Aead,
};

/// What packet keys of one direction and one key phase come from.
#[derive(Debug)]
pub struct TrafficSecret(Secret<32>);

impl TrafficSecret {
    pub(crate) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The key of this phase's packets.
    pub fn packet_key(&self, aead: Aead) -> PacketKey {
        let context = [aead.to_wire()];
        PacketKey::new(
            aead,
            &expand(&self.0, label::KEY, &[&context]),
            expand(&self.0, label::IV, &[&context]),
        )
    }

    /// The header-protection key. A session takes it from its first secret and keeps it: key
    /// updates leave it as it is (RFC 9001 §6.1).
    pub fn header_key(&self, aead: Aead) -> HeaderKey {
        HeaderKey::new(aead, &expand(&self.0, label::HEADER, &[&[aead.to_wire()]]))
    }

    #[cfg(test)]
    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The secret of the next key phase.
    #[must_use]
    pub fn next(&self) -> Self {
        Self(expand(&self.0, label::UPDATE, &[]))
    }
}
