use core::time::Duration;

use crate::{Timestamp, varint};

/// What the connection last told of time: windows are tuned by it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) rtt: Duration,
}

/// Credit granted to the peer, for a stream or the session (`docs/spec/stt-streams.md` §4.3, §4.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    granted: u64,
    consumed: u64,
    size: u64,
    ceiling: u64,
    /// When the latest grant was given.
    since: Timestamp,
}

impl Window {
    /// A window of `size` bytes that may grow to `ceiling`.
    pub(super) fn new(size: u64, ceiling: u64, now: Timestamp) -> Self {
        Self {
            granted: size,
            consumed: 0,
            size,
            ceiling: ceiling.max(size),
            since: now,
        }
    }

    /// The application took `bytes`.
    pub(super) fn consume(&mut self, bytes: u64) {
        self.consumed += bytes;
    }

    /// Whether a new grant is due: less than half of the window is left.
    pub(super) fn is_due(&self) -> bool {
        // Nothing is granted beyond what an offset can be.
        2 * (self.granted.saturating_sub(self.consumed)) < self.size && self.granted < varint::MAX
    }

    /// Grants what may be granted now; the window grows if it was used up within two round trips.
    pub(super) fn grant(&mut self, clock: Clock) -> u64 {
        if self.is_due() {
            if clock.now.saturating_since(self.since) < 2 * clock.rtt {
                self.size = self.size.saturating_mul(2).min(self.ceiling);
            }
            self.since = clock.now;
        }
        let granted = self.consumed.saturating_add(self.size).min(varint::MAX);
        self.granted = self.granted.max(granted);
        self.granted
    }

    /// The offset up to which the peer may send.
    pub(super) fn granted(&self) -> u64 {
        self.granted
    }

    #[cfg(test)]
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(millis: u64) -> Clock {
        Clock {
            now: Timestamp::from_millis(millis),
            rtt: Duration::from_millis(50),
        }
    }

    #[test]
    fn a_grant_is_due_when_half_is_used() {
        let mut window = Window::new(1_000, 1_000, Timestamp::ZERO);
        window.consume(500);
        assert!(!window.is_due());
        window.consume(1);
        assert!(window.is_due());
        assert_eq!(window.grant(clock(0)), 1_501);
        assert!(!window.is_due());
    }

    #[test]
    fn the_smallest_windows_move_on_and_none_stays_none() {
        let mut window = Window::new(1, 1, Timestamp::ZERO);
        assert!(!window.is_due());
        window.consume(1);
        assert!(window.is_due());
        assert!(!Window::new(0, 0, Timestamp::ZERO).is_due());
    }

    #[test]
    fn grows_only_while_it_holds_the_sender_back() {
        let mut window = Window::new(1_000, 3_000, Timestamp::ZERO);
        window.consume(501);
        assert_eq!(window.grant(clock(200)), 1_501);
        window.consume(900);
        assert_eq!(window.grant(clock(250)), 1_401 + 2_000);
        window.consume(2_000);
        assert_eq!(
            window.grant(clock(260)),
            3_401 + 3_000,
            "never over its ceiling"
        );
        window.consume(3_000);
        assert_eq!(window.grant(clock(9_000)), 6_401 + 3_000);
    }

    #[test]
    fn never_over_the_largest_offset() {
        let mut window = Window::new(1 << 40, 1 << 40, Timestamp::ZERO);
        window.consume(varint::MAX - 5);
        assert_eq!(window.grant(clock(0)), varint::MAX);
        assert!(!window.is_due());
    }
}
