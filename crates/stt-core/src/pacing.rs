use core::time::Duration;

use crate::Timestamp;

/// Spreads packets over the round trip (RFC 9002 §7.7; `docs/spec/stt-recovery.md`, 6.3): a bucket
/// of bytes that fills at the pacing rate.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Bytes that may go out at `at`.
    tokens: u64,
    /// Remainder of the filling: byte·ns/s.
    rest: u64,
    at: Timestamp,
    /// A packet was held back until then. What the driver is late by isn't lost to the flow.
    held_until: Option<Timestamp>,
}

impl Pacer {
    /// A full bucket.
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            tokens: FULL,
            rest: 0,
            at: now,
            held_until: None,
        }
    }

    /// When `bytes` may go out, if not now, at `rate` bytes per second with bursts of `burst`.
    pub(crate) fn delay(
        &mut self,
        now: Timestamp,
        bytes: u64,
        rate: u64,
        burst: u64,
    ) -> Option<Timestamp> {
        self.fill(now, rate, burst);
        // More than a burst never fits: let it go when the bucket is full.
        let missing = bytes.min(burst).saturating_sub(self.tokens);
        if missing == 0 {
            self.held_until = None;
            return None;
        }
        let nanos = (u128::from(missing) * u128::from(SECOND) - u128::from(self.rest))
            .div_ceil(u128::from(rate.max(1)));
        let until = now + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.held_until = Some(until);
        Some(until)
    }

    /// `bytes` went out.
    pub(crate) fn on_sent(&mut self, bytes: u64) {
        self.tokens = self.tokens.saturating_sub(bytes);
    }

    fn fill(&mut self, now: Timestamp, rate: u64, burst: u64) {
        // Within a burst: nothing has come in, and no packet was held back.
        if now == self.at && self.held_until.is_none() && self.tokens != FULL {
            return;
        }
        let passed = now.saturating_since(self.at).as_nanos();
        let gain = passed * u128::from(rate) + u128::from(self.rest);
        self.at = self.at.max(now);
        self.rest = u64::try_from(gain % u128::from(SECOND)).unwrap_or(0);
        let gain = u64::try_from(gain / u128::from(SECOND)).unwrap_or(u64::MAX);
        let late = self.held_until.map_or(Duration::ZERO, |until| {
            now.saturating_since(until).min(LATE)
        });
        let lateness = late.as_nanos() * u128::from(rate) / u128::from(SECOND);
        let most = burst.saturating_add(u64::try_from(lateness).unwrap_or(u64::MAX));
        // The burst bounds what is earned, not what was granted for a late driver.
        self.tokens = match self.tokens {
            FULL => burst,
            tokens => tokens.saturating_add(gain).min(most).max(tokens),
        };
    }
}

/// Filled to the burst, which is known at first use.
const FULL: u64 = u64::MAX;
const SECOND: u64 = 1_000_000_000;
/// Drivers with a coarse clock come so late at most: two ticks of DryBox's default of 10 ms.
const LATE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_silence_nor_a_late_driver_earns_more_than_its_bound() {
        // A burst, and of the lateness after a wait 20 ms.
        for (is_held, earned) in [(false, 10), (true, 30)] {
            let mut pacer = Pacer::new(Timestamp::ZERO);
            let sent = |pacer: &mut Pacer, now, most| {
                (0..most)
                    .take_while(|_| {
                        let goes = pacer.delay(now, 1_000, 1_000_000, 10_000).is_none();
                        if goes {
                            pacer.on_sent(1_000);
                        }
                        goes
                    })
                    .count()
            };
            // The eleventh is held back, if it is asked for.
            let asked = if is_held { 11 } else { 10 };
            assert_eq!(sent(&mut pacer, Timestamp::ZERO, asked), 10);
            assert_eq!(sent(&mut pacer, Timestamp::from_millis(2_000), 100), earned);
        }
    }

    /// Sends as much as the pacer lets through in a second, called when it asks, but only at
    /// multiples of `tick`.
    fn sent_in_a_second(rate: u64, burst: u64, tick: u64) -> u64 {
        let mut pacer = Pacer::new(Timestamp::ZERO);
        let (mut now, mut sent) = (0, 0);
        while now < SECOND {
            match pacer.delay(Timestamp::from_nanos(now), 1_000, rate, burst) {
                None => {
                    pacer.on_sent(1_000);
                    sent += 1_000;
                }
                Some(at) => {
                    assert!(at.as_nanos() > now, "a wait of nothing would loop");
                    now = at.as_nanos().div_ceil(tick) * tick;
                }
            }
        }
        sent
    }

    #[test]
    fn rate_is_kept_with_fine_and_coarse_clocks() {
        for rate in [150, 15_000, 1_000_000, 10_000_000, 1_250_000_000] {
            for tick in [1, 1_000_000, 10_000_000] {
                let sent = sent_in_a_second(rate, 10_000, tick);
                let most = rate + 11_000;
                assert!(sent <= most, "{sent} of {most} at tick {tick}");
                assert!(
                    sent + 11_000 >= rate / 100 * 97,
                    "{sent} of {rate} at tick {tick}"
                );
            }
        }
    }

    #[test]
    fn idle_time_earns_one_burst() {
        let mut pacer = Pacer::new(Timestamp::ZERO);
        let later = Timestamp::from_millis(60_000);
        let mut sent = 0;
        while pacer.delay(later, 1_000, 1_000_000, 5_000).is_none() {
            pacer.on_sent(1_000);
            sent += 1_000;
        }
        assert_eq!(sent, 5_000);
    }
}
