use core::time::Duration;

use crate::LinkProfile;

/// What a [`LinkProfile`] says about timers and sizes, until a session has measured them
/// (`docs/spec/stt-recovery.md`, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkTimers {
    profile: LinkProfile,
}

impl LinkProfile {
    /// The timers and sizes that follow from this profile.
    pub const fn timers(self) -> LinkTimers {
        LinkTimers { profile: self }
    }
}

impl LinkTimers {
    /// The time that the link needs to put `bytes` on the wire; zero where the rate is unknown
    /// (2.1).
    pub fn serialisation(&self, bytes: u64) -> Duration {
        match self.profile.rate_hint {
            Some(rate) if !self.profile.reliable => {
                let nanos = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate.max(1));
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(LONGEST)
            }
            _ => Duration::ZERO,
        }
    }

    /// Whether every byte counts: a rate under 64 kbit/s is known (2.2).
    pub fn is_narrow(&self) -> bool {
        !self.profile.reliable && self.profile.rate_hint.is_some_and(|rate| rate < NARROW)
    }

    /// The round-trip time to reckon with before one is measured (RFC 9002 §6.2.2; 2.3).
    pub fn first_rtt(&self) -> Duration {
        FIRST_RTT + 2 * self.serialisation(u64::from(self.profile.mtu))
    }

    /// How long to wait for an answer after HELLO copy number `attempt`, counted from 0, where
    /// HELLO and its answer are `hello_and_response` bytes together (2.4).
    pub fn hello_timer(&self, attempt: u32, hello_and_response: u64) -> Duration {
        let first = HELLO_TIMER.max(2 * self.serialisation(hello_and_response));
        let doublings = attempt.saturating_sub(HELLO_TIMER_REPEATS - 1).min(16);
        (first * (1 << doublings)).min(HELLO_TIMER_MOST.max(first))
    }

    /// The congestion window to start with, bytes, for packets of `mtu` bytes (RFC 9002 §7.2;
    /// 2.5).
    pub fn first_window(&self, mtu: u16) -> u64 {
        let mtu = u64::from(mtu);
        let window = (10 * mtu).min((2 * mtu).max(14_720));
        match self.profile.rate_hint {
            Some(rate) if self.is_narrow() => {
                let nanos = self.first_rtt().as_nanos();
                let product = u128::from(rate) * nanos / 8 / 1_000_000_000;
                window
                    .min(u64::try_from(product).unwrap_or(u64::MAX))
                    .max(2 * mtu)
            }
            _ => window,
        }
    }

    /// The longest time that an acknowledgement may be held back (RFC 9000 §13.2.1; 2.6).
    pub fn max_ack_delay(&self) -> Duration {
        if self.is_narrow() {
            let two = 2 * self.serialisation(u64::from(self.profile.mtu));
            two.clamp(MAX_ACK_DELAY, MAX_ACK_DELAY_NARROW)
        } else {
            MAX_ACK_DELAY
        }
    }

    /// How many ack-eliciting packets, arrived in order, ask for an acknowledgement at once, when
    /// `received` of them have come on the session so far (RFC 9000 §13.2.2; 2.7).
    pub fn ack_threshold(&self, received: u64) -> u32 {
        if self.profile.reliable {
            4
        } else if received < 100 || self.is_narrow() {
            2
        } else {
            8
        }
    }

    /// How long the first of two or more packets that stay under [`LinkTimers::ack_threshold`] waits for its
    /// acknowledgement, at most `max_ack_delay`: a sender whose window is a few packets would stand still otherwise (2.7).
    pub fn ack_pause(&self, max_ack_delay: Duration) -> Duration {
        max_ack_delay.min(ACK_PAUSE)
    }

    /// The interval of keep-alive packets for a session that ends after `idle` of silence (RFC 9000
    /// §10.1.2; 2.8).
    pub fn keep_alive(&self, idle: Duration) -> Duration {
        if self.is_narrow() {
            idle / 2
        } else {
            (idle / 3).min(KEEP_ALIVE)
        }
    }

    /// The largest packet of at most `limit` bytes to send: a multiple of the bearer's fragment
    /// where it has one (2.9).
    pub fn packet_size(&self, limit: u16) -> u16 {
        match self.profile.fragment {
            Some(fragment) if fragment > 0 && fragment <= limit => limit - limit % fragment,
            _ => limit,
        }
    }

    /// Whether to look for a larger packet size (RFC 9000 §14.3; 2.10).
    pub fn discovers_mtu(&self) -> bool {
        !self.profile.reliable && self.profile.fragment.is_none() && !self.is_narrow()
    }

    /// How many packets a probe time-out may send (RFC 9002 §6.2.4; 2.11).
    pub fn probes(&self) -> u8 {
        if self.is_narrow() { 1 } else { 2 }
    }
}

/// Under this rate, bit/s, every byte counts (DESIGN of STT: no MTU discovery there).
const NARROW: u64 = 64_000;
/// kInitialRtt (RFC 9002 §6.2.2).
const FIRST_RTT: Duration = Duration::from_millis(333);
/// A wrong rate hint can't hold a timer for longer than this.
const LONGEST: Duration = Duration::from_secs(600);
/// First HELLO intervals: long enough for most paths, short against a human's patience.
const HELLO_TIMER: Duration = Duration::from_millis(200);
const HELLO_TIMER_REPEATS: u32 = 3;
const HELLO_TIMER_MOST: Duration = Duration::from_secs(8);
/// Default of RFC 9000 §18.2.
const MAX_ACK_DELAY: Duration = Duration::from_millis(25);
/// A second of waiting is already worth a packet of 64 bytes at 1,200 bit/s twice over.
const MAX_ACK_DELAY_NARROW: Duration = Duration::from_secs(1);
/// Eight full packets take as long at 80 Mbit/s; faster flows meet the threshold first.
const ACK_PAUSE: Duration = Duration::from_millis(1);
/// Half the shortest common time-out of address translators for UDP, 30 s (RFC 9308 §3.2).
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW_PIPE: LinkProfile = LinkProfile {
        mtu: 64,
        rate_hint: Some(1_200),
        reliable: false,
        fragment: Some(16),
    };

    #[test]
    fn narrow_pipe_gives_every_packet_its_time() {
        let timers = NARROW_PIPE.timers();
        assert_eq!(timers.serialisation(150), Duration::from_secs(1));
        assert!(timers.first_rtt() > Duration::from_millis(853 + 300));
        assert!((128..=200).contains(&timers.first_window(64)));
        assert_eq!(timers.max_ack_delay(), 2 * timers.serialisation(64));
        assert_eq!(timers.packet_size(64), 64);
        assert_eq!(timers.packet_size(63), 48);
        assert!(!timers.discovers_mtu());
        assert_eq!(timers.probes(), 1);
    }

    #[test]
    fn internet_has_the_numbers_of_the_rfc() {
        let timers = LinkProfile::INTERNET.timers();
        assert_eq!(timers.first_rtt(), Duration::from_millis(333));
        assert_eq!(timers.first_window(1_200), 12_000);
        assert_eq!(timers.first_window(9_000), 18_000);
        assert_eq!(timers.max_ack_delay(), Duration::from_millis(25));
        assert!(timers.discovers_mtu());
    }

    #[test]
    fn hello_timer_is_three_times_200_ms_then_doubles_to_8_s() {
        let millis: Vec<u128> = (0..12)
            .map(|attempt| LinkProfile::INTERNET.timers().hello_timer(attempt, 240))
            .map(|timer| timer.as_millis())
            .collect();
        assert_eq!(
            millis,
            [
                200, 200, 200, 400, 800, 1_600, 3_200, 6_400, 8_000, 8_000, 8_000, 8_000
            ]
        );
    }

    #[test]
    fn hello_timer_is_twice_the_serialisation_at_least() {
        let timers = NARROW_PIPE.timers();
        assert_eq!(timers.hello_timer(0, 240), 2 * timers.serialisation(240));
        let slower = LinkProfile {
            rate_hint: Some(300),
            ..NARROW_PIPE
        };
        let least = 2 * slower.timers().serialisation(240);
        assert!(least > Duration::from_secs(8));
        assert_eq!(slower.timers().hello_timer(9, 240), least);
    }

    #[test]
    fn no_hint_is_out_of_domain() {
        for rate in [0, 1, u64::MAX] {
            for mtu in [1, u16::MAX] {
                let profile = LinkProfile {
                    mtu,
                    rate_hint: Some(rate),
                    reliable: false,
                    fragment: Some(0),
                };
                let timers = profile.timers();
                assert!(timers.hello_timer(u32::MAX, u64::MAX) <= 2 * LONGEST);
                assert!(timers.first_window(mtu) >= 2 * u64::from(mtu));
                assert_eq!(timers.packet_size(7), 7);
            }
        }
    }
}
