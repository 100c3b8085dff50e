//! Mode A: SDUs over a packet bearer (`docs/spec/engine.md`, section 2).

use super::{
    goodput::GoodputWindows,
    journal::Journal,
    outcome::Halt,
    seat::{Seat, Seats},
};
use crate::{
    Direction, Side,
    adapter::{Callback, Limits, SduBatch},
    link::Link,
    output::{OutputError, Row, RowLayer},
};

/// The link and what is needed to serve it.
pub(super) struct ByteMode {
    pub(super) link: Link,
    pub(super) goodput: GoodputWindows,
    budget: usize,
    polled: SduBatch,
    arrived: SduBatch,
}

impl ByteMode {
    pub(super) fn new(link: Link, budget: usize) -> Self {
        Self {
            link,
            goodput: GoodputWindows::default(),
            budget,
            polled: SduBatch::new(),
            arrived: SduBatch::new(),
        }
    }

    /// Step 1 of a tick: rows of the windows that ended.
    #[inline]
    pub(super) fn close_windows(
        &mut self,
        t_ms: u64,
        journal: &mut Journal<'_>,
    ) -> Result<(), OutputError> {
        while self.goodput.is_over(t_ms) {
            let bps = self.goodput.close();
            for side in Side::BOTH {
                let goodput_bps = Some(bps[side.index()]);
                let row = Row::new(t_ms, side, RowLayer::Bytelink, "goodput");
                journal.recorder.row(&Row { goodput_bps, ..row })?;
            }
        }
        Ok(())
    }

    /// Step 4 of a tick.
    #[inline]
    pub(super) fn tick(
        &mut self,
        t_ms: u64,
        seats: &mut Seats<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<(), Halt> {
        for seat in seats.iter_mut() {
            self.poll(t_ms, seat, journal)?;
        }
        if self.link.next_due().is_some_and(|due| due <= t_ms) {
            for direction in Direction::BOTH {
                self.deliver(t_ms, direction, seats, journal)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn poll(
        &mut self,
        t_ms: u64,
        seat: &mut Seat<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<(), Halt> {
        self.polled.clear();
        let (budget, polled) = (self.budget, &mut self.polled);
        seat.call(Callback::PollLinkTx, |adapter, context| {
            adapter.poll_link_tx(context, budget, polled)
        })?;
        journal.events_of(seat)?;
        if self.polled.is_empty() {
            Ok(())
        } else {
            self.send(t_ms, seat, journal)
        }
    }

    fn send(&mut self, t_ms: u64, seat: &Seat<'_>, journal: &mut Journal<'_>) -> Result<(), Halt> {
        let limits = Limits {
            budget: self.budget,
            sdu_max_bytes: seat.context.config().sdu_max_bytes,
        };
        // Checked here for every kind of adapter.
        limits
            .check(&self.polled, 0)
            .map_err(|fault| seat.halt(Callback::PollLinkTx, fault))?;
        for sdu in self.polled.iter() {
            self.link.send(seat.side.sends(), t_ms, sdu, journal)?;
        }
        Ok(())
    }

    fn deliver(
        &mut self,
        t_ms: u64,
        direction: Direction,
        seats: &mut Seats<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<(), Halt> {
        self.arrived.clear();
        let before = self.link.stats(direction).sdu_bits_delivered();
        self.link
            .deliver(direction, t_ms, &mut self.arrived, journal)?;
        if self.arrived.is_empty() {
            return Ok(());
        }
        let receiver = direction.receiver();
        // Not the bits that arrived: a duplicate is no goodput.
        let bits = self.link.stats(direction).sdu_bits_delivered() - before;
        self.goodput.count(receiver, bits);
        let (seat, arrived) = (&mut seats[receiver.index()], &self.arrived);
        seat.call(Callback::OnLinkRx, |adapter, context| {
            adapter.on_link_rx(context, arrived)
        })?;
        journal.events_of(seat)
    }
}
