//! What holds whatever the network and the peer do.

use core::time::Duration;
use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::{rules::Bench, sim::config};
use crate::{
    ControllerKind, Ecn,
    recovery::{AckInfo, Probes, RecoveryConfig},
};

#[derive(Clone, Debug)]
enum Step {
    Send {
        count: u8,
        size: u16,
        eliciting: bool,
        marked: bool,
    },
    Skip,
    /// Acknowledges some of what was sent, by a mask laid over the last numbers.
    Ack {
        back: u8,
        mask: u64,
        delay_ms: u16,
    },
    Wait(u16),
    Timeout,
    MtuProbe,
    NewPath,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..20_u8, 20..1_200_u16, any::<bool>(), any::<bool>())
            .prop_map(|(count, size, eliciting, marked)| Step::Send { count, size, eliciting, marked }),
        1 => Just(Step::Skip),
        6 => (any::<u8>(), any::<u64>(), any::<u16>())
            .prop_map(|(back, mask, delay_ms)| Step::Ack { back: back % 8, mask, delay_ms }),
        4 => (0..2_000_u16).prop_map(Step::Wait),
        4 => Just(Step::Timeout),
        1 => Just(Step::MtuProbe),
        1 => Just(Step::NewPath),
    ]
}

fn kind() -> impl Strategy<Value = ControllerKind> {
    prop_oneof![
        Just(ControllerKind::Cubic),
        Just(ControllerKind::NewReno),
        Just(ControllerKind::Rate),
    ]
}

/// What a second, simple bookkeeping knows of the open packets.
#[derive(Default)]
struct Model {
    open: BTreeMap<u64, (u16, bool)>,
    skipped: Vec<u64>,
}

impl Model {
    fn settle(&mut self, bench: &mut Bench) {
        let settled = bench.out.acked.drain(..).chain(bench.out.lost.drain(..));
        for (pn, carried) in settled {
            assert_eq!(pn, carried);
            assert!(self.open.remove(&pn).is_some(), "packet {pn} settled twice");
        }
        bench.out.clear();
    }

    fn check(&self, bench: &Bench) {
        let in_flight: u64 = self
            .open
            .values()
            .filter(|(_, counts)| *counts)
            .map(|(size, _)| u64::from(*size))
            .sum();
        assert_eq!(bench.recovery.bytes_in_flight(), in_flight);
        let least = 2 * u64::from(bench.recovery.mtu());
        assert!(
            bench.recovery.cwnd() >= least,
            "{} under {least}",
            bench.recovery.cwnd()
        );
        assert!(bench.recovery.pacing_rate() > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_packet_is_settled_once_and_bytes_add_up(kind in kind(), steps in vec(step(), 1..120)) {
        let mut bench = Bench::new(RecoveryConfig { ecn: true, max_mtu: 9_000, ..config(kind) });
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Send { count, size, eliciting, marked } => {
                    for _ in 0..count {
                        let ecn = if marked { bench.recovery.ecn() } else { Ecn::NotEct };
                        model.open.insert(bench.recovery.peek_pn(), (size, eliciting));
                        bench.send_as(size, eliciting, ecn, false);
                    }
                }
                Step::Skip => {
                    model.skipped.push(bench.recovery.peek_pn());
                    bench.recovery.skip_pn().unwrap();
                }
                Step::Ack { back, mask, delay_ms } => {
                    let end = bench.recovery.peek_pn().saturating_sub(u64::from(back) * 8);
                    let numbers: Vec<u64> = (end.saturating_sub(64)..end).rev()
                        .filter(|pn| mask >> (pn % 64) & 1 == 1 && !model.skipped.contains(pn))
                        .collect();
                    let Some(&largest) = numbers.first() else { continue };
                    let delay = Duration::from_millis(u64::from(delay_ms));
                    let ack = AckInfo { largest, delay, ecn: None };
                    let ranges = numbers.iter().map(|&pn| pn..=pn);
                    bench.recovery.on_ack(bench.now, &ack, ranges, &mut bench.out).unwrap();
                    for pn in &numbers {
                        prop_assert!(
                            !model.open.contains_key(pn)
                                || bench.out.acked.iter().any(|(acked, _)| acked == pn),
                        );
                    }
                }
                Step::Wait(millis) => bench.now += Duration::from_millis(u64::from(millis)),
                Step::Timeout => {
                    if let Some(at) = bench.recovery.next_timeout() {
                        bench.now = bench.now.max(at);
                        let mut calls = 0;
                        while bench.recovery.next_timeout().is_some_and(|at| at <= bench.now) {
                            let Probes(_) = bench.recovery.on_timeout(bench.now, &mut bench.out);
                            calls += 1;
                            prop_assert!(calls <= 3, "a timer that doesn't move on");
                        }
                    }
                }
                Step::MtuProbe => {
                    if let Some(size) = bench.recovery.poll_mtu_probe(bench.now) {
                        model.open.insert(bench.recovery.peek_pn(), (size, true));
                        bench.send_as(size, true, Ecn::NotEct, true);
                    }
                }
                Step::NewPath => {
                    bench.recovery.on_path_change(bench.now);
                    model.open.values_mut().for_each(|(_, counts)| *counts = false);
                }
            }
            model.settle(&mut bench);
            model.check(&bench);
        }
        // An acknowledgement of everything leaves nothing.
        if let Some((&last, _)) = model.open.last_key_value() {
            let numbers: Vec<u64> = model.open.keys().rev().copied().collect();
            let ack = AckInfo { largest: last, delay: Duration::ZERO, ecn: None };
            let ranges = numbers.iter().map(|&pn| pn..=pn);
            bench.recovery.on_ack(bench.now, &ack, ranges, &mut bench.out).unwrap();
            model.settle(&mut bench);
        }
        prop_assert!(model.open.is_empty());
        prop_assert_eq!(bench.recovery.bytes_in_flight(), 0);
        prop_assert_eq!(bench.recovery.next_timeout(), None);
    }
}
