use core::time::Duration;

use crate::Timestamp;

/// The highest rate sampled in the last ten rounds, bytes per second.
#[derive(Debug, Default)]
pub(super) struct MaxRate {
    rounds: [u64; ROUNDS],
    at: u8,
}

impl MaxRate {
    pub(super) fn update(&mut self, rate: u64) {
        let round = &mut self.rounds[usize::from(self.at)];
        *round = rate.max(*round);
    }

    /// A round begins; the oldest is forgotten unless nothing else is known.
    pub(super) fn advance(&mut self) {
        let next = (usize::from(self.at) + 1) % ROUNDS;
        let oldest = core::mem::take(&mut self.rounds[next]);
        self.at = u8::try_from(next).unwrap_or(0);
        if self.max() == 0 {
            self.rounds[next] = oldest;
        }
    }

    pub(super) fn max(&self) -> u64 {
        self.rounds.iter().copied().max().unwrap_or(0)
    }
}

/// The least round-trip time of the last ten seconds.
#[derive(Debug, Default)]
pub(super) struct MinRtt {
    rtt: Option<Duration>,
    at: Timestamp,
}

impl MinRtt {
    /// Takes a sample. Whether the least one is so old that it has to be measured anew.
    pub(super) fn update(&mut self, now: Timestamp, sample: Duration) -> bool {
        if self.rtt.is_none_or(|rtt| sample <= rtt) {
            self.rtt = Some(sample);
            self.at = now;
        }
        now.saturating_since(self.at) > WINDOW
    }

    /// Measured anew: whatever was seen, it holds for another window.
    pub(super) fn renew(&mut self, now: Timestamp) {
        self.at = now;
    }

    pub(super) fn get(&self) -> Duration {
        self.rtt.unwrap_or(Duration::ZERO)
    }
}

/// A cycle of eight rounds and one round trip to either side.
const ROUNDS: usize = 10;
/// Time for a queue of other flows to drain once by chance.
const WINDOW: Duration = Duration::from_secs(10);
