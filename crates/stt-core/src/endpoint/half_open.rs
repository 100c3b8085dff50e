use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    PathId, Timestamp,
    handshake::{Agreed, Heard, Hello},
    wire::{Limits, WireId},
};

/// How many handshakes may be half open (`docs/spec/stt-handshake.md` §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfOpenLimits {
    /// All together. Default 1,024, some 600 KiB.
    pub total: usize,
    /// From addresses that are not proven; from here on a HELLO needs a cookie. Default 256.
    pub unproven: usize,
    /// From one address that is not proven, and as many once it is; from here on a HELLO from there needs a cookie.
    /// Default 16.
    pub per_address: usize,
    /// HELLOs without a cookie that are tried against the seeds in one second; from here on a
    /// HELLO needs a cookie. Default 2,000.
    pub tries_per_second: u32,
    /// How long one is kept. Default 20 s.
    pub timeout: Duration,
}

impl Default for HalfOpenLimits {
    fn default() -> Self {
        Self {
            total: 1_024,
            unproven: 256,
            per_address: 16,
            tries_per_second: 2_000,
            timeout: Duration::from_secs(20),
        }
    }
}

/// A HELLO that was answered, or will be, and that nobody has confirmed.
pub(super) struct HalfOpen {
    message: Box<[u8]>,
    /// The initiator's public ephemeral key.
    pub(super) e: [u8; 32],
    pub(super) address: PathId,
    /// Where the answer went, the latest last.
    paths: Vec<PathId>,
    pub(super) is_proven: bool,
    expires: Timestamp,
    pub(super) state: State,
}

pub(super) enum State {
    /// The caller is to delete the ticket first.
    AwaitsTicket(Box<AwaitsTicket>),
    Answered(Box<Answered>),
}

pub(super) struct AwaitsTicket {
    /// The whole HELLO.
    pub(super) hello: Vec<u8>,
    pub(super) heard: Heard,
}

pub(super) struct Answered {
    pub(super) response: Vec<u8>,
    pub(super) agreed: Agreed,
    pub(super) local_id: WireId,
    /// What the peer was told.
    pub(super) local_limits: Limits,
}

impl HalfOpen {
    pub(super) fn new(
        hello: &Hello<'_>,
        e: [u8; 32],
        path: PathId,
        address: PathId,
        is_proven: bool,
        state: State,
    ) -> Self {
        Self {
            message: key(hello),
            e,
            address,
            paths: vec![path],
            is_proven,
            expires: Timestamp::MAX,
            state,
        }
    }

    /// The answer goes to `path` too.
    pub(super) fn add_path(&mut self, path: PathId) {
        self.paths.retain(|known| *known != path);
        if self.paths.len() >= MAX_PATHS {
            self.paths.remove(0);
        }
        self.paths.push(path);
    }

    /// What the caller is to delete first, if it is.
    pub(super) fn ticket(&self) -> Option<[u8; 16]> {
        match &self.state {
            State::AwaitsTicket(waiting) => Hello::decode(&waiting.hello).ok()?.ticket.copied(),
            State::Answered(_) => None,
        }
    }

    /// Where a session begins whose first packet came on `path`: there if the answer went there,
    /// else where it went last.
    pub(super) fn begins_on(&self, path: PathId) -> PathId {
        if self.paths.contains(&path) {
            path
        } else {
            self.last_path()
        }
    }

    /// Where a copy of the HELLO came from last.
    pub(super) fn last_path(&self) -> PathId {
        *self.paths.last().expect("an entry is made with a path")
    }
}

/// All half-open handshakes: bounded, expiring, no address with more than its share
/// (`docs/spec/stt-handshake.md` §9).
pub(super) struct HalfOpenTable {
    limits: HalfOpenLimits,
    /// By serial number, and so by age.
    entries: BTreeMap<u64, HalfOpen>,
    by_message: BTreeMap<Box<[u8]>, u64>,
    /// How many of an address are not proven, and are.
    by_address: BTreeMap<PathId, [usize; 2]>,
    unproven: BTreeSet<u64>,
    next: u64,
}

impl HalfOpenTable {
    pub(super) const fn new(limits: HalfOpenLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            by_message: BTreeMap::new(),
            by_address: BTreeMap::new(),
            unproven: BTreeSet::new(),
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The one that this HELLO, or a copy of it, opened.
    pub(super) fn find(&mut self, hello: &Hello<'_>) -> Option<&mut HalfOpen> {
        let serial = self.by_message.get(&key(hello))?;
        self.entries.get_mut(serial)
    }

    pub(super) fn get(&self, serial: u64) -> Option<&HalfOpen> {
        self.entries.get(&serial)
    }

    /// Whether one of `address` has to prove it: those that have not have used up what is theirs,
    /// or what is theirs of this address.
    pub(super) fn is_crowded(&self, address: &PathId) -> bool {
        self.unproven.len() >= self.limits.unproven || !self.has_share(address, false)
    }

    /// Proven ones have a share of their own: nobody else can use it up.
    fn has_share(&self, address: &PathId, is_proven: bool) -> bool {
        let of_address = self.by_address.get(address).copied().unwrap_or_default();
        of_address[usize::from(is_proven)] < self.limits.per_address
    }

    /// Whether one more of `address` may come in. One from a proven address pushes out the oldest
    /// unproven one.
    pub(super) fn has_room(&self, address: &PathId, is_proven: bool) -> bool {
        self.has_share(address, is_proven)
            && (self.entries.len() < self.limits.total || is_proven && !self.unproven.is_empty())
    }

    /// The serial number that the next one gets.
    pub(super) const fn next_serial(&self) -> u64 {
        self.next
    }

    /// Puts one in; gives the one that had to go for it.
    pub(super) fn insert(&mut self, now: Timestamp, mut entry: HalfOpen) -> Option<HalfOpen> {
        let evicted = if self.entries.len() >= self.limits.total {
            let oldest = self.unproven.first().copied();
            oldest.and_then(|serial| self.remove(serial))
        } else {
            None
        };
        let serial = self.next;
        self.next += 1;
        entry.expires = now + self.limits.timeout;
        self.by_message.insert(entry.message.clone(), serial);
        self.by_address.entry(entry.address).or_default()[usize::from(entry.is_proven)] += 1;
        if !entry.is_proven {
            self.unproven.insert(serial);
        }
        self.entries.insert(serial, entry);
        evicted
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<HalfOpen> {
        let entry = self.entries.remove(&serial)?;
        if self.by_message.get(&entry.message) == Some(&serial) {
            self.by_message.remove(&entry.message);
        }
        self.unproven.remove(&serial);
        if let Some(count) = self.by_address.get_mut(&entry.address) {
            count[usize::from(entry.is_proven)] -= 1;
            if *count == [0, 0] {
                self.by_address.remove(&entry.address);
            }
        }
        Some(entry)
    }

    /// When the oldest expires.
    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        // All live equally long and time never goes back, so the oldest is the first to go.
        self.entries
            .first_key_value()
            .map(|(_, entry)| entry.expires)
    }

    /// Takes one that has expired.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<HalfOpen> {
        let (serial, entry) = self.entries.first_key_value()?;
        if entry.expires > now {
            return None;
        }
        let serial = *serial;
        self.remove(serial)
    }
}

/// What copies of a HELLO have in common: all but the cookie.
fn key(hello: &Hello<'_>) -> Box<[u8]> {
    [
        hello.icid.as_bytes(),
        hello.ticket.map_or(&[][..], |ticket| &ticket[..]),
        hello.noise,
    ]
    .concat()
    .into()
}

/// Paths that an answer may go to and count for the session's first one.
const MAX_PATHS: usize = 4;

#[cfg(test)]
mod tests {
    use stt_crypto::secret::{Secret, Seed};

    use super::*;
    use crate::handshake::{Attempt, Credentials, Icid, Terms};

    fn path(number: u8) -> PathId {
        PathId::new(&[number]).unwrap()
    }

    /// An entry of the attempt with this number.
    fn entry(number: u8, address: u8, is_proven: bool) -> HalfOpen {
        let seed = Seed::new(&[1; 32]).unwrap();
        let credentials = Credentials::new(seed.node_key(b""), seed.psk());
        let id = WireId::new(&[1; 4]).unwrap();
        let icid = Icid::new(&[number; 4]).unwrap();
        let attempt =
            Attempt::start(&credentials, Terms::default(), id, icid, [number; 32], None).unwrap();
        let hello = attempt.hello();
        let hello_packet = Hello::decode(&hello).unwrap();
        let heard = Heard::full(&credentials, &hello_packet, &Secret::new([2; 32])).unwrap();
        let state = State::AwaitsTicket(Box::new(AwaitsTicket {
            hello: hello.clone(),
            heard,
        }));
        HalfOpen::new(
            &hello_packet,
            [number; 32],
            path(address),
            path(address),
            is_proven,
            state,
        )
    }

    fn table(limits: HalfOpenLimits) -> HalfOpenTable {
        HalfOpenTable::new(limits)
    }

    #[test]
    fn no_address_has_more_than_its_share() {
        let mut table = table(HalfOpenLimits {
            per_address: 2,
            ..HalfOpenLimits::default()
        });
        for number in 0..2 {
            assert!(table.has_room(&path(1), false));
            assert!(
                table
                    .insert(Timestamp::ZERO, entry(number, 1, false))
                    .is_none()
            );
        }
        assert!(!table.has_room(&path(1), false));
        assert!(table.is_crowded(&path(1)));
        assert!(table.has_room(&path(2), false));
        assert!(!table.is_crowded(&path(2)));
        // Whoever proves that he is there has a share that others can't fill.
        for number in 2..4 {
            assert!(table.has_room(&path(1), true));
            table.insert(Timestamp::ZERO, entry(number, 1, true));
        }
        assert!(!table.has_room(&path(1), true));
        table.remove(0).unwrap();
        assert!(table.has_room(&path(1), false));
        assert!(!table.has_room(&path(1), true));
        table.remove(3).unwrap();
        assert!(table.has_room(&path(1), true));
    }

    #[test]
    fn a_proven_one_takes_the_place_of_the_oldest_unproven_one() {
        let mut table = table(HalfOpenLimits {
            total: 3,
            unproven: 2,
            ..HalfOpenLimits::default()
        });
        table.insert(Timestamp::ZERO, entry(0, 0, true));
        table.insert(Timestamp::ZERO, entry(1, 1, false));
        assert!(!table.is_crowded(&path(9)));
        table.insert(Timestamp::ZERO, entry(2, 2, false));
        assert!(table.is_crowded(&path(9)));
        assert!(!table.has_room(&path(9), false));
        assert!(table.has_room(&path(9), true));
        let evicted = table.insert(Timestamp::ZERO, entry(3, 3, true)).unwrap();
        assert_eq!(evicted.address, path(1));
        table.insert(Timestamp::ZERO, entry(4, 4, true)).unwrap();
        assert!(!table.has_room(&path(9), true), "none is unproven");
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn what_is_not_confirmed_expires() {
        let mut table = table(HalfOpenLimits::default());
        table.insert(Timestamp::ZERO, entry(0, 0, false));
        table.insert(Timestamp::from_millis(500), entry(1, 1, false));
        assert_eq!(table.next_expiry(), Some(Timestamp::from_millis(20_000)));
        assert!(table.expire(Timestamp::from_millis(19_999)).is_none());
        assert_eq!(
            table
                .expire(Timestamp::from_millis(20_000))
                .unwrap()
                .address,
            path(0)
        );
        assert!(table.expire(Timestamp::from_millis(20_000)).is_none());
        assert!(table.expire(Timestamp::from_millis(20_500)).is_some());
        assert!(table.by_message.is_empty() && table.by_address.is_empty());
        assert!(table.unproven.is_empty());
        assert_eq!(table.next_expiry(), None);
    }

    #[test]
    fn a_session_begins_where_an_answer_went() {
        let mut entry = entry(0, 0, false);
        for number in 1..=4 {
            entry.add_path(path(number));
        }
        entry.add_path(path(2));
        assert_eq!(entry.paths, [path(1), path(3), path(4), path(2)]);
        assert_eq!(entry.begins_on(path(3)), path(3));
        assert_eq!(entry.begins_on(path(9)), path(2));
    }
}
