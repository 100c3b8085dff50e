//! Stream buffers in blocks of a fixed size.

use std::collections::VecDeque;

use super::pool::{BLOCK, Block, Pool};

/// A piece of a stream, from `base` on. Blocks are aligned to the stream's offsets, and one that
/// nothing was written to isn't there.
#[derive(Debug, Default)]
pub(super) struct Ring {
    base: u64,
    blocks: VecDeque<Option<Block>>,
}

impl Ring {
    /// The offset below which everything was released.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Puts `data` at `offset`, which is not below the base.
    pub(super) fn write(&mut self, pool: &mut Pool, offset: u64, mut data: &[u8]) {
        let (mut index, mut at) = self.locate(offset);
        while !data.is_empty() {
            while self.blocks.len() <= index {
                self.blocks.push_back(None);
            }
            let block = self.blocks[index].get_or_insert_with(|| pool.take_block());
            let (now, rest) = data.split_at(data.len().min(BLOCK - at));
            block[at..at + now.len()].copy_from_slice(now);
            data = rest;
            index += 1;
            at = 0;
        }
    }

    /// The bytes from `offset`, as far as they lie in one block, at most up to `end`: all of
    /// `offset..end` must have been written. Empty if `offset` is not below `end`.
    pub(super) fn slice(&self, offset: u64, end: u64) -> &[u8] {
        if offset >= end {
            return &[];
        }
        let (index, at) = self.locate(offset);
        let len = usize::try_from(end - offset).map_or(BLOCK, |len| len.min(BLOCK - at));
        match self.blocks.get(index) {
            Some(Some(block)) => &block[at..at + len],
            _ => &[],
        }
    }

    /// Copies what was written at `offset..` to `out`.
    pub(super) fn copy_to(&self, mut offset: u64, mut out: &mut [u8]) {
        let end = offset + out.len() as u64;
        while offset < end {
            let piece = self.slice(offset, end);
            debug_assert!(!piece.is_empty(), "only what was written is read");
            let (now, rest) = out.split_at_mut(piece.len());
            now.copy_from_slice(piece);
            offset += piece.len() as u64;
            out = rest;
        }
    }

    /// Moves the base up to `base`: what lies below is gone.
    pub(super) fn release(&mut self, pool: &mut Pool, base: u64) {
        let (whole, _) = self.locate(base.max(self.base));
        for _ in 0..whole {
            match self.blocks.pop_front() {
                Some(Some(block)) => pool.put_block(block),
                Some(None) => {}
                None => break,
            }
        }
        self.base = base.max(self.base);
    }

    /// Moves the base up to `base` and gives all blocks back.
    pub(super) fn clear(&mut self, pool: &mut Pool, base: u64) {
        for block in self.blocks.drain(..).flatten() {
            pool.put_block(block);
        }
        self.base = base.max(self.base);
    }

    /// Index of the block that `offset` lies in, and where in it.
    fn locate(&self, offset: u64) -> (usize, usize) {
        const SIZE: u64 = BLOCK as u64;
        debug_assert!(offset >= self.base);
        let index = (offset / SIZE).saturating_sub(self.base / SIZE);
        // Windows and caps keep a ring far below the address space.
        (index as usize, (offset % SIZE) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ring: &Ring, offset: u64, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        ring.copy_to(offset, &mut out);
        out
    }

    #[test]
    fn pieces_written_across_blocks_come_back() {
        let (mut pool, mut ring) = (Pool::default(), Ring::default());
        let data: Vec<u8> = (0..3 * BLOCK + 77).map(|i| (i * 31 % 251) as u8).collect();
        ring.write(&mut pool, 5000, &data[5000..9000]);
        ring.write(&mut pool, 0, &data[..5000]);
        ring.write(&mut pool, 9000, &data[9000..]);
        assert_eq!(read(&ring, 0, data.len()), data);
        assert_eq!(read(&ring, 4095, 2), data[4095..4097]);

        ring.release(&mut pool, 4097);
        assert_eq!(ring.base(), 4097);
        assert_eq!(read(&ring, 4097, 5000), data[4097..9097]);
        ring.release(&mut pool, 100);
        assert_eq!(ring.base(), 4097, "never back");
        ring.clear(&mut pool, 9000);
        pool.trim();
        assert_eq!(pool.allocated(), 0);
        ring.write(&mut pool, 9000, b"again");
        assert_eq!(read(&ring, 9000, 5), b"again");
    }

    #[test]
    fn a_gap_takes_no_block() {
        let (mut pool, mut ring) = (Pool::default(), Ring::default());
        ring.write(&mut pool, 100 * BLOCK as u64, &[1]);
        assert_eq!(pool.allocated(), BLOCK);
        ring.release(&mut pool, 100 * BLOCK as u64);
        assert_eq!(read(&ring, 100 * BLOCK as u64, 1), [1]);
    }
}
