//! The controllers on a simulated link.

use core::time::Duration;

use super::sim::{Link, Sim, config};
use crate::{ControllerKind, Timestamp};

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
    let lossy = || Link {
        loss: 10_000,
        ..Link::new(100, 50)
    };
    let cubic = share(ControllerKind::Cubic, lossy(), 3);
    let rate = share(ControllerKind::Rate, lossy(), 3);
    println!("1% loss: rate {rate}, cubic {cubic}");
    assert!(rate >= 5 * cubic, "rate {rate}, cubic {cubic} per mille");
}

#[test]
fn rate_fills_a_clean_link() {
    for (mbit, rtt_ms) in [(1, 50), (10, 50), (100, 50), (20, 600), (100, 2)] {
        let share = share(ControllerKind::Rate, Link::new(mbit, rtt_ms), 1);
        println!("rate {mbit} Mbit/s {rtt_ms} ms: {share}");
    }
}

#[test]
fn rate_leaves_cubic_its_share() {
    for (mbit, rtt_ms, queue) in [
        (20, 50, 100),
        (20, 50, 50),
        (20, 50, 200),
        (20, 50, 20),
        (10, 100, 100),
        (50, 20, 100),
    ] {
        for seed in 0..2 {
            let mut link = Link::new(mbit, rtt_ms);
            link.queue = link.queue * queue / 100;
            let mut sim = Sim::new(link, seed);
            let first = config(ControllerKind::Cubic);
            let second = config(ControllerKind::Rate);
            sim.add(first, Timestamp::ZERO);
            sim.add(second, Timestamp::from_millis(1_000));
            sim.run_for(10 * SECOND);
            let got = sim.run_for(60 * SECOND);
            println!(
                "{mbit} {rtt_ms} queue {queue}: cubic {} rate {} ratio {:.2} util {}",
                got[0],
                got[1],
                got[1] as f64 / got[0] as f64,
                (got[0] + got[1]) * 1000 / 60 / sim.link.rate
            );
        }
    }
}
