//! Many sessions behind one endpoint (`docs/spec/stt-handshake.md` §14).

use core::time::Duration;

use stt_core::{
    ConnectionError, Dir, Event, PathId,
    endpoint::{ConnectionHandle, EndpointConfig, EndpointEvent, ResetConfig},
};
use stt_crypto::secret::Seed;

use super::support::{Node, credentials, path, settle};

/// The endpoint of this name in its start number `run`, able to send resets.
fn started(name: &str, run: u32) -> Node {
    let mut config = EndpointConfig::new(credentials(name));
    let key = Seed::new(&[7; 32])
        .expect("not empty")
        .reset_key(name.as_bytes());
    config.reset = Some(ResetConfig { key, run });
    Node::with(config, &format!("{name} {run}"))
}

/// A session between two endpoints that has come to rest.
fn open(alice: &mut Node, bob: &mut Node) -> [ConnectionHandle; 2] {
    alice.connect("bob");
    settle((&mut *alice, "alice"), (&mut *bob, "bob"));
    [alice.opened()[0].0, bob.opened()[0].0]
}

fn closings(node: &mut Node) -> Vec<(ConnectionHandle, ConnectionError)> {
    node.events()
        .into_iter()
        .filter_map(|event| match event {
            EndpointEvent::Session {
                handle,
                event: Event::Closed(error),
            } => Some((handle, error)),
            _ => None,
        })
        .collect()
}

fn ping(node: &mut Node, handle: ConnectionHandle) -> Vec<u8> {
    let connection = node.endpoint.connection(handle);
    connection.expect("it is open").ping();
    node.sent_first()
}

#[test]
fn a_restarted_peer_is_noticed_at_once() {
    let (mut alice, mut bob) = (started("alice", 0), started("bob", 0));
    let [handle, _] = open(&mut alice, &mut bob);
    let packet = ping(&mut alice, handle);
    let mut bob = started("bob", 1);
    bob.receive("alice", &packet);
    let reset = bob.sent_one();
    assert!(reset.len() < packet.len());
    assert_eq!(reset[0] & 0xe0, 0x80, "it looks like a sealed packet");
    for byte in 0..reset.len() {
        let mut forged = reset.clone();
        forged[byte] ^= 1;
        // What comes before the token is noise.
        if byte >= reset.len() - 16 {
            alice.receive("bob", &forged);
        }
    }
    assert_eq!(closings(&mut alice), []);
    alice.receive("bob", &reset);
    assert_eq!(closings(&mut alice), [(handle, ConnectionError::Reset)]);
    assert_eq!(alice.endpoint.sessions(), 0);
}

#[test]
fn a_session_ends_once_however_often_it_is_reset() {
    let (mut alice, mut bob) = (started("alice", 0), started("bob", 0));
    let [handle, _] = open(&mut alice, &mut bob);
    let packet = ping(&mut alice, handle);
    let mut bob = started("bob", 1);
    bob.receive("alice", &packet);
    let reset = bob.sent_one();
    let connection = alice.endpoint.connection(handle).expect("it is open");
    connection.close(alice.now, 3, "done");
    for _ in 0..100 {
        alice.receive("bob", &reset);
    }
    assert_eq!(
        closings(&mut alice),
        [(handle, ConnectionError::LocallyClosed)]
    );
    assert_eq!(alice.endpoint.sessions(), 0);
}

#[test]
fn nobody_is_told_a_token_of_this_run() {
    let (mut alice, mut bob) = (started("alice", 0), started("bob", 3));
    let [handle, _] = open(&mut alice, &mut bob);
    // A stranger asks for many ids, and the session's own among them.
    let packet = ping(&mut alice, handle);
    for number in 0_u32..100 {
        let mut asking = packet.clone();
        asking[1..5].copy_from_slice(&number.to_be_bytes());
        bob.receive("mallory", &asking);
        for (_, reset) in bob.sent() {
            let mut reset = reset;
            reset[1..5].copy_from_slice(&packet[1..5]);
            alice.receive("bob", &reset);
        }
    }
    assert_eq!(closings(&mut alice), []);
    assert_eq!(alice.endpoint.sessions(), 1);
}

#[test]
fn resets_are_limited_and_do_not_feed_on_each_other() {
    let (mut alice, mut bob) = (started("alice", 1), started("bob", 1));
    let mut packet = vec![0x85; 1_200];
    let mut answers = 0;
    bob.receive("alice", &packet);
    while let Some((_, reset)) = bob.sent().pop() {
        assert!(reset.len() < packet.len());
        packet = reset;
        answers += 1;
        alice.receive("bob", &packet);
        let Some((_, reset)) = alice.sent().pop() else {
            break;
        };
        packet = reset;
        answers += 1;
        bob.receive("alice", &packet);
    }
    assert!((1..30).contains(&answers));
    for number in 0_u16..1_000 {
        let mut packet = vec![0x85; 100];
        packet[1..3].copy_from_slice(&number.to_be_bytes());
        bob.receive("mallory", &packet);
        assert!(bob.sent().len() <= 1);
    }
    assert_eq!(bob.endpoint.stats().resets, 100);
}

#[test]
fn an_endpoint_in_its_first_run_sends_no_resets() {
    let mut bob = Node::new("bob");
    bob.receive("alice", &[0x85; 100]);
    assert_eq!(bob.sent(), []);
}

#[test]
fn interference_with_one_session_never_touches_another() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let [first, _] = open(&mut alice, &mut bob);
    let [second, at_bob] = open(&mut alice, &mut bob);
    let genuine = ping(&mut alice, first);
    for number in 0..2_000_usize {
        let mut forged = genuine.clone();
        let at = 5 + number % (forged.len() - 5);
        forged[at] ^= 1 << (number % 7);
        forged[at - 1] ^= (number >> 8) as u8;
        bob.receive("mallory", &forged);
    }
    bob.sent();
    let id = alice
        .endpoint
        .connection(second)
        .unwrap()
        .open(Dir::Bi)
        .unwrap();
    let connection = alice.endpoint.connection(second).unwrap();
    assert_eq!(connection.streams().write(id, b"unharmed"), Ok(8));
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    let mut buf = [0; 20];
    let connection = bob.endpoint.connection(at_bob).unwrap();
    assert_eq!(connection.streams().read(id, &mut buf), Ok(Some(8)));
    assert_eq!(&buf[..8], b"unharmed");
    let failed = |node: &Node, handle| node.endpoint.connection_ref(handle).unwrap().stats();
    assert_eq!(failed(&bob, at_bob).failed_opens, 0);
    assert_eq!((alice.endpoint.sessions(), bob.endpoint.sessions()), (2, 2));
}

#[test]
fn sessions_take_turns() {
    let mut bob = Node::new("bob");
    let names = ["one", "two", "three"];
    let mut peers = names.map(Node::new);
    for (peer, name) in peers.iter_mut().zip(names) {
        peer.connect("bob");
        settle((peer, name), (&mut bob, "bob"));
    }
    for (handle, _) in bob.opened() {
        let connection = bob.endpoint.connection(handle).unwrap();
        let id = connection.open(Dir::Uni).unwrap();
        connection.streams().write(id, &[1; 100_000]).unwrap();
    }
    let mut buf = [0; 2_000];
    let order: Vec<PathId> = (0..12)
        .map(|_| {
            bob.endpoint
                .poll_transmit(bob.now, 1, &mut buf)
                .unwrap()
                .path
        })
        .collect();
    for turn in order.chunks(3).skip(1) {
        for name in names {
            assert!(turn.contains(&path(name)), "{order:?}");
        }
    }
}

#[test]
fn what_is_over_leaves_nothing_behind() {
    let with_short_ids = |name: &str| {
        let mut config = EndpointConfig::new(credentials(name));
        config.wire_id_len = 1;
        config.max_sessions = 3;
        Node::with(config, name)
    };
    let (mut alice, mut bob) = (with_short_ids("alice"), with_short_ids("bob"));
    // Ids, slots and tables would run out long before the end.
    for number in 0..200 {
        let [at_alice, at_bob] = open(&mut alice, &mut bob);
        let (node, handle) = if number % 2 == 0 {
            (&mut alice, at_alice)
        } else {
            (&mut bob, at_bob)
        };
        let now = node.now;
        node.endpoint
            .connection(handle)
            .unwrap()
            .close(now, 5, "done");
        settle((&mut alice, "alice"), (&mut bob, "bob"));
        for node in [&mut alice, &mut bob] {
            assert_eq!(closings(node).len(), 1);
            node.pass(10_000);
            assert_eq!(node.events(), []);
            assert_eq!(node.endpoint.sessions(), 0);
            assert_eq!(node.endpoint.poll_timeout(), None);
        }
        assert!(alice.endpoint.connection(at_alice).is_none());
    }
}

#[test]
fn a_silent_peer_is_given_up_by_the_idle_time_out() {
    let (mut alice, mut bob) = (Node::new("alice"), Node::new("bob"));
    let [handle, _] = open(&mut alice, &mut bob);
    alice.pass(60_000);
    assert_eq!(closings(&mut alice), [(handle, ConnectionError::TimedOut)]);
    assert_eq!(alice.endpoint.sessions(), 0);
}

#[test]
fn an_idle_endpoint_waits_for_nothing() {
    let mut bob = Node::new("bob");
    assert_eq!(bob.endpoint.poll_timeout(), None);
    assert_eq!((bob.sent(), bob.events()), (vec![], vec![]));
    bob.endpoint
        .handle_timeout(bob.now + Duration::from_secs(1));
    assert_eq!(bob.endpoint.sessions(), 0);
}
