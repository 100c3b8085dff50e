use core::time::Duration;

use rand_core::Rng;
use stt_crypto::secret::CookieKey;

use crate::{
    PathId, Timestamp,
    handshake::{CookiePacket, Credentials, Hello},
};

/// Proves addresses without keeping anything for them (`docs/spec/stt-handshake.md` §9.4).
pub(super) struct Cookies {
    current: Option<Key>,
    /// The one before, for those who got their cookie just before the change.
    previous: Option<Key>,
}

struct Key {
    secret: CookieKey,
    made: Timestamp,
}

impl Cookies {
    pub(super) const fn new() -> Self {
        Self {
            current: None,
            previous: None,
        }
    }

    /// Whether `hello` carries a cookie that was made for it and `path`.
    pub(super) fn verify(
        &self,
        now: Timestamp,
        path: &PathId,
        hello: &Hello<'_>,
        e: &[u8; 32],
    ) -> bool {
        let Some(cookie) = hello.cookie else {
            return false;
        };
        [&self.current, &self.previous]
            .into_iter()
            .flatten()
            .filter(|key| now.saturating_since(key.made) < 2 * LIFE)
            .any(|key| {
                let icid = hello.icid.as_bytes();
                key.secret.verify(path.as_bytes(), icid, e, cookie)
            })
    }

    /// The COOKIE that answers `hello`.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        rng: &mut impl Rng,
        credentials: &Credentials,
        path: &PathId,
        hello: &Hello<'_>,
        e: &[u8; 32],
    ) -> Vec<u8> {
        let key = self.key(now, rng);
        let cookie = key.secret.mac(path.as_bytes(), hello.icid.as_bytes(), e);
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce);
        let boxes = credentials
            .psks()
            .iter()
            .map(|psk| psk.seal_cookie(e, &cookie, &nonce));
        CookiePacket::encode(&hello.icid, &nonce, boxes)
    }

    /// The current key, at most [`LIFE`] old.
    fn key(&mut self, now: Timestamp, rng: &mut impl Rng) -> &Key {
        let is_fresh = |key: &Key| now.saturating_since(key.made) < LIFE;
        if !self.current.as_ref().is_some_and(is_fresh) {
            self.previous = self.current.take();
        }
        self.current.get_or_insert_with(|| {
            let mut secret = [0; 32];
            rng.fill_bytes(&mut secret);
            Key {
                secret: CookieKey::new(secret),
                made: now,
            }
        })
    }
}

/// How long a cookie secret is used; it is accepted for as long again.
const LIFE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use stt_crypto::secret::Seed;

    use super::*;
    use crate::handshake::Icid;

    #[test]
    fn a_cookie_is_for_one_hello_one_path_and_some_minutes() {
        let seed = Seed::new(&[1; 32]).unwrap();
        let credentials = Credentials::new(seed.node_key(b""), seed.psk());
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let mut cookies = Cookies::new();
        let path = PathId::new(b"path").unwrap();
        let e = [3; 32];
        let plain = Hello {
            icid: Icid::new(&[4; 4]).unwrap(),
            cookie: None,
            ticket: None,
            noise: &[3; 96],
        };
        let begin = Timestamp::from_millis(1_000);
        let packet = cookies.answer(begin, &mut rng, &credentials, &path, &plain, &e);
        assert!(packet.len() < 105, "no longer than the shortest HELLO");
        let packet = CookiePacket::decode(&packet, 4).unwrap();
        let sealed = packet.boxes().next().unwrap();
        let cookie = credentials
            .psk()
            .open_cookie(&e, sealed, packet.nonce)
            .unwrap();

        let hello = Hello {
            cookie: Some(&cookie),
            ..plain
        };
        assert!(!cookies.verify(begin, &path, &plain, &e));
        assert!(cookies.verify(begin, &path, &hello, &e));
        assert!(!cookies.verify(begin, &PathId::new(b"other").unwrap(), &hello, &e));
        assert!(!cookies.verify(begin, &path, &hello, &[9; 32]));
        let renamed = Hello {
            icid: Icid::new(&[5; 4]).unwrap(),
            ..hello
        };
        assert!(!cookies.verify(begin, &path, &renamed, &e));

        // A new secret after two minutes; the one before counts for two more.
        let later = begin + Duration::from_secs(130);
        let _ = cookies.answer(later, &mut rng, &credentials, &path, &plain, &e);
        assert!(cookies.verify(later, &path, &hello, &e));
        assert!(!cookies.verify(begin + 2 * LIFE, &path, &hello, &e));
        let again = later + LIFE;
        let _ = cookies.answer(again, &mut rng, &credentials, &path, &plain, &e);
        assert!(!cookies.verify(again, &path, &hello, &e));
    }
}
