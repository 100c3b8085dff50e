//! Memory of stream buffers: blocks and packets, shared by all streams of a session.

use core::{fmt, ops::Range};
use std::sync::Arc;

/// Bytes of a block: large against a packet of the Internet, small against a window.
pub(super) const BLOCK: usize = 4096;

pub(super) type Block = Box<[u8; BLOCK]>;

/// Memory that no stream needs at present (`docs/spec/stt-streams.md` §8).
#[derive(Debug, Default)]
pub(super) struct Pool {
    blocks: Spares<Block>,
    blocks_in_use: usize,
    packets: Spares<Packet>,
    /// Bytes of packets in use.
    kept: usize,
}

impl Pool {
    /// Returns after which spare blocks go: a flow that fills and empties its buffers within so many
    /// blocks, 16 MiB, allocates nothing.
    const BLOCK_PERIOD: usize = 4096;
    /// The same for packets.
    const PACKET_PERIOD: usize = 256;

    pub(super) fn take_block(&mut self) -> Block {
        self.blocks_in_use += 1;
        let block = self.blocks.take();
        block.unwrap_or_else(|| Box::new([0; BLOCK]))
    }

    pub(super) fn put_block(&mut self, block: Block) {
        self.blocks_in_use -= 1;
        self.blocks.put(block, Self::BLOCK_PERIOD);
    }

    /// One of at least `len` bytes that nobody else has.
    pub(super) fn take_packet(&mut self, len: usize) -> Packet {
        let spare = self.packets.take().filter(|packet| packet.len() >= len);
        spare.unwrap_or_else(|| Packet::new(vec![0; len]))
    }

    /// The last who has it gives it back.
    pub(super) fn put_packet(&mut self, mut packet: Packet) {
        if packet.len() >= Packet::LONG && packet.as_mut().is_some() {
            self.packets.put(packet, Self::PACKET_PERIOD);
        }
    }

    /// So many bytes of a packet are kept.
    pub(super) fn keep(&mut self, len: usize) {
        self.kept += len;
    }

    /// So many no longer are.
    pub(super) fn unkeep(&mut self, len: usize) {
        self.kept -= len;
    }

    /// Gives what is free back to the allocator.
    pub(super) fn trim(&mut self) {
        self.blocks = Spares::default();
        self.packets = Spares::default();
    }

    /// Bytes held, in use and free.
    pub(super) fn allocated(&self) -> usize {
        let free: usize = self.packets.free.iter().map(Packet::len).sum();
        (self.blocks_in_use + self.blocks.free.len()) * BLOCK + self.kept + free
    }
}

/// Memory for a packet that streams may keep parts of.
#[derive(Clone)]
pub(crate) struct Packet(Arc<Box<[u8]>>);

impl Packet {
    /// From this length on a packet is opened to memory of its own: shorter ones are copied for less
    /// than that costs.
    pub(crate) const LONG: usize = 16 << 10;

    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes.into()))
    }

    /// All of it, while nobody else has it.
    pub(crate) fn as_mut(&mut self) -> Option<&mut [u8]> {
        Arc::get_mut(&mut self.0).map(|bytes| &mut **bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where `part` lies in it, if it does.
    pub(super) fn find(&self, part: &[u8]) -> Option<Range<usize>> {
        let start = part.as_ptr().addr().checked_sub(self.0.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (end <= self.len()).then_some(start..end)
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({} bytes)", self.len())
    }
}

/// Free pieces of memory: as many as were needed lately.
#[derive(Debug)]
struct Spares<T> {
    free: Vec<T>,
    /// The fewest that were free since some were last let go: so many are not needed.
    idle: usize,
    /// How many came back since.
    returned: usize,
}

impl<T> Spares<T> {
    fn take(&mut self) -> Option<T> {
        let taken = self.free.pop();
        self.idle = self.idle.min(self.free.len());
        taken
    }

    /// Lets idle ones go after each `period`.
    fn put(&mut self, one: T, period: usize) {
        self.free.push(one);
        self.returned += 1;
        if self.returned == period {
            self.returned = 0;
            self.free.truncate(self.free.len() - self.idle);
            self.idle = self.free.len();
        }
    }
}

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self {
            free: Vec::new(),
            idle: 0,
            returned: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flow_needs_again_is_kept_and_the_rest_goes() {
        let mut pool = Pool::default();
        let fill = |pool: &mut Pool, count: usize| {
            let blocks: Vec<_> = (0..count).map(|_| pool.take_block()).collect();
            assert_eq!(pool.blocks_in_use, count);
            for block in blocks {
                pool.put_block(block);
            }
        };
        fill(&mut pool, 100);
        for _ in 0..50 {
            fill(&mut pool, 100);
            assert_eq!(pool.blocks.free.len(), 100, "the same ones again");
        }
        for _ in 0..820 {
            fill(&mut pool, 10);
        }
        assert_eq!(pool.blocks.free.len(), 10);
        pool.trim();
        assert_eq!(pool.allocated(), 0);
        fill(&mut pool, 1);
        assert_eq!(pool.allocated(), BLOCK);
    }

    #[test]
    fn a_packet_comes_back_from_the_last_who_has_it() {
        let mut pool = Pool::default();
        let mut packet = pool.take_packet(20_000);
        assert!(packet.as_mut().is_some());
        let also = packet.clone();
        assert!(packet.as_mut().is_none(), "two have it");
        pool.put_packet(packet);
        assert_eq!(pool.allocated(), 0, "one still has it");
        pool.put_packet(also);
        assert_eq!(pool.allocated(), 20_000);
        let shorter = pool.take_packet(16_384);
        assert_eq!(shorter.len(), 20_000, "the same again");
        pool.put_packet(shorter);
        pool.put_packet(Packet::new(vec![0; Packet::LONG - 1]));
        assert_eq!(pool.allocated(), 20_000, "short ones go");
        let longer = pool.take_packet(20_001);
        assert_eq!((longer.len(), pool.allocated()), (20_001, 0));
    }

    #[test]
    fn a_part_is_found_where_it_lies() {
        let packet = Packet::new(vec![0; 100]);
        assert_eq!(packet.find(&packet.bytes()[10..30]), Some(10..30));
        assert_eq!(packet.find(&packet.bytes()[100..]), Some(100..100));
        assert_eq!(packet.find(Packet::new(vec![0; 100]).bytes()), None);
    }
}
