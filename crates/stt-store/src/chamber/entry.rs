//! Entries, sealed (`docs/spec/stt-store.md`, section 14).

use core::time::Duration;

use stt_crypto::{
    ChunkRefused, XNONCE_LEN,
    secret::{ChamberKey, SecretBytes},
};

/// Bytes that a name may have.
pub const MAX_NAME: usize = 4096;
/// Bytes that a value may have.
pub const MAX_VALUE: usize = 16 << 20;

const VERSION: u8 = 1;
/// Expiry and the length of the name.
const FIXED: usize = 8 + 2;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Mark = 0,
    Key = 1,
    Session = 2,
    Ticket = 3,
}

impl Kind {
    /// Those that users have.
    pub(crate) const ENTRIES: [Self; 3] = [Self::Key, Self::Session, Self::Ticket];

    /// As messages call it.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::Key => "key",
            Self::Session => "session",
            Self::Ticket => "ticket",
        }
    }
}

/// Where an entry is: what its seal is bound to, besides seed and node.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) slot: [u8; 32],
}

impl Place {
    /// Where the mark is.
    pub(crate) const MARK: Self = Self {
        kind: Kind::Mark,
        slot: [0; 32],
    };

    /// Where the entry of a name is.
    pub(crate) fn of(key: &ChamberKey, kind: Kind, name: &[u8]) -> Self {
        let slot = key.slot(kind as u8, name);
        Self { kind, slot }
    }

    fn associated(&self) -> [u8; 34] {
        let mut associated = [0; 34];
        associated[0] = VERSION;
        associated[1] = self.kind as u8;
        associated[2..].copy_from_slice(&self.slot);
        associated
    }
}

/// An entry, opened.
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) value: SecretBytes,
    /// In milliseconds; 0 is never.
    pub(super) expiry: u64,
}

impl Entry {
    pub(crate) fn expired(&self, now: Duration) -> bool {
        self.expiry != 0 && u128::from(self.expiry) <= now.as_millis()
    }

    /// Opens what [`seal`] gave for the same place.
    pub(crate) fn open(
        key: &ChamberKey,
        place: &Place,
        sealed: &[u8],
    ) -> Result<Self, ChunkRefused> {
        let plaintext = key.open(&place.associated(), sealed)?;
        let (expiry, rest) = plaintext.expose().split_first_chunk().ok_or(ChunkRefused)?;
        let (len, rest) = rest.split_first_chunk().ok_or(ChunkRefused)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (name, value) = rest.split_at_checked(len).ok_or(ChunkRefused)?;
        Ok(Self {
            name: name.to_vec(),
            value: SecretBytes::new(value.to_vec()),
            expiry: u64::from_be_bytes(*expiry),
        })
    }
}

/// Seals an entry. The name has at most [`MAX_NAME`] bytes; `nonce` is random.
pub(crate) fn seal(
    key: &ChamberKey,
    place: &Place,
    name: &[u8],
    value: &[u8],
    expiry: Option<Duration>,
    nonce: &[u8; XNONCE_LEN],
) -> Vec<u8> {
    let name_len = u16::try_from(name.len()).expect("names are at most 4,096 bytes long");
    // A ticket that expired at the very beginning of time is one that has expired.
    let expiry = expiry.map_or(0, |expiry| {
        u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX).max(1)
    });
    let mut plaintext = Vec::with_capacity(FIXED + name.len() + value.len());
    plaintext.extend_from_slice(&expiry.to_be_bytes());
    plaintext.extend_from_slice(&name_len.to_be_bytes());
    plaintext.extend_from_slice(name);
    plaintext.extend_from_slice(value);
    let plaintext = SecretBytes::new(plaintext);
    key.seal(nonce, &place.associated(), plaintext.expose())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stt_crypto::secret::Seed;

    use super::*;

    fn key(node: u8) -> ChamberKey {
        Seed::new(&[1; 32]).unwrap().chamber_key(&[node; 32])
    }

    proptest! {
        #[test]
        fn entries_come_back_and_only_from_their_place(
            name in prop::collection::vec(any::<u8>(), 0..300),
            value in prop::collection::vec(any::<u8>(), 0..300),
            expiry in prop::option::of(1u64..u64::MAX),
        ) {
            let key = key(0);
            let place = Place::of(&key, Kind::Ticket, &name);
            let expiry = expiry.map(Duration::from_millis);
            let sealed = seal(&key, &place, &name, &value, expiry, &[7; 24]);
            let entry = Entry::open(&key, &place, &sealed).unwrap();
            prop_assert_eq!((&entry.name, entry.value.expose()), (&name, &value[..]));
            match expiry {
                Some(expiry) => {
                    prop_assert!(entry.expired(expiry));
                    prop_assert!(!entry.expired(expiry - Duration::from_millis(1)));
                }
                None => prop_assert!(!entry.expired(Duration::MAX)),
            }

            let other_slot = Place { slot: [0; 32], ..place };
            let other_kind = Place { kind: Kind::Key, ..place };
            prop_assert!(Entry::open(&key, &other_slot, &sealed).is_err());
            prop_assert!(Entry::open(&key, &other_kind, &sealed).is_err());
            prop_assert!(Entry::open(&self::key(1), &place, &sealed).is_err());
        }
    }
}
