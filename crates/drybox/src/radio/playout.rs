//! The receiver's side of the bearer: playout delay and order (`docs/spec/radio.md`, section 10).

use std::collections::VecDeque;

use super::vocoder::MAX_FRAME_BYTES;
use crate::{bearer::BearerParams, math};

/// What the encoder gave for one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A frame of the codec.
    Speech,
    /// A description of the background noise.
    Sid,
    /// Nothing: DTX saved the slot.
    Untransmitted,
}

/// One slot between the sender's grid and the receiver's.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) block: u64,
    /// When the block was pulled.
    pub(crate) pulled_ms: u64,
    /// When the frame was sent, on the grid.
    pub(crate) sent_ms: u64,
    pub(crate) content: Content,
    /// When the frame arrives; `None` if the bearer lost it.
    pub(crate) arrives_ms: Option<u64>,
    pub(crate) snr_db: Option<f64>,
    len: usize,
    bytes: [u8; MAX_FRAME_BYTES],
}

impl Slot {
    /// A slot in which nothing is known yet.
    pub(crate) const fn new(block: u64, pulled_ms: u64, sent_ms: u64) -> Self {
        Self {
            block,
            pulled_ms,
            sent_ms,
            content: Content::Untransmitted,
            arrives_ms: None,
            snr_db: None,
            len: 0,
            bytes: [0; MAX_FRAME_BYTES],
        }
    }

    /// The coded frame.
    pub(crate) fn frame(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Sets the frame to what `write` leaves in the buffer; it returns the length.
    pub(crate) fn fill(&mut self, write: impl FnOnce(&mut [u8; MAX_FRAME_BYTES]) -> usize) {
        self.len = write(&mut self.bytes).min(MAX_FRAME_BYTES);
    }
}

/// Slots on their way, played a fixed number of blocks after they were sent.
#[derive(Debug)]
pub(crate) struct Playout {
    delay_blocks: u64,
    slots: VecDeque<Slot>,
}

impl Playout {
    /// Block `k` plays at the first grid time at or after `k · grid + latency + jitter buffer`.
    pub(crate) fn new(bearer: &BearerParams, grid_ms: u64) -> Self {
        let buffer_ms = match bearer.jitter_buffer_ms {
            Some(ms) => math::round_ms(ms),
            None => math::round_ms((1.5 * bearer.jitter_ms).ceil()),
        };
        let delay_ms = math::round_ms(bearer.latency_ms).saturating_add(buffer_ms);
        Self {
            delay_blocks: delay_ms.div_ceil(grid_ms.max(1)),
            slots: VecDeque::new(),
        }
    }

    /// The sender's block that plays in the receiver's slot `k`; `None` before playout.
    pub(crate) const fn block_at(&self, k: u64) -> Option<u64> {
        k.checked_sub(self.delay_blocks)
    }

    pub(crate) fn push(&mut self, slot: Slot) {
        self.slots.push_back(slot);
    }

    /// Takes out the slot of the sender's block, and forgets earlier ones.
    pub(crate) fn take(&mut self, block: u64) -> Option<Slot> {
        while self.slots.front().is_some_and(|slot| slot.block < block) {
            self.slots.pop_front();
        }
        self.slots.pop_front_if(|slot| slot.block == block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bearer::BearerKind;

    fn playout(latency_ms: f64, jitter_ms: f64, buffer: Option<f64>) -> Playout {
        Playout::new(
            &BearerParams {
                latency_ms,
                jitter_ms,
                jitter_buffer_ms: buffer,
                ..BearerParams::defaults(BearerKind::PstnG711)
            },
            20,
        )
    }

    #[test]
    fn plays_at_the_first_grid_time_after_latency_and_buffer() {
        let cases = [
            (0.0, 0.0, None, 0),
            (1.0, 0.0, None, 1),
            (20.0, 0.0, None, 1),
            (20.0, 0.6, None, 2),
            (60.0, 20.0, None, 5),
            (60.0, 20.0, Some(0.0), 3),
            (60.0, 0.0, Some(60.5), 6),
        ];
        for (latency, jitter, buffer, blocks) in cases {
            let playout = playout(latency, jitter, buffer);
            assert_eq!(
                playout.delay_blocks, blocks,
                "{latency} {jitter} {buffer:?}"
            );
            assert_eq!(playout.block_at(blocks), Some(0));
            if let Some(before) = blocks.checked_sub(1) {
                assert_eq!(playout.block_at(before), None);
            }
        }
    }

    #[test]
    fn takes_slots_by_number_and_keeps_later_ones() {
        let mut playout = playout(0.0, 0.0, None);
        for block in [0, 1, 3] {
            playout.push(Slot::new(block, 0, 0));
        }
        let mut take = |block| playout.take(block).map(|slot| slot.block);
        assert_eq!(
            [take(1), take(2), take(3), take(4)],
            [Some(1), None, Some(3), None]
        );
    }
}
