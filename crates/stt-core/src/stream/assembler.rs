use super::ring::{Pool, Ring};
use crate::range_set::RangeSet;

/// The receive buffer of a stream: puts bytes in order (`docs/spec/stt-streams.md` §3.1).
///
/// Bytes in order are copied once, to where they are read from. Bytes ahead of a gap are copied
/// there too, so that nothing moves when the gap is closed.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// From the first byte that was not read.
    ring: Ring,
    /// Everything below is there.
    ready: u64,
    /// What is there beyond a gap.
    beyond: RangeSet,
}

/// More gaps than the buffer keeps account of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyRanges;

impl Assembler {
    /// Takes `data` at `offset`, without what is there already. The caller has checked that it lies
    /// within the window.
    pub(super) fn insert(
        &mut self,
        pool: &mut Pool,
        offset: u64,
        data: &[u8],
        max_ranges: usize,
    ) -> Result<(), TooManyRanges> {
        let end = offset + data.len() as u64;
        if end <= self.ready {
            return Ok(());
        }
        let known = self.ready.saturating_sub(offset);
        let (offset, data) = (offset + known, &data[known as usize..]);
        if self.beyond.is_empty() {
            self.ring.write(pool, offset, data);
        } else {
            for gap in self.beyond.gaps(offset, end) {
                let piece = (gap.start - offset) as usize..(gap.end - offset) as usize;
                self.ring.write(pool, gap.start, &data[piece]);
            }
        }
        if offset > self.ready {
            self.beyond.insert(offset, end);
            if self.beyond.len() > max_ranges {
                return Err(TooManyRanges);
            }
        } else {
            self.ready = self.beyond.absorb(end);
        }
        Ok(())
    }

    /// Moves up to `out.len()` bytes to `out` and tells how many.
    pub(super) fn read(&mut self, pool: &mut Pool, out: &mut [u8]) -> usize {
        let len = usize::try_from(self.available()).map_or(out.len(), |ready| ready.min(out.len()));
        self.ring.copy_to(self.ring.base(), &mut out[..len]);
        self.consume(pool, len as u64);
        len
    }

    /// What can be read next without copying. Empty if nothing can.
    pub(super) fn peek(&self) -> &[u8] {
        self.ring.slice(self.ring.base(), self.ready)
    }

    /// Drops `len` bytes that were read, at most those that are available.
    pub(super) fn consume(&mut self, pool: &mut Pool, len: u64) {
        let base = self.ring.base() + len.min(self.available());
        if base == self.ready && self.beyond.is_empty() {
            self.ring.clear(pool, base);
        } else {
            self.ring.release(pool, base);
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        self.ring.clear(pool, 0);
        self.ready = self.ring.base();
        self.beyond.clear();
    }

    /// Bytes that can be read now.
    pub(super) fn available(&self) -> u64 {
        self.ready - self.ring.base()
    }

    /// Bytes read so far.
    pub(super) fn read_offset(&self) -> u64 {
        self.ring.base()
    }

    /// The offset up to which nothing is missing.
    pub(super) fn ready(&self) -> u64 {
        self.ready
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_received_twice_are_ignored() {
        let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
        assembler.insert(&mut pool, 2, b"cd", 8).unwrap();
        assembler.insert(&mut pool, 0, b"abXXe", 8).unwrap();
        assembler.insert(&mut pool, 0, b"ZZZZZf", 8).unwrap();
        let mut out = [0; 10];
        assert_eq!(assembler.read(&mut pool, &mut out), 6);
        assert_eq!(&out[..6], b"abcdef");
    }

    #[test]
    fn ranges_are_counted() {
        let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
        for range in 1..=3 {
            assembler.insert(&mut pool, range * 2, b"x", 3).unwrap();
        }
        assert_eq!(assembler.insert(&mut pool, 8, b"x", 3), Err(TooManyRanges));
    }

    proptest! {
        #[test]
        fn any_cut_and_order_reads_as_written(
            cuts in prop::collection::vec((0..20_000_u64, 1..6_000_usize, 0..9_000_usize), 1..60),
        ) {
            let data: Vec<u8> = (0..30_000).map(|i| (i * 7 % 253) as u8).collect();
            let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
            let mut seen = Vec::new();
            let mut here = vec![false; data.len()];
            for (offset, len, read) in cuts {
                let end = (offset as usize + len).min(data.len());
                let piece = &data[offset as usize..end];
                assembler.insert(&mut pool, offset, piece, 1_000).unwrap();
                here[offset as usize..end].fill(true);
                let mut out = vec![0; read];
                let peeked = assembler.peek().to_vec();
                let n = assembler.read(&mut pool, &mut out);
                seen.extend_from_slice(&out[..n]);
                prop_assert!(out[..n].starts_with(&peeked[..peeked.len().min(n)]));
                let ready = here.iter().position(|byte| !byte).unwrap_or(data.len());
                prop_assert_eq!(assembler.ready(), ready as u64);
                prop_assert_eq!(assembler.read_offset(), seen.len() as u64);
            }
            prop_assert_eq!(&seen[..], &data[..seen.len()]);
            assembler.clear(&mut pool);
            pool.trim();
            prop_assert_eq!(pool.allocated(), 0);
        }
    }
}
