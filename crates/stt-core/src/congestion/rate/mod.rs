//! The rate-based controller for lossy links (`docs/spec/stt-recovery.md`, 7.4): it models the path
//! by its rate and its least round-trip time, and minds loss only beyond what links lose anyway.

mod filter;
mod phase;

use core::time::Duration;

use self::{
    filter::{MaxRate, MinRtt},
    phase::{Machine, Phase, View},
};
use super::{Acked, Controller, Loss};

#[derive(Debug)]
pub(super) struct Rate {
    mtu: u16,
    first_window: u64,
    rate: MaxRate,
    min_rtt: MinRtt,
    machine: Machine,
    round: Round,
    /// Bound of the rate until the next probe for more, set by excessive loss.
    rate_bound: u64,
    /// Bound of the bytes in flight, set by excessive loss and raised by probes.
    flight_bound: u64,
    window: u64,
}

/// What happened since the current round trip began.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    acked: u64,
    lost: u64,
    /// The highest rate sample, and the most bytes in flight.
    rate: u64,
    flight: u64,
    app_limited: bool,
    /// Something was lost while a queue stood.
    congested: bool,
}

impl Rate {
    pub(super) fn new(mtu: u16, window: u64, seed: u64) -> Self {
        Self {
            mtu,
            first_window: window,
            rate: MaxRate::default(),
            min_rtt: MinRtt::default(),
            machine: Machine::new(seed),
            round: Round::default(),
            rate_bound: u64::MAX,
            flight_bound: u64::MAX,
            window,
        }
    }

    /// The path's rate as far as it may be used now, bytes per second.
    fn usable_rate(&self) -> u64 {
        self.rate.max().min(self.rate_bound)
    }

    /// Bytes that the path holds at that rate, in hundredths `gain`.
    fn product(&self, rate: u64, gain: u64) -> u64 {
        let nanos = self.min_rtt.get().as_nanos();
        let bytes = u128::from(rate) * nanos / 1_000_000_000 * u128::from(gain) / 100;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn least_window(&self) -> u64 {
        LEAST_PACKETS * u64::from(self.mtu)
    }

    /// More was lost in this round than a link loses by itself.
    fn is_lossy(&self) -> bool {
        let Round {
            acked,
            lost,
            congested,
            ..
        } = self.round;
        congested
            || lost >= TOLERATED_PACKETS * u64::from(self.mtu)
                && lost * 100 > (lost + acked) * TOLERATED_PERCENT
    }

    fn on_round(&mut self) {
        let lossy = self.is_lossy();
        if lossy {
            // What got through is what there is for us, until the next probe.
            let least = part(self.usable_rate(), LOSS_KEEPS);
            self.rate_bound = self.round.rate.max(least);
            self.machine.on_congestion();
            let floor = self
                .product(self.usable_rate(), 100)
                .max(self.least_window());
            let bound = part(self.round.flight.min(self.flight_bound), LOSS_KEEPS);
            self.flight_bound = bound.max(floor);
        } else if self.machine.phase() == Phase::Up && self.flight_bound < u64::MAX {
            // Nobody minded: allow a quarter more; at twice the product the bound has no use.
            self.flight_bound += self.flight_bound / 4;
            if self.flight_bound > self.product(self.rate.max(), 2 * WINDOW_GAIN) {
                self.flight_bound = u64::MAX;
            }
        }
        self.machine
            .on_round(self.rate.max(), self.round.app_limited, lossy);
        self.rate.advance();
        self.round = Round::default();
    }

    fn set_window(&mut self, ack: &Acked<'_>) {
        let rate = self.usable_rate();
        let gain = if self.machine.phase() == Phase::Startup {
            STARTUP_WINDOW_GAIN
        } else {
            WINDOW_GAIN
        };
        // Three packets more, so that delayed acknowledgements don't stall a short path.
        let target = (self.product(rate, gain) + 3 * u64::from(self.mtu)).min(self.flight_bound);
        self.window = match self.machine.phase() {
            // The first rounds measure nothing yet: never shrink, grow as slow start does.
            Phase::Startup => self
                .window
                .saturating_add(ack.bytes)
                .min(target.max(self.window)),
            Phase::Floor => self.product(rate, FLOOR_GAIN),
            _ => target.min(self.window.saturating_add(ack.bytes)),
        }
        .max(self.least_window());
    }
}

impl Controller for Rate {
    fn on_ack(&mut self, ack: &Acked<'_>) {
        let expired = self.min_rtt.update(ack.now, ack.rtt.latest());
        self.round.acked += ack.bytes;
        self.round.flight = self.round.flight.max(ack.before);
        if let Some(sample) = ack.sample {
            self.round.rate = self.round.rate.max(sample.rate);
            self.round.app_limited |= sample.app_limited;
            // An application's own rate tells of the path only if it is higher than known.
            if !sample.app_limited || sample.rate >= self.rate.max() {
                self.rate.update(sample.rate);
            }
        }
        if ack.round {
            self.on_round();
        }
        let product = self.product(self.usable_rate(), 100);
        let left = self.machine.step(&View {
            now: ack.now,
            min_rtt: self.min_rtt.get(),
            in_flight: ack.in_flight,
            product,
            floor: self
                .product(self.usable_rate(), FLOOR_GAIN)
                .max(self.least_window()),
            lossy: self.is_lossy(),
            bounded: ack.before >= self.flight_bound,
            min_rtt_expired: expired,
            round: ack.round,
        });
        match left {
            Some(Phase::Floor) => self.min_rtt.renew(ack.now),
            Some(Phase::Cruise) => self.rate_bound = u64::MAX,
            _ => {}
        }
        self.set_window(ack);
    }

    fn on_loss(&mut self, loss: &Loss) {
        self.round.lost += loss.bytes;
        let least = self.min_rtt.get();
        self.round.congested |= loss.bytes > 0 && loss.rtt > least + least / 8;
        self.round.flight = self.round.flight.max(loss.flight);
        if loss.event && loss.bytes == 0 {
            // A mark is a queue that the network minds.
            let keeps = part(self.window, MARK_KEEPS).max(self.least_window());
            self.flight_bound = self.flight_bound.min(keeps);
            self.window = self.window.min(keeps);
        }
        if loss.persistent {
            self.rate = MaxRate::default();
            self.rate_bound = u64::MAX;
            self.flight_bound = u64::MAX;
            self.machine.restart();
            self.window = self.least_window();
        }
    }

    fn on_spurious(&mut self) {
        self.rate_bound = u64::MAX;
        self.flight_bound = u64::MAX;
    }

    fn on_mtu(&mut self, mtu: u16) {
        self.mtu = mtu;
        self.window = self.window.max(self.least_window());
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn pacing_rate(&self) -> Option<u64> {
        // Before anything is measured the window and the round trip decide.
        if self.rate.max() == 0 {
            return None;
        }
        let gain = self.machine.pacing_gain();
        let mut rate = part(self.usable_rate(), gain);
        if self.machine.phase() == Phase::Startup {
            // Samples of the first, short flights must not slow the search down.
            let nanos = self.min_rtt.get().max(Duration::from_nanos(1)).as_nanos();
            let first = u128::from(self.first_window) * 1_000_000_000 / nanos;
            rate = rate.max(u64::try_from(first).unwrap_or(u64::MAX));
        }
        Some(rate.max(1))
    }

    fn is_slow_start(&self) -> bool {
        self.machine.phase() == Phase::Startup
    }
}

/// So many hundredths of `value`.
fn part(value: u64, hundredths: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(hundredths) / 100).unwrap_or(u64::MAX)
}

/// Of what is acknowledged and lost in a round, so much may be lost: BBR's 2%.
const TOLERATED_PERCENT: u64 = 2;
/// In short rounds, chance makes more; so many packets may always be lost.
const TOLERATED_PACKETS: u64 = 3;
/// What excessive loss leaves, hundredths: CUBIC's β, so that both yield alike.
const LOSS_KEEPS: u64 = 70;
/// What a mark leaves, hundredths (RFC 8511).
const MARK_KEEPS: u64 = 85;
/// Bytes in flight against the product of rate and round trip, hundredths: room for delayed and
/// compressed acknowledgements and for probing.
const WINDOW_GAIN: u64 = 200;
/// 2/ln 2 doubles the window each round.
const STARTUP_WINDOW_GAIN: u64 = 289;
/// In flight while the least round-trip time is measured anew, hundredths of the product.
const FLOOR_GAIN: u64 = 50;
/// Delayed acknowledgements need two packets, and one more pair keeps the path busy.
const LEAST_PACKETS: u64 = 4;
