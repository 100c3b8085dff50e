//! The handshake between two endpoints, and what others can do to it
//! (`docs/spec/stt-handshake.md`).

use core::time::Duration;
use std::collections::BTreeSet;

use stt_core::{
    LinkProfile, Side,
    endpoint::{ConnectConfig, ConnectError, EndpointConfig, EndpointEvent, OpenError},
    handshake::Refusal,
};

use super::support::{Node, config_on, credentials_with, id_of, path, settle, shared};

/// HELLO, HELLO_RESP and the first sealed packet of Alice and Bob.
fn whole(alice: &mut Node, bob: &mut Node) -> [Vec<u8>; 3] {
    alice.connect("bob");
    let hello = alice.sent_one();
    bob.receive("alice", &hello);
    let response = bob.sent_one();
    alice.receive("bob", &response);
    let first = alice.sent_first();
    [hello, response, first]
}

/// A pair that is through with its handshake.
fn pair() -> (Node, Node) {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    alice.connect("bob");
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    (alice, bob)
}

/// Which of several copies was answered is unknown (Karn's rule, §6.5).
#[test]
fn the_handshake_gives_a_round_trip_time_only_if_one_hello_was_sent() {
    let unknown = Duration::from_millis(333);
    for (waits, rtt) in [(40, Duration::from_millis(40)), (250, unknown)] {
        let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
        let handle = alice.connect("bob");
        bob.receive("alice", &alice.sent_one());
        let copies = alice.pass(waits).len();
        assert_eq!(copies, usize::from(rtt == unknown));
        alice.receive("bob", &bob.sent_one());
        let session = alice.endpoint.connection(handle).expect("answered");
        assert_eq!(session.stats().rtt, rtt);
    }
}

#[test]
fn a_session_takes_one_round_trip_and_240_bytes() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let handle = alice.connect("bob");
    let hello = alice.sent_one();
    assert!(alice.endpoint.connection(handle).is_none());
    bob.receive("alice", &hello);
    let response = bob.sent_one();
    assert!(hello.len() + response.len() <= 240);
    alice.receive("bob", &response);
    let events = alice.events();
    let (peer, side) = (id_of("bob"), Side::Initiator);
    assert_eq!(events[0], EndpointEvent::Opened { handle, side, peer });
    assert!(alice.endpoint.connection(handle).is_some());

    // The responder has no session, and says nothing of one, before the first sealed packet.
    assert_eq!((bob.endpoint.sessions(), bob.endpoint.half_open()), (0, 1));
    assert_eq!(bob.events(), []);
    bob.receive("alice", &alice.sent_first());
    assert_eq!((bob.endpoint.sessions(), bob.endpoint.half_open()), (1, 0));
    let opened = bob.opened();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].1, id_of("alice"));
    let keys = [
        alice
            .endpoint
            .connection(handle)
            .unwrap()
            .exporter()
            .session_key(),
        bob.endpoint
            .connection(opened[0].0)
            .unwrap()
            .exporter()
            .session_key(),
    ];
    assert!(keys[0] == keys[1]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || whole(&mut Node::new("alice"), &mut Node::new("bob"));
    assert_eq!(run(), run());
    let config = EndpointConfig::new(credentials_with("alice", 1));
    let other = whole(&mut Node::with(config, "other luck"), &mut Node::new("bob"));
    assert_ne!(run()[0], other[0]);
}

#[test]
fn hello_is_retransmitted_byte_for_byte_after_200_ms_three_times_then_doubling_to_8_s() {
    let mut alice = Node::new("alice");
    let handle = alice.connect_with(
        "bob",
        ConnectConfig {
            timeout: Duration::from_secs(40),
            ..ConnectConfig::default()
        },
    );
    let sent = alice.pass(60_000);
    let times: Vec<u64> = sent.iter().map(|(at, _)| *at).collect();
    let expected = [
        0, 200, 400, 600, 1_000, 1_800, 3_400, 6_600, 13_000, 21_000, 29_000, 37_000,
    ];
    assert_eq!(times, expected);
    assert!(sent.iter().all(|(_, datagram)| *datagram == sent[0].1));
    let error = OpenError::TimedOut { hint: Vec::new() };
    assert_eq!(alice.events(), [EndpointEvent::Failed { handle, error }]);
    assert_eq!(alice.endpoint.sessions(), 0);
}

#[test]
fn hello_timer_is_never_under_twice_the_serialisation_time() {
    let profile = LinkProfile {
        mtu: 64,
        rate_hint: Some(1_200),
        reliable: false,
        fragment: Some(61),
    };
    let mut alice = Node::with(config_on("alice", profile), "alice");
    alice.connect_with(
        "bob",
        ConnectConfig {
            profile,
            ..ConnectConfig::default()
        },
    );
    let sent = alice.pass(19_000);
    let bits = 8 * (sent[0].1.1.len() as u64 + 119);
    let interval = 2 * bits * 1_000 / 1_200;
    assert!(interval > 3_000);
    assert!(sent.len() > 2);
    for pair in sent.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= interval);
    }
}

#[test]
fn a_reliable_link_gets_one_hello() {
    let mut alice = Node::new("alice");
    alice.connect_with(
        "bob",
        ConnectConfig {
            profile: LinkProfile::RELIABLE,
            ..ConnectConfig::default()
        },
    );
    assert_eq!(alice.pass(30_000).len(), 1);
}

#[test]
fn a_known_hello_gets_the_stored_answer_once_for_each_copy() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    alice.connect("bob");
    let hello = alice.sent_one();
    bob.receive("alice", &hello);
    let response = bob.sent_one();
    let before = stt_crypto::effort();
    for _ in 0..5 {
        bob.receive("elsewhere", &hello);
        assert_eq!(bob.sent(), [(path("elsewhere"), response.clone())]);
    }
    assert_eq!(stt_crypto::effort(), before, "answered from memory");
    assert_eq!(bob.endpoint.half_open(), 1);
    assert_eq!(
        bob.pass(10_000),
        [],
        "the responder has no timer of its own"
    );
}

#[test]
fn a_half_open_handshake_expires() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let [_, _, first] = whole(&mut alice, &mut bob);
    bob.pass(20_001);
    assert_eq!(bob.endpoint.half_open(), 0);
    bob.receive("alice", &first);
    assert_eq!(bob.events(), []);
}

#[test]
fn an_e_seen_in_a_live_session_is_dropped() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let [hello, response, first] = whole(&mut alice, &mut bob);
    bob.receive("alice", &first);
    bob.sent();
    assert_eq!(bob.opened().len(), 1);
    let before = stt_crypto::effort();
    for _ in 0..3 {
        bob.receive("alice", &hello);
        bob.receive("mallory", &hello);
        alice.receive("bob", &hello);
        alice.receive("bob", &response);
    }
    assert_eq!((bob.sent(), bob.events()), (vec![], vec![]));
    assert_eq!(bob.endpoint.half_open() + alice.endpoint.half_open(), 0);
    assert_eq!((alice.endpoint.sessions(), bob.endpoint.sessions()), (1, 1));
    assert_eq!(stt_crypto::effort(), before);
}

#[test]
fn an_e_that_we_sent_is_dropped() {
    let mut alice = Node::new("alice");
    alice.connect("bob");
    let hello = alice.sent_one();
    alice.receive("bob", &hello);
    assert_eq!((alice.sent(), alice.events()), (vec![], vec![]));
    assert_eq!(alice.endpoint.half_open(), 0);
}

#[test]
fn a_replayed_hello_of_a_past_session_leads_nowhere() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let [hello, _, first] = whole(&mut alice, &mut bob);
    bob.receive("alice", &first);
    let (handle, _) = bob.opened()[0];
    assert!(bob.endpoint.abandon(handle));
    bob.sent();
    bob.receive("mallory", &hello);
    let answer = bob.sent_one();
    assert!(answer.len() <= 3 * hello.len());
    // Neither the old first packet nor the old session opens what came of it.
    bob.receive("mallory", &first);
    alice.receive("bob", &answer);
    assert_eq!(bob.endpoint.sessions(), 0);
    bob.pass(20_001);
    assert_eq!((bob.endpoint.half_open(), bob.events()), (0, vec![]));
}

#[test]
fn two_opens_at_once_are_two_sessions() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let from_alice = alice.connect("bob");
    let from_bob = bob.connect("alice");
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    let (at_alice, at_bob) = (alice.opened(), bob.opened());
    assert_eq!((at_alice.len(), at_bob.len()), (2, 2));
    for (node, own) in [(&mut alice, from_alice), (&mut bob, from_bob)] {
        assert_eq!(node.endpoint.sessions(), 2);
        let connection = node.endpoint.connection(own).unwrap();
        assert_eq!(connection.side(), Side::Initiator);
    }
}

#[test]
fn nothing_replaces_a_session_because_another_is_made_with_the_same_node() {
    let (mut alice, mut bob) = pair();
    let first = bob.opened()[0].0;
    alice.connect("bob");
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!(bob.opened().len(), 1);
    assert!(bob.endpoint.connection(first).is_some());
    assert_eq!(bob.endpoint.sessions(), 2);
}

#[test]
fn bit_flips_in_every_byte_of_every_handshake_packet_are_refused() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    alice.connect("bob");
    let hello = alice.sent_one();
    for bit in 0..8 * hello.len() {
        let mut forged = hello.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        bob.receive("alice", &forged);
    }
    assert_eq!(bob.endpoint.half_open(), 0);
    assert_eq!(bob.endpoint.stats().responses, 0);
    bob.sent();
    bob.events();
    bob.receive("alice", &hello);
    let response = bob.sent_one();
    for bit in 0..8 * response.len() {
        let mut forged = response.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        alice.receive("bob", &forged);
    }
    assert_eq!(alice.events(), []);
    alice.receive("bob", &response);
    let first = alice.sent_first();
    for bit in 0..8 * first.len() {
        let mut forged = first.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        bob.receive("alice", &forged);
    }
    assert_eq!(bob.endpoint.sessions(), 0);
    bob.receive("alice", &first);
    assert_eq!(bob.opened().len(), 1);
}

#[test]
fn truncated_and_lengthened_handshake_packets_are_refused() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let [hello, response, first] = whole(&mut Node::new("alice"), &mut Node::new("bob"));
    alice.connect("bob");
    assert_eq!(alice.sent_one(), hello);
    let variants = |packet: &[u8]| -> Vec<Vec<u8>> {
        (0..packet.len())
            .map(|len| packet[..len].to_vec())
            .chain([[packet, &[0]].concat(), [packet, packet].concat()])
            .collect()
    };
    for wrong in variants(&hello) {
        bob.receive("alice", &wrong);
    }
    assert_eq!(bob.endpoint.half_open(), 0);
    bob.receive("alice", &hello);
    for wrong in variants(&response) {
        alice.receive("bob", &wrong);
    }
    assert_eq!(alice.events(), []);
    for wrong in variants(&first) {
        bob.receive("alice", &wrong);
    }
    assert_eq!(bob.endpoint.sessions(), 0);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!((alice.opened().len(), bob.opened().len()), (1, 1));
}

#[test]
fn splicing_two_handshakes_opens_neither() {
    let (mut alice, mut carol, mut bob) =
        (Node::new("alice"), Node::new("carol"), Node::new("bob"));
    let [alices, carols] = [&mut alice, &mut carol].map(|node| {
        node.connect("bob");
        node.sent_one()
    });
    bob.receive("alice", &alices);
    let to_alice = bob.sent_one();
    bob.receive("carol", &carols);
    let to_carol = bob.sent_one();
    // Each other's answers, also under the right name.
    alice.receive("bob", &to_carol);
    alice.receive("bob", &[&to_alice[..5], &to_carol[5..]].concat());
    alice.receive("bob", &[&to_alice[..37], &to_carol[37..]].concat());
    assert_eq!(alice.events(), []);
    alice.receive("bob", &to_alice);
    carol.receive("bob", &to_carol);
    let (from_alice, from_carol) = (alice.sent_first(), carol.sent_first());
    // Each other's first packets, under the right wire id.
    bob.receive("carol", &[&from_carol[..5], &from_alice[5..]].concat());
    bob.receive("alice", &[&from_alice[..5], &from_carol[5..]].concat());
    assert_eq!(bob.endpoint.sessions(), 0);
    bob.receive("alice", &from_alice);
    bob.receive("carol", &from_carol);
    let peers: Vec<_> = bob.opened().iter().map(|(_, peer)| *peer).collect();
    assert_eq!(peers, [id_of("alice"), id_of("carol")]);
}

#[test]
fn another_seed_is_told_at_the_responder_and_a_time_out_at_the_initiator() {
    let stranger = EndpointConfig::new(credentials_with("alice", 2));
    let (mut alice, mut bob) = (Node::with(stranger, "alice"), Node::new("bob"));
    let handle = alice.connect("bob");
    let hello = alice.sent_one();
    let before = stt_crypto::effort();
    bob.receive("alice", &hello);
    assert_eq!(stt_crypto::effort(), before, "no scalar multiplication");
    assert_eq!(bob.sent(), []);
    let refused = EndpointEvent::Refused {
        path: path("alice"),
        refusal: Refusal::WrongSeed,
        unreported: 0,
    };
    assert_eq!(bob.events(), [refused]);
    alice.pass(20_000);
    match &alice.events()[..] {
        [
            EndpointEvent::Failed {
                handle: failed,
                error,
            },
        ] => {
            assert_eq!(*failed, handle);
            assert!(
                error
                    .to_string()
                    .contains("unreachable, or holds another seed")
            );
        }
        events => panic!("{events:?}"),
    }
}

#[test]
fn refusals_are_told_once_a_second_with_the_number_untold() {
    let mut bob = Node::new("bob");
    let send = |bob: &mut Node| {
        let stranger = EndpointConfig::new(credentials_with("alice", 2));
        let mut alice = Node::with(stranger, "alice");
        alice.connect("bob");
        bob.receive("alice", &alice.sent_one());
    };
    for _ in 0..10 {
        send(&mut bob);
    }
    assert_eq!(bob.events().len(), 1);
    bob.pass(1_000);
    send(&mut bob);
    match &bob.events()[..] {
        [EndpointEvent::Refused { unreported, .. }] => assert_eq!(*unreported, 9),
        events => panic!("{events:?}"),
    }
}

#[test]
fn another_version_is_answered_told_and_never_ends_an_attempt() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let handle = alice.connect("bob");
    let hello = alice.sent_one();
    let mut later = hello.clone();
    later[1] = 2;
    bob.receive("alice", &later);
    let versions = bob.sent_one();
    assert_eq!(versions[0], 0x04);
    assert!(versions.len() <= later.len());
    match &bob.events()[..] {
        [EndpointEvent::Refused { refusal, .. }] => {
            assert_eq!(
                *refusal,
                Refusal::WrongVersion {
                    version: 2,
                    suite: 1
                }
            );
        }
        events => panic!("{events:?}"),
    }
    // To Alice it is a hint: the genuine answer still counts.
    let mut hint = versions.clone();
    hint.truncate(5);
    hint.extend([7, 1]);
    alice.receive("bob", &hint);
    assert_eq!(alice.events(), []);
    let mut again = Node::new("alice");
    again.connect("bob");
    again.sent_one();
    again.receive("bob", &hint);
    bob.receive("alice", &hello);
    alice.receive("bob", &bob.sent_one());
    assert_eq!(alice.opened()[0].0, handle);

    again.pass(20_000);
    match &again.events()[..] {
        [
            EndpointEvent::Failed {
                error: OpenError::TimedOut { hint },
                ..
            },
        ] => {
            assert_eq!(*hint, [(7, 1)]);
        }
        events => panic!("{events:?}"),
    }
}

#[test]
fn a_mismatch_is_wrong_peer_before_any_data() {
    let (mut alice, mut mallory) = (Node::new("alice"), Node::new("mallory"));
    let handle = alice.connect_with(
        "bob",
        ConnectConfig {
            expected_peer: Some(id_of("bob")),
            ..ConnectConfig::default()
        },
    );
    mallory.receive("alice", &alice.sent_one());
    alice.receive("bob", &mallory.sent_one());
    assert_eq!(alice.sent(), [], "no sealed packet for Mallory");
    let sent = alice.pass(10_000);
    assert_eq!(sent, []);
    let found = id_of("mallory");
    let error = OpenError::WrongPeer { found };
    assert_eq!(alice.events(), [EndpointEvent::Failed { handle, error }]);
    assert_eq!(mallory.events(), []);
}

#[test]
fn the_right_peers_answer_counts_after_a_wrong_ones() {
    let (mut alice, mut mallory, mut bob) =
        (Node::new("alice"), Node::new("mallory"), Node::new("bob"));
    alice.connect_with(
        "bob",
        ConnectConfig {
            expected_peer: Some(id_of("bob")),
            ..ConnectConfig::default()
        },
    );
    let hello = alice.sent_one();
    mallory.receive("alice", &hello);
    alice.receive("bob", &mallory.sent_one());
    alice.pass(100);
    bob.receive("alice", &hello);
    alice.receive("bob", &bob.sent_one());
    assert_eq!(alice.opened()[0].1, id_of("bob"));
}

#[test]
fn only_allowed_peers_get_in_and_are_opened_to() {
    let only_carol = |name: &str| {
        let mut config = EndpointConfig::new(credentials_with(name, 1));
        config.allowed_peers = Some(BTreeSet::from([id_of("carol")]));
        Node::with(config, name)
    };
    let (mut alice, mut carol, mut bob) =
        (Node::new("alice"), Node::new("carol"), only_carol("bob"));
    alice.connect("bob");
    let hello = alice.sent_one();
    let before = stt_crypto::effort();
    bob.receive("alice", &hello);
    assert_eq!(stt_crypto::effort(), before);
    assert_eq!(bob.sent(), []);
    match &bob.events()[..] {
        [EndpointEvent::Refused { refusal, .. }] => {
            assert_eq!(*refusal, Refusal::NotAllowed(id_of("alice")));
        }
        events => panic!("{events:?}"),
    }
    carol.connect("bob");
    settle((&mut carol, "carol"), (&mut bob, "bob"));
    assert_eq!(bob.opened()[0].1, id_of("carol"));

    // Bob opens to Alice without saying whom he wants; she is not allowed.
    let handle = bob.connect("alice");
    settle((&mut bob, "bob"), (&mut alice, "alice"));
    bob.pass(1_000);
    let found = id_of("alice");
    let error = OpenError::WrongPeer { found };
    assert_eq!(bob.events(), [EndpointEvent::Failed { handle, error }]);
    let wanted = ConnectConfig {
        expected_peer: Some(id_of("alice")),
        ..ConnectConfig::default()
    };
    let refused = bob.endpoint.connect(bob.now, path("alice"), wanted);
    assert_eq!(refused, Err(ConnectError::NotAllowed(id_of("alice"))));
}

#[test]
fn seeds_can_be_changed() {
    // Old everywhere; the new one behind it; in front of it; alone.
    let stages: [&[u8]; 4] = [&[1], &[1, 2], &[2, 1], &[2]];
    let node = |name: &str, seeds: &[u8]| {
        let mut credentials = credentials_with(name, seeds[0]);
        for seed in &seeds[1..] {
            credentials = credentials.with_further_seed(shared(*seed).psk()).unwrap();
        }
        Node::with(EndpointConfig::new(credentials), name)
    };
    for (alices, bobs) in stages.iter().zip(&stages[1..]) {
        for (alices, bobs) in [(alices, bobs), (bobs, alices), (bobs, bobs)] {
            let (mut alice, mut bob) = (node("alice", alices), node("bob", bobs));
            alice.connect("bob");
            settle((&mut alice, "alice"), (&mut bob, "bob"));
            assert_eq!(bob.opened().len(), 1, "{alices:?} {bobs:?}");
        }
    }
}

#[test]
fn the_first_packet_may_come_on_any_path_that_the_answer_went_to() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    alice.connect("bob");
    let hello = alice.sent_one();
    // An observer is faster, with the victim's address.
    bob.receive("victim", &hello);
    bob.receive("alice", &hello);
    bob.receive("victim", &hello);
    let (_, response) = bob.sent().remove(1);
    alice.receive("bob", &response);
    bob.receive("alice", &alice.sent_first());
    let (handle, _) = bob.opened()[0];
    assert_eq!(
        bob.endpoint.connection(handle).unwrap().path(),
        path("alice")
    );
}

#[test]
fn paths_that_are_too_small_are_refused_unless_the_bearer_fragments() {
    let mut alice = Node::new("alice");
    let small = LinkProfile {
        mtu: 127,
        ..LinkProfile::INTERNET
    };
    let on = |profile| ConnectConfig {
        profile,
        ..ConnectConfig::default()
    };
    let refused = alice.endpoint.connect(alice.now, path("bob"), on(small));
    assert_eq!(refused, Err(ConnectError::PathTooSmall { mtu: 127 }));
    let fragmenting = LinkProfile {
        fragment: Some(61),
        ..small
    };
    alice.connect_with("bob", on(fragmenting));
}

#[test]
fn wire_ids_of_every_length_work_and_run_out() {
    for len in 1..=8 {
        let mut config = EndpointConfig::new(credentials_with("bob", 1));
        config.wire_id_len = len;
        let (mut alice, mut bob) = (Node::new("alice"), Node::with(config, "bob"));
        alice.connect("bob");
        settle((&mut alice, "alice"), (&mut bob, "bob"));
        assert_eq!((alice.opened().len(), bob.opened().len()), (1, 1), "{len}");
    }
    let mut config = EndpointConfig::new(credentials_with("bob", 1));
    config.wire_id_len = 1;
    let mut bob = Node::with(config, "bob");
    for _ in 0..256 {
        bob.connect("alice");
    }
    let refused = bob
        .endpoint
        .connect(bob.now, path("alice"), ConnectConfig::default());
    assert_eq!(refused, Err(ConnectError::NoWireIds));
}

#[test]
fn sessions_are_capped() {
    let mut config = EndpointConfig::new(credentials_with("bob", 1));
    config.max_sessions = 2;
    let mut bob = Node::with(config, "bob");
    let first = bob.connect("alice");
    bob.connect("alice");
    let third = bob
        .endpoint
        .connect(bob.now, path("alice"), ConnectConfig::default());
    assert_eq!(third, Err(ConnectError::TooManySessions));
    assert!(bob.endpoint.abandon(first));
    let error = OpenError::Cancelled;
    let handle = first;
    assert_eq!(bob.events(), [EndpointEvent::Failed { handle, error }]);
    assert!(
        !bob.endpoint.abandon(first),
        "the handle names nothing any more"
    );
    assert_ne!(bob.connect("alice"), first);
}

#[test]
fn datagrams_of_no_kind_are_dropped_without_a_word() {
    let (mut alice, mut bob) = pair();
    bob.opened();
    for first in 0..=255 {
        for len in [0, 1, 2, 5, 21, 30, 110, 300] {
            let mut datagram = vec![first; len];
            datagram.iter_mut().skip(1).for_each(|byte| *byte = 0x5a);
            bob.receive("mallory", &datagram);
            alice.receive("bob", &datagram);
        }
    }
    let sent = bob.sent();
    assert!(
        sent.iter()
            .all(|(to, answer)| *to == path("mallory") && answer[0] == 0x04)
    );
    assert_eq!((alice.endpoint.sessions(), bob.endpoint.sessions()), (1, 1));
}
