//! Suite 2 (`docs/spec/stt-handshake.md` §11).

use stt_core::{
    endpoint::{ConnectConfig, ConnectionHandle, EndpointEvent, TicketRequest},
    handshake::Ticket,
};

use super::support::{Node, id_of, settle};

fn ticket(node: &mut Node, handle: ConnectionHandle) -> Ticket {
    let connection = node.endpoint.connection(handle).expect("it is open");
    Ticket::of(connection.exporter(), *connection.peer())
}

/// Both ends' tickets of one session that is over.
fn tickets(alice: &mut Node, bob: &mut Node) -> (Ticket, Ticket) {
    alice.connect("bob");
    settle((&mut *alice, "alice"), (&mut *bob, "bob"));
    let (at_alice, at_bob) = (alice.opened()[0].0, bob.opened()[0].0);
    let both = (ticket(alice, at_alice), ticket(bob, at_bob));
    assert!(alice.endpoint.abandon(at_alice) && bob.endpoint.abandon(at_bob));
    both
}

fn with(ticket: Ticket) -> ConnectConfig {
    ConnectConfig {
        expected_peer: Some(ticket.peer()),
        ticket: Some(ticket),
        ..ConnectConfig::default()
    }
}

fn asked(node: &mut Node) -> (TicketRequest, [u8; 16]) {
    match node.events()[..] {
        [EndpointEvent::TakeTicket { request, id }] => (request, id),
        ref events => panic!("{events:?}"),
    }
}

#[test]
fn a_ticket_is_asked_for_before_use_and_used_once() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, bobs) = tickets(&mut alice, &mut bob);
    let id = *bobs.id();
    bob.endpoint.add_ticket(bobs);
    alice.connect_with("bob", with(alices));
    let hello = alice.sent_one();
    assert_eq!((hello[2], hello.len()), (2, 79));
    let before = stt_crypto::effort();
    bob.receive("alice", &hello);
    bob.receive("alice", &hello);
    assert_eq!(stt_crypto::effort(), before);
    assert_eq!(bob.sent(), [], "not before the ticket is deleted");
    let (request, asked) = asked(&mut bob);
    assert_eq!(asked, id);
    bob.endpoint.ticket_taken(bob.now, request, true);
    bob.endpoint.ticket_taken(bob.now, request, true);
    let response = bob.sent_one();
    bob.receive("alice", &hello);
    assert_eq!(bob.sent_one(), response);
    alice.receive("bob", &response);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!(alice.opened()[0].1, id_of("bob"));
    assert_eq!(bob.opened()[0].1, id_of("alice"));
    let effort = stt_crypto::effort();
    assert_eq!(effort.multiplications - before.multiplications, 2);
}

#[test]
fn a_ticket_opens_one_session_however_many_copies_a_peer_keeps() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    alice.connect("bob");
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    let (at_alice, at_bob) = (alice.opened()[0].0, bob.opened()[0].0);
    let copies = [(); 2].map(|()| ticket(&mut alice, at_alice));
    let bobs = ticket(&mut bob, at_bob);
    bob.endpoint.add_ticket(bobs);
    assert!(alice.endpoint.abandon(at_alice) && bob.endpoint.abandon(at_bob));
    let hellos = copies.map(|copy| {
        alice.connect_with("bob", with(copy));
        alice.sent_one()
    });
    bob.receive("alice", &hellos[0]);
    let (request, _) = asked(&mut bob);
    // While the first waits for the deletion, and when it is answered.
    bob.receive("alice", &hellos[1]);
    assert_eq!(bob.sent_one()[0], 0x04, "as if there were no ticket");
    bob.endpoint.ticket_taken(bob.now, request, true);
    assert_eq!(bob.sent_one()[0], 0x02);
    bob.receive("alice", &hellos[1]);
    assert_eq!(bob.sent_one()[0], 0x04);
    assert_eq!(bob.events(), []);
}

#[test]
fn either_side_may_resume() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, bobs) = tickets(&mut alice, &mut bob);
    alice.endpoint.add_ticket(alices);
    bob.connect_with("alice", with(bobs));
    let hello = bob.sent_one();
    alice.receive("bob", &hello);
    let (request, _) = asked(&mut alice);
    alice.endpoint.ticket_taken(alice.now, request, true);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!((alice.opened().len(), bob.opened().len()), (1, 1));
}

#[test]
fn without_the_ticket_the_full_handshake_follows_at_once() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, _) = tickets(&mut alice, &mut bob);
    let handle = alice.connect_with("bob", with(alices));
    let hello = alice.sent_one();
    bob.receive("alice", &hello);
    let versions = bob.sent_one();
    assert_eq!(versions[0], 0x04);
    alice.receive("bob", &versions);
    alice.receive("bob", &versions);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!(alice.opened(), [(handle, id_of("bob"))]);
    assert_eq!(bob.opened().len(), 1);
}

#[test]
fn after_two_hellos_without_an_answer_the_full_handshake_follows() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, bobs) = tickets(&mut alice, &mut bob);
    bob.endpoint.add_ticket(bobs);
    alice.connect_with("bob", with(alices));
    let sent = alice.pass(500);
    let suites: Vec<u8> = sent.iter().map(|(_, (_, hello))| hello[2]).collect();
    assert_eq!(suites, [2, 2, 1]);
    // The ticket could not be deleted: no answer to the first kind.
    bob.receive("alice", &sent[0].1.1);
    let (request, _) = asked(&mut bob);
    bob.endpoint.ticket_taken(bob.now, request, false);
    assert_eq!(bob.sent(), []);
    assert_eq!(bob.endpoint.half_open(), 0);
    bob.receive("alice", &sent[2].1.1);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!((alice.opened().len(), bob.opened().len()), (1, 1));
}

#[test]
fn the_answer_to_the_resumption_still_counts_after_a_forged_hint() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, bobs) = tickets(&mut alice, &mut bob);
    bob.endpoint.add_ticket(bobs);
    let handle = alice.connect_with("bob", with(alices));
    let hello = alice.sent_one();
    let forged = [&[0x04], &hello[4..8], &[1, 1]].concat();
    alice.receive("bob", &forged);
    let full = alice.sent_one();
    assert_eq!(full[2], 1);
    bob.receive("alice", &hello);
    let (request, _) = asked(&mut bob);
    bob.endpoint.ticket_taken(bob.now, request, true);
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!(alice.opened(), [(handle, id_of("bob"))]);
    assert_eq!((alice.endpoint.sessions(), bob.endpoint.sessions()), (1, 1));
    // The full one that lost is an echo now.
    alice.receive("bob", &full);
    assert_eq!(alice.endpoint.half_open(), 1, "its key is free again");
}

#[test]
fn a_forged_hello_leaves_the_ticket_where_it_is() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, bobs) = tickets(&mut alice, &mut bob);
    bob.endpoint.add_ticket(bobs);
    alice.connect_with("bob", with(alices));
    let hello = alice.sent_one();
    for byte in 25..hello.len() {
        let mut forged = hello.clone();
        forged[byte] ^= 1;
        bob.receive("alice", &forged);
    }
    assert!(
        bob.events()
            .iter()
            .all(|event| matches!(event, EndpointEvent::Refused { .. }))
    );
    bob.receive("alice", &hello);
    asked(&mut bob);
}

#[test]
fn two_opens_at_once_with_one_ticket_become_two_full_handshakes() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let (alices, bobs) = tickets(&mut alice, &mut bob);
    alice.connect_with("bob", with(alices));
    bob.connect_with("alice", with(bobs));
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    assert_eq!((alice.opened().len(), bob.opened().len()), (2, 2));
}
