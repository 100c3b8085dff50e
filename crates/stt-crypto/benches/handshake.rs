//! Whole handshakes per second, both sides on one core: ours, and `snow` with its default resolver.
//!
//! `cargo bench -p stt-crypto --bench handshake`. Both are run in turn in many rounds, and the
//! fastest round of each is printed: everything else that happens on a machine only ever adds.
//! Without `--bench`, as `cargo test` runs it, every case is only tried out.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures wall time and prints it"
)]

use std::{cell::Cell, hint::black_box, time::Instant};

use snow::{Builder, params::NoiseParams};
use stt_crypto::{
    Aead, Initiator, Responder, Session,
    secret::{NodeKey, Psk, Seed},
};

/// How often each case is measured.
const ROUNDS: u32 = 40;
/// Handshakes per round.
const PER_ROUND: u32 = 50;
/// What our handshakes per second over snow's are held to.
const TARGET: f64 = 2.2;
/// What transport parameters take.
const OFFER: &[u8] = &[0x55; 15];
const ANSWER: &[u8] = &[0x66; 18];
const PROLOGUE: &[u8] = b"STT\x01\x01\x04abcd";

fn main() {
    let trial = !std::env::args().any(|arg| arg == "--bench");
    let (rounds, n) = if trial { (1, 1) } else { (ROUNDS, PER_ROUND) };

    let seed = Seed::new(&[7; 32]).expect("a seed");
    let (psk, left, right) = (seed.psk(), seed.node_key(b"left"), seed.node_key(b"right"));
    let resumption = psk.resume(&stt_crypto::secret::Secret::new([9; 32]));
    let params: NoiseParams = "Noise_IXpsk0_25519_ChaChaPoly_SHA256"
        .parse()
        .expect("snow knows the pattern");

    let mut best = [f64::INFINITY; 4];
    let counter = Cell::new(0);
    for _ in 0..rounds {
        let cases: [&mut dyn FnMut(); 4] = [
            &mut || ours(&psk, &left, &right, &counter),
            &mut || snow_default(&params),
            &mut || ours_resumed(&resumption, &counter),
            &mut || refuse(&psk, &right, &counter),
        ];
        for (case, best) in cases.into_iter().zip(&mut best) {
            let start = Instant::now();
            for _ in 0..n {
                case();
            }
            *best = best.min(start.elapsed().as_secs_f64() / f64::from(n));
        }
    }
    if trial {
        return;
    }
    let names = [
        "stt-crypto",
        "snow, default resolver",
        "resumption",
        "HELLO with another seed",
    ];
    println!("| both sides | us | per second |\n|---|---|---|");
    for (name, seconds) in names.iter().zip(best) {
        println!("| {name} | {:.1} | {:.0} |", seconds * 1e6, 1.0 / seconds);
    }
    let ratio = best[1] / best[0];
    let verdict = if ratio < TARGET { " MISSED" } else { "" };
    println!("| stt-crypto over snow | {ratio:.2}× | ≥ {TARGET}×{verdict} |");
}

/// A key pair that was not used before.
fn ephemeral(counter: &Cell<u64>) -> [u8; 32] {
    counter.set(counter.get() + 1);
    let mut scalar = [0x42; 32];
    scalar[..8].copy_from_slice(&counter.get().to_le_bytes());
    scalar
}

/// Two messages, and at both ends the keys that packets need.
fn ours(psk: &Psk, left: &NodeKey, right: &NodeKey, counter: &Cell<u64>) {
    let (mut initiator, first) =
        Initiator::start(psk, left, PROLOGUE, ephemeral(counter), OFFER).expect("message 1");
    let (responder, _) =
        Responder::read(psk, right, PROLOGUE, &first, ephemeral(counter)).expect("message 1");
    let (there, second) = responder.respond(ANSWER).expect("message 2");
    let (here, _) = initiator.finish(&second).expect("message 2");
    packet_keys(&here);
    packet_keys(&there);
}

fn ours_resumed(psk: &Psk, counter: &Cell<u64>) {
    let (mut initiator, first) =
        Initiator::resume(psk, PROLOGUE, ephemeral(counter), OFFER).expect("message 1");
    let (responder, _) =
        Responder::resume(psk, PROLOGUE, &first, ephemeral(counter)).expect("message 1");
    let (there, second) = responder.respond(ANSWER).expect("message 2");
    let (here, _) = initiator.finish(&second).expect("message 2");
    packet_keys(&here);
    packet_keys(&there);
}

/// What a stranger's HELLO costs.
fn refuse(psk: &Psk, key: &NodeKey, counter: &Cell<u64>) {
    let forged = [0x77; 111];
    let refused = Responder::read(psk, key, PROLOGUE, &forged, ephemeral(counter));
    assert!(refused.is_err());
}

fn packet_keys(session: &Session) {
    for secret in [&session.send, &session.receive] {
        black_box((
            secret.packet_key(Aead::Aes256Gcm),
            secret.header_key(Aead::Aes256Gcm),
        ));
    }
}

/// The same two messages, up to `snow`'s own transport keys.
fn snow_default(params: &NoiseParams) {
    let build = |key| {
        Builder::new(params.clone())
            .prologue(PROLOGUE)
            .and_then(|builder| builder.psk(0, &[5; 32]))
            .and_then(|builder| builder.local_private_key(key))
            .expect("every field is set once")
    };
    let mut initiator = build(&[1; 32]).build_initiator().expect("an initiator");
    let mut responder = build(&[2; 32]).build_responder().expect("a responder");
    let (mut message, mut payload) = ([0; 256], [0; 256]);
    let len = initiator
        .write_message(OFFER, &mut message)
        .expect("message 1");
    responder
        .read_message(&message[..len], &mut payload)
        .expect("message 1");
    let len = responder
        .write_message(ANSWER, &mut message)
        .expect("message 2");
    initiator
        .read_message(&message[..len], &mut payload)
        .expect("message 2");
    black_box(initiator.into_stateless_transport_mode().expect("finished"));
    black_box(responder.into_stateless_transport_mode().expect("finished"));
}
