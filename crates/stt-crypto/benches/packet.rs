//! What sealing, opening and masking a packet costs.
//!
//! `cargo bench -p stt-crypto --bench packet`. All cases are run in turn in many rounds, and the
//! fastest round of each is printed: everything else that happens on a machine only ever adds.
//! Without `--bench`, as `cargo test` runs it, every case is only tried out.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures wall time and prints it"
)]

use std::{hint::black_box, time::Instant};

use stt_crypto::{
    Aead, HeaderKey, Initiator, PacketKey, Responder, Session, Stc, TAG_LEN, secret::Seed,
};

/// How often each case is measured.
const ROUNDS: u32 = 60;
/// Operations per round.
const PER_ROUND: u64 = 2_000;
/// Payload bytes.
const SIZES: [usize; 3] = [40, 1_200, 16_384];

fn main() {
    let trial = !std::env::args().any(|arg| arg == "--bench");
    let (rounds, n) = if trial { (1, 1) } else { (ROUNDS, PER_ROUND) };
    let session = session();

    let mut results: Vec<(String, f64, usize)> = Vec::new();
    for round in 0..rounds {
        let mut next = 0;
        let mut case = |name: String, bytes: usize, operation: &mut dyn FnMut(u64)| {
            let start = Instant::now();
            for i in 0..n {
                operation(i);
            }
            let ns = start.elapsed().as_nanos() as f64 / n as f64;
            match results.get_mut(next) {
                Some((_, best, _)) => *best = best.min(ns),
                None => results.push((name, ns, bytes)),
            }
            next += 1;
        };
        for aead in Aead::ALL {
            for size in SIZES {
                let mut body = vec![0x5a; size + TAG_LEN];
                let mut key = session.send.packet_key(aead);
                case(format!("seal {size} B, {aead:?}"), size, &mut |i| {
                    key.seal(i, b"header of", &mut body).expect("numbers grow");
                });
                let key = session.send.packet_key(aead);
                let sealed = sealed(&session, aead, size);
                case(format!("open {size} B, {aead:?}"), size, &mut |_| {
                    body.copy_from_slice(&sealed);
                    key.open(0, b"header of", &mut body).expect("genuine");
                });
            }
            let key = session.send.header_key(aead);
            case(format!("mask, {aead:?}"), 0, &mut |i| {
                black_box(key.mask(&[i as u8; HeaderKey::SAMPLE_LEN]));
            });
        }
        let stc = Stc::new(&[1; 32]).expect("a seed");
        let context = stc.create_stream_context(b"session!", 1).expect("8 bytes");
        let mut sealer = context.sealer([round as u8; 16]);
        let mut out = Vec::with_capacity(2_000);
        case("seal a segment of 1400 B".to_owned(), 1_400, &mut |_| {
            out.clear();
            sealer
                .seal(&[0x5a; 1_400], false, &mut out)
                .expect("not the last");
        });
    }
    if trial {
        return;
    }
    println!("| operation | ns | GB/s |\n|---|---|---|");
    for (name, ns, bytes) in results {
        let rate = if bytes == 0 {
            String::new()
        } else {
            format!("{:.2}", bytes as f64 / ns)
        };
        println!("| {name} | {ns:.0} | {rate} |");
    }
    println!(
        "PacketKey {} bytes, HeaderKey {}",
        size_of::<PacketKey>(),
        size_of::<HeaderKey>()
    );
    println!(
        "Initiator {} bytes, Responder {}",
        size_of::<Initiator>(),
        size_of::<Responder>()
    );
}

fn sealed(session: &Session, aead: Aead, size: usize) -> Vec<u8> {
    let mut body = vec![0x5a; size + TAG_LEN];
    session
        .send
        .packet_key(aead)
        .seal(0, b"header of", &mut body)
        .expect("a fresh key");
    body
}

fn session() -> Session {
    let seed = Seed::new(&[7; 32]).expect("a seed");
    let (psk, node) = (seed.psk(), seed.node_key(b"node"));
    let (mut initiator, first) =
        Initiator::start(&psk, &node, b"", [1; 32], b"").expect("message 1");
    let (responder, _) = Responder::read(&psk, &node, b"", &first, [2; 32]).expect("message 1");
    let (_, second) = responder.respond(b"").expect("message 2");
    initiator.finish(&second).expect("message 2").0
}
