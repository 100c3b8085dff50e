use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::Timestamp;

/// What the controller is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Looks for the rate by doubling.
    Startup,
    /// Lets the queue of that search drain.
    Drain,
    /// Asks for a quarter more.
    Up,
    /// Gives back what that queued.
    Down,
    /// Keeps the rate.
    Cruise,
    /// Keeps almost nothing in flight, to see the path without our own queue.
    Floor,
}

/// The phases and when they change.
#[derive(Debug)]
pub(super) struct Machine {
    phase: Phase,
    since: Timestamp,
    /// Cruising lasts this many round-trip times, so that flows don't probe in step.
    cruise: u32,
    seed: u64,
    /// And at least this long after congestion, so that flows that grow slowly get their turn.
    pause: Duration,
    /// The rate that startup has to beat by a quarter, and the rounds it failed to.
    full_rate: u64,
    full_rounds: u8,
    is_full: bool,
    /// Since when so little is in flight as the floor asks, and whether a round has passed.
    low_since: Option<Timestamp>,
    low_round: bool,
}

/// What the machine looks at with each acknowledgement.
#[derive(Debug)]
pub(super) struct View {
    pub(super) now: Timestamp,
    pub(super) min_rtt: Duration,
    pub(super) in_flight: u64,
    /// Rate by least round trip, bytes.
    pub(super) product: u64,
    /// What the floor wants in flight, bytes.
    pub(super) floor: u64,
    /// More was lost in this round than a link loses by itself.
    pub(super) lossy: bool,
    /// The bound of the bytes in flight was reached.
    pub(super) bounded: bool,
    pub(super) min_rtt_expired: bool,
    /// A round begins.
    pub(super) round: bool,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Startup,
            since: Timestamp::ZERO,
            cruise: CRUISE,
            seed,
            pause: Duration::ZERO,
            full_rate: 0,
            full_rounds: 0,
            is_full: false,
            low_since: None,
            low_round: false,
        }
    }

    pub(super) const fn phase(&self) -> Phase {
        self.phase
    }

    /// Hundredths of the rate to send at.
    pub(super) const fn pacing_gain(&self) -> u64 {
        match self.phase {
            Phase::Startup => 289,
            Phase::Drain => 35,
            Phase::Up => 125,
            Phase::Down => 75,
            Phase::Cruise | Phase::Floor => 100,
        }
    }

    /// Back to the search, after the path was lost.
    pub(super) fn restart(&mut self) {
        self.phase = Phase::Startup;
        self.full_rate = 0;
        self.full_rounds = 0;
        self.is_full = false;
    }

    /// Others need the path too: wait longer before the next probe.
    pub(super) fn on_congestion(&mut self) {
        self.pause = PAUSE + Duration::from_millis(self.draw() % 1_000);
    }

    /// A round ended in which `rate` was the highest known: the search is over when three of them
    /// in a row brought less than a quarter more, or one lost too much.
    pub(super) fn on_round(&mut self, rate: u64, app_limited: bool, lossy: bool) {
        if self.is_full {
            return;
        }
        if lossy {
            self.is_full = true;
        } else if rate >= self.full_rate + self.full_rate / 4 {
            self.full_rate = rate;
            self.full_rounds = 0;
        } else if !app_limited {
            self.full_rounds += 1;
            self.is_full = self.full_rounds >= FULL_ROUNDS;
        }
    }

    /// Moves on if it is time; the phase that was left.
    pub(super) fn step(&mut self, view: &View) -> Option<Phase> {
        let elapsed = view.now.saturating_since(self.since);
        if view.min_rtt_expired && self.phase != Phase::Floor {
            self.low_since = None;
            self.low_round = false;
            return self.enter(Phase::Floor, view.now);
        }
        let next = match self.phase {
            Phase::Startup => self.is_full.then_some(Phase::Drain),
            Phase::Drain => (view.in_flight <= view.product).then_some(Phase::Cruise),
            Phase::Up => {
                let filled = view.in_flight >= view.product + view.product / 4;
                let enough = elapsed > view.min_rtt && (filled || view.bounded);
                let stuck = elapsed > 3 * view.min_rtt;
                (view.lossy || enough || stuck).then_some(Phase::Down)
            }
            Phase::Down => {
                let drained = view.in_flight <= view.product;
                (drained || elapsed > view.min_rtt).then_some(Phase::Cruise)
            }
            Phase::Cruise => {
                let pause =
                    (self.cruise * view.min_rtt).max(self.pause.min(PAUSE_ROUNDS * view.min_rtt));
                (elapsed > pause).then_some(Phase::Up)
            }
            Phase::Floor => {
                if self.low_since.is_none() && view.in_flight <= view.floor {
                    self.low_since = Some(view.now);
                } else {
                    self.low_round |= view.round;
                }
                let stayed = self
                    .low_since
                    .is_some_and(|since| view.now.saturating_since(since) >= FLOOR_TIME);
                let back = if self.is_full {
                    Phase::Cruise
                } else {
                    Phase::Startup
                };
                (stayed && self.low_round).then_some(back)
            }
        }?;
        if next == Phase::Cruise {
            // Two rounds to either side of the usual.
            self.cruise = CRUISE - 2 + u32::try_from(self.draw() % 5).unwrap_or(2);
        }
        if next == Phase::Up {
            self.pause = Duration::ZERO;
        }
        self.enter(next, view.now)
    }

    /// The next of a row of numbers that differ between sessions. The generator is made anew each
    /// time, now and then: it would be larger than all the rest.
    fn draw(&mut self) -> u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        self.seed = rng.next_u64();
        rng.next_u64()
    }

    fn enter(&mut self, next: Phase, now: Timestamp) -> Option<Phase> {
        let left = self.phase;
        self.phase = next;
        self.since = now;
        Some(left)
    }
}

/// Round-trip times between two probes, in the mean: with up and down, a cycle of eight.
const CRUISE: u32 = 6;
/// After congestion: about as long as CUBIC takes to come back to where it was.
const PAUSE: Duration = Duration::from_secs(1);
/// But not longer than Reno would take at a window of as many packets.
const PAUSE_ROUNDS: u32 = 63;
/// Rounds without growth that end the search: one may be chance, two a delayed measurement.
const FULL_ROUNDS: u8 = 3;
/// Long enough for the queue of every such flow to be seen empty at the same time.
const FLOOR_TIME: Duration = Duration::from_millis(200);
