//! SDUs of which several PDUs are on their way: their state at the receiver, and time-outs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::flight::OVERHEAD_BYTES;
use crate::sar::Reassembly;

/// Memory that free slots keep for their next SDU, in bytes.
const MAX_POOL_BYTES: usize = 1 << 20;

/// Where an SDU stands at the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Nothing of it has arrived.
    #[default]
    Waiting,
    /// Some fragments have arrived; a time-out is set.
    Open,
    /// Delivered or given up.
    Settled,
}

/// One SDU; its slot is its identity, so no `frag_id` can be mistaken for another's.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) serial: u64,
    pub(super) state: State,
    pub(super) reassembly: Reassembly,
    /// The payload of its fragments but for the last, in bytes.
    pub(super) unit: usize,
    /// The bytes that its reassembly may come to.
    sdu_bytes: usize,
    /// PDUs of it that are still on their way.
    pub(super) on_the_way: usize,
}

/// The SDUs by slot, and the time-outs of the open ones.
#[derive(Debug, Default)]
pub(super) struct Sets {
    slots: Vec<Set>,
    free: Vec<usize>,
    /// (deadline, serial, slot); stale when that slot is no longer open with that serial.
    timeouts: BinaryHeap<Reverse<(u64, u64, usize)>>,
    /// What the slots in use may come to, with [`OVERHEAD_BYTES`] each.
    held_bytes: usize,
    /// What the free slots keep.
    pool_bytes: usize,
}

impl Sets {
    /// A slot for SDU `serial`, which comes in fragments of `unit` bytes and is `sdu_bytes` long;
    /// 0 and 0 where it comes whole.
    pub(super) fn open(&mut self, serial: u64, unit: usize, sdu_bytes: usize) -> usize {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.pool_bytes -= self.slots[slot].reassembly.capacity();
                slot
            }
            None => {
                self.slots.push(Set::default());
                self.slots.len() - 1
            }
        };
        self.held_bytes += sdu_bytes + OVERHEAD_BYTES;
        let set = &mut self.slots[slot];
        set.serial = serial;
        set.unit = unit;
        set.sdu_bytes = sdu_bytes;
        set.state = State::Waiting;
        set.on_the_way = 0;
        set.reassembly.clear();
        slot
    }

    pub(super) fn get(&self, slot: usize) -> &Set {
        &self.slots[slot]
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> &mut Set {
        &mut self.slots[slot]
    }

    /// The first fragment of a set has come: it has until `deadline_ms`.
    pub(super) fn start(&mut self, slot: usize, deadline_ms: u64) {
        let set = &mut self.slots[slot];
        set.state = State::Open;
        self.timeouts.push(Reverse((deadline_ms, set.serial, slot)));
    }

    /// Marks an SDU as delivered or given up.
    pub(super) fn settle(&mut self, slot: usize) {
        self.slots[slot].state = State::Settled;
        self.drop_stale();
    }

    /// Frees the slot of a settled SDU of which nothing is on the way any more.
    pub(super) fn release(&mut self, slot: usize) {
        let set = &mut self.slots[slot];
        if set.state == State::Settled && set.on_the_way == 0 {
            self.held_bytes -= set.sdu_bytes + OVERHEAD_BYTES;
            if self.pool_bytes + set.reassembly.capacity() > MAX_POOL_BYTES {
                set.reassembly = Reassembly::default();
            }
            self.pool_bytes += set.reassembly.capacity();
            self.free.push(slot);
        }
    }

    /// What SDUs in use may come to, with [`OVERHEAD_BYTES`] for each.
    pub(super) const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// The slot of the next set whose time is up.
    pub(super) fn expired(&self, now_ms: u64) -> Option<usize> {
        let &Reverse((deadline_ms, _, slot)) = self.timeouts.peek()?;
        (deadline_ms <= now_ms).then_some(slot)
    }

    /// When the next open set times out.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.timeouts
            .peek()
            .map(|Reverse((deadline, ..))| *deadline)
    }

    /// Keeps the head of the time-outs that of an open set.
    fn drop_stale(&mut self) {
        while let Some(&Reverse((_, serial, slot))) = self.timeouts.peek() {
            let set = &self.slots[slot];
            if set.state == State::Open && set.serial == serial {
                break;
            }
            self.timeouts.pop();
        }
    }

    /// Slots that exist, slots that are free, time-outs that are kept.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        (self.slots.len(), self.free.len(), self.timeouts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slots_old_time_out_does_not_strike_its_next_sdu() {
        let mut sets = Sets::default();
        let first = sets.open(0, 8, 20);
        sets.start(first, 100);
        let second = sets.open(1, 8, 20);
        sets.start(second, 110);
        // The second is done while the first still heads the time-outs; its slot goes to a third.
        sets.settle(second);
        sets.release(second);
        let third = sets.open(2, 8, 20);
        assert_eq!(third, second);
        sets.start(third, 200);
        sets.settle(first);
        sets.release(first);
        assert_eq!((sets.expired(199), sets.next_deadline()), (None, Some(200)));
        assert_eq!(sets.expired(200), Some(third));
    }
}
