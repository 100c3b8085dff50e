use std::collections::VecDeque;

/// Datagrams back to back in one buffer: nothing is allocated for a single one.
#[derive(Debug)]
pub(super) struct Queue {
    bytes: VecDeque<u8>,
    lens: VecDeque<usize>,
    capacity: usize,
}

impl Queue {
    /// Counted for each datagram besides its bytes, so that empty ones are bounded too.
    const OVERHEAD: usize = 32;

    pub(super) fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            lens: VecDeque::new(),
            capacity,
        }
    }

    /// Adds what there is room for.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.bytes.extend(data);
        self.lens.push_back(data.len());
    }

    /// Drops the oldest until `len` bytes have room, and tells how many.
    pub(super) fn make_room(&mut self, len: usize) -> u64 {
        let mut dropped = 0;
        while !self.has_room(len) && self.pop() {
            dropped += 1;
        }
        dropped
    }

    /// Drops those over `max` bytes, and tells how many.
    pub(super) fn drop_longer(&mut self, max: usize) -> u64 {
        let mut dropped = 0;
        for _ in 0..self.lens.len() {
            let Some(&len) = self.lens.front() else {
                break;
            };
            if len > max {
                dropped += 1;
            } else {
                self.lens.push_back(len);
                self.bytes
                    .extend(self.bytes.range(..len).copied().collect::<Vec<_>>());
            }
            self.pop();
        }
        dropped
    }

    /// Drops the oldest. Whether there was one.
    pub(super) fn pop(&mut self) -> bool {
        let Some(len) = self.lens.pop_front() else {
            return false;
        };
        self.bytes.drain(..len);
        true
    }

    /// Gives memory back if there is nothing to hold.
    pub(super) fn trim(&mut self) {
        if self.lens.is_empty() {
            self.bytes = VecDeque::new();
            self.lens = VecDeque::new();
        }
    }

    /// The oldest, in two pieces.
    pub(super) fn front(&self) -> Option<(&[u8], &[u8])> {
        let &len = self.lens.front()?;
        let (front, back) = self.bytes.as_slices();
        if len <= front.len() {
            Some((&front[..len], &[]))
        } else {
            Some((front, &back[..len - front.len()]))
        }
    }

    /// Whether `len` bytes have room now.
    pub(super) fn has_room(&self, len: usize) -> bool {
        let held = self.bytes.len() + self.lens.len() * Self::OVERHEAD;
        held.saturating_add(len).saturating_add(Self::OVERHEAD) <= self.capacity
    }

    /// Whether `len` bytes have room when nothing else is held.
    pub(super) fn fits(&self, len: usize) -> bool {
        len.saturating_add(Self::OVERHEAD) <= self.capacity
    }

    /// The longest that ever fits.
    pub(super) fn longest(&self) -> usize {
        self.capacity.saturating_sub(Self::OVERHEAD)
    }
}
