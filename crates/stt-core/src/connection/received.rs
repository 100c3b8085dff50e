//! Which packets arrived, and when to say so (`docs/spec/stt-session.md` §5).

use core::{ops::RangeInclusive, time::Duration};

use crate::{Ecn, LinkTimers, Timestamp, wire::EcnCounts};

/// Ranges kept and sent; the lowest are forgotten first (RFC 9000 §13.2.3).
const MAX_RANGES: usize = 32;

/// The receiving half of a packet-number space.
pub(super) struct Received {
    /// From the highest down, neither touching nor overlapping.
    ranges: Vec<RangeInclusive<u64>>,
    /// The largest number so far, also when the peer knows of it.
    largest: Option<u64>,
    /// When the largest number arrived.
    largest_at: Timestamp,
    ecn: EcnCounts,
    /// Eliciting packets that no ACK of ours covers yet.
    unacked: u32,
    /// When the first of them arrived.
    unacked_since: Timestamp,
    /// All eliciting packets so far.
    eliciting: u64,
    /// By when an ACK is due.
    due: Option<Timestamp>,
    max_ack_delay: Duration,
    timers: LinkTimers,
}

impl Received {
    /// `timers` tell how many packets one ACK is for.
    pub(super) fn new(max_ack_delay: Duration, timers: LinkTimers) -> Self {
        Self {
            ranges: Vec::new(),
            largest: None,
            largest_at: Timestamp::ZERO,
            ecn: EcnCounts::default(),
            unacked: 0,
            unacked_since: Timestamp::ZERO,
            eliciting: 0,
            due: None,
            max_ack_delay,
            timers,
        }
    }

    /// A packet that opened and is new.
    pub(super) fn on_packet(&mut self, now: Timestamp, number: u64, ecn: Ecn, eliciting: bool) {
        let in_order = self
            .largest
            .map_or(number == 0, |largest| number == largest + 1);
        self.insert(number);
        if self.largest.is_none_or(|largest| number > largest) {
            self.largest = Some(number);
            self.largest_at = now;
        }
        match ecn {
            Ecn::NotEct => {}
            Ecn::Ect0 => self.ecn.ect0 += 1,
            Ecn::Ect1 => self.ecn.ect1 += 1,
            Ecn::Ce => self.ecn.ce += 1,
        }
        if !eliciting {
            return;
        }
        self.eliciting += 1;
        self.unacked += 1;
        if self.unacked == 1 {
            self.unacked_since = now;
        }
        let threshold = self.timers.ack_threshold(self.eliciting);
        let due = if !in_order || ecn == Ecn::Ce || self.unacked >= threshold {
            now
        } else if self.unacked > 1 {
            self.unacked_since + self.timers.ack_pause(self.max_ack_delay)
        } else {
            now + self.max_ack_delay
        };
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    /// Something asks for an answer at once: a probe without data.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        if self.unacked > 0 {
            self.due = Some(now);
        }
    }

    /// When an ACK must go out even if nothing else does.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Whether an eliciting packet waits for its ACK.
    pub(super) fn has_news(&self) -> bool {
        self.unacked > 0
    }

    /// An ACK with all ranges goes out.
    pub(super) fn on_ack_sent(&mut self) {
        self.unacked = 0;
        self.due = None;
    }

    /// The peer has seen an ACK whose largest number was `largest`: nothing at or below it needs
    /// to be told again (RFC 9000 §13.2.4).
    pub(super) fn on_ack_acked(&mut self, largest: u64) {
        self.ranges.retain(|range| *range.end() > largest);
        if let Some(lowest) = self.ranges.last_mut()
            && *lowest.start() <= largest
        {
            *lowest = largest + 1..=*lowest.end();
        }
    }

    /// The ranges, from the highest down. Empty before the first packet, or if the peer knows
    /// about all of them.
    pub(super) fn ranges(&self) -> &[RangeInclusive<u64>] {
        &self.ranges
    }

    pub(super) fn largest_at(&self) -> Timestamp {
        self.largest_at
    }

    /// Counts of marks, if any packet was ECN-capable.
    pub(super) fn ecn(&self) -> Option<EcnCounts> {
        (self.ecn != EcnCounts::default()).then_some(self.ecn)
    }

    fn insert(&mut self, number: u64) {
        // New numbers come at or near the top nearly always.
        let at = self
            .ranges
            .iter()
            .position(|range| *range.end() <= number)
            .unwrap_or(self.ranges.len());
        if self
            .ranges
            .get(at)
            .is_some_and(|range| range.contains(&number))
        {
            return;
        }
        let joins_lower = self
            .ranges
            .get(at)
            .is_some_and(|range| *range.end() + 1 == number);
        let joins_upper = at
            .checked_sub(1)
            .is_some_and(|upper| *self.ranges[upper].start() == number + 1);
        match (joins_lower, joins_upper) {
            (true, true) => {
                self.ranges[at - 1] = *self.ranges[at].start()..=*self.ranges[at - 1].end();
                self.ranges.remove(at);
            }
            (true, false) => self.ranges[at] = *self.ranges[at].start()..=number,
            (false, true) => self.ranges[at - 1] = number..=*self.ranges[at - 1].end(),
            (false, false) => {
                let above = at.checked_sub(1).map(|upper| &self.ranges[upper]);
                if above.is_some_and(|range| range.contains(&number)) {
                    return;
                }
                if self.ranges.len() == MAX_RANGES {
                    if at == MAX_RANGES {
                        return; // lower than all that is kept
                    }
                    self.ranges.pop();
                }
                self.ranges.insert(at, number..=number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::LinkProfile;

    fn received(narrow: bool) -> Received {
        let profile = LinkProfile {
            rate_hint: narrow.then_some(1_200),
            ..LinkProfile::default()
        };
        Received::new(Duration::from_millis(25), profile.timers())
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn every_second_packet_is_acknowledged_at_once() {
        let mut received = received(false);
        received.on_packet(at(1), 0, Ecn::NotEct, true);
        assert_eq!(received.due(), Some(at(26)));
        received.on_packet(at(2), 1, Ecn::NotEct, true);
        assert_eq!(received.due(), Some(at(2)));
        received.on_ack_sent();
        assert_eq!(received.due(), None);
    }

    #[test]
    fn several_packets_wait_for_an_eighth_one_for_a_millisecond_only() {
        let mut received = received(false);
        for number in 0..100 {
            received.on_packet(at(1), number, Ecn::NotEct, true);
            received.on_ack_sent();
        }
        for number in 100..107 {
            received.on_packet(at(2), number, Ecn::NotEct, true);
            let due = if number == 100 { at(27) } else { at(3) };
            assert_eq!(received.due(), Some(due));
        }
        received.on_packet(at(2), 107, Ecn::NotEct, true);
        assert_eq!(received.due(), Some(at(2)));
    }

    #[test]
    fn disorder_is_told_at_once_on_narrow_links_too() {
        let mut received = received(true);
        received.on_packet(at(1), 0, Ecn::NotEct, true);
        assert_eq!(received.due(), Some(at(26)));
        received.on_packet(at(2), 2, Ecn::NotEct, true);
        assert_eq!(received.due(), Some(at(2)));
    }

    #[test]
    fn a_mark_is_told_at_once() {
        let mut received = received(false);
        received.on_packet(at(1), 0, Ecn::Ect0, true);
        assert_eq!(received.due(), Some(at(26)));
        received.on_ack_sent();
        received.on_packet(at(2), 1, Ecn::Ce, true);
        assert_eq!(received.due(), Some(at(2)));
    }

    #[test]
    fn an_ack_alone_asks_for_none() {
        let mut received = received(false);
        received.on_packet(at(1), 7, Ecn::NotEct, false);
        assert_eq!(received.due(), None);
        assert!(!received.has_news());
    }

    #[test]
    fn a_range_that_the_peer_knows_of_is_dropped() {
        let mut received = received(false);
        for number in [0, 1, 2, 5, 6, 9] {
            received.on_packet(at(1), number, Ecn::NotEct, true);
        }
        assert_eq!(received.ranges(), [9..=9, 5..=6, 0..=2]);
        received.on_ack_acked(5);
        assert_eq!(received.ranges(), [9..=9, 6..=6]);
    }

    proptest! {
        #[test]
        fn ranges_are_what_arrived(numbers in prop::collection::vec(0u64..120, 1..200)) {
            let mut received = received(false);
            let mut set = BTreeSet::new();
            let mut forgot = false;
            for number in numbers {
                received.insert(number);
                set.insert(number);
                let ranges = received.ranges();
                prop_assert!(ranges.len() <= MAX_RANGES);
                prop_assert!(ranges.windows(2).all(|pair| *pair[0].start() > *pair[1].end() + 1));
                let told: BTreeSet<u64> = ranges.iter().cloned().flatten().collect();
                forgot |= ranges.len() == MAX_RANGES;
                prop_assert!(told.is_subset(&set));
                prop_assert_eq!(told.last(), set.last());
                prop_assert!(forgot || told == set);
            }
        }
    }
}
