//! Mode B: PCM blocks over a voice channel (`docs/spec/engine.md`, section 2).

use super::{
    journal::Journal,
    outcome::Halt,
    seat::{Seat, Seats},
};
use crate::{
    Direction, Side,
    adapter::{Callback, Pulled},
    output::PcmTap,
    radio::{BLOCK_MS, Block, SILENCE, VoicePath},
    scenario::AudioCadence,
};

/// Both voice paths and the grid of blocks.
pub(super) struct AudioMode {
    pub(super) paths: [VoicePath; 2],
    cadence: AudioCadence,
    next_block: u64,
    silence_warned: [bool; 2],
}

impl AudioMode {
    pub(super) const fn new(paths: [VoicePath; 2], cadence: AudioCadence) -> Self {
        Self {
            paths,
            cadence,
            next_block: 0,
            silence_warned: [false; 2],
        }
    }

    /// Step 5 of a tick.
    pub(super) fn tick(
        &mut self,
        t_ms: u64,
        seats: &mut Seats<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<(), Halt> {
        match self.cadence {
            AudioCadence::Tick => self.block(t_ms, seats, journal),
            AudioCadence::Block => {
                while self.next_block * BLOCK_MS <= t_ms {
                    self.block(t_ms, seats, journal)?;
                }
                Ok(())
            }
        }
    }

    fn block(
        &mut self,
        t_ms: u64,
        seats: &mut Seats<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<(), Halt> {
        let k = self.next_block;
        self.next_block += 1;
        let mut pulled = [SILENCE; 2];
        for side in Side::BOTH {
            let block = &mut pulled[side.index()];
            self.pull(&mut seats[side.index()], block, journal)?;
        }
        for direction in Direction::BOTH {
            let (path, block) = (
                &mut self.paths[direction.index()],
                &pulled[direction.sender().index()],
            );
            journal
                .recorder
                .pcm(direction.sender(), PcmTap::Tx, block)?;
            path.send(k, t_ms, block, journal)?;
        }
        for direction in Direction::BOTH {
            let mut block = SILENCE;
            let path = &mut self.paths[direction.index()];
            path.receive(k, t_ms, &mut block, journal)?;
            journal
                .recorder
                .pcm(direction.receiver(), PcmTap::Rx, &block)?;
            let seat = &mut seats[direction.receiver().index()];
            seat.call(Callback::PushRxBlock, |adapter, context| {
                adapter.push_rx_block(context, &block)
            })?;
            journal.events_of(seat)?;
        }
        Ok(())
    }

    fn pull(
        &mut self,
        seat: &mut Seat<'_>,
        block: &mut Block,
        journal: &mut Journal<'_>,
    ) -> Result<(), Halt> {
        let pulled = seat.call(Callback::PullTxBlock, |adapter, context| {
            adapter.pull_tx_block(context, block)
        })?;
        journal.events_of(seat)?;
        if pulled == Pulled::Nothing {
            *block = SILENCE;
            let warned = &mut self.silence_warned[seat.side.index()];
            if !std::mem::replace(warned, true) {
                journal.warn(format!(
                    "{} adapter ({}) returned None from pull_tx_block: taken as silence; return a block of zeros",
                    seat.side.name(),
                    seat.spec
                ));
            }
        }
        Ok(())
    }
}
