//! Goodput of CUBIC: quinn-proto's and ours over the same simulated link, in virtual time.

use stt_core_peers::{
    Settings, ours, peer,
    world::{End, Link, MS, SECOND, World},
};

use crate::{Effort, at_most, row};

/// How far ours may be from quinn-proto's, in either direction.
const TARGET: f64 = 0.05;
/// Round trip without queue.
const RTT: u64 = 50 * MS;

pub fn run(effort: Effort) {
    let (seeds, span) = match effort {
        Effort::Trial => (1, 2),
        Effort::Quick => (10, 60),
        // Some 15,000 losses a row: its error is about half a percent.
        _ => (100, 60),
    };
    for (name, mbit, loss) in [
        ("clean, 20 Mbit/s", 20, 0),
        ("clean, 100 Mbit/s", 100, 0),
        ("1% loss, 20 Mbit/s", 20, 10_000),
        ("1% loss, 100 Mbit/s", 100, 10_000),
    ] {
        let settings = Settings {
            mtu: 1_200,
            window: 8 << 20,
            peer_ack_every: None,
        };
        let rate = mbit * 125_000;
        let there = Link {
            delay: RTT / 2,
            bottleneck: Some((rate, rate * RTT / SECOND)),
            loss,
        };
        let links = [there, Link::plain(RTT / 2)];
        let seeds = if loss == 0 { 1 } else { seeds };
        let [mut ours_sum, mut theirs_sum] = [0; 2];
        for seed in 0..seeds {
            ours_sum += flow(World::new(ours::pair(&settings), links, seed), span);
            theirs_sum += flow(World::new(peer::pair(&settings), links, seed), span);
        }
        let mbits = |sum: u64| sum as f64 * 8e-6 / (seeds * span) as f64;
        let name = |what: &str| format!("CUBIC's goodput, {name}, 50 ms, {what}");
        row(&name("ours"), mbits(ours_sum), "Mbit/s");
        row(&name("quinn-proto"), mbits(theirs_sum), "Mbit/s");
        let apart = (ours_sum as f64 / theirs_sum as f64 - 1.0).abs();
        at_most(&name("apart"), apart, "", TARGET);
    }
}

/// Bytes received in `span` seconds, after five for the start.
fn flow<E: End>(mut world: World<E>, span: u64) -> u64 {
    world.ends[0].connect(0);
    world.run_until(|ends| ends.iter().all(|end| end.confirmed() == 1));
    world.ends[0].begin_bulk();
    world.run_for(5 * SECOND);
    let before = world.ends[1].received();
    world.run_for(span * SECOND);
    world.ends[1].received() - before
}
