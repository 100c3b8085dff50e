//! Initiator against responder, without an endpoint.

use stt_crypto::{
    Aead,
    secret::{Key32, Secret, Seed},
};

use super::{
    Credentials, Hello, Icid, Refusal, ResponseError, Suite, Terms, Ticket, initiator::Attempt,
    responder::Heard, terms::Agreed,
};
use crate::{
    Dir,
    wire::{Limits, WireId},
};

fn credentials(seed: u8, node: &[u8]) -> Credentials {
    let shared = Seed::new(&[seed; 32]).unwrap();
    let own = Seed::new(&[99; 32]).unwrap();
    Credentials::new(own.node_key(node), shared.psk())
}

fn wire_id(byte: u8) -> WireId {
    WireId::new(&[byte; 4]).unwrap()
}

fn attempt(credentials: &Credentials, terms: Terms, ticket: Option<&Ticket>) -> Attempt {
    let icid = Icid::new(&[7; 4]).unwrap();
    Attempt::start(credentials, terms, wire_id(1), icid, [3; 32], ticket).unwrap()
}

fn answer(
    credentials: &Credentials,
    terms: &Terms,
    hello: &[u8],
) -> Result<(Vec<u8>, Agreed), Refusal> {
    let hello = Hello::decode(hello)?;
    Heard::full(credentials, &hello, &Secret::new([4; 32]))?.answer(&hello, terms, wire_id(2))
}

/// Limits that all differ from the default.
fn stated_limits() -> Limits {
    Limits::default()
        .with_max_data(5_000)
        .with_max_streams(Dir::Bi, 3)
        .with_max_ack_delay(core::time::Duration::from_millis(200))
}

fn same_keys(a: &Agreed, b: &Agreed) -> bool {
    a.session.exporter.session_key() == b.session.exporter.session_key()
        && a.session.exporter.session_id() == b.session.exporter.session_id()
}

#[test]
fn both_ends_agree_and_know_each_other() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let chacha = Terms {
        aeads: vec![Aead::ChaCha20Poly1305],
        limits: stated_limits(),
    };
    let mut opening = attempt(&alice, chacha.clone(), None);
    let (response, at_bob) = answer(&bob, &Terms::default(), &opening.hello()).unwrap();
    let at_alice = opening.on_response(&alice, &response, |_| true).unwrap();
    assert!(same_keys(&at_alice, &at_bob));
    assert_eq!(
        (at_alice.peer, at_bob.peer),
        (bob.node_id(), alice.node_id())
    );
    assert_eq!(
        (at_alice.aead, at_bob.aead),
        (Aead::ChaCha20Poly1305, Aead::ChaCha20Poly1305)
    );
    assert_eq!((at_alice.peer_id, at_bob.peer_id), (wire_id(2), wire_id(1)));
    assert_eq!(at_bob.peer_limits, chacha.limits);
    assert_eq!(at_alice.peer_limits, Limits::default());
}

#[test]
fn hello_and_response_have_at_most_120_bytes_without_a_cookie() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let all = Terms {
        aeads: vec![Aead::Aes256Gcm, Aead::ChaCha20Poly1305],
        limits: stated_limits(),
    };
    let hello = attempt(&alice, all.clone(), None).hello();
    assert_eq!(hello.len(), 120);
    let (response, _) = answer(&bob, &all, &hello).unwrap();
    assert_eq!(response.len(), 116);
    let chacha = Terms {
        aeads: vec![Aead::ChaCha20Poly1305],
        ..all
    };
    let (response, _) = answer(&bob, &chacha, &hello).unwrap();
    assert_eq!(response.len(), 119);

    let plain = attempt(&alice, Terms::default(), None).hello();
    let (response, _) = answer(&bob, &Terms::default(), &plain).unwrap();
    assert_eq!((plain.len(), response.len()), (111, 107));
}

#[test]
fn without_the_seed_a_hello_is_refused_before_any_diffie_hellman() {
    let hello = attempt(&credentials(1, b"alice"), Terms::default(), None).hello();
    let bob = credentials(2, b"bob")
        .with_further_seed(Seed::new(&[3; 32]).unwrap().psk())
        .unwrap();
    let before = stt_crypto::effort();
    assert_eq!(
        answer(&bob, &Terms::default(), &hello).err(),
        Some(Refusal::WrongSeed)
    );
    assert_eq!(stt_crypto::effort(), before);
}

#[test]
fn responders_accept_up_to_four_seeds() {
    let mut bob = credentials(10, b"bob");
    for seed in 11..14 {
        bob = bob
            .with_further_seed(Seed::new(&[seed; 32]).unwrap().psk())
            .unwrap();
    }
    for seed in 10..14 {
        let alice = credentials(seed, b"alice");
        let mut opening = attempt(&alice, Terms::default(), None);
        let (response, at_bob) = answer(&bob, &Terms::default(), &opening.hello()).unwrap();
        let at_alice = opening.on_response(&alice, &response, |_| true).unwrap();
        assert!(same_keys(&at_alice, &at_bob));
    }
    let fifth = Seed::new(&[14; 32]).unwrap().psk();
    assert!(bob.with_further_seed(fifth).is_err());
}

#[test]
fn forged_answers_leave_the_attempt_as_it_was() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let mut opening = attempt(&alice, Terms::default(), None);
    let (response, _) = answer(&bob, &Terms::default(), &opening.hello()).unwrap();
    for bit in 0..8 * response.len() {
        let mut forged = response.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            opening.on_response(&alice, &forged, |_| true).is_err(),
            "bit {bit}"
        );
    }
    for len in 0..response.len() {
        assert!(
            opening
                .on_response(&alice, &response[..len], |_| true)
                .is_err()
        );
    }
    assert!(opening.on_response(&alice, &response, |_| true).is_ok());
}

#[test]
fn a_changed_hello_is_refused() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let hello = attempt(&alice, Terms::default(), None).hello();
    for bit in 0..8 * hello.len() {
        let mut forged = hello.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            answer(&bob, &Terms::default(), &forged).is_err(),
            "bit {bit}"
        );
    }
    for len in 0..hello.len() {
        assert!(answer(&bob, &Terms::default(), &hello[..len]).is_err());
    }
}

#[test]
fn the_wrong_peers_answer_does_not_end_the_attempt() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let mallory = credentials(1, b"mallory");
    let mut opening = attempt(&alice, Terms::default(), None);
    let (theirs, _) = answer(&mallory, &Terms::default(), &opening.hello()).unwrap();
    let (genuine, at_bob) = answer(&bob, &Terms::default(), &opening.hello()).unwrap();
    let wanted = bob.node_id();
    for _ in 0..2 {
        let refused = opening.on_response(&alice, &theirs, |peer| *peer == wanted);
        let found = mallory.node_id();
        assert_eq!(refused.err(), Some(ResponseError::WrongPeer { found }));
    }
    let agreed = opening
        .on_response(&alice, &genuine, |peer| *peer == wanted)
        .unwrap();
    assert!(same_keys(&agreed, &at_bob));
}

#[test]
fn splicing_two_handshakes_gives_nothing() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let mut first = attempt(&alice, Terms::default(), None);
    let icid = Icid::new(&[8; 4]).unwrap();
    let mut second =
        Attempt::start(&alice, Terms::default(), wire_id(1), icid, [5; 32], None).unwrap();
    let (to_first, _) = answer(&bob, &Terms::default(), &first.hello()).unwrap();
    let (to_second, _) = answer(&bob, &Terms::default(), &second.hello()).unwrap();
    assert!(matches!(
        first.on_response(&alice, &to_second, |_| true),
        Err(ResponseError::OtherAttempt { .. })
    ));
    // With the other's name in front, or the first half of one and the second of the other.
    let mut renamed = to_second.clone();
    renamed[1..5].copy_from_slice(&to_first[1..5]);
    assert!(first.on_response(&alice, &renamed, |_| true).is_err());
    for cut in [37, 85] {
        let spliced = [&to_first[..cut], &to_second[cut..]].concat();
        assert!(first.on_response(&alice, &spliced, |_| true).is_err());
        let (hello, other) = (first.hello(), second.hello());
        let spliced = [&hello[..cut + 4], &other[cut + 4..]].concat();
        assert_eq!(
            answer(&bob, &Terms::default(), &spliced).err(),
            Some(Refusal::WrongSeed)
        );
    }
    assert!(first.on_response(&alice, &to_first, |_| true).is_ok());
    assert!(second.on_response(&alice, &to_second, |_| true).is_ok());
}

#[test]
fn resumption_keeps_identity_without_static_keys() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let mut opening = attempt(&alice, Terms::default(), None);
    let (response, at_bob) = answer(&bob, &Terms::default(), &opening.hello()).unwrap();
    let at_alice = opening.on_response(&alice, &response, |_| true).unwrap();
    let for_bob = Ticket::of(&at_bob.session.exporter, at_bob.peer);
    let for_alice = Ticket::of(&at_alice.session.exporter, at_alice.peer);
    assert_eq!(for_bob.id(), for_alice.id());

    // Either side may use it: here Bob.
    let mut opening = attempt(&bob, Terms::default(), Some(&for_bob));
    let hello_bytes = opening.hello();
    assert_eq!(hello_bytes.len(), 111 + 16 - 48);
    let hello = Hello::decode(&hello_bytes).unwrap();
    assert_eq!(
        (hello.suite(), hello.ticket),
        (Suite::Resume, Some(for_alice.id()))
    );
    let before = stt_crypto::effort();
    let heard = Heard::resumed(&alice, &hello, &Secret::new([6; 32]), &for_alice).unwrap();
    let other = Ticket::new(*for_alice.id(), Key32::new([0; 32]), bob.node_id());
    let stranger = Heard::resumed(&alice, &hello, &Secret::new([6; 32]), &other);
    assert_eq!(stranger.err(), Some(Refusal::WrongSeed));
    assert_eq!(stt_crypto::effort(), before);
    let (response, at_alice) = heard.answer(&hello, &Terms::default(), wire_id(2)).unwrap();
    let again = opening.on_response(&bob, &response, |_| true).unwrap();
    assert!(same_keys(&again, &at_alice));
    assert_eq!(
        (again.peer, at_alice.peer),
        (alice.node_id(), bob.node_id())
    );
    assert_ne!(
        again.session.exporter.session_id(),
        at_bob.session.exporter.session_id()
    );
}

#[test]
fn a_full_handshake_costs_six_multiplications_and_two_key_generations() {
    let (alice, bob) = (credentials(1, b"alice"), credentials(1, b"bob"));
    let before = stt_crypto::effort();
    let mut opening = attempt(&alice, Terms::default(), None);
    let (response, _) = answer(&bob, &Terms::default(), &opening.hello()).unwrap();
    opening.on_response(&alice, &response, |_| true).unwrap();
    let after = stt_crypto::effort();
    assert_eq!(after.multiplications - before.multiplications, 6);
    assert_eq!(after.key_generations - before.key_generations, 2);
}
