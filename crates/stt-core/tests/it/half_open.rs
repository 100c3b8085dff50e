//! Floods (`docs/spec/stt-handshake.md` §9).

use core::time::Duration;

use stt_core::{
    PathId,
    endpoint::{EndpointConfig, HalfOpenLimits},
};

use super::support::{Node, credentials, credentials_with, path, settle};

const FLOOD: u32 = 100_000;

fn spoofed(number: u32) -> PathId {
    PathId::new(&number.to_be_bytes()).expect("4 bytes")
}

/// A HELLO with the right seed that isn't like any other.
fn hellos(seed: u8, count: usize) -> Vec<Vec<u8>> {
    let config = EndpointConfig::new(credentials_with("mallory", seed));
    let mut mallory = Node::with(config, "mallory");
    for _ in 0..count {
        mallory.connect("bob");
    }
    mallory.sent().into_iter().map(|(_, hello)| hello).collect()
}

/// What Bob holds and has sent under a flood, and that Alice still gets in.
fn alice_gets_in(bob: &mut Node) {
    let mut alice = Node::new("alice");
    alice.now = bob.now;
    alice.connect("bob");
    settle((&mut alice, "alice"), (bob, "bob"));
    assert_eq!(alice.opened().len(), 1);
    assert_eq!(bob.opened().len(), 1);
}

#[test]
fn a_flood_of_spoofed_replayed_hellos_is_bounded_and_peers_get_in_through_the_cookie() {
    let recorded = hellos(1, 1_000);
    let mut bob = Node::new("bob");
    let before = stt_crypto::effort();
    let (mut received, mut sent) = (0, 0);
    for number in 0..FLOOD {
        let hello = &recorded[number as usize % recorded.len()];
        received += hello.len();
        bob.receive_on(spoofed(number), hello);
        sent += bob
            .sent()
            .iter()
            .map(|(_, answer)| answer.len())
            .sum::<usize>();
    }
    assert!(sent <= 3 * received);
    let limits = HalfOpenLimits::default();
    assert_eq!(bob.endpoint.half_open(), limits.unproven);
    let effort = stt_crypto::effort();
    assert_eq!(
        effort.multiplications - before.multiplications,
        3 * limits.unproven as u64
    );
    assert!(bob.endpoint.stats().cookies > 0);
    alice_gets_in(&mut bob);
    bob.pass(20_001);
    assert_eq!(bob.endpoint.half_open(), 0);
}

#[test]
fn a_flood_of_spoofed_hellos_made_with_the_right_seed_is_bounded() {
    let mut bob = Node::new("bob");
    // Made in batches, lest the attacker's endpoint holds them all.
    let mut number = 0;
    for batch in 0..FLOOD / 1_000 {
        let config = EndpointConfig::new(credentials("mallory"));
        let mut mallory = Node::with(config, &format!("batch {batch}"));
        for _ in 0..1_000 {
            mallory.connect("bob");
        }
        for (_, hello) in mallory.sent() {
            bob.receive_on(spoofed(number), &hello);
            let sent = bob.sent();
            assert!(sent.iter().map(|(_, answer)| answer.len()).sum::<usize>() <= 3 * hello.len());
            number += 1;
        }
        assert!(bob.endpoint.half_open() <= HalfOpenLimits::default().unproven);
    }
    assert_eq!(number, FLOOD);
    alice_gets_in(&mut bob);
}

#[test]
fn a_flood_in_the_name_of_one_address_does_not_lock_it_out() {
    for seed in [1, 2] {
        let mut bob = Node::new("bob");
        for hello in hellos(seed, 1_000) {
            bob.receive("alice", &hello);
            bob.sent();
        }
        bob.events();
        let share = HalfOpenLimits::default().per_address;
        assert!(bob.endpoint.half_open() <= share);
        alice_gets_in(&mut bob);
    }
}

#[test]
fn a_flood_of_hellos_with_a_wrong_seed_costs_no_scalar_multiplication() {
    let wrong = hellos(2, 1_000);
    let mut bob = Node::new("bob");
    let before = stt_crypto::effort();
    let mut events = 0;
    for number in 0..FLOOD {
        bob.receive_on(spoofed(number), &wrong[number as usize % wrong.len()]);
        bob.sent();
        events += bob.events().len();
    }
    assert_eq!(stt_crypto::effort(), before);
    assert_eq!((bob.endpoint.half_open(), events), (0, 1));
    alice_gets_in(&mut bob);
}

#[test]
fn under_load_a_cookie_is_asked_for_before_the_psk_is_tried() {
    let mut config = EndpointConfig::new(credentials("bob"));
    config.half_open.unproven = 0;
    let mut bob = Node::with(config, "bob");
    let wrong = &hellos(2, 1)[0];
    bob.receive("mallory", wrong);
    let cookie = bob.sent_one();
    assert_eq!((cookie[0], cookie.len() <= wrong.len()), (0x03, true));
    assert_eq!(bob.events(), [], "not refused: not even tried");

    let mut alice = Node::new("alice");
    alice.connect("bob");
    let hello = alice.sent_one();
    bob.receive("alice", &hello);
    alice.receive("bob", &bob.sent_one());
    let again = alice.sent_one();
    assert_eq!(again.len(), hello.len() + 16);
    // Name, keys and payload are as they were; for another address it is worth nothing.
    assert_eq!((&again[..8], &again[25..]), (&hello[..8], &hello[9..]));
    bob.receive("mallory", &again);
    assert_eq!(bob.sent_one()[0], 0x03);
    bob.receive("alice", &again);
    assert_eq!(bob.sent_one()[0], 0x02);
    // From then on it stays.
    assert!(
        alice
            .pass(1_000)
            .iter()
            .all(|(_, (_, copy))| *copy == again)
    );
}

#[test]
fn too_many_hellos_in_a_second_are_load_too() {
    let mut config = EndpointConfig::new(credentials("bob"));
    config.half_open.tries_per_second = 10;
    let mut bob = Node::with(config, "bob");
    for (number, hello) in (0..).zip(hellos(2, 30)) {
        bob.receive_on(spoofed(number), &hello);
    }
    assert_eq!(bob.endpoint.stats().cookies, 20);
    alice_gets_in(&mut bob);
}

#[test]
fn forged_cookies_change_nothing() {
    let mut config = EndpointConfig::new(credentials("bob"));
    config.half_open.unproven = 0;
    let (mut alice, mut bob) = (Node::new("alice"), Node::with(config, "bob"));
    alice.connect("bob");
    let hello = alice.sent_one();
    bob.receive("alice", &hello);
    let cookie = bob.sent_one();
    for bit in 0..8 * cookie.len() {
        let mut forged = cookie.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        alice.receive("bob", &forged);
    }
    for len in 0..cookie.len() {
        alice.receive("bob", &cookie[..len]);
    }
    assert_eq!(alice.sent(), []);
    alice.receive("bob", &cookie);
    let again = alice.sent_one();
    alice.receive("bob", &cookie);
    assert_eq!(alice.sent(), [], "one that it holds is no news");
    bob.receive("alice", &again);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!(alice.opened().len(), 1);
}

#[test]
fn the_responders_every_seed_can_read_its_cookies() {
    let mut credentials = credentials_with("bob", 5);
    for seed in [6, 7, 1] {
        let psk = super::support::shared(seed).psk();
        credentials = credentials.with_further_seed(psk).unwrap();
    }
    let mut config = EndpointConfig::new(credentials);
    config.half_open.unproven = 0;
    let (mut alice, mut bob) = (Node::new("alice"), Node::with(config, "bob"));
    alice.connect("bob");
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!(alice.opened().len(), 1);
}

#[test]
fn no_address_gets_more_than_its_share() {
    let mut bob = Node::new("bob");
    let limits = HalfOpenLimits::default();
    for hello in hellos(1, 2 * limits.per_address) {
        bob.receive("mallory", &hello);
    }
    assert_eq!(bob.endpoint.half_open(), limits.per_address);
    assert_eq!(bob.endpoint.stats().cookies, limits.per_address as u64);
    assert_eq!(bob.events(), []);
    alice_gets_in(&mut bob);
}

#[test]
fn a_full_table_makes_room_for_proven_addresses() {
    let mut config = EndpointConfig::new(credentials("bob"));
    config.half_open = HalfOpenLimits {
        total: 8,
        unproven: 8,
        per_address: 2,
        tries_per_second: 1_000,
        timeout: Duration::from_secs(20),
    };
    let mut bob = Node::with(config, "bob");
    for (number, hello) in (0..).zip(hellos(1, 20)) {
        bob.receive_on(spoofed(number), &hello);
    }
    bob.sent();
    bob.events();
    assert_eq!(bob.endpoint.half_open(), 8);
    alice_gets_in(&mut bob);
    assert_eq!(bob.endpoint.half_open(), 7);
}

#[test]
fn answers_that_nobody_sends_on_do_not_pile_up() {
    let mut bob = Node::new("bob");
    for number in 0..10_000 {
        let mut hello = [0; 120];
        hello[..4].copy_from_slice(&[1, 9, 1, 4]);
        bob.receive_on(spoofed(number), &hello);
    }
    assert_eq!(bob.sent().len(), 256);
    alice_gets_in(&mut bob);
}

#[test]
fn no_more_than_three_times_what_came_goes_to_an_unproven_address() {
    let mut bob = Node::new("bob");
    let hello = hellos(1, 1).remove(0);
    let mut later = hello.clone();
    later[1] = 9;
    let mut resuming = hello.clone();
    resuming[2] = 2;
    let sealed = vec![0x85; 200];
    let tiny = later[..9].to_vec();
    for datagram in [&hello, &hello, &later, &resuming, &sealed, &tiny] {
        bob.receive("victim", datagram);
        let sent = bob.sent();
        assert!(sent.len() <= 1);
        assert!(
            sent.iter()
                .all(|(_, answer)| answer.len() <= 3 * datagram.len())
        );
    }
    assert_eq!(bob.pass(60_000), [], "and nothing later");
    let _ = path("victim");
}
