//! What others on the way can do to sessions: nothing but make their packets arrive late
//! (`docs/spec/stt-session.md` §3).

use std::collections::BTreeSet;

use stt_core::{
    Dir, Event, PathId, ReadError, StreamId,
    endpoint::{ConnectionHandle, EndpointEvent},
};

use super::support::{Node, path, settle};

const NAMES: [&str; 2] = ["alice", "bob"];
const ROUNDS: usize = 6;

/// Alice and Bob with two sessions at once. Everything that passes can be meddled with.
struct Talk {
    nodes: [Node; 2],
    /// Of each session, the handles at Alice and Bob.
    sessions: [[ConnectionHandle; 2]; 2],
    /// Every datagram so far: who got it, from where, its bytes.
    passed: Vec<(usize, PathId, Vec<u8>)>,
    failed_opens: u64,
}

/// Makes forgeries of the last datagram that passed: to whom, from where, which bytes.
type Meddle<'a> = &'a mut dyn FnMut(&Talk) -> Vec<(usize, PathId, Vec<u8>)>;

impl Talk {
    fn new() -> Self {
        let [mut alice, mut bob] = NAMES.map(Node::new);
        let sessions = [(); 2].map(|()| {
            let at_alice = alice.connect("bob");
            settle((&mut alice, "alice"), (&mut bob, "bob"));
            alice.events();
            [at_alice, bob.opened()[0].0]
        });
        Self {
            nodes: [alice, bob],
            sessions,
            passed: Vec::new(),
            failed_opens: 0,
        }
    }

    /// Streams, datagrams, key updates in both sessions, with `meddle` in between; then all that was
    /// sent has arrived, once, and nobody has noticed anything else.
    fn run(mut self, meddle: Meddle<'_>) -> Self {
        for round in 0..ROUNDS {
            for session in 0..2 {
                for end in 0..2 {
                    self.speak(session, end, round);
                }
            }
            self.carry(meddle);
        }
        for session in 0..2 {
            for end in 0..2 {
                self.check(session, end);
            }
        }
        for (end, node) in self.nodes.iter_mut().enumerate() {
            for event in node.events() {
                let harmless = match &event {
                    EndpointEvent::Session { event, .. } => !matches!(
                        event,
                        Event::Closed(_) | Event::PathChanged(_) | Event::PathFailed(_)
                    ),
                    EndpointEvent::Refused { .. } => true,
                    _ => false,
                };
                assert!(harmless, "{} saw {event:?}", NAMES[end]);
            }
            assert_eq!(node.endpoint.sessions(), 2);
        }
        self
    }

    fn speak(&mut self, session: usize, end: usize, round: usize) {
        let handle = self.sessions[session][end];
        let connection = self.nodes[end].endpoint.connection(handle);
        let connection = connection.expect("it is open");
        let id = connection.open(Dir::Uni).expect("there is credit");
        let text = text(session, end, round);
        assert_eq!(connection.streams().write(id, &text), Ok(text.len()));
        assert_eq!(connection.streams().finish(id), Ok(()));
        assert_eq!(connection.datagrams().send(&text[..20]), Ok(()));
        if round % 2 == 1 && end == round / 2 % 2 {
            connection.rekey();
        }
    }

    /// Carries datagrams until both are silent.
    fn carry(&mut self, meddle: Meddle<'_>) {
        let mut waiting = Vec::new();
        loop {
            for end in 0..2 {
                for (to, datagram) in self.nodes[end].sent() {
                    assert_eq!(to, path(NAMES[1 - end]), "nobody else is sent anything");
                    waiting.push((1 - end, path(NAMES[end]), datagram));
                }
            }
            if waiting.is_empty() {
                // Acknowledgements that are held back, and what hangs on them.
                if self.nodes.iter_mut().all(|node| node.pass(200).is_empty()) {
                    return;
                }
                panic!("acknowledgements come within the first round trip");
            }
            let (to, from, datagram) = waiting.remove(0);
            self.passed.push((to, from, datagram));
            for (to, from, forgery) in meddle(self) {
                self.nodes[to].receive_on(from, &forgery);
                assert_eq!(self.nodes[to].sent(), [], "a forgery is not answered");
            }
            let (to, from, datagram) = self.passed.last().expect("it was just pushed");
            self.nodes[*to].receive_on(*from, datagram);
            self.nodes.iter_mut().for_each(wake);
        }
    }

    fn check(&mut self, session: usize, end: usize) {
        let handle = self.sessions[session][end];
        let connection = self.nodes[end].endpoint.connection(handle);
        let connection = connection.expect("it is open");
        assert!(connection.is_open());
        let mut heard = Vec::new();
        while let Some(id) = connection.streams().accept(Dir::Uni) {
            heard.push(read(connection, id));
        }
        let said: Vec<_> = (0..ROUNDS)
            .map(|round| text(session, 1 - end, round))
            .collect();
        assert_eq!(heard, said);
        let datagrams: Vec<_> = core::iter::from_fn(|| connection.datagrams().recv())
            .map(|datagram| datagram.to_vec())
            .collect();
        let live: Vec<_> = said.iter().map(|text| text[..20].to_vec()).collect();
        assert_eq!(datagrams, live);
        let stats = connection.stats();
        assert!(stats.key_epoch > 0, "keys were changed meanwhile");
        self.failed_opens += stats.failed_opens;
    }
}

/// Lets held-back acknowledgements go.
fn wake(node: &mut Node) {
    node.now += core::time::Duration::from_millis(30);
    if node
        .endpoint
        .poll_timeout()
        .is_some_and(|at| at <= node.now)
    {
        node.endpoint.handle_timeout(node.now);
    }
}

fn read(connection: &mut stt_core::Connection, id: StreamId) -> Vec<u8> {
    let mut out = Vec::new();
    let mut buf = [0; 1_000];
    loop {
        match connection.streams().read(id, &mut buf) {
            Ok(Some(count)) => out.extend_from_slice(&buf[..count]),
            Ok(None) => return out,
            Err(ReadError::Blocked) => panic!("{id:?} has no end yet"),
            Err(error) => panic!("{error}"),
        }
    }
}

fn text(session: usize, end: usize, round: usize) -> Vec<u8> {
    (0..150 + 10 * round)
        .map(|place| (place * 7 + session * 101 + end * 53 + round * 17) as u8)
        .collect()
}

fn last(talk: &Talk) -> (usize, PathId, Vec<u8>) {
    talk.passed.last().expect("something has passed").clone()
}

#[test]
fn bit_flips_in_every_byte_of_every_session_packet_are_refused() {
    let mut count = 0;
    let talk = Talk::new().run(&mut |talk| {
        let (to, from, genuine) = last(talk);
        (0..genuine.len())
            .map(|byte| {
                count += 1;
                let mut forged = genuine.clone();
                forged[byte] ^= 1 << (count % 8);
                (to, from, forged)
            })
            .collect()
    });
    assert!(talk.failed_opens > 5_000, "{}", talk.failed_opens);
}

#[test]
fn every_bit_of_a_session_packet_counts() {
    let mut done = 0;
    Talk::new().run(&mut |talk| {
        let (to, from, genuine) = last(talk);
        done += 1;
        if done % 10 != 1 {
            return Vec::new();
        }
        (0..8 * genuine.len())
            .map(|bit| {
                let mut forged = genuine.clone();
                forged[bit / 8] ^= 1 << (bit % 8);
                (to, from, forged)
            })
            .collect()
    });
}

#[test]
fn session_packets_cut_at_every_length_or_lengthened_are_refused() {
    Talk::new().run(&mut |talk| {
        let (to, from, genuine) = last(talk);
        let longer = [
            [&genuine[..], &[0]].concat(),
            [&genuine[..], &genuine].concat(),
        ];
        (0..genuine.len())
            .map(|len| genuine[..len].to_vec())
            .chain(longer)
            .map(|forged| (to, from, forged))
            .collect()
    });
}

#[test]
fn replayed_session_packets_are_dropped_from_wherever_they_come() {
    Talk::new().run(&mut |talk| {
        let earlier = &talk.passed[..talk.passed.len() - 1];
        let far = path("mallory");
        earlier
            .iter()
            .flat_map(|(to, from, genuine)| {
                [(*to, *from, genuine.clone()), (*to, far, genuine.clone())]
            })
            .collect()
    });
}

#[test]
fn reflected_session_packets_are_refused() {
    Talk::new().run(&mut |talk| {
        let (to, from, genuine) = last(talk);
        let sender = 1 - to;
        // As they are, and under each of the sender's own ids.
        let mut forgeries = vec![(sender, path(NAMES[to]), genuine.clone())];
        for id in ids(talk, sender) {
            let forged = [&genuine[..1], &id, &genuine[5..]].concat();
            forgeries.push((sender, path(NAMES[to]), forged.clone()));
            forgeries.push((sender, from, forged));
        }
        forgeries
    });
}

#[test]
fn splices_of_two_sessions_and_of_two_packets_are_refused() {
    let talk = Talk::new().run(&mut |talk| {
        let (to, from, genuine) = last(talk);
        let mut forgeries = Vec::new();
        // Into the other session, and under every other id of its own.
        for id in ids(talk, to) {
            if id != genuine[1..5] {
                forgeries.push([&genuine[..1], &id, &genuine[5..]].concat());
            }
        }
        // Head and tail of different packets, cut at the id, the number, and further on.
        for (_, _, other) in talk.passed.iter().rev().skip(1).take(12) {
            for cut in [1, 5, 6, 7, 9, genuine.len() - 16] {
                if let Some(tail) = other.get(cut..) {
                    forgeries.push([&genuine[..cut], tail].concat());
                }
            }
        }
        forgeries.retain(|forged| !talk.passed.iter().any(|(_, _, known)| known == forged));
        forgeries
            .into_iter()
            .map(|forged| (to, from, forged))
            .collect()
    });
    assert!(talk.failed_opens > 500, "{}", talk.failed_opens);
}

/// The ids that `to` was addressed by so far.
fn ids(talk: &Talk, to: usize) -> Vec<[u8; 4]> {
    let mut ids: Vec<[u8; 4]> = talk
        .passed
        .iter()
        .filter(|(receiver, _, _)| *receiver == to)
        .filter_map(|(_, _, datagram)| datagram[1..].first_chunk().copied())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn neither_session_id_nor_anything_said_appears_on_the_wire() {
    let talk = Talk::new().run(&mut |_| Vec::new());
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for session in 0..2 {
        let connection = talk.nodes[0]
            .endpoint
            .connection_ref(talk.sessions[session][0]);
        let exporter = connection.expect("it is open").exporter();
        secrets.push(exporter.session_id().to_vec());
        for end in 0..2 {
            secrets.extend((0..ROUNDS).map(|round| text(session, end, round)[..8].to_vec()));
        }
    }
    for (_, _, datagram) in &talk.passed {
        for secret in &secrets {
            assert!(!datagram.windows(8).any(|bytes| bytes == secret));
        }
    }
}

#[test]
fn statistics_tell_round_trips_bytes_window_and_key_epoch() {
    let talk = Talk::new().run(&mut |_| Vec::new());
    let mut bytes = 0;
    for [at_alice, at_bob] in talk.sessions {
        let of = |end: usize, handle| {
            let connection = talk.nodes[end].endpoint.connection_ref(handle);
            connection.expect("it is open").stats()
        };
        let (alice, bob) = (of(0, at_alice), of(1, at_bob));
        assert_eq!(alice.packets_sent, bob.packets_received);
        assert_eq!(alice.bytes_sent, bob.bytes_received);
        assert_eq!(bob.bytes_sent, alice.bytes_received);
        assert_eq!(alice.key_epoch, bob.key_epoch);
        assert!(alice.min_rtt <= alice.rtt && alice.congestion_window > u64::from(alice.mtu));
        assert_eq!(
            (alice.packets_lost, alice.duplicates, alice.failed_opens),
            (0, 0, 0)
        );
        bytes += alice.bytes_sent + bob.bytes_sent;
    }
    let passed: usize = talk
        .passed
        .iter()
        .map(|(_, _, datagram)| datagram.len())
        .sum();
    assert!(bytes >= passed as u64);
}

#[test]
fn two_paths_share_no_wire_id() {
    let [mut alice, mut bob] = NAMES.map(Node::new);
    let handle = alice.connect("bob");
    settle((&mut alice, "alice"), (&mut bob, "bob"));
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    let mut moved = false;
    for round in 0..30 {
        if round == 10 {
            let connection = alice.endpoint.connection(handle).unwrap();
            connection.migrate(path("bob at home"));
        }
        alice.endpoint.connection(handle).unwrap().ping();
        for _ in 0..4 {
            for (to, datagram) in alice.sent() {
                let home = to == path("bob at home");
                moved |= home;
                seen[usize::from(home)].insert(datagram[1..5].to_vec());
                // Bob sees Alice at another address as well.
                bob.receive(if home { "alice on the road" } else { "alice" }, &datagram);
            }
            for (to, datagram) in bob.sent() {
                let road = to == path("alice on the road");
                seen[usize::from(road)].insert(datagram[1..5].to_vec());
                alice.receive(if road { "bob at home" } else { "bob" }, &datagram);
            }
            [&mut alice, &mut bob].into_iter().for_each(wake);
        }
    }
    let connection = alice.endpoint.connection_ref(handle).unwrap();
    assert!(moved && connection.path() == path("bob at home"));
    let [before, after] = seen;
    assert!(!after.is_empty());
    assert!(before.is_disjoint(&after), "{before:?} {after:?}");
}
