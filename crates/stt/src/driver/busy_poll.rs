//! Looking once more before sleeping (`docs/spec/stt-node.md` 3.5).

use std::time::Duration;

use stt_core::Timestamp;

/// Whether a driver with nothing to do looks for datagrams again or sleeps until the system wakes it.
///
/// Waking a thread takes the system longer than a short request and its answer take together. Looking again costs
/// the processor's time, so it is done only while datagrams come so close together that there would be little sleep.
#[derive(Debug)]
pub(super) struct BusyPoll {
    /// For how long at most; zero for never.
    window: Duration,
    /// Since when there has been nothing to do.
    idle_since: Option<Timestamp>,
    /// Waits in a row that ended within the window.
    streak: u32,
}

impl BusyPoll {
    pub(super) const fn new(window: Duration) -> Self {
        Self {
            window,
            idle_since: None,
            streak: 0,
        }
    }

    /// Datagrams have come.
    pub(super) fn heard(&mut self, now: Timestamp) {
        if let Some(since) = self.idle_since.take() {
            let is_short = now.saturating_since(since) <= self.window;
            self.streak = if is_short {
                (self.streak + 1).min(STREAK)
            } else {
                0
            };
        }
    }

    /// Nothing is left to do: whether to look again rather than to sleep.
    pub(super) fn looks_again(&mut self, now: Timestamp) -> bool {
        let since = *self.idle_since.get_or_insert(now);
        if self.streak < STREAK {
            return false;
        }
        let looks = now.saturating_since(since) < self.window;
        if !looks {
            self.streak = 0;
        }
        looks
    }
}

/// So many short waits in a row make the next one likely to be short.
const STREAK: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_micros(50);

    fn at(micros: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_micros(micros)
    }

    /// After so many datagrams, `gap` µs apart, the first of them at 0: whether it looks again, and the time.
    fn after(window: Duration, gap: u64, count: u64) -> (BusyPoll, u64) {
        let mut poll = BusyPoll::new(window);
        for number in 0..count {
            poll.heard(at(number * gap));
            poll.looks_again(at(number * gap));
        }
        (poll, (count.max(1) - 1) * gap)
    }

    #[test]
    fn only_datagrams_close_together_keep_it_awake() {
        let looks = |window, gap, count| {
            let (mut poll, now) = after(window, gap, count);
            poll.looks_again(at(now))
        };
        assert!(!looks(WINDOW, 10, 0));
        assert!(!looks(WINDOW, 10, 4), "three short waits");
        assert!(looks(WINDOW, 10, 5));
        assert!(looks(WINDOW, 50, 5));
        assert!(!looks(WINDOW, 51, 1_000));
        assert!(!looks(Duration::ZERO, 0, 1_000), "turned off");
    }

    #[test]
    fn it_sleeps_once_a_window_has_passed_and_starts_anew() {
        let (mut poll, now) = after(WINDOW, 10, 5);
        assert!(poll.looks_again(at(now + 49)));
        assert!(!poll.looks_again(at(now + 50)));
        assert!(!poll.looks_again(at(now + 51)), "woken by its timer");
        poll.heard(at(now + 60));
        assert!(!poll.looks_again(at(now + 60)), "one wait was too long");
    }

    #[test]
    fn pairs_of_datagrams_far_apart_cost_nothing() {
        let mut poll = BusyPoll::new(WINDOW);
        for pair in 0..100 {
            for gap in [0, 5] {
                poll.heard(at(pair * 1_000 + gap));
                assert!(!poll.looks_again(at(pair * 1_000 + gap)));
            }
        }
    }
}
