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
