use core::time::Duration;
use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::{Ecn, Timestamp};

/// A datagram on its way.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The ECN field that it arrives with.
    pub ecn: Ecn,
}

/// One direction of a link between two endpoints.
///
/// Deterministic: what it does follows from its state, the time and its own random stream.
pub trait Link {
    /// A datagram enters at `now`. `deliver` takes each copy with its time of arrival.
    fn send(&mut self, now: Timestamp, flight: Flight, deliver: &mut dyn FnMut(Timestamp, Flight));

    /// What it does from now on, if it knows how; its luck goes on.
    fn reconfigure(&mut self, config: LinkConfig);
}

/// What [`SimpleLink`] does to datagrams. Probabilities are in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// One-way delay.
    pub latency: Duration,
    /// Added to it at random, evenly spread: datagrams overtake each other.
    pub jitter: Duration,
    /// Bit rate of the bottleneck, `None` for no limit.
    pub rate: Option<u64>,
    /// Bytes that may wait for the bottleneck; what comes on top is dropped.
    pub queue: usize,
    /// Larger datagrams are dropped.
    pub mtu: usize,
    /// Dropped.
    pub loss: u32,
    /// Within a second a drop is followed by another one: bursts of mean length 1 / (1 − p).
    pub burst: u32,
    /// Delivered twice.
    pub duplicate: u32,
    /// One bit flipped.
    pub corrupt: u32,
    /// Marked CE if the sender allows.
    pub mark: u32,
    /// With so many bytes waiting for the bottleneck all are marked CE if the sender allows.
    pub mark_above: usize,
    /// What becomes of the ECN field.
    pub ecn: EcnField,
    /// Datagrams that this happens to: one of several routers does it, or all do.
    pub ecn_share: u32,
    /// Nothing passes.
    pub cut: bool,
}

/// What a link does to datagrams by their ECN field, after it has marked them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EcnField {
    /// Nothing.
    #[default]
    Kept,
    /// Sets it to zero.
    Cleared,
    /// ECT(0) becomes ECT(1).
    Changed,
    /// Drops them unless it is zero.
    Dropped,
}

impl LinkConfig {
    /// 1 ms, nothing lost, no limit of rate.
    pub const PERFECT: Self = Self {
        latency: Duration::from_millis(1),
        jitter: Duration::ZERO,
        rate: None,
        queue: usize::MAX,
        mtu: 65_535,
        loss: 0,
        burst: 0,
        duplicate: 0,
        corrupt: 0,
        mark: 0,
        mark_above: usize::MAX,
        ecn: EcnField::Kept,
        ecn_share: 1_000_000,
        cut: false,
    };

    /// A link of `rate` bit/s with `latency` one way and a queue of one round trip, at least ten
    /// full datagrams.
    pub fn bottleneck(rate: u64, latency: Duration) -> Self {
        let product = u128::from(rate) * latency.as_micros() * 2 / 8_000_000;
        Self {
            latency,
            rate: Some(rate),
            queue: usize::try_from(product).unwrap_or(usize::MAX).max(15_000),
            mtu: 1_500,
            ..Self::PERFECT
        }
    }
}

/// Delay, rate, queue, loss, duplication, reordering, corruption, each from one random stream.
pub struct SimpleLink {
    config: LinkConfig,
    rng: ChaCha8Rng,
    /// Luck of the ECN field, apart from the other.
    ecn_rng: ChaCha8Rng,
    /// When the bottleneck has sent everything that waits.
    free_at: Timestamp,
    /// The latest drop: what follows soon may share its fate.
    dropped_at: Option<Timestamp>,
}

impl SimpleLink {
    /// A link that draws its luck from `seed`.
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        let mut ecn_rng = ChaCha8Rng::seed_from_u64(seed);
        ecn_rng.set_stream(1);
        Self {
            config,
            rng: ChaCha8Rng::seed_from_u64(seed),
            ecn_rng,
            free_at: Timestamp::ZERO,
            dropped_at: None,
        }
    }

    /// What it does from now on.
    pub fn config_mut(&mut self) -> &mut LinkConfig {
        &mut self.config
    }

    fn luck(&mut self, per_million: u32) -> bool {
        // Drawn always, so that one setting does not shift the others' luck.
        self.rng.next_u32() % 1_000_000 < per_million
    }
}

impl Link for SimpleLink {
    fn reconfigure(&mut self, config: LinkConfig) {
        self.config = config;
    }

    fn send(
        &mut self,
        now: Timestamp,
        mut flight: Flight,
        deliver: &mut dyn FnMut(Timestamp, Flight),
    ) {
        let config = self.config;
        let again = self.luck(config.burst);
        let in_burst = self
            .dropped_at
            .is_some_and(|at| now.saturating_since(at) < BURST);
        let lost = self.luck(config.loss) || in_burst && again;
        let duplicate = self.luck(config.duplicate);
        let corrupt = self.luck(config.corrupt);
        let mut mark = self.luck(config.mark);
        let treated = self.ecn_rng.next_u32() % 1_000_000 < config.ecn_share;
        let place = self.rng.next_u64();
        let late = self.rng.next_u64();
        if lost {
            self.dropped_at = Some(now);
        }
        if config.cut || lost || flight.bytes.len() > config.mtu {
            return;
        }
        let mut leaves = now;
        if let Some(rate) = config.rate {
            let begins = self.free_at.max(now);
            let waiting = begins.saturating_since(now);
            let waiting_bytes = waiting.as_nanos() * u128::from(rate) / 8_000_000_000;
            mark |= waiting_bytes >= config.mark_above as u128;
            if waiting_bytes + flight.bytes.len() as u128 > config.queue as u128 {
                return;
            }
            let bits = flight.bytes.len() as u64 * 8;
            leaves =
                begins + Duration::from_nanos(bits.saturating_mul(1_000_000_000) / rate.max(1));
            self.free_at = leaves;
        }
        if corrupt && !flight.bytes.is_empty() {
            let bit = place % (flight.bytes.len() as u64 * 8);
            flight.bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        if mark && matches!(flight.ecn, Ecn::Ect0 | Ecn::Ect1) {
            flight.ecn = Ecn::Ce;
        }
        match config.ecn {
            EcnField::Cleared if treated => flight.ecn = Ecn::NotEct,
            EcnField::Changed if treated && flight.ecn == Ecn::Ect0 => flight.ecn = Ecn::Ect1,
            EcnField::Dropped if treated && flight.ecn != Ecn::NotEct => return,
            _ => {}
        }
        let jitter = u64::try_from(config.jitter.as_nanos()).unwrap_or(u64::MAX);
        let spread = |luck: u64| Duration::from_nanos(if jitter == 0 { 0 } else { luck % jitter });
        let arrives = leaves + config.latency;
        if duplicate {
            deliver(arrives + spread(late.rotate_left(32)), flight.clone());
        }
        deliver(arrives + spread(late), flight);
    }
}

/// A burst of drops lasts no longer than this without a datagram.
const BURST: Duration = Duration::from_secs(1);

/// Datagrams under way to one endpoint, in the order of their arrival; among equals, of sending.
pub struct InFlight<T> {
    queue: BTreeMap<(Timestamp, u64), T>,
    sent: u64,
}

impl<T> InFlight<T> {
    /// None.
    pub const fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            sent: 0,
        }
    }

    /// One that arrives at `at`.
    pub fn push(&mut self, at: Timestamp, item: T) {
        self.queue.insert((at, self.sent), item);
        self.sent += 1;
    }

    /// When the next one arrives.
    pub fn next(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next one if it has arrived.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<T> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self::new()
    }
}
