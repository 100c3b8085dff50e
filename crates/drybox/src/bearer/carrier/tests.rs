//! What one setting may change and what it may not.

use super::*;
use crate::bearer::{BearerKind, GilbertElliottParams, Partition, RateLimit};

const PDUS: u64 = 20_000;

fn base() -> BearerParams {
    let mut params = BearerParams::defaults(BearerKind::VolteEvs);
    params.loss_rate = 0.05;
    params.reorder_rate = 0.05;
    params.ge_p_good_bad = 0.02;
    params.impairments.duplicate_rate = 0.1;
    params.impairments.corrupt_rate = 0.1;
    params
}

fn fates(params: &BearerParams) -> Vec<Fate> {
    let mut carrier = Carrier::new(params, Direction::LeftToRight, &Streams::new(77));
    (0..PDUS)
        .map(|serial| carrier.carry(serial, serial * 20, 40))
        .collect()
}

fn arrival(fate: &Fate) -> Option<Arrival> {
    match fate {
        Fate::Arrives(arrival) => Some(*arrival),
        Fate::Lost(_) => None,
    }
}

/// The arrivals of PDUs that arrive in both runs.
fn both(a: &[Fate], b: &[Fate]) -> Vec<(Arrival, Arrival)> {
    a.iter()
        .zip(b)
        .filter_map(|(a, b)| Some((arrival(a)?, arrival(b)?)))
        .collect()
}

#[test]
fn loss_settings_change_no_delay_duplicate_or_corruption() {
    for bearer in [BearerKind::VolteEvs, BearerKind::CsGsm] {
        let before = BearerParams { bearer, ..base() };
        let settings: [fn(&mut BearerParams); 5] = [
            |p| p.loss_rate = 0.3,
            |p| p.loss_rate = 0.0,
            |p| p.ge_p_good_bad = 0.2,
            |p| p.ge_bad_extra_loss = 0.9,
            |p| {
                p.impairments.gilbert_elliott = Some(GilbertElliottParams {
                    p_good_bad: 0.1,
                    p_bad_good: 0.3,
                    loss_good: 0.01,
                    loss_bad: 0.8,
                });
            },
        ];
        for change in settings {
            let mut after = before.clone();
            change(&mut after);
            let (a, b) = (fates(&before), fates(&after));
            assert_ne!(a, b);
            assert!(both(&a, &b).iter().all(|(a, b)| a == b));
        }
    }
}

#[test]
fn a_higher_loss_rate_only_adds_losses() {
    let (low, mut high) = (base(), base());
    high.loss_rate = 0.2;
    let (a, b) = (fates(&low), fates(&high));
    assert!(
        a.iter()
            .zip(&b)
            .all(|(a, b)| arrival(b).is_none() || arrival(a).is_some())
    );
}

#[test]
fn delay_settings_change_no_loss_duplicate_or_corruption() {
    let settings: [fn(&mut BearerParams); 5] = [
        |p| p.latency_ms = 300.0,
        |p| p.jitter_ms = 0.0,
        |p| p.reorder_rate = 0.0,
        |p| p.reorder_rate = 0.9,
        |p| {
            p.handover_interval_ms = 1000.0;
            p.handover_duration_ms = 300.0;
            p.handover_delay_ms = 100.0;
        },
    ];
    for change in settings {
        let mut after = base();
        change(&mut after);
        let (a, b) = (fates(&base()), fates(&after));
        assert_ne!(a, b);
        for (a, b) in a.iter().zip(&b) {
            match (a, b) {
                (Fate::Lost(a), Fate::Lost(b)) => assert_eq!(a, b),
                (Fate::Arrives(a), Fate::Arrives(b)) => {
                    assert_eq!(a.flip, b.flip);
                    assert_eq!(a.duplicate.map(|d| d.flip), b.duplicate.map(|d| d.flip));
                }
                _ => panic!("a delay setting changed a loss: {a:?} {b:?}"),
            }
        }
    }
}

#[test]
fn turning_reordering_on_leaves_every_other_pdus_delay() {
    let mut off = base();
    off.reorder_rate = 0.0;
    let (a, b) = (fates(&off), fates(&base()));
    let pairs = both(&a, &b);
    let moved = pairs.iter().filter(|(a, b)| a.due_ms != b.due_ms).count();
    assert!(
        pairs
            .iter()
            .all(|(a, b)| b.due_ms == a.due_ms || b.due_ms == a.due_ms + 20)
    );
    assert!((700..1300).contains(&moved), "{moved}");
}

#[test]
fn duplication_and_corruption_change_nothing_else() {
    let mut clean = base();
    clean.impairments.duplicate_rate = 0.0;
    clean.impairments.corrupt_rate = 0.0;
    for (a, b) in fates(&clean).iter().zip(&fates(&base())) {
        assert_eq!(arrival(a).map(|a| a.due_ms), arrival(b).map(|b| b.due_ms));
    }
    let mut no_copies = base();
    no_copies.impairments.duplicate_rate = 0.0;
    let flips = |params: &BearerParams| -> Vec<Option<Flip>> {
        fates(params)
            .iter()
            .filter_map(arrival)
            .map(|a| a.flip)
            .collect()
    };
    assert_eq!(flips(&no_copies), flips(&base()));
}

#[test]
fn a_partition_takes_only_what_is_sent_in_it() {
    let mut cut = base();
    cut.impairments.partitions = vec![Partition {
        at_ms: 100_000,
        duration_ms: 50_000,
    }];
    for (serial, (a, b)) in fates(&base()).iter().zip(&fates(&cut)).enumerate() {
        if (5000..7500).contains(&serial) {
            assert_eq!(*b, Fate::Lost(Cause::Partition));
        } else {
            assert_eq!(a, b);
        }
    }
}

#[test]
fn a_wide_rate_limit_only_adds_its_serialisation_time() {
    let mut exact = base();
    exact.jitter_ms = 0.0;
    let mut limited = exact.clone();
    // 40 bytes in 10 ms, every 20 ms.
    limited.impairments.rate_limit = Some(RateLimit {
        rate_bps: 32_000.0,
        queue_bytes: 4000,
    });
    for (a, b) in fates(&exact).iter().zip(&fates(&limited)) {
        assert_eq!(
            arrival(a).map(|a| a.due_ms + 10),
            arrival(b).map(|b| b.due_ms)
        );
    }
}

#[test]
fn a_narrow_rate_limit_carries_its_rate_and_drops_the_rest() {
    let mut params = base();
    params.loss_rate = 0.0;
    params.ge_p_good_bad = 0.0;
    // 40 bytes in 40 ms, every 20 ms: half of the load.
    params.impairments.rate_limit = Some(RateLimit {
        rate_bps: 8000.0,
        queue_bytes: 400,
    });
    let fates = fates(&params);
    let full = fates
        .iter()
        .filter(|f| **f == Fate::Lost(Cause::QueueFull))
        .count();
    assert!((9_985..=10_000).contains(&full), "{full}");
}

#[test]
fn the_directions_and_the_seeds_are_independent() {
    let run = |direction, seed| -> Vec<Fate> {
        let mut carrier = Carrier::new(&base(), direction, &Streams::new(seed));
        (0..1000).map(|s| carrier.carry(s, s * 20, 40)).collect()
    };
    let left = run(Direction::LeftToRight, 1);
    assert_eq!(left, run(Direction::LeftToRight, 1));
    assert_ne!(left, run(Direction::RightToLeft, 1));
    assert_ne!(left, run(Direction::LeftToRight, 2));
}

#[test]
fn frames_know_no_byte_impairments() {
    let mut params = base();
    params.impairments.rate_limit = Some(RateLimit {
        rate_bps: 100.0,
        queue_bytes: 0,
    });
    let mut plain = base();
    plain.impairments.duplicate_rate = 0.0;
    plain.impairments.corrupt_rate = 0.0;
    let mut frames = Carrier::for_frames(&params, Direction::LeftToRight, &Streams::new(77));
    let carried: Vec<Fate> = (0..PDUS).map(|s| frames.carry(s, s * 20, 40)).collect();
    assert_eq!(carried, fates(&plain));
}

#[test]
fn a_flip_changes_one_bit_and_reaches_every_bit() {
    let mut stream = Streams::new(3).stream("places");
    let mut hit = [0_u8; 4];
    for serial in 0..1000 {
        let mut bytes = [0_u8; 4];
        Flip(stream.at(serial).bits()).apply(&mut bytes);
        assert_eq!(bytes.iter().map(|b| b.count_ones()).sum::<u32>(), 1);
        hit.iter_mut()
            .zip(bytes)
            .for_each(|(hit, byte)| *hit |= byte);
    }
    assert_eq!(hit, [0xff; 4]);
    Flip(u64::MAX).apply(&mut []);
}

#[test]
fn odd_settings_never_panic() {
    for value in [f64::NAN, f64::INFINITY, -1.0, 1e300, 0.0] {
        let mut params = BearerParams::defaults(BearerKind::CsGsm);
        params.latency_ms = value;
        params.jitter_ms = value;
        params.loss_rate = value;
        params.reorder_rate = value;
        params.frame_ms = value;
        params.ge_p_good_bad = value;
        params.handover_interval_ms = value;
        params.handover_duration_ms = value;
        params.handover_delay_ms = value;
        params.impairments.duplicate_rate = value;
        params.impairments.corrupt_rate = value;
        params.impairments.rate_limit = Some(RateLimit {
            rate_bps: value,
            queue_bytes: 100,
        });
        let mut carrier = Carrier::new(&params, Direction::LeftToRight, &Streams::new(0));
        for serial in 0..100 {
            carrier.carry(serial, serial * 10, 20);
        }
    }
}
