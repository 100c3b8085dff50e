use core::time::Duration;

/// The round-trip time of a path (RFC 9002 §5; `docs/spec/stt-recovery.md`, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RttEstimator {
    latest: Duration,
    min: Duration,
    smoothed: Duration,
    variation: Duration,
    sampled: bool,
}

impl RttEstimator {
    /// Nothing measured yet: reckon with `first` (RFC 9002 §5.3).
    pub(crate) fn new(first: Duration) -> Self {
        Self {
            latest: first,
            min: first,
            smoothed: first,
            variation: first / 2,
            sampled: false,
        }
    }

    /// Takes a sample, of which the peer says that it held the acknowledgement back for
    /// `ack_delay` (already bounded by what it promised).
    pub(crate) fn update(&mut self, sample: Duration, ack_delay: Duration) {
        // A path without any delay still has one: pacing divides by it.
        let sample = sample.max(Duration::from_nanos(1_000));
        self.latest = sample;
        if !self.sampled {
            self.sampled = true;
            self.min = sample;
            self.smoothed = sample;
            self.variation = sample / 2;
            return;
        }
        self.min = self.min.min(sample);
        let adjusted = if sample >= self.min + ack_delay {
            sample - ack_delay
        } else {
            sample
        };
        let deviation = self.smoothed.abs_diff(adjusted);
        self.variation = (3 * self.variation + deviation) / 4;
        self.smoothed = (7 * self.smoothed + adjusted) / 8;
    }

    /// Forgets the minimum, which persistent congestion makes doubtful (RFC 9002 §5.2).
    pub(crate) fn reset_min(&mut self) {
        self.min = self.latest;
    }

    /// The latest sample, before any is taken the first guess.
    pub const fn latest(&self) -> Duration {
        self.latest
    }

    /// The least sample.
    pub const fn min(&self) -> Duration {
        self.min
    }

    /// The smoothed round-trip time.
    pub const fn smoothed(&self) -> Duration {
        self.smoothed
    }

    /// The mean deviation from it.
    pub const fn variation(&self) -> Duration {
        self.variation
    }

    /// Whether any sample has been taken.
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// smoothed_rtt + max(4·rttvar, kGranularity): the probe time-out before the peer's delay (RFC
    /// 9002 §6.2.1).
    pub(crate) fn pto_base(&self) -> Duration {
        self.smoothed + (4 * self.variation).max(GRANULARITY)
    }
}

/// kGranularity (RFC 9002 §6.1.2): drivers' timers are no finer.
pub(crate) const GRANULARITY: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn first_sample_replaces_the_guess() {
        let mut rtt = RttEstimator::new(ms(333));
        assert_eq!(rtt.pto_base(), ms(999));
        rtt.update(ms(100), ms(90));
        assert_eq!((rtt.min(), rtt.smoothed()), (ms(100), ms(100)));
        assert_eq!(rtt.variation(), ms(50));
    }

    #[test]
    fn the_variation_counts_for_a_millisecond_at_least() {
        let mut rtt = RttEstimator::new(ms(333));
        for _ in 0..100 {
            rtt.update(ms(100), ms(0));
        }
        assert_eq!(rtt.pto_base(), ms(101));
    }

    #[test]
    fn later_samples_follow_section_5_3() {
        let mut rtt = RttEstimator::new(ms(333));
        rtt.update(ms(100), ms(0));
        rtt.update(ms(140), ms(20));
        // adjusted 120: rttvar = 3/4·50 + 1/4·20, smoothed = 7/8·100 + 1/8·120.
        assert_eq!(rtt.variation(), Duration::from_micros(42_500));
        assert_eq!(rtt.smoothed(), Duration::from_micros(102_500));
        assert_eq!(rtt.latest(), ms(140));
    }

    #[test]
    fn delay_is_not_taken_off_below_the_minimum() {
        let mut rtt = RttEstimator::new(ms(333));
        rtt.update(ms(100), ms(0));
        rtt.update(ms(101), ms(20));
        assert_eq!(rtt.smoothed(), Duration::from_micros(100_125));
        assert_eq!(rtt.min(), ms(100));
    }
}
