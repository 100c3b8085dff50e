use core::ops::Range;
use std::collections::VecDeque;

use super::{
    pool::{Packet, Pool},
    ring::Ring,
};
use crate::range_set::RangeSet;

/// The receive buffer of a stream: puts bytes in order (`docs/spec/stt-streams.md` §3.1).
///
/// Bytes in order are copied once, to where they are read from. Bytes ahead of a gap are copied
/// there too, so that nothing moves when the gap is closed. Large pieces of packets that may be kept are not copied.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// What is read first: packets, or parts of them.
    pieces: VecDeque<Piece>,
    /// Bytes from the first that was not read to the ring's base: those of `pieces`.
    kept: u64,
    /// From the first byte that was not read, or the end of `pieces`.
    ring: Ring,
    /// Everything below is there.
    ready: u64,
    /// What is there beyond a gap.
    beyond: RangeSet,
}

/// A packet that is kept: at most twice as much as is unread of it (8.3).
#[derive(Debug)]
struct Piece {
    packet: Packet,
    unread: Range<usize>,
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        &self.packet.bytes()[self.unread.clone()]
    }
}

/// More gaps than the buffer keeps account of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyRanges;

impl Assembler {
    /// Takes `data` at `offset`, without what is there already. The caller has checked that it lies
    /// within the window. It lies in `packet`, if there is one: that may be kept.
    pub(super) fn insert(
        &mut self,
        pool: &mut Pool,
        offset: u64,
        data: &[u8],
        packet: Option<&Packet>,
        max_ranges: usize,
    ) -> Result<(), TooManyRanges> {
        let end = offset + data.len() as u64;
        if end <= self.ready {
            return Ok(());
        }
        let known = self.ready.saturating_sub(offset);
        let (offset, data) = (offset + known, &data[known as usize..]);
        let is_next = self.beyond.is_empty() && offset == self.ready;
        if let Some(packet) = packet
            && is_next
            && 2 * data.len() >= packet.len()
            && self.ready - self.ring.base() <= data.len() as u64
            && let Some(unread) = packet.find(data)
        {
            self.end_ring(pool);
            self.keep(pool, packet.clone(), unread);
            self.ring.clear(pool, end);
        } else if self.beyond.is_empty() {
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

    /// Makes a piece of what is in the ring, which has no gap.
    fn end_ring(&mut self, pool: &mut Pool) {
        let len = (self.ready - self.ring.base()) as usize;
        if len > 0 {
            let mut bytes = vec![0; len];
            self.ring.copy_to(self.ring.base(), &mut bytes);
            self.keep(pool, Packet::new(bytes), 0..len);
        }
    }

    fn keep(&mut self, pool: &mut Pool, packet: Packet, unread: Range<usize>) {
        pool.keep(packet.len());
        self.kept += unread.len() as u64;
        self.pieces.push_back(Piece { packet, unread });
    }

    /// Moves up to `out.len()` bytes to `out` and tells how many.
    pub(super) fn read(&mut self, pool: &mut Pool, out: &mut [u8]) -> usize {
        let len = usize::try_from(self.available()).map_or(out.len(), |ready| ready.min(out.len()));
        let mut rest = &mut out[..len];
        for piece in &self.pieces {
            let bytes = piece.bytes();
            let (now, later) = rest.split_at_mut(bytes.len().min(rest.len()));
            now.copy_from_slice(&bytes[..now.len()]);
            rest = later;
        }
        self.ring.copy_to(self.ring.base(), rest);
        self.consume(pool, len as u64);
        len
    }

    /// What can be read next without copying. Empty if nothing can.
    pub(super) fn peek(&self) -> &[u8] {
        match self.pieces.front() {
            Some(piece) => piece.bytes(),
            None => self.ring.slice(self.ring.base(), self.ready),
        }
    }

    /// Drops `len` bytes that were read, at most those that are available.
    pub(super) fn consume(&mut self, pool: &mut Pool, len: u64) {
        let mut left = len.min(self.available());
        while left > 0
            && let Some(mut piece) = self.pieces.pop_front()
        {
            // A piece is no longer than a packet.
            let len = piece.unread.len();
            let now = len.min(usize::try_from(left).unwrap_or(usize::MAX));
            piece.unread.start += now;
            left -= now as u64;
            self.kept -= now as u64;
            if now < len && 2 * piece.unread.len() >= piece.packet.len() {
                self.pieces.push_front(piece);
                continue;
            }
            if now < len {
                let unread = 0..piece.unread.len();
                let packet = Packet::new(piece.bytes().to_vec());
                pool.keep(packet.len());
                self.pieces.push_front(Piece { packet, unread });
            }
            pool.unkeep(piece.packet.len());
            pool.put_packet(piece.packet);
        }
        if left == 0 {
            return;
        }
        let base = self.ring.base() + left;
        if base == self.ready && self.beyond.is_empty() {
            self.ring.clear(pool, base);
        } else {
            self.ring.release(pool, base);
        }
    }

    /// Drops everything. Nothing is inserted any more.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        for piece in self.pieces.drain(..) {
            pool.unkeep(piece.packet.len());
            pool.put_packet(piece.packet);
        }
        self.ring.clear(pool, 0);
        self.ready = self.read_offset();
        self.beyond.clear();
    }

    /// Bytes that can be read now.
    pub(super) fn available(&self) -> u64 {
        self.ready - self.read_offset()
    }

    /// Bytes read so far.
    pub(super) fn read_offset(&self) -> u64 {
        self.ring.base() - self.kept
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
        assembler.insert(&mut pool, 2, b"cd", None, 8).unwrap();
        assembler.insert(&mut pool, 0, b"abXXe", None, 8).unwrap();
        assembler.insert(&mut pool, 0, b"ZZZZZf", None, 8).unwrap();
        let mut out = [0; 10];
        assert_eq!(assembler.read(&mut pool, &mut out), 6);
        assert_eq!(&out[..6], b"abcdef");
    }

    #[test]
    fn ranges_are_counted() {
        let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
        for range in 1..=3 {
            assembler
                .insert(&mut pool, range * 2, b"x", None, 3)
                .unwrap();
        }
        assert_eq!(
            assembler.insert(&mut pool, 8, b"x", None, 3),
            Err(TooManyRanges)
        );
    }

    #[test]
    fn a_large_piece_of_a_packet_is_kept_and_a_small_one_copied() {
        let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
        let packet = Packet::new(vec![7; 100]);
        let insert = |pool: &mut Pool, assembler: &mut Assembler, offset, len: usize| {
            let data = &packet.bytes()[100 - len..];
            assembler
                .insert(pool, offset, data, Some(&packet), 8)
                .unwrap();
        };
        insert(&mut pool, &mut assembler, 0, 60);
        assert_eq!(pool.allocated(), 100, "kept");
        insert(&mut pool, &mut assembler, 60, 49);
        let copied = pool.allocated() - 100;
        assert!(copied > 100, "copied, as it is less than half of a packet");
        insert(&mut pool, &mut assembler, 109, 49);
        insert(&mut pool, &mut assembler, 158, 90);
        assert_eq!(
            pool.allocated(),
            100 + copied,
            "behind more bytes that were copied"
        );
        assert_eq!(assembler.peek().len(), 60);
        assembler.consume(&mut pool, 10);
        assert_eq!(pool.allocated(), 100 + copied);
        assembler.consume(&mut pool, 49);
        assert_eq!(assembler.peek().len(), 1);
        assert_eq!(pool.allocated(), 1 + copied, "the rest is let go");
        let mut out = [0; 300];
        assert_eq!(assembler.read(&mut pool, &mut out), 189);
        assert_eq!((assembler.read_offset(), assembler.available()), (248, 0));
        insert(&mut pool, &mut assembler, 348, 100);
        assert!(assembler.pieces.is_empty(), "beyond a gap");
        insert(&mut pool, &mut assembler, 248, 100);
        assert_eq!(assembler.available(), 200);
        insert(&mut pool, &mut assembler, 150, 100);
        assert_eq!(assembler.available(), 200, "known already");
        assembler.clear(&mut pool);
        assert_eq!((assembler.read_offset(), assembler.available()), (248, 0));
        pool.trim();
        assert_eq!(pool.allocated(), 0);
    }

    #[test]
    fn a_packet_behind_a_few_bytes_that_were_copied_is_kept() {
        let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
        assembler.insert(&mut pool, 0, b"abc", None, 8).unwrap();
        let packet = Packet::new(b"0123456789".to_vec());
        assembler
            .insert(&mut pool, 3, &packet.bytes()[1..], Some(&packet), 8)
            .unwrap();
        assert_eq!(assembler.peek(), b"abc");
        pool.trim();
        assert_eq!(pool.allocated(), 3 + 10, "no block");
        let mut out = [0; 20];
        assert_eq!(assembler.read(&mut pool, &mut out), 12);
        assert_eq!(&out[..12], b"abc123456789");
        assert_eq!(pool.allocated(), 0);
    }

    #[test]
    fn what_is_dropped_unread_was_not_read() {
        let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
        let packet = Packet::new(vec![7; 100]);
        assembler
            .insert(&mut pool, 0, packet.bytes(), Some(&packet), 8)
            .unwrap();
        assembler.consume(&mut pool, 30);
        assembler.clear(&mut pool);
        assert_eq!((assembler.read_offset(), assembler.available()), (30, 0));
        assert_eq!(assembler.peek(), b"");
        assert_eq!(pool.allocated(), 0);
    }

    proptest! {
        #[test]
        fn any_cut_and_order_reads_as_written(
            cuts in prop::collection::vec(
                (0..20_000_u64, 1..6_000_usize, 0..9_000_usize, any::<bool>(), any::<bool>(), 0..4_000_usize),
                1..60,
            ),
        ) {
            let data: Vec<u8> = (0..30_000).map(|i| (i * 7 % 253) as u8).collect();
            let (mut pool, mut assembler) = (Pool::default(), Assembler::default());
            let mut seen = Vec::new();
            let mut here = vec![false; data.len()];
            for (offset, len, read, is_next, is_lent, around) in cuts {
                let offset = if is_next { assembler.ready() } else { offset };
                let end = (offset as usize + len).min(data.len());
                let begin = (offset as usize).min(end);
                let packet = Packet::new([&vec![0; around], &data[begin..end]].concat());
                let lent = is_lent.then_some(&packet);
                let piece = &packet.bytes()[around..];
                assembler.insert(&mut pool, offset, piece, lent, 1_000).unwrap();
                here[begin..end].fill(true);
                let mut out = vec![0; read];
                let peeked = assembler.peek().to_vec();
                prop_assert_eq!(peeked.is_empty(), assembler.available() == 0);
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
