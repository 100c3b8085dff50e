//! CPU time of one stream, both ends together, per byte.

use std::hint::black_box;

use stt_core_peers::{
    Settings, ours, peer,
    world::{End, Link, MS, World},
};
use stt_crypto::{Aead, Initiator, Responder, TAG_LEN, secret::Seed};

use crate::{Effort, at_most, cpu_seconds, row};

/// Bytes of a round: many windows, so that where in one it begins matters little.
const ROUND: u64 = 4 << 20;
/// One way.
const DELAY: u64 = MS / 2;
/// What our streams grant by default.
const WINDOW: u64 = 256 << 10;
/// What our time over quinn-proto's is held to.
const TARGET: f64 = 0.5;

pub fn run(effort: Effort) {
    for mtu in [1_200, 1_452] {
        compare(effort, mtu);
    }
}

fn compare(effort: Effort, mtu: u16) {
    let rounds = match effort {
        Effort::Trial => 1,
        Effort::Quick => 30,
        Effort::Full => 300,
        Effort::Ours | Effort::Peer => 500,
    };
    let settings = Settings {
        mtu,
        window: WINDOW,
        peer_ack_every: None,
    };
    let mut ours = flow(ours::pair(&settings));
    let mut theirs = flow(peer::pair(&settings));
    let sizes = sizes_of_round(&mut ours);
    let their_sizes = sizes_of_round(&mut theirs);
    let mut aead = Packets::new();
    let [mut best, mut theirs_best, mut aead_best] = [f64::INFINITY; 3];
    for _ in 0..rounds {
        if effort != Effort::Peer {
            best = best.min(cpu_seconds(|| round(&mut ours)));
        }
        if effort != Effort::Ours {
            theirs_best = theirs_best.min(cpu_seconds(|| round(&mut theirs)));
        }
        if effort < Effort::Ours {
            aead_best = aead_best.min(cpu_seconds(|| aead.seal_and_open(&sizes)));
        }
    }
    if effort == Effort::Trial {
        return;
    }
    let per_byte = 1e9 / ROUND as f64;
    let name = |what: &str| format!("bulk, {mtu} B, {what}");
    row(&name("ours"), best * per_byte, "ns/B");
    row(&name("quinn-proto"), theirs_best * per_byte, "ns/B");
    let aead_name = "the AEAD of our packets alone";
    row(&name(aead_name), aead_best * per_byte, "ns/B");
    let ratio = best / theirs_best;
    at_most(&name("ours over quinn-proto"), ratio, "×", TARGET);
    let ratio = (best - aead_best) / (theirs_best - aead_best);
    row(&name("the same without the AEAD"), ratio, "×");
    let mib = (ROUND >> 20) as f64;
    let datagrams = [&sizes, &their_sizes].map(|sizes| sizes.len() as f64 / mib);
    row(&name("datagrams per MiB, ours"), datagrams[0], "");
    row(&name("datagrams per MiB, quinn-proto"), datagrams[1], "");
}

fn sizes_of_round<E: End>(world: &mut World<E>) -> Vec<u16> {
    world.sizes = Some(Vec::new());
    round(world);
    world.sizes.take().unwrap_or_default()
}

/// A session with a stream that is always full, past its slow start.
fn flow<E: End>(ends: [E; 2]) -> World<E> {
    let mut world = World::new(ends, [Link::plain(DELAY); 2], 1);
    world.ends[0].connect(0);
    world.run_until(|ends| ends.iter().all(|end| end.confirmed() == 1));
    world.run_for(100 * MS);
    world.ends[0].begin_bulk();
    for _ in 0..8 {
        round(&mut world);
    }
    world
}

fn round<E: End>(world: &mut World<E>) {
    let goal = world.ends[1].received() + ROUND;
    world.run_until(|ends| ends[1].received() >= goal);
}

/// Packets sealed and opened, nothing else.
struct Packets {
    sessions: [stt_crypto::Session; 2],
    buffer: Vec<u8>,
}

impl Packets {
    fn new() -> Self {
        let seed = Seed::new(&[7; 32]).expect("a seed");
        let (psk, node) = (seed.psk(), seed.node_key(b"node"));
        let (mut initiator, first) =
            Initiator::start(&psk, &node, b"", [1; 32], b"").expect("message 1");
        let (responder, _) = Responder::read(&psk, &node, b"", &first, [2; 32]).expect("message 1");
        let (there, second) = responder.respond(b"").expect("message 2");
        let (here, _) = initiator.finish(&second).expect("message 2");
        Self {
            sessions: [here, there],
            buffer: vec![0x5a; 1 << 16],
        }
    }

    fn seal_and_open(&mut self, sizes: &[u16]) {
        let aead = Aead::Aes256Gcm;
        let [here, there] = &self.sessions;
        let (mut seal, mask) = (here.send.packet_key(aead), here.send.header_key(aead));
        let open = there.receive.packet_key(aead);
        let unmask = there.receive.header_key(aead);
        for (number, &size) in (0..).zip(sizes) {
            let (head, body) = self.buffer[..usize::from(size).max(32)].split_at_mut(7);
            debug_assert!(body.len() > TAG_LEN);
            seal.seal(number, head, body).expect("numbers grow");
            let sample = body.first_chunk().expect("long enough");
            black_box(mask.mask(sample));
            black_box(unmask.mask(sample));
            open.open(number, head, body).expect("genuine");
        }
    }
}
