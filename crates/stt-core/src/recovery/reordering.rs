use core::{ops::RangeInclusive, time::Duration};
use std::collections::VecDeque;

use super::rtt::GRANULARITY;
use crate::{RttEstimator, Timestamp};

/// How late a packet may be before it counts as lost, learned from packets declared lost too early
/// (RFC 9002 §6.1; `docs/spec/stt-recovery.md`, 5).
#[derive(Debug)]
pub(super) struct Reordering {
    /// Packets that must be acknowledged beyond one for that to be lost.
    packets: u64,
    /// How long one may be overdue, in eighths of the round-trip time.
    eighths: u32,
    /// Congestion events since a loss last proved spurious.
    quiet_events: u8,
    /// Packets lately declared lost, by ascending number.
    lost: VecDeque<Lost>,
    /// Where among them the ones of the current congestion event are, and how many are missing.
    event: Event,
}

#[derive(Debug)]
struct Lost {
    pn: u64,
    forget_at: Timestamp,
    by_time: bool,
    arrived: bool,
    in_event: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Event {
    missing: u64,
    /// Its cause may have been spurious losses alone, all of which are remembered.
    may_be_spurious: bool,
}

/// Late arrivals that an acknowledgement brought to light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) packets: u64,
    /// All losses of the last congestion event have arrived: it was none.
    pub(super) undo: bool,
}

impl Reordering {
    pub(super) const fn new() -> Self {
        Self {
            packets: PACKETS,
            eighths: EIGHTHS,
            quiet_events: 0,
            lost: VecDeque::new(),
            event: Event {
                missing: 0,
                may_be_spurious: false,
            },
        }
    }

    pub(super) const fn packets(&self) -> u64 {
        self.packets
    }

    /// The lowest number that is remembered.
    pub(super) fn first(&self) -> Option<u64> {
        self.lost.front().map(|lost| lost.pn)
    }

    /// How long after it was sent an unacknowledged packet before an acknowledged one is lost.
    pub(super) fn delay(&self, rtt: &RttEstimator) -> Duration {
        (rtt.smoothed().max(rtt.latest()) * self.eighths / 8).max(GRANULARITY)
    }

    /// Remembers that `pn` was declared lost, as part of the current congestion event if
    /// `in_event`, until `forget_at`.
    pub(super) fn on_lost(&mut self, pn: u64, by_time: bool, in_event: bool, forget_at: Timestamp) {
        if self.lost.len() == REMEMBERED {
            self.forget_front();
        }
        self.event.missing += u64::from(in_event);
        self.lost.push_back(Lost {
            pn,
            forget_at,
            by_time,
            arrived: false,
            in_event,
        });
    }

    /// A congestion event begins; losses told from now on belong to it. One that is told by a mark
    /// is never undone.
    pub(super) fn on_congestion_event(&mut self, by_loss: bool) {
        for lost in &mut self.lost {
            lost.in_event = false;
        }
        self.event = Event {
            missing: 0,
            may_be_spurious: by_loss,
        };
        self.quiet_events += 1;
        if self.quiet_events >= QUIET_EVENTS {
            self.quiet_events = 0;
            self.packets = (self.packets / 2).max(PACKETS);
            self.eighths = (EIGHTHS + (self.eighths - EIGHTHS) / 2).max(EIGHTHS);
        }
    }

    /// Takes note that the packets in `range` have arrived; `largest_before` was acknowledged
    /// before.
    pub(super) fn on_range(
        &mut self,
        range: &RangeInclusive<u64>,
        largest_before: u64,
        arrived: &mut Arrived,
    ) {
        // Nearly always none is remembered.
        if self.lost.back().is_none_or(|lost| lost.pn < *range.start()) {
            return;
        }
        let from = self.lost.partition_point(|lost| lost.pn < *range.start());
        for lost in self.lost.range_mut(from..) {
            if lost.pn > *range.end() {
                break;
            }
            if lost.arrived {
                continue;
            }
            lost.arrived = true;
            arrived.packets += 1;
            self.quiet_events = 0;
            if lost.by_time {
                // One eighth more, then two, four: up to twice the round-trip time.
                let extra = self.eighths - EIGHTHS;
                self.eighths = (EIGHTHS + (2 * extra).max(1)).min(EIGHTHS_MOST);
            } else {
                let extent = largest_before.saturating_sub(lost.pn) + 1;
                self.packets = self.packets.max(extent).min(PACKETS_MOST);
            }
            if lost.in_event {
                self.event.missing -= 1;
                if self.event.missing == 0 && self.event.may_be_spurious {
                    self.event.may_be_spurious = false;
                    arrived.undo = true;
                }
            }
        }
    }

    /// Drops what is too old to be of use.
    pub(super) fn forget(&mut self, now: Timestamp) {
        while self
            .lost
            .front()
            .is_some_and(|lost| lost.forget_at <= now || lost.arrived)
        {
            self.forget_front();
        }
    }

    /// Back to the start, for a new path.
    pub(super) fn reset(&mut self) {
        self.packets = PACKETS;
        self.eighths = EIGHTHS;
        self.quiet_events = 0;
        self.event = Event::default();
        self.lost.clear();
    }

    pub(super) fn shrink(&mut self) {
        self.lost.shrink_to_fit();
    }

    fn forget_front(&mut self) {
        if let Some(lost) = self.lost.pop_front()
            && lost.in_event
            && !lost.arrived
        {
            // It was lost for all that is known: the event stands.
            self.event.may_be_spurious = false;
            self.event.missing -= 1;
        }
    }
}

/// kPacketThreshold (RFC 9002 §6.1.1).
const PACKETS: u64 = 3;
/// As much as TCP stacks allow: what is later than that is left to the time threshold.
const PACKETS_MOST: u64 = 300;
/// kTimeThreshold (RFC 9002 §6.1.2), 9/8.
const EIGHTHS: u32 = 9;
/// Twice the round-trip time, RFC 8985's bound for its reordering window (one more smoothed RTT).
const EIGHTHS_MOST: u32 = 16;
/// RFC 8985 §7.2 keeps a widened window for 16 recoveries.
const QUIET_EVENTS: u8 = 16;
/// Losses remembered, at most; 256 are 10 KiB, and a larger burst is a real one.
const REMEMBERED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Timestamp = Timestamp::from_millis(100);

    fn arrive(reordering: &mut Reordering, range: RangeInclusive<u64>, largest: u64) -> Arrived {
        let mut arrived = Arrived::default();
        reordering.on_range(&range, largest, &mut arrived);
        arrived
    }

    #[test]
    fn an_event_that_a_mark_has_told_is_not_undone() {
        let mut reordering = Reordering::new();
        reordering.on_congestion_event(false);
        reordering.on_lost(5, false, true, LATER);
        assert!(!arrive(&mut reordering, 5..=5, 20).undo);
    }

    #[test]
    fn losses_are_forgotten_in_time() {
        let mut reordering = Reordering::new();
        reordering.on_lost(5, false, false, LATER);
        reordering.forget(Timestamp::from_millis(99));
        assert_eq!(reordering.first(), Some(5));
        reordering.forget(LATER);
        assert_eq!(reordering.first(), None);
    }

    #[test]
    fn threshold_grows_to_the_extent_seen() {
        let mut reordering = Reordering::new();
        reordering.on_congestion_event(true);
        reordering.on_lost(5, false, true, LATER);
        reordering.on_lost(7, false, true, LATER);
        assert_eq!(
            arrive(&mut reordering, 5..=5, 20),
            Arrived {
                packets: 1,
                undo: false
            }
        );
        assert_eq!(reordering.packets(), 16);
        assert_eq!(
            arrive(&mut reordering, 0..=30, 20),
            Arrived {
                packets: 1,
                undo: true
            }
        );
        assert_eq!(arrive(&mut reordering, 0..=30, 20), Arrived::default());
        reordering.on_lost(40, false, false, LATER);
        arrive(&mut reordering, 40..=40, 4_000);
        assert_eq!(reordering.packets(), PACKETS_MOST);
    }

    #[test]
    fn time_threshold_grows_to_twice_the_round_trip() {
        let mut reordering = Reordering::new();
        let mut seen = vec![reordering.eighths];
        for pn in 0..6 {
            reordering.on_lost(pn, true, false, LATER);
            arrive(&mut reordering, pn..=pn, pn + 1);
            seen.push(reordering.eighths);
        }
        assert_eq!(seen, [9, 10, 11, 13, 16, 16, 16]);
        assert_eq!(reordering.packets(), PACKETS);
    }

    #[test]
    fn a_real_loss_in_the_event_stands_in_the_way_of_undo() {
        let mut reordering = Reordering::new();
        reordering.on_congestion_event(true);
        reordering.on_lost(5, false, true, Timestamp::from_millis(50));
        reordering.on_lost(7, false, true, LATER);
        reordering.forget(Timestamp::from_millis(60));
        assert_eq!(
            arrive(&mut reordering, 7..=7, 20),
            Arrived {
                packets: 1,
                undo: false
            }
        );
    }

    #[test]
    fn thresholds_return_when_order_does() {
        let mut reordering = Reordering::new();
        reordering.on_lost(5, false, false, LATER);
        arrive(&mut reordering, 5..=5, 200);
        for _ in 0..16 * 7 {
            reordering.on_congestion_event(true);
        }
        assert_eq!(
            (reordering.packets(), reordering.eighths),
            (PACKETS, EIGHTHS)
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut reordering = Reordering::new();
        reordering.on_congestion_event(true);
        for pn in 0..10_000 {
            reordering.on_lost(pn, false, true, LATER);
        }
        assert_eq!(reordering.lost.len(), REMEMBERED);
        assert!(!arrive(&mut reordering, 0..=10_000, 10_000).undo);
    }
}
