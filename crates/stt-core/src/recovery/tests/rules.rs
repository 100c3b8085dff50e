//! The rules of RFC 9002, one by one.

use core::{ops::RangeInclusive, time::Duration};

use super::sim::config;
use crate::{
    ControllerKind, Ecn, LinkProfile, Timestamp,
    recovery::{AckError, AckInfo, Outcome, Probes, Recovery, RecoveryConfig, SendState, Sent},
    wire::EcnCounts,
};

/// A recovery and its clock, in ms.
pub(super) struct Bench {
    pub(super) recovery: Recovery<u64>,
    pub(super) out: Outcome<u64>,
    pub(super) now: Timestamp,
}

impl Bench {
    pub(super) fn new(config: RecoveryConfig) -> Self {
        Self {
            recovery: Recovery::new(config, Timestamp::ZERO),
            out: Outcome::default(),
            now: Timestamp::ZERO,
        }
    }

    pub(super) fn at(&mut self, millis: u64) -> &mut Self {
        self.now = Timestamp::from_millis(millis);
        self
    }

    pub(super) fn send(&mut self, count: u64) -> &mut Self {
        for _ in 0..count {
            self.send_as(1_000, true, Ecn::NotEct, false);
        }
        self
    }

    pub(super) fn send_as(&mut self, size: u16, ack_eliciting: bool, ecn: Ecn, probe: bool) {
        let pn = self.recovery.next_pn().unwrap();
        let sent = Sent {
            pn,
            size,
            ack_eliciting,
            ecn,
            is_mtu_probe: probe,
            path_generation: self.recovery.path_generation(),
            carried: pn,
        };
        self.recovery.on_sent(self.now, sent);
    }

    /// Acknowledges `ranges`, given from the largest down, and says what was lost.
    pub(super) fn ack(&mut self, ranges: &[RangeInclusive<u64>]) -> Vec<u64> {
        let ack = AckInfo {
            largest: *ranges[0].end(),
            delay: Duration::ZERO,
            ecn: None,
        };
        self.out.clear();
        let ranges = ranges.iter().cloned();
        self.recovery
            .on_ack(self.now, &ack, ranges, &mut self.out)
            .unwrap();
        assert!(
            self.out
                .acked
                .iter()
                .chain(&self.out.lost)
                .all(|(pn, carried)| pn == carried)
        );
        self.lost()
    }

    pub(super) fn timeout(&mut self) -> u8 {
        self.now = self.now.max(self.recovery.next_timeout().unwrap());
        self.out.clear();
        let Probes(count) = self.recovery.on_timeout(self.now, &mut self.out);
        count
    }

    fn lost(&self) -> Vec<u64> {
        self.out.lost.iter().map(|&(pn, _)| pn).collect()
    }
}

const NONE: [u64; 0] = [];

pub(super) fn bench() -> Bench {
    Bench::new(config(ControllerKind::NewReno))
}

#[test]
fn packet_threshold_is_three() {
    let mut bench = bench();
    bench.send(5).at(100);
    assert!(bench.ack(&[2..=2]).is_empty());
    assert_eq!(bench.ack(&[3..=3]), [0]);
    assert_eq!(bench.ack(&[4..=4]), [1]);
    assert_eq!(bench.recovery.bytes_in_flight(), 0);
}

#[test]
fn time_threshold_is_nine_eighths_of_the_round_trip() {
    let mut bench = bench();
    bench.send(2).at(80);
    assert!(bench.ack(&[1..=1]).is_empty());
    assert_eq!(
        bench.recovery.next_timeout(),
        Some(Timestamp::from_millis(90))
    );
    assert_eq!(bench.timeout(), 0);
    assert_eq!(bench.lost(), [0]);
    assert_eq!(bench.recovery.next_timeout(), None);
}

#[test]
fn probe_timeout_doubles_and_asks_for_two() {
    let mut bench = bench();
    bench.send(1);
    // 333 + 4·166.5 + 25 ms.
    assert_eq!(bench.recovery.pto(), Duration::from_millis(1_024));
    let mut last = Timestamp::ZERO;
    for doubling in 0..5 {
        let due = bench.recovery.next_timeout().unwrap();
        assert_eq!(
            due.saturating_since(last),
            Duration::from_millis(1_024 << doubling)
        );
        assert_eq!(bench.timeout(), 2);
        bench.send(1);
        last = due;
    }
    for _ in 0..20 {
        bench.timeout();
    }
    let due = bench.recovery.next_timeout().unwrap();
    assert_eq!(due.saturating_since(bench.now), Duration::from_secs(60));
    // Something arrives at last, and at once.
    bench.send(1).now += Duration::from_millis(100);
    let last = bench.recovery.peek_pn() - 1;
    bench.ack(&[0..=last]);
    bench.send(1);
    let due = bench.recovery.next_timeout().unwrap();
    assert_eq!(due.saturating_since(bench.now), bench.recovery.pto());
    assert!(bench.recovery.pto() < Duration::from_secs(1));
}

/// The time-out runs from the last packet that elicits something, or from the time-out before it.
#[test]
fn a_probe_timeout_runs_from_the_last_eliciting_packet_or_time_out() {
    let mut bench = bench();
    bench.send(1).at(300).send(1).at(500);
    bench.send_as(40, false, Ecn::NotEct, false);
    let due = |bench: &Bench| bench.recovery.next_timeout().unwrap();
    assert_eq!(due(&bench), Timestamp::from_millis(300 + 1_024));
    assert_eq!(bench.timeout(), 2);
    // Nothing was sent: as long again, twice.
    assert_eq!(due(&bench), Timestamp::from_millis(300 + 3 * 1_024));
}

#[test]
fn an_ack_of_what_elicits_nothing_leaves_backoff_and_round_trip_as_they_are() {
    let mut bench = bench();
    bench.send_as(40, false, Ecn::NotEct, false);
    bench.send(1);
    bench.timeout();
    bench.timeout();
    let due = bench.recovery.next_timeout().unwrap();
    assert_eq!(
        due.saturating_since(bench.now),
        Duration::from_millis(4 * 1_024)
    );
    assert!(bench.ack(&[0..=0]).is_empty());
    assert_eq!(bench.recovery.next_timeout(), Some(due));
    assert!(!bench.recovery.rtt().is_sampled());
}

#[test]
fn what_is_in_flight_has_its_time_on_a_link_of_known_rate() {
    let profile = LinkProfile {
        mtu: 128,
        rate_hint: Some(1_200),
        ..LinkProfile::default()
    };
    let mut bench = Bench::new(RecoveryConfig {
        profile,
        initial_mtu: 128,
        max_mtu: 128,
        ..config(ControllerKind::NewReno)
    });
    for packets in 1..=2 {
        bench.send_as(120, true, Ecn::NotEct, false);
        let wait = bench.recovery.pto() + packets * Duration::from_millis(800);
        assert_eq!(bench.recovery.next_timeout(), Some(bench.now + wait));
    }
}

#[test]
fn the_delay_of_an_ack_counts_up_to_what_the_peer_promised() {
    let mut bench = bench();
    bench.send(1).at(100).ack(&[0..=0]);
    bench.send(1).at(300);
    let ack = AckInfo {
        largest: 1,
        delay: Duration::from_millis(100),
        ecn: None,
    };
    let ranges = [1..=1].into_iter();
    bench
        .recovery
        .on_ack(bench.now, &ack, ranges, &mut bench.out)
        .unwrap();
    // Of the 200 ms 25 are taken off: 7/8 · 100 + 1/8 · 175.
    assert_eq!(
        bench.recovery.rtt().smoothed(),
        Duration::from_micros(109_375)
    );
}

#[test]
fn an_old_packet_that_arrives_late_is_no_sample_and_an_old_ack_takes_nothing_back() {
    let mut bench = bench();
    bench.send(3).at(100).ack(&[2..=2]);
    bench.at(105).ack(&[1..=2]);
    assert_eq!(bench.recovery.rtt().latest(), Duration::from_millis(100));
    bench.ack(&[1..=1]);
    assert_eq!(bench.recovery.largest_acked(), Some(2));
}

#[test]
fn tail_loss_is_found_by_a_probe() {
    let mut bench = bench();
    bench.send(10).at(100);
    assert!(bench.ack(&[0..=7]).is_empty());
    assert_eq!(bench.timeout(), 2);
    assert_eq!(
        bench
            .recovery
            .unacknowledged()
            .map(|carried| *carried)
            .collect::<Vec<_>>(),
        [8, 9]
    );
    bench.send(2);
    bench.now += Duration::from_millis(100);
    assert_eq!(bench.ack(&[10..=11, 0..=7]), [8, 9]);
}

/// Acknowledges `range` alone.
fn try_ack(bench: &mut Bench, range: RangeInclusive<u64>) -> Result<(), AckError> {
    let ack = AckInfo {
        largest: *range.end(),
        delay: Duration::ZERO,
        ecn: None,
    };
    bench
        .recovery
        .on_ack(bench.now, &ack, [range].into_iter(), &mut bench.out)
}

#[test]
fn packets_never_sent_and_skipped_ones_cannot_be_acknowledged() {
    let mut bench = bench();
    bench.send(3);
    assert_eq!(try_ack(&mut bench, 0..=3), Err(AckError::NotYetSent(3)));
    assert_eq!(
        try_ack(&mut bench, 0..=u64::MAX),
        Err(AckError::NotYetSent(u64::MAX))
    );
    bench.recovery.skip_pn().unwrap();
    bench.send(1);
    assert_eq!(try_ack(&mut bench, 4..=4), Ok(()));
    assert_eq!(try_ack(&mut bench, 0..=4), Err(AckError::Skipped(3)));
}

#[test]
fn the_last_eight_skipped_numbers_are_known_when_all_else_is_settled() {
    let mut bench = bench();
    for sent in 0..8 {
        bench.send(1);
        assert_eq!(try_ack(&mut bench, 2 * sent..=2 * sent), Ok(()));
        bench.recovery.skip_pn().unwrap();
    }
    for skipped in (1..16).step_by(2) {
        let guess = try_ack(&mut bench, skipped..=skipped);
        assert_eq!(guess, Err(AckError::Skipped(skipped)));
    }
}

#[test]
fn window_blocks_and_probes_do_not_ask() {
    let mut bench = bench();
    bench.send(12);
    assert_eq!(
        bench.recovery.can_send(bench.now, 1_000),
        SendState::Blocked
    );
    bench.at(100).ack(&[0..=3]);
    assert_ne!(
        bench.recovery.can_send(bench.now, 1_000),
        SendState::Blocked
    );
}

#[test]
fn reliable_links_have_no_timer_and_no_window() {
    let profile = LinkProfile::RELIABLE;
    let mut bench = Bench::new(RecoveryConfig {
        profile,
        ..config(ControllerKind::Cubic)
    });
    bench.send(1_000);
    assert_eq!(bench.recovery.can_send(bench.now, 65_535), SendState::Now);
    assert_eq!(bench.recovery.next_timeout(), None);
    assert!(bench.at(60_000).ack(&[999..=999]).is_empty());
    assert_eq!(bench.recovery.next_timeout(), None);
    assert!(bench.ack(&[0..=999]).is_empty());
    assert_eq!(bench.out.acked.len(), 999);
    assert!(bench.recovery.unacknowledged().next().is_none());
    // Streams measure their windows by it.
    assert_eq!(bench.recovery.rtt().latest(), Duration::from_secs(60));
}

#[test]
fn new_reno_halves_once_per_round_trip_and_grows_by_a_packet() {
    let mut bench = bench();
    bench.send(12).at(100);
    assert_eq!(bench.ack(&[4..=11]), [0, 1, 2, 3]);
    // 12,000 halved once, whatever the number of packets lost; growth needs what is sent since.
    assert_eq!(bench.recovery.cwnd(), 6_000);
    assert_eq!(bench.recovery.stats().congestion_events, 1);
    for round in 0..5 {
        let first = bench.recovery.peek_pn();
        let count = bench.recovery.cwnd() / 1_000;
        bench.send(count);
        bench.now += Duration::from_millis(100);
        bench.ack(&[first..=first + count - 1]);
        // One packet (1,200) more for a window acknowledged (RFC 9002 §7.3.3), whole packets sent.
        let grown = bench.recovery.cwnd();
        assert!(
            (6_000..=6_000 + 1_200 * (round + 1)).contains(&grown),
            "{grown}"
        );
        assert!(
            grown + 1_200 >= 6_000 + 1_200 * round,
            "{grown} after {round} rounds"
        );
    }
}

#[test]
fn slow_start_doubles() {
    let mut bench = bench();
    for round in 1..=4 {
        let first = bench.recovery.peek_pn();
        let count = bench.recovery.cwnd() / 1_000;
        bench.send(count).now += Duration::from_millis(100);
        bench.ack(&[first..=first + count - 1]);
        assert_eq!(bench.recovery.cwnd(), 12_000 << round);
    }
}

/// RFC 9002 §7.7: a little more than a window each round trip, two of them while the window doubles.
#[test]
fn a_window_and_a_quarter_is_paced_over_a_round_trip_in_slow_start_two() {
    let mut bench = bench();
    bench.send(12).at(100).ack(&[0..=11]);
    let per_round_trip = |bench: &Bench| bench.recovery.pacing_rate() / 10;
    assert_eq!(bench.recovery.rtt().smoothed(), Duration::from_millis(100));
    assert_eq!(per_round_trip(&bench), 2 * bench.recovery.cwnd());
    bench.send(12).ack(&[15..=23]);
    assert_eq!(bench.recovery.stats().congestion_events, 1);
    let smoothed = bench.recovery.rtt().smoothed().as_nanos();
    let expected = u128::from(bench.recovery.cwnd()) * 1_250_000_000 / smoothed;
    assert_eq!(u128::from(bench.recovery.pacing_rate()), expected);
}

#[test]
fn a_window_that_is_not_used_does_not_grow() {
    let mut bench = bench();
    for pn in 0..50 {
        bench.send(1).now += Duration::from_millis(100);
        bench.ack(&[pn..=pn]);
    }
    assert_eq!(bench.recovery.cwnd(), 12_000);
}

#[test]
fn losses_that_arrive_after_all_are_undone() {
    for kind in [ControllerKind::NewReno, ControllerKind::Cubic] {
        let mut bench = Bench::new(config(kind));
        bench.send(12).at(100);
        assert_eq!(bench.ack(&[2..=7]), [0, 1]);
        let window = bench.recovery.cwnd();
        assert!(window < 12_000);
        assert_eq!(bench.ack(&[1..=7]), NONE);
        assert_eq!(bench.recovery.cwnd(), window);
        assert_eq!(bench.ack(&[0..=7]), NONE);
        assert!(bench.recovery.cwnd() >= 12_000, "{kind:?}");
        assert_eq!(bench.recovery.stats().spurious_losses, 2);
        // The extent seen was 8: the seventh beyond proves nothing any more.
        bench.ack(&[0..=11]);
        bench.send(12).at(200);
        assert_eq!(bench.ack(&[20..=20]), [12]);
    }
}

#[test]
fn persistent_congestion_needs_three_timeouts_of_loss_without_an_arrival() {
    for arrival in [false, true] {
        let mut bench = bench();
        bench.send(1).at(100).ack(&[0..=0]);
        bench.at(200).send(1);
        // smoothed 100 + 4·50 + 25 ms, three times.
        bench.at(600).send(1);
        bench.at(1_200).send(2);
        bench.now += Duration::from_millis(100);
        let last = bench.recovery.peek_pn() - 1;
        bench.send(4).now += Duration::from_millis(100);
        if arrival {
            bench.ack(&[2..=2]);
        }
        bench.ack(&[last + 4..=last + 4]);
        assert_eq!(bench.out.persistent_congestion, !arrival);
        assert_eq!(bench.recovery.cwnd() == 2_400, !arrival);
    }
}

#[test]
fn losses_within_three_timeouts_are_no_persistent_congestion() {
    for (apart, is_persistent) in [(850, false), (870, true)] {
        let mut bench = bench();
        bench.send(1).at(100).ack(&[0..=0]);
        bench.at(200).send(1).at(200 + apart).send(4);
        bench.at(200 + apart + 110);
        // Smoothed 101.25 + 4 · 40 + 25 ms, three times: 858.75.
        assert_eq!(bench.ack(&[5..=5]), [1, 2]);
        assert_eq!(bench.out.persistent_congestion, is_persistent);
        let min = if is_persistent { 110 } else { 100 };
        assert_eq!(bench.recovery.rtt().min(), Duration::from_millis(min));
    }
}

#[test]
fn marks_of_one_flight_are_one_event_and_old_counts_are_not_looked_at() {
    let mut bench = Bench::new(RecoveryConfig {
        ecn: true,
        ..config(ControllerKind::NewReno)
    });
    for _ in 0..10 {
        bench.send_as(1_000, true, Ecn::Ect0, false);
    }
    for (largest, ect0, ce) in [(3, 3, 1), (7, 6, 2), (3, 3, 1)] {
        let ect1 = 0;
        let ack = AckInfo {
            largest,
            delay: Duration::ZERO,
            ecn: Some(EcnCounts { ect0, ect1, ce }),
        };
        let ranges = [0..=largest].into_iter();
        bench
            .recovery
            .on_ack(bench.now, &ack, ranges, &mut bench.out)
            .unwrap();
        assert_eq!(bench.recovery.stats().congestion_events, 1);
        assert_eq!(bench.recovery.ecn(), Ecn::Ect0);
    }
}

#[test]
fn other_paths_have_no_part() {
    let mut bench = bench();
    bench.send(10);
    assert_eq!(bench.recovery.bytes_in_flight(), 10_000);
    bench.recovery.on_path_change(bench.now);
    assert_eq!(bench.recovery.bytes_in_flight(), 0);
    bench.at(500);
    assert_eq!(bench.ack(&[5..=9]), [0, 1, 2, 3, 4]);
    assert_eq!(bench.out.acked.len(), 5);
    assert!(!bench.recovery.rtt().is_sampled());
    assert_eq!(bench.recovery.cwnd(), 12_000);
    assert_eq!(bench.recovery.stats().congestion_events, 0);
}

/// The rate-based controller minds what a round loses, wherever its event began.
#[test]
fn losses_on_the_former_path_are_none_of_the_new_one() {
    let window = |lose: bool| {
        let mut bench = Bench::new(config(ControllerKind::Rate));
        bench.send(20);
        bench.recovery.on_path_change(bench.now);
        bench.send(10);
        let old = if lose { 19..=19 } else { 0..=19 };
        let mut lost = bench.at(50).ack(&[20..=29, old]).len();
        for round in 1..4 {
            let first = bench.recovery.peek_pn();
            bench.send(10).at(50 + 50 * round);
            lost += bench.ack(&[first..=first + 9]).len();
        }
        assert_eq!(lost, if lose { 19 } else { 0 });
        (bench.recovery.cwnd(), bench.recovery.pacing_rate())
    };
    assert_eq!(window(true), window(false));
}

#[test]
fn a_new_path_has_no_backoff_and_no_tolerance_for_reordering() {
    let mut bench = bench();
    bench.send(12).at(100).ack(&[2..=7]);
    // Late by seven: from now on three are not enough, on this path.
    bench.ack(&[0..=11]);
    bench.send(1);
    bench.timeout();
    bench.timeout();
    bench.recovery.on_path_change(bench.now);
    let first = bench.recovery.peek_pn();
    bench.send(4);
    let due = bench.recovery.next_timeout().unwrap();
    assert_eq!(
        due.saturating_since(bench.now),
        Duration::from_millis(1_024)
    );
    let lost = bench.ack(&[first + 3..=first + 3]);
    assert!(lost.contains(&first), "{lost:?}");
}

#[test]
fn a_new_path_is_tested_for_ecn_anew() {
    let mut bench = Bench::new(RecoveryConfig {
        ecn: true,
        ..config(ControllerKind::NewReno)
    });
    bench.send_as(1_000, true, Ecn::Ect0, false);
    bench.ack(&[0..=0]); // without counts
    assert_eq!(bench.recovery.ecn(), Ecn::NotEct);
    bench.recovery.on_path_change(bench.now);
    assert_eq!(bench.recovery.ecn(), Ecn::Ect0);
}

/// Before a round trip is known 3 PTO are a guess (RFC 9002 §7.6.2).
/// The route may have changed to one that drops what is marked.
#[test]
fn after_two_time_outs_nothing_is_marked_and_ecn_is_tested_anew() {
    let mut bench = Bench::new(RecoveryConfig {
        ecn: true,
        ..config(ControllerKind::NewReno)
    });
    let mark = |bench: &mut Bench| {
        let ecn = bench.recovery.ecn();
        bench.send_as(1_000, true, ecn, false);
        ecn == Ecn::Ect0
    };
    let acknowledge = |bench: &mut Bench, range: RangeInclusive<u64>, ect0| {
        let ack = AckInfo {
            largest: *range.end(),
            delay: Duration::ZERO,
            ecn: Some(EcnCounts {
                ect0,
                ..EcnCounts::default()
            }),
        };
        let (now, ranges) = (bench.now, core::iter::once(range));
        let taken = bench.recovery.on_ack(now, &ack, ranges, &mut bench.out);
        assert_eq!(taken, Ok(()));
    };
    assert!((0..10).all(|_| mark(&mut bench)));
    bench.at(50);
    acknowledge(&mut bench, 0..=9, 10);
    assert!((10..30).all(|_| mark(&mut bench)), "validated");
    for marks in [true, false] {
        let at = bench.recovery.next_timeout().unwrap();
        bench.now = at;
        assert_eq!(bench.recovery.on_timeout(at, &mut bench.out), Probes(2));
        assert_eq!(mark(&mut bench), marks);
    }
    // Only what was not marked has arrived. The 21 that were lost tell nothing of the new test.
    acknowledge(&mut bench, 31..=31, 10);
    assert_eq!(bench.out.lost.len(), 21);
    assert!(!bench.recovery.ecn_has_failed());
    assert!((0..10).all(|_| mark(&mut bench)));
    assert!((0..4).all(|_| !mark(&mut bench)), "the result is awaited");
    acknowledge(&mut bench, 45..=45, 10);
    assert!(bench.recovery.ecn_has_failed());
}

#[test]
fn losses_before_the_first_sample_of_a_path_are_no_persistent_congestion() {
    let mut bench = bench();
    bench.send(1).at(100).ack(&[0..=0]);
    bench.at(200);
    bench.recovery.on_path_change(bench.now);
    bench.at(300).send(1);
    bench.at(2_000).send(5);
    bench.at(2_100);
    assert_eq!(bench.ack(&[6..=6])[..2], [1, 2]);
    assert!(!bench.out.persistent_congestion);
}

#[test]
fn a_lost_probe_for_the_mtu_is_no_congestion() {
    let searching = RecoveryConfig {
        max_mtu: 1_472,
        ..config(ControllerKind::NewReno)
    };
    let mut bench = Bench::new(searching);
    assert_eq!(bench.recovery.poll_mtu_probe(bench.now), None);
    bench.send(1).at(50).ack(&[0..=0]);
    let size = bench.recovery.poll_mtu_probe(bench.now).unwrap();
    bench.send_as(size, true, Ecn::NotEct, true);
    bench.send(5).at(100);
    assert_eq!(bench.ack(&[2..=6]), [1]);
    assert!(!bench.out.congestion);
    assert_eq!(bench.recovery.poll_mtu_probe(bench.now), Some(size));
}

/// A peer that takes data for ever but never acknowledges what acknowledges it.
#[test]
fn pure_acknowledgements_do_not_pile_up() {
    let mut bench = bench();
    bench.send(1);
    for _ in 0..100_000 {
        bench.send_as(40, false, Ecn::NotEct, false);
        while bench
            .recovery
            .next_timeout()
            .is_some_and(|at| at <= bench.now)
        {
            bench.out.clear();
            let _ = bench.recovery.on_timeout(bench.now, &mut bench.out);
        }
    }
    assert!(bench.recovery.wants_ping());
    assert!(
        bench.recovery.tracked() <= 1_100,
        "{}",
        bench.recovery.tracked()
    );
}

#[test]
fn an_idle_one_is_small() {
    let mut bench = bench();
    for burst in 1..=20 {
        let first = bench.recovery.peek_pn();
        bench.send(10).at(100 * burst).ack(&[first..=first + 9]);
    }
    bench.recovery.release_memory();
    assert_eq!(bench.recovery.tracked(), 0);
    assert!(
        size_of::<Recovery<u64>>() <= 1_024,
        "{}",
        size_of::<Recovery<u64>>()
    );
}

#[test]
fn a_round_trip_of_minutes_leaves_a_pacing_rate() {
    let mut bench = Bench::new(config(ControllerKind::NewReno));
    bench
        .recovery
        .on_handshake_rtt(Timestamp::ZERO, Duration::from_secs(1_000_000));
    assert!(bench.recovery.pacing_rate() > 0);
}
