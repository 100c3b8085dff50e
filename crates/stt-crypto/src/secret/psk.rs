//! What two peers share before they speak (`docs/spec/stt-crypto.md`, sections 9, 10.2 and 12).

use crate::{
    kdf::{expand, extract},
    label,
    secret::Secret,
};

/// The pre-shared key of a handshake, and the key that seals COOKIE packets.
#[derive(Debug)]
pub struct Psk {
    noise: Secret<32>,
    cookie: Secret<32>,
}

impl Psk {
    pub(crate) const fn new(noise: Secret<32>, cookie: Secret<32>) -> Self {
        Self { noise, cookie }
    }

    /// The psk of a session that resumes the one `secret` was exported from
    /// ([`Exporter::resumption_secret`](super::Exporter::resumption_secret)).
    pub fn resume(&self, secret: &Secret<32>) -> Self {
        let prk = extract(self.noise.expose(), secret.expose());
        Self {
            noise: expand(&prk, label::RESUME, &[]),
            cookie: Secret::new(*self.cookie.expose()),
        }
    }

    pub(crate) const fn noise(&self) -> &[u8; 32] {
        self.noise.expose()
    }

    pub(crate) const fn cookie(&self) -> &[u8; 32] {
        self.cookie.expose()
    }
}
