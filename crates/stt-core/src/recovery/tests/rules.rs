//! The rules of RFC 9002, one by one.

use core::{ops::RangeInclusive, time::Duration};

use super::sim::config;
use crate::{
    ControllerKind, Ecn, LinkProfile, Timestamp,
    recovery::{AckError, AckInfo, Outcome, Probes, Recovery, RecoveryConfig, SendState, Sent},
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
    bench.ack(&[0..=1]);
    let due = bench.recovery.next_timeout().unwrap();
    assert_eq!(due.saturating_since(bench.now), bench.recovery.pto());
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

#[test]
fn packets_never_sent_and_skipped_ones_cannot_be_acknowledged() {
    let mut bench = bench();
    bench.send(3);
    let try_ack = |bench: &mut Bench, range: RangeInclusive<u64>| {
        let ack = AckInfo {
            largest: *range.end(),
            delay: Duration::ZERO,
            ecn: None,
        };
        bench
            .recovery
            .on_ack(bench.now, &ack, [range].into_iter(), &mut bench.out)
    };
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
}
