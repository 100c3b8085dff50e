use crate::{Ecn, wire::EcnCounts};

/// Finds out whether the path carries ECN marks truthfully (RFC 9000 §13.4.2;
/// `docs/spec/stt-recovery.md`, 8).
#[derive(Debug)]
pub(super) struct EcnValidator {
    state: State,
    /// The peer's totals at the last acknowledgement that was looked at.
    counts: EcnCounts,
    /// Packets sent with ECT(0) on the session.
    sent: u64,
    /// The test under way, or the last one, began with this packet.
    test_from: u64,
    /// Packets of it that were lost.
    test_lost: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many marked packets were sent on this path.
    Testing(u8),
    /// Marked enough for a test; wait for its result.
    Unknown,
    Capable,
    Failed,
    /// The driver can't, or the bearer has no ECN field.
    Off,
}

impl EcnValidator {
    pub(super) const fn new(enabled: bool) -> Self {
        Self {
            state: if enabled {
                State::Testing(0)
            } else {
                State::Off
            },
            counts: EcnCounts {
                ect0: 0,
                ect1: 0,
                ce: 0,
            },
            sent: 0,
            test_from: 0,
            test_lost: 0,
        }
    }

    /// The mark for the next packet.
    pub(super) const fn mark(&self) -> Ecn {
        match self.state {
            State::Testing(_) | State::Capable => Ecn::Ect0,
            State::Unknown | State::Failed | State::Off => Ecn::NotEct,
        }
    }

    pub(super) fn on_sent_marked(&mut self) {
        self.sent += 1;
        if let State::Testing(sent) = &mut self.state {
            *sent += 1;
            if *sent == TEST_PACKETS {
                self.state = State::Unknown;
            }
        }
    }

    pub(super) fn on_lost_marked(&mut self, pn: u64) {
        if let State::Testing(_) | State::Unknown = self.state
            && pn >= self.test_from
        {
            self.test_lost = self.test_lost.saturating_add(1);
            if self.test_lost >= TEST_PACKETS {
                self.state = State::Failed;
            }
        }
    }

    /// Whether the path was given up.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Looks at an acknowledgement that raised the largest acknowledged number and newly
    /// acknowledges `newly_acked` packets sent with ECT(0). Whether it tells of congestion.
    pub(super) fn on_ack(&mut self, newly_acked: u64, counts: Option<EcnCounts>) -> bool {
        if let State::Failed | State::Off = self.state {
            return false;
        }
        let Some(counts) = counts else {
            if newly_acked > 0 {
                self.state = State::Failed;
            }
            return false;
        };
        let rise = |new: u64, old: u64| new.checked_sub(old);
        let (Some(ect0), Some(ce)) = (
            rise(counts.ect0, self.counts.ect0),
            rise(counts.ce, self.counts.ce),
        ) else {
            self.state = State::Failed;
            return false;
        };
        let accounted = ect0.saturating_add(ce) >= newly_acked
            && counts.ect1 == 0
            && counts.ect0.saturating_add(counts.ce) <= self.sent;
        if !accounted {
            self.state = State::Failed;
            return false;
        }
        self.counts = counts;
        if newly_acked > 0 {
            self.state = State::Capable;
        }
        ce > 0
    }

    /// A new path has to be tested anew, from packet `next_pn` on; the peer's totals go on.
    pub(super) fn on_path_change(&mut self, next_pn: u64) {
        if self.state != State::Off {
            self.state = State::Testing(0);
            self.test_from = next_pn;
            self.test_lost = 0;
        }
    }

    /// Nothing arrives any more: perhaps what is marked doesn't, since the route has changed.
    pub(super) fn on_silence(&mut self, next_pn: u64) {
        if self.state == State::Capable {
            self.on_path_change(next_pn);
        }
    }
}

/// Packets to mark before a result is awaited (RFC 9000 A.4).
const TEST_PACKETS: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(ect0: u64, ect1: u64, ce: u64) -> Option<EcnCounts> {
        Some(EcnCounts { ect0, ect1, ce })
    }

    fn sent(packets: u64) -> EcnValidator {
        let mut ecn = EcnValidator::new(true);
        for _ in 0..packets {
            ecn.on_sent_marked();
        }
        ecn
    }

    #[test]
    fn ten_packets_are_marked_then_the_result_is_awaited() {
        let mut ecn = sent(9);
        assert_eq!(ecn.mark(), Ecn::Ect0);
        ecn.on_sent_marked();
        assert_eq!(ecn.mark(), Ecn::NotEct);
        assert!(!ecn.on_ack(1, counts(1, 0, 0)));
        assert_eq!(ecn.mark(), Ecn::Ect0);
        assert!(ecn.on_ack(1, counts(1, 0, 1)));
    }

    #[test]
    fn marks_bleached_or_invented_fail_the_path() {
        for lie in [
            None,
            counts(0, 0, 0),
            counts(1, 1, 0),
            counts(11, 0, 0),
            counts(9, 0, 2),
        ] {
            let mut ecn = sent(10);
            assert!(!ecn.on_ack(1, lie), "{lie:?}");
            assert_eq!(ecn.mark(), Ecn::NotEct);
            assert!(!ecn.on_ack(0, counts(5, 0, 3)), "failed once is failed");
            ecn.on_path_change(10);
            assert_eq!(ecn.mark(), Ecn::Ect0);
        }
    }

    #[test]
    fn totals_that_fall_fail_the_path() {
        let mut ecn = sent(10);
        assert!(!ecn.on_ack(4, counts(4, 0, 0)));
        assert!(!ecn.on_ack(0, counts(3, 0, 1)));
        assert_eq!(ecn.mark(), Ecn::NotEct);
    }

    #[test]
    fn a_path_that_eats_marked_packets_fails() {
        let mut ecn = sent(10);
        for pn in 0..10 {
            ecn.on_lost_marked(pn);
        }
        assert!(!ecn.on_ack(0, counts(0, 0, 0)));
        assert_eq!(ecn.mark(), Ecn::NotEct);
    }
    /// Nor those of its own before it was tested anew.
    #[test]
    fn losses_of_another_path_count_against_none() {
        let mut ecn = sent(10);
        (0..9).for_each(|pn| ecn.on_lost_marked(pn));
        ecn.on_path_change(10);
        ecn.on_sent_marked();
        ecn.on_lost_marked(10);
        assert_eq!(ecn.mark(), Ecn::Ect0);
        assert!(!ecn.on_ack(1, counts(1, 0, 0)));
        ecn.on_silence(20);
        (11..20).for_each(|pn| ecn.on_lost_marked(pn));
        ecn.on_lost_marked(20);
        assert_eq!(ecn.mark(), Ecn::Ect0);
    }
}
