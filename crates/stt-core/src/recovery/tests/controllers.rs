//! The controllers on a simulated link.

use core::time::Duration;

use super::sim::{Link, Sim, config};
use crate::{ControllerKind, LinkProfile, Timestamp, recovery::RecoveryConfig};

const SECOND: Duration = Duration::from_secs(1);

/// Share of the link's rate that one flow gets, per mille, between 5 s and 35 s.
fn share(kind: ControllerKind, link: Link, seed: u64) -> u64 {
    let rate = link.rate;
    let mut sim = Sim::new(link, seed);
    sim.add(config(kind), Timestamp::ZERO);
    sim.run_for(5 * SECOND);
    sim.run_for(30 * SECOND)[0] * 1_000 / (30 * rate)
}

#[test]
fn cubic_fills_a_clean_link() {
    for (mbit, rtt_ms) in [(1, 50), (10, 50), (100, 50), (20, 600), (100, 2)] {
        let share = share(ControllerKind::Cubic, Link::new(mbit, rtt_ms), 1);
        println!("cubic {mbit} Mbit/s {rtt_ms} ms: {share}");
        assert!(
            share >= 950,
            "{mbit} Mbit/s, {rtt_ms} ms: {share} per mille"
        );
    }
}

#[test]
fn new_reno_fills_a_clean_link_with_a_queue_of_one_round_trip() {
    for (mbit, rtt_ms) in [(1, 50), (10, 50), (100, 2)] {
        let share = share(ControllerKind::NewReno, Link::new(mbit, rtt_ms), 1);
        println!("new reno {mbit} Mbit/s {rtt_ms} ms: {share}");
        assert!(
            share >= 950,
            "{mbit} Mbit/s, {rtt_ms} ms: {share} per mille"
        );
    }
}

#[test]
fn rate_carries_five_times_cubic_at_one_percent_loss() {
    for seed in 0..3 {
        let lossy = || Link {
            loss: 10_000,
            ..Link::new(100, 50)
        };
        let cubic = share(ControllerKind::Cubic, lossy(), seed);
        let rate = share(ControllerKind::Rate, lossy(), seed);
        println!("1% loss: rate {rate}, cubic {cubic}");
        assert!(
            rate >= 5 * cubic && rate >= 900,
            "rate {rate}, cubic {cubic} per mille"
        );
    }
}

#[test]
fn rate_fills_a_clean_link() {
    for (mbit, rtt_ms) in [(1, 50), (10, 50), (100, 50), (20, 600), (100, 2)] {
        let share = share(ControllerKind::Rate, Link::new(mbit, rtt_ms), 1);
        println!("rate {mbit} Mbit/s {rtt_ms} ms: {share}");
        assert!(
            share >= 930,
            "{mbit} Mbit/s, {rtt_ms} ms: {share} per mille"
        );
    }
}

/// Queues from a fifth of a round trip to two.
#[test]
fn rate_takes_at_most_twice_the_share_of_cubic() {
    for (mbit, rtt_ms, queue) in [
        (20, 50, 20),
        (20, 50, 50),
        (20, 50, 100),
        (20, 50, 200),
        (10, 100, 100),
        (50, 20, 100),
    ] {
        for seed in 0..2 {
            let mut link = Link::new(mbit, rtt_ms);
            link.queue = link.queue * queue / 100;
            let mut sim = Sim::new(link, seed);
            sim.add(config(ControllerKind::Cubic), Timestamp::ZERO);
            let second = RecoveryConfig {
                seed,
                ..config(ControllerKind::Rate)
            };
            sim.add(second, Timestamp::from_millis(1_000));
            sim.run_for(10 * SECOND);
            let got = sim.run_for(60 * SECOND);
            let percent = got[1] * 100 / got[0];
            println!("{mbit} Mbit/s {rtt_ms} ms queue {queue}%: rate has {percent}% of cubic");
            assert!(percent <= 200, "{percent}% of what CUBIC has");
            assert!(percent >= 20, "{percent}% of what CUBIC has: starved");
        }
    }
}

#[test]
fn two_cubic_flows_share_alike() {
    let mut sim = Sim::new(Link::new(20, 50), 1);
    sim.add(config(ControllerKind::Cubic), Timestamp::ZERO);
    sim.add(config(ControllerKind::Cubic), Timestamp::from_millis(3_000));
    sim.run_for(20 * SECOND);
    let got = sim.run_for(100 * SECOND);
    println!("two cubic flows: {got:?}");
    assert!(got[0] < 2 * got[1] && got[1] < 2 * got[0], "{got:?}");
}

/// 1,200 bit/s: a packet takes 427 ms, and the time-outs give it that.
#[test]
fn narrow_pipe_is_filled_without_spurious_probes() {
    let profile = LinkProfile {
        mtu: 64,
        rate_hint: Some(1_200),
        reliable: false,
        fragment: Some(16),
    };
    for kind in [ControllerKind::Cubic, ControllerKind::Rate] {
        let link = Link {
            rate: 150,
            queue: 1_500,
            ..Link::new(1, 200)
        };
        let mut sim = Sim::new(link, 1);
        let narrow = RecoveryConfig {
            profile,
            initial_mtu: 64,
            max_mtu: 64,
            peer_max_ack_delay: profile.timers().max_ack_delay(),
            ..config(kind)
        };
        sim.add(narrow, Timestamp::ZERO);
        sim.run_for(10 * SECOND);
        let share = sim.run_for(300 * SECOND)[0] * 1_000 / (300 * 150);
        let stats = *sim.flows[0].recovery.stats();
        println!("{kind:?} narrow: {share}, {stats:?}");
        assert!(share >= 950, "{kind:?}: {share} per mille");
        assert_eq!(
            (stats.probe_timeouts, stats.spurious_losses),
            (0, 0),
            "{kind:?}"
        );
    }
}

/// A route that becomes twelve times as long, as from a cell to a satellite, on the same path.
#[test]
fn a_longer_round_trip_is_measured_anew() {
    let mut sim = Sim::new(Link::new(20, 50), 1);
    sim.link.queue = 500_000;
    sim.add(config(ControllerKind::Rate), Timestamp::ZERO);
    sim.run_for(15 * SECOND);
    sim.link.delay = Duration::from_millis(300);
    let got: Vec<u64> = (0..12).map(|_| sim.run_for(5 * SECOND)[0] / 5).collect();
    println!("rate over the longer route: {got:?} of 2500000");
    assert!(got[6] > 2_000_000, "{got:?} bytes/s");
    assert!(
        got[6..].iter().sum::<u64>() / 6 > 2_000_000,
        "{got:?} bytes/s"
    );
}

/// A link that is gone for five seconds.
#[test]
fn partition_heals() {
    for kind in [ControllerKind::Cubic, ControllerKind::Rate] {
        let mut sim = Sim::new(Link::new(10, 50), 1);
        sim.link.down = Timestamp::from_millis(5_000)..=Timestamp::from_millis(10_000);
        sim.add(config(kind), Timestamp::ZERO);
        sim.run_for(20 * SECOND);
        let got = sim.run_for(10 * SECOND)[0] / 10;
        println!("{kind:?} after a partition: {got} of 1250000");
        assert!(got > 1_125_000, "{kind:?}: {got} bytes/s");
        assert!(sim.flows[0].recovery.stats().persistent_congestions <= 2);
    }
}

/// 30% of packets 20 ms late: learned from the first ones.
#[test]
fn reordering_is_no_loss_for_long() {
    let mut sim = Sim::new(Link::new(10, 50), 1);
    sim.link.reorder = 300_000;
    sim.link.late = Duration::from_millis(20);
    sim.add(config(ControllerKind::Cubic), Timestamp::ZERO);
    sim.run_for(10 * SECOND);
    let before = sim.flows[0].recovery.stats().spurious_losses;
    let got = sim.run_for(20 * SECOND)[0] / 20;
    let after = sim.flows[0].recovery.stats().spurious_losses;
    println!(
        "30% reordered: {got} of 1250000, spurious {before}, then {}",
        after - before
    );
    assert!(got > 1_125_000, "{got} bytes/s");
    assert!(after - before < 500, "{} spurious losses", after - before);
}

/// The queue is kept at the mark by its signals alone.
#[test]
fn marks_replace_losses() {
    for kind in [ControllerKind::Cubic, ControllerKind::NewReno] {
        let mut sim = Sim::new(Link::new(10, 50), 1);
        sim.link.mark_above = sim.link.queue / 2;
        let marked = RecoveryConfig {
            ecn: true,
            ..config(kind)
        };
        sim.add(marked, Timestamp::ZERO);
        sim.run_for(5 * SECOND);
        let before = *sim.flows[0].recovery.stats();
        sim.run_for(30 * SECOND);
        let after = *sim.flows[0].recovery.stats();
        assert_eq!(after.lost_packets, before.lost_packets, "{kind:?}");
        assert!(
            after.congestion_events > before.congestion_events,
            "{kind:?}"
        );
    }
}

#[test]
fn larger_packets_are_found_and_a_black_hole_is_left() {
    let mut sim = Sim::new(Link::new(10, 50), 1);
    sim.link.mtu = 1_452;
    let searching = RecoveryConfig {
        max_mtu: 1_472,
        ..config(ControllerKind::Cubic)
    };
    sim.add(searching, Timestamp::ZERO);
    sim.run_for(10 * SECOND);
    assert_eq!(sim.flows[0].recovery.mtu(), 1_452);
    sim.link.mtu = 1_300;
    sim.run_for(20 * SECOND);
    assert_eq!(sim.flows[0].recovery.stats().black_holes, 1);
    assert_eq!(sim.flows[0].recovery.mtu(), 1_200);
    let got = sim.run_for(10 * SECOND)[0] / 10;
    assert!(got > 1_125_000, "{got} bytes/s after the black hole");
    sim.run_for(60 * SECOND);
    let mtu = sim.flows[0].recovery.mtu();
    assert!((1_280..=1_300).contains(&mtu), "{mtu}");
}

/// A route that carries less than the least size that was taken for granted, and one that carries more again.
#[test]
fn a_path_that_shrinks_below_the_base_is_followed() {
    let mut sim = Sim::new(Link::new(10, 50), 1);
    let searching = RecoveryConfig {
        max_mtu: 1_472,
        ..config(ControllerKind::Cubic)
    };
    sim.add(searching, Timestamp::ZERO);
    sim.run_for(5 * SECOND);
    assert_eq!(sim.flows[0].recovery.mtu(), 1_472);
    sim.link.mtu = 300;
    sim.run_for(20 * SECOND);
    let mtu = sim.flows[0].recovery.mtu();
    assert!((280..=300).contains(&mtu), "{mtu}");
    let got = sim.run_for(10 * SECOND)[0] / 10;
    assert!(got > 1_000_000, "{got} bytes/s in small packets");
    sim.link.mtu = 1_500;
    sim.run_for(70 * SECOND);
    assert!(sim.flows[0].recovery.mtu() >= 1_452);
}

#[test]
fn same_seed_same_run() {
    let run = || {
        let mut sim = Sim::new(
            Link {
                loss: 10_000,
                ..Link::new(10, 50)
            },
            7,
        );
        sim.add(config(ControllerKind::Rate), Timestamp::ZERO);
        sim.run_for(10 * SECOND);
        let recovery = &sim.flows[0].recovery;
        (sim.flows[0].received, *recovery.stats(), recovery.cwnd())
    };
    assert_eq!(run(), run());
}
