//! PDUs on their way, in pooled buffers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a PDU on its way counts beside its bytes.
pub(super) const OVERHEAD_BYTES: usize = 128;

/// Buffers that are kept for reuse, in bytes.
const MAX_POOL_BYTES: usize = 1 << 20;

/// A PDU on its way.
#[derive(Debug, Default)]
pub(super) struct Pdu {
    /// As it will arrive.
    pub(super) bytes: Vec<u8>,
    /// When it was sent.
    pub(super) sent_ms: u64,
    /// The serial of the SDU that it carries or belongs to.
    pub(super) sdu: u64,
    /// The slot of that SDU, where it has one: every fragment and every duplicated PDU.
    pub(super) slot: Option<usize>,
    /// Whether a SAR header precedes the payload.
    pub(super) fragment: bool,
}

/// PDUs ordered by (due ms, send serial, copy).
#[derive(Debug, Default)]
pub(super) struct Flight {
    queue: BinaryHeap<Reverse<(u64, u64, bool, usize)>>,
    slots: Vec<Pdu>,
    free: Vec<usize>,
    /// Buffers that no PDU uses.
    buffers: Vec<Vec<u8>>,
    /// Their capacities.
    pool_bytes: usize,
    /// What is on its way, with [`OVERHEAD_BYTES`] each.
    held_bytes: usize,
}

impl Flight {
    /// A buffer that holds `parts`, from the pool.
    pub(super) fn buffer(&mut self, parts: [&[u8]; 2]) -> Vec<u8> {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        self.pool_bytes -= buffer.capacity();
        buffer.clear();
        parts.iter().for_each(|part| buffer.extend_from_slice(part));
        buffer
    }

    /// Gives a buffer back to the pool, unless that has enough.
    pub(super) fn recycle(&mut self, buffer: Vec<u8>) {
        if self.pool_bytes + buffer.capacity() <= MAX_POOL_BYTES {
            self.pool_bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }

    /// What is on its way, with [`OVERHEAD_BYTES`] for each PDU.
    pub(super) const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Puts a PDU on its way.
    pub(super) fn push(&mut self, due_ms: u64, serial: u64, copy: bool, pdu: Pdu) {
        self.held_bytes += pdu.bytes.len() + OVERHEAD_BYTES;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = pdu;
                slot
            }
            None => {
                self.slots.push(pdu);
                self.slots.len() - 1
            }
        };
        self.queue.push(Reverse((due_ms, serial, copy, slot)));
    }

    /// The next PDU due by `now_ms`.
    pub(super) fn pop(&mut self, now_ms: u64) -> Option<Pdu> {
        let &Reverse((due_ms, _, _, slot)) = self.queue.peek()?;
        if due_ms > now_ms {
            return None;
        }
        self.queue.pop();
        self.free.push(slot);
        let pdu = std::mem::take(&mut self.slots[slot]);
        self.held_bytes -= pdu.bytes.len() + OVERHEAD_BYTES;
        Some(pdu)
    }

    /// When the next PDU is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.queue.peek().map(|Reverse((due_ms, ..))| *due_ms)
    }

    /// How many slots and buffers exist: the high-water mark of PDUs in flight.
    #[cfg(test)]
    pub(super) fn high_water(&self) -> (usize, usize) {
        (self.slots.len(), self.buffers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pdus_come_out_by_due_time_then_serial_then_copy() {
        let mut flight = Flight::default();
        let order = [
            (30, 0, false),
            (10, 2, true),
            (10, 2, false),
            (10, 1, false),
            (20, 3, false),
        ];
        for (sdu, (due, serial, copy)) in (0..).zip(order) {
            let pdu = Pdu {
                sdu,
                ..Pdu::default()
            };
            flight.push(due, serial, copy, pdu);
        }
        assert_eq!(flight.next_due(), Some(10));
        let out: Vec<u64> = std::iter::from_fn(|| flight.pop(20))
            .map(|p| p.sdu)
            .collect();
        assert_eq!(out, [3, 2, 1, 4]);
        assert_eq!(flight.pop(30).map(|p| p.sdu), Some(0));
        assert!(flight.next_due().is_none());
        assert_eq!(flight.high_water().0, 5);
    }
}
