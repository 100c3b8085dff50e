use std::collections::{BTreeMap, btree_map::Entry};

use rand_core::Rng;

use crate::wire::WireId;

/// Where the packets for a wire id go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// A session, or an attempt to open one, by its index.
    Session(u32),
    /// A half-open handshake, by its serial number.
    HalfOpen(u64),
}

/// The wire ids that this endpoint has out, all of one length
/// (`docs/spec/stt-handshake.md` §14.1).
pub(super) struct IdTable {
    len: usize,
    routes: BTreeMap<WireId, Route>,
}

impl IdTable {
    /// A table of ids of `len` bytes, 1 to 8.
    pub(super) const fn new(len: usize) -> Self {
        Self {
            len,
            routes: BTreeMap::new(),
        }
    }

    /// Bytes of every id.
    pub(super) const fn id_len(&self) -> usize {
        self.len
    }

    pub(super) fn route(&self, id: &WireId) -> Option<Route> {
        self.routes.get(id).copied()
    }

    /// A fresh id that leads to `route`; `None` if all of the length are in use.
    pub(super) fn issue(&mut self, rng: &mut impl Rng, route: Route) -> Option<WireId> {
        let mut bytes = [0; WireId::MAX_LEN];
        rng.fill_bytes(&mut bytes);
        let drawn = u64::from_be_bytes(bytes);
        let space = 1_u128 << (8 * self.len);
        if self.routes.len() as u128 >= space {
            return None;
        }
        // From a random place on, the first that is free: with most ids free it is the random one.
        let mut number = drawn & ((space - 1) as u64);
        loop {
            let id = self.id(number);
            if let Entry::Vacant(free) = self.routes.entry(id) {
                free.insert(route);
                return Some(id);
            }
            number = if u128::from(number) + 1 == space {
                0
            } else {
                number + 1
            };
        }
    }

    /// Sends the packets for `id` elsewhere.
    pub(super) fn redirect(&mut self, id: &WireId, route: Route) {
        if let Some(found) = self.routes.get_mut(id) {
            *found = route;
        }
    }

    pub(super) fn release(&mut self, id: &WireId) {
        self.routes.remove(id);
    }

    pub(super) fn len(&self) -> usize {
        self.routes.len()
    }

    fn id(&self, number: u64) -> WireId {
        let bytes = number.to_be_bytes();
        WireId::new(&bytes[WireId::MAX_LEN - self.len..]).expect("a length of 1 to 8")
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn every_id_of_one_byte_can_be_used_once() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut table = IdTable::new(1);
        let ids: Vec<WireId> = (0..256)
            .map(|number| table.issue(&mut rng, Route::Session(number)).unwrap())
            .collect();
        assert_eq!(table.len(), 256);
        assert_eq!(table.issue(&mut rng, Route::Session(0)), None);
        for (number, id) in (0..).zip(&ids) {
            assert_eq!(table.route(id), Some(Route::Session(number)));
        }
        table.release(&ids[77]);
        assert_eq!(table.route(&ids[77]), None);
        assert_eq!(table.issue(&mut rng, Route::HalfOpen(9)), Some(ids[77]));
        table.redirect(&ids[77], Route::Session(1));
        assert_eq!(table.route(&ids[77]), Some(Route::Session(1)));
    }

    #[test]
    fn all_lengths() {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        for len in 1..=8 {
            let mut table = IdTable::new(len);
            let id = table.issue(&mut rng, Route::Session(0)).unwrap();
            assert_eq!(id.len(), len);
        }
    }
}
