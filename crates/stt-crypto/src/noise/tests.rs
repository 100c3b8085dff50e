mod low_order;

use super::{handshake::*, *};
use crate::{
    secret::{NodeKey, Psk, Secret, Seed, TrafficSecret},
    suite::Aead,
};

struct Nodes {
    psk: Psk,
    left: NodeKey,
    right: NodeKey,
}

fn nodes() -> Nodes {
    let seed = Seed::new(&[1; 32]).unwrap();
    Nodes {
        psk: seed.psk(),
        left: seed.node_key(b"left"),
        right: seed.node_key(b"right"),
    }
}

impl Nodes {
    fn start(&self) -> (Initiator, Vec<u8>) {
        Initiator::start(&self.psk, &self.left, b"prologue", [2; 32], b"offer").unwrap()
    }

    fn read(&self, message: &[u8]) -> Result<(Responder, Vec<u8>), NoiseError> {
        Responder::read(&self.psk, &self.right, b"prologue", message, [3; 32])
    }
}

fn same(a: &TrafficSecret, b: &TrafficSecret) -> bool {
    let mask = |secret: &TrafficSecret| secret.header_key(Aead::Aes256Gcm).mask(&[0; 16]);
    mask(a) == mask(b)
}

fn since(before: Effort) -> (u64, u64) {
    let now = effort();
    (
        now.key_generations - before.key_generations,
        now.multiplications - before.multiplications,
    )
}

#[test]
fn both_sides_get_the_same_session_for_six_multiplications() {
    let nodes = nodes();
    let before = effort();
    let (mut initiator, first) = nodes.start();
    assert_eq!(since(before), (1, 0));
    assert_eq!(first.len(), MESSAGE_OVERHEAD + 5);
    let (responder, offer) = nodes.read(&first).unwrap();
    assert_eq!(since(before), (1, 0));
    assert_eq!(responder.peer(), Some(nodes.left.public()));
    let (right, second) = responder.respond(b"answer").unwrap();
    assert_eq!(since(before), (2, 3));
    let (left, answer) = initiator.finish(&second).unwrap();
    assert_eq!(since(before), (2, 6));

    assert_eq!((&offer[..], &answer[..]), (&b"offer"[..], &b"answer"[..]));
    assert_eq!(left.peer.as_ref(), Some(nodes.right.public()));
    assert_eq!(right.peer.as_ref(), Some(nodes.left.public()));
    assert!(same(&left.send, &right.receive) && same(&left.receive, &right.send));
    assert!(!same(&left.send, &left.receive));
    assert!(left.exporter.session_key() == right.exporter.session_key());
    assert_eq!(left.exporter.session_id(), right.exporter.session_id());
    assert_eq!(initiator.finish(&second).unwrap_err(), NoiseError::Finished);
}

#[test]
fn a_resumed_session_takes_two_multiplications_and_its_own_psk() {
    let nodes = nodes();
    let secret = Secret::new([5; 32]);
    let psk = nodes.psk.resume(&secret);
    let before = effort();
    let (mut initiator, first) = Initiator::resume(&psk, b"p", [2; 32], b"offer").unwrap();
    assert_eq!(first.len(), RESUME_OVERHEAD + 5);
    for wrong in [nodes.psk.resume(&Secret::new([6; 32])), psk.resume(&secret)] {
        let refused = Responder::resume(&wrong, b"p", &first, [3; 32]).unwrap_err();
        assert_eq!(refused, NoiseError::Refused);
    }
    let (responder, _) = Responder::resume(&psk, b"p", &first, [3; 32]).unwrap();
    assert!(responder.peer().is_none());
    let (right, second) = responder.respond(b"").unwrap();
    let (left, _) = initiator.finish(&second).unwrap();
    assert_eq!(since(before), (2, 2));
    assert!(left.peer.is_none() && right.peer.is_none());
    assert!(same(&left.send, &right.receive) && same(&left.receive, &right.send));
}

#[test]
fn another_seed_prologue_or_pattern_costs_no_multiplication() {
    let nodes = nodes();
    let (_, first) = nodes.start();
    let other = Seed::new(&[9; 32]).unwrap().psk();
    let before = effort();
    let refusals = [
        Responder::read(&other, &nodes.right, b"prologue", &first, [3; 32]),
        Responder::read(&nodes.psk, &nodes.right, b"prologuf", &first, [3; 32]),
        Responder::resume(&nodes.psk, b"prologue", &first, [3; 32]),
    ];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err(), NoiseError::Refused);
    }
    assert_eq!(since(before), (0, 0));
}

#[test]
fn every_flipped_bit_and_every_truncation_of_message_1_is_refused_for_free() {
    let nodes = nodes();
    let (_, first) = nodes.start();
    let before = effort();
    for bit in 0..8 * first.len() {
        let mut forged = first.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            nodes.read(&forged).unwrap_err(),
            NoiseError::Refused,
            "bit {bit}"
        );
    }
    for len in 0..first.len() {
        let expected = if len < 80 {
            NoiseError::Truncated
        } else {
            NoiseError::Refused
        };
        assert_eq!(
            nodes.read(&first[..len]).unwrap_err(),
            expected,
            "{len} bytes"
        );
    }
    assert_eq!(since(before), (0, 0));
}

#[test]
fn forged_answers_never_end_a_handshake_that_the_genuine_one_completes() {
    let nodes = nodes();
    let (mut initiator, first) = nodes.start();
    let (responder, _) = nodes.read(&first).unwrap();
    let (right, second) = responder.respond(b"answer").unwrap();
    for bit in 0..8 * second.len() {
        let mut forged = second.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(initiator.finish(&forged).is_err(), "bit {bit}");
    }
    for len in 0..second.len() {
        assert!(initiator.finish(&second[..len]).is_err(), "{len} bytes");
    }
    assert_eq!(
        initiator.finish(&[0; MAX_MESSAGE_LEN + 1]).unwrap_err(),
        NoiseError::TooLong {
            len: MAX_MESSAGE_LEN + 1
        }
    );
    let (left, answer) = initiator.finish(&second).unwrap();
    assert_eq!(answer, b"answer");
    assert!(left.exporter.session_key() == right.exporter.session_key());
}

#[test]
fn answers_to_another_handshake_are_refused() {
    let nodes = nodes();
    let (mut initiator, _) = nodes.start();
    let (_, other) =
        Initiator::start(&nodes.psk, &nodes.left, b"prologue", [7; 32], b"offer").unwrap();
    let (responder, _) = nodes.read(&other).unwrap();
    let (_, spliced) = responder.respond(b"").unwrap();
    assert_eq!(initiator.finish(&spliced).unwrap_err(), NoiseError::Refused);
    // Reflection: its own message 1 is no answer either.
    assert!(initiator.finish(&other).is_err());
}

/// RFC 7748 §5.2 and §6.1.
#[test]
fn rfc_7748() {
    let key = |hex: &str| -> [u8; 32] { crate::testing::unhex(hex).try_into().unwrap() };
    let agree = |scalar: &str, point: &str| {
        let mut out = [0; 32];
        NodeKey::new(&Secret::new(key(scalar)))
            .agree(&key(point), &mut out)
            .unwrap();
        out
    };
    assert_eq!(
        agree(
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        ),
        key("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    );
    let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let alice_public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    let bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    let shared = key("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_eq!(
        (agree(alice, bob_public), agree(bob, alice_public)),
        (shared, shared)
    );
    for (private, public) in [(alice, alice_public), (bob, bob_public)] {
        let node = NodeKey::new(&Secret::new(key(private)));
        assert_eq!(node.public().as_bytes(), &key(public));
    }
}
