use super::{pool::Pool, ring::Ring};
use crate::range_set::{RangeSet, Span};

/// Bytes that a stream was given to send, until they are acknowledged
/// (`docs/spec/stt-streams.md` §2.1).
///
/// ```text
///   base          next       written
///    |..a..l.......|.............|        a acknowledged, l lost
///      sent          to be sent
/// ```
#[derive(Debug, Default)]
pub(super) struct SendBuffer {
    /// Its base: everything below was acknowledged.
    ring: Ring,
    next: u64,
    written: u64,
    acked: RangeSet,
    lost: RangeSet,
}

impl SendBuffer {
    /// Ranges acknowledged ahead of the base that are remembered (§8).
    const MAX_ACKED: usize = 4096;
    /// Ranges lost that are kept apart (§8).
    const MAX_LOST: usize = 1024;

    pub(super) fn write(&mut self, pool: &mut Pool, data: &[u8]) {
        self.ring.write(pool, self.written, data);
        self.written += data.len() as u64;
    }

    /// Copies bytes to a packet: `out.len()` of them, from `offset`.
    pub(super) fn copy_to(&self, offset: u64, out: &mut [u8]) {
        self.ring.copy_to(offset, out);
    }

    /// `start..end` went out: either the first of the lost, or the next new bytes.
    pub(super) fn on_sent(&mut self, start: u64, end: u64) {
        if start < self.next {
            self.lost.remove(start, end);
        } else {
            self.next = end;
        }
    }

    /// Tells how many bytes of memory that freed.
    pub(super) fn on_acked(&mut self, pool: &mut Pool, start: u64, end: u64) -> u64 {
        let before = self.ring.base();
        if end <= before {
            return 0;
        }
        if start > before {
            self.acked.insert(start, end);
            if self.acked.len() > Self::MAX_ACKED {
                // Can't be remembered: sent again, and acknowledged again.
                self.acked.remove(start, end);
                self.add_lost(start, end);
            } else {
                self.lost.remove(start, end);
            }
            return 0;
        }
        let base = self.acked.absorb(end);
        self.lost.remove(0, base);
        if base == self.written {
            self.ring.clear(pool, base);
        } else {
            self.ring.release(pool, base);
        }
        base - before
    }

    /// What was acknowledged meanwhile is not lost.
    pub(super) fn on_lost(&mut self, start: u64, end: u64) {
        let mut at = start.max(self.ring.base());
        while let Some(gap) = { self.acked.gaps(at, end).next() } {
            self.add_lost(gap.start, gap.end);
            at = gap.end;
        }
    }

    fn add_lost(&mut self, start: u64, end: u64) {
        self.lost.insert(start, end);
        if self.lost.len() > Self::MAX_LOST {
            self.lost.join_first();
        }
    }

    /// Drops everything and tells how many bytes that were.
    pub(super) fn clear(&mut self, pool: &mut Pool) -> u64 {
        let held = self.held();
        self.ring.clear(pool, self.written);
        self.acked.clear();
        self.lost.clear();
        self.written = self.next;
        held
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> u64 {
        self.written.saturating_sub(self.ring.base())
    }

    /// Whether every byte written was acknowledged.
    pub(super) fn is_acked(&self) -> bool {
        self.ring.base() == self.written
    }

    /// What is to be sent again first.
    pub(super) fn first_lost(&self) -> Option<Span> {
        self.lost.first()
    }

    /// The largest offset sent.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The largest offset written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pool: &mut Pool) -> SendBuffer {
        let mut buffer = SendBuffer::default();
        buffer.write(pool, &[7; 10_000]);
        buffer.on_sent(0, 10_000);
        buffer
    }

    #[test]
    fn memory_is_freed_as_the_front_is_acknowledged() {
        let mut pool = Pool::default();
        let mut buffer = filled(&mut pool);
        assert_eq!(buffer.on_acked(&mut pool, 5_000, 10_000), 0);
        assert_eq!(buffer.on_acked(&mut pool, 0, 1_000), 1_000);
        assert_eq!(buffer.on_acked(&mut pool, 500, 6_000), 9_000);
        assert!(buffer.is_acked());
        assert_eq!(buffer.on_acked(&mut pool, 0, 10_000), 0, "twice is once");
    }

    #[test]
    fn only_what_was_not_acknowledged_is_lost() {
        let mut pool = Pool::default();
        let mut buffer = filled(&mut pool);
        buffer.on_acked(&mut pool, 0, 100);
        buffer.on_acked(&mut pool, 300, 400);
        buffer.on_lost(50, 500);
        assert_eq!(buffer.lost.len(), 2);
        assert_eq!(
            buffer.first_lost(),
            Some(Span {
                start: 100,
                end: 300
            })
        );
        buffer.on_acked(&mut pool, 100, 450);
        assert_eq!(
            buffer.first_lost(),
            Some(Span {
                start: 450,
                end: 500
            })
        );
        buffer.on_sent(450, 500);
        assert_eq!(buffer.first_lost(), None);
        assert_eq!(buffer.next(), 10_000);
    }

    #[test]
    fn ranges_are_bounded_and_nothing_is_forgotten() {
        let mut pool = Pool::default();
        let mut buffer = filled(&mut pool);
        for at in 0..5_000 {
            buffer.on_acked(&mut pool, 2 * at + 1, 2 * at + 2);
        }
        assert_eq!(buffer.acked.len(), SendBuffer::MAX_ACKED);
        assert!(buffer.lost.len() <= SendBuffer::MAX_LOST);
        for at in 0..5_000 {
            buffer.on_lost(2 * at, 2 * at + 1);
            assert!(buffer.lost.len() <= SendBuffer::MAX_LOST);
        }
        // Sending all that is lost, and acknowledging it, ends the buffer.
        while let Some(span) = buffer.first_lost() {
            buffer.on_sent(span.start, span.end);
            buffer.on_acked(&mut pool, span.start, span.end);
        }
        assert!(buffer.is_acked());
    }
}
