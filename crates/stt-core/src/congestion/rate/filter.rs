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
    /// The least sample since that one is too old.
    anew: Option<Duration>,
}

impl MinRtt {
    /// Takes a sample. Whether the least one is so old that it has to be measured anew.
    pub(super) fn update(&mut self, now: Timestamp, sample: Duration) -> bool {
        if self.rtt.is_none_or(|rtt| sample <= rtt) {
            self.rtt = Some(sample);
            self.at = now;
            self.anew = None;
        }
        let expired = now.saturating_since(self.at) > WINDOW;
        if expired {
            self.anew = Some(self.anew.map_or(sample, |least| least.min(sample)));
        }
        expired
    }

    /// Measured anew: what was seen since it expired holds for another window.
    pub(super) fn renew(&mut self, now: Timestamp) {
        self.rtt = self.anew.take().or(self.rtt);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_round_trip_is_that_of_the_last_ten_seconds() {
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1_000);
        let ms = Duration::from_millis;
        let mut least = MinRtt::default();
        assert!(!least.update(at(0), ms(50)));
        assert!(!least.update(at(5), ms(600)));
        assert!(least.update(at(11), ms(650)));
        assert!(least.update(at(11), ms(610)));
        assert!(least.update(at(12), ms(640)));
        assert_eq!(least.get(), ms(50), "until it is measured");
        least.renew(at(12));
        assert_eq!(least.get(), ms(610));
        assert!(!least.update(at(13), ms(640)));
        assert!(!least.update(at(14), ms(60)));
        least.renew(at(15));
        assert_eq!(least.get(), ms(60));
    }
}
