//! CPU time of a handshake, both ends together.

use stt_core_peers::{
    Settings, ours, peer,
    world::{End, Link, MS, SECOND, World},
};

use crate::{Effort, at_most, cpu_seconds, row};

/// Handshakes of a round.
const ROUND: u32 = 10;
/// What our time over quinn-proto's is held to.
const TARGET: f64 = 0.6;

pub fn run(effort: Effort) {
    let rounds = match effort {
        Effort::Trial => 1,
        Effort::Quick => 30,
        Effort::Full => 300,
        Effort::Ours | Effort::Peer => 1_000,
    };
    let settings = Settings {
        mtu: 1_200,
        window: 1 << 20,
        peer_ack_every: None,
    };
    let links = [Link::plain(MS); 2];
    let mut ours = World::new(ours::pair(&settings), links, 1);
    let mut theirs = World::new(peer::pair(&settings), links, 1);
    let [mut best, mut theirs_best] = [f64::INFINITY; 2];
    for _ in 0..rounds {
        if effort != Effort::Peer {
            best = best.min(round(&mut ours));
        }
        if effort != Effort::Ours {
            theirs_best = theirs_best.min(round(&mut theirs));
        }
    }
    if effort == Effort::Trial {
        return;
    }
    row("handshake, both sides, ours", best * 1e6, "µs");
    row(
        "handshake, both sides, quinn-proto",
        theirs_best * 1e6,
        "µs",
    );
    let ratio = best / theirs_best;
    at_most("handshake, ours over quinn-proto", ratio, "×", TARGET);
}

/// The mean time of a handshake, with the packets behind it that its end brings.
fn round<E: End>(world: &mut World<E>) -> f64 {
    let mut seconds = 0.0;
    for _ in 0..ROUND {
        seconds += cpu_seconds(|| {
            let now = world.now;
            world.ends[0].connect(now);
            world.run_until(|ends| ends.iter().all(|end| end.confirmed() == 1));
            world.run_for(100 * MS);
        });
        world.ends.iter_mut().for_each(|end| end.forget());
        world.run_for(SECOND);
    }
    seconds / f64::from(ROUND)
}
