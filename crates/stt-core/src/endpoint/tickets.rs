use std::collections::BTreeMap;

use crate::handshake::Ticket;

/// The tickets that the caller entrusted to the endpoint; the oldest goes when there are too
/// many (`docs/spec/stt-handshake.md` §11).
pub(super) struct Tickets {
    most: usize,
    by_id: BTreeMap<[u8; 16], (u64, Ticket)>,
    by_age: BTreeMap<u64, [u8; 16]>,
    next: u64,
}

impl Tickets {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            by_id: BTreeMap::new(),
            by_age: BTreeMap::new(),
            next: 0,
        }
    }

    pub(super) fn add(&mut self, ticket: Ticket) {
        let id = *ticket.id();
        self.take(&id);
        if self.by_id.len() >= self.most {
            match self.by_age.first_key_value().map(|(_, id)| *id) {
                Some(oldest) => self.take(&oldest),
                None => return,
            };
        }
        self.by_age.insert(self.next, id);
        self.by_id.insert(id, (self.next, ticket));
        self.next += 1;
    }

    pub(super) fn get(&self, id: &[u8; 16]) -> Option<&Ticket> {
        self.by_id.get(id).map(|(_, ticket)| ticket)
    }

    pub(super) fn take(&mut self, id: &[u8; 16]) -> Option<Ticket> {
        let (age, ticket) = self.by_id.remove(id)?;
        self.by_age.remove(&age);
        Some(ticket)
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use stt_crypto::{NodeId, secret::Key32};

    use super::*;

    #[test]
    fn bounded_and_each_taken_once() {
        let ticket = |id: u8| Ticket::new([id; 16], Key32::new([0; 32]), NodeId::new([0; 32]));
        let mut tickets = Tickets::new(2);
        for id in [1, 2, 1, 3] {
            tickets.add(ticket(id));
        }
        assert!(tickets.get(&[2; 16]).is_none(), "the oldest");
        assert!(tickets.take(&[1; 16]).is_some());
        assert!(tickets.take(&[1; 16]).is_none());
        assert!(tickets.take(&[3; 16]).is_some());
        assert!(tickets.is_empty() && tickets.by_age.is_empty());
        let mut none = Tickets::new(0);
        none.add(ticket(1));
        assert!(none.is_empty());
    }
}
