//! Who has a session of his own gets no hold on those of others.

use stt_core::{
    Dir, Event,
    endpoint::{ConnectionHandle, EndpointEvent},
    testing::peer::{Peer, numbers},
};

use super::{Case, PING};
use crate::support::{Node, settle};

/// Alice with a session to Bob, beside Mallory's.
struct Third {
    alice: Node,
    handles: [ConnectionHandle; 2],
    /// The ids that she and Bob address each other by.
    ids: Vec<Vec<u8>>,
}

impl Third {
    fn enter(bob: &mut Node) -> Self {
        let mut alice = Node::new("alice");
        alice.now = bob.now;
        let at_alice = alice.connect("bob");
        settle((&mut alice, "alice"), (&mut *bob, "bob"));
        let at_bob = bob.opened()[0].0;
        let mut third = Self {
            alice,
            handles: [at_alice, at_bob],
            ids: Vec::new(),
        };
        third.talk(bob);
        third
    }

    /// Both say something, and hear it whole. Nothing else has happened to them.
    fn talk(&mut self, bob: &mut Node) {
        self.alice.now = bob.now;
        let [at_alice, at_bob] = self.handles;
        let id = {
            let connection = self.alice.endpoint.connection(at_alice).expect("open");
            let id = connection.open(Dir::Uni).expect("there is credit");
            assert_eq!(connection.streams().write(id, b"unharmed"), Ok(8));
            id
        };
        for _ in 0..10 {
            for (_, datagram) in self.alice.sent() {
                self.ids.push(datagram[1..5].to_vec());
                bob.receive("alice", &datagram);
            }
            for (to, datagram) in bob.sent() {
                if to == crate::support::path("alice") {
                    self.ids.push(datagram[1..5].to_vec());
                    self.alice.receive("bob", &datagram);
                }
            }
        }
        let mut buf = [0; 20];
        let connection = bob.endpoint.connection(at_bob).expect("open");
        assert_eq!(connection.streams().read(id, &mut buf), Ok(Some(8)));
        assert_eq!(connection.stats().duplicates, 0);
        assert_eq!(connection.stats().path_changes, 0);
        for event in bob.events() {
            if let EndpointEvent::Session { handle, event } = event {
                let about_alice = handle == at_bob;
                assert!(
                    !(about_alice && matches!(event, Event::Closed(_))),
                    "{event:?}"
                );
            }
        }
    }
}

/// The packets of somebody who knows what ids others use.
type Deed<'a> = &'a dyn Fn(&mut Peer, &[Vec<u8>]) -> Vec<Vec<u8>>;

#[test]
fn whatever_a_hostile_peer_does_the_sessions_of_others_go_on() {
    let deeds: [Deed<'_>; 7] = [
        // Breaks a rule.
        &|peer, _| vec![peer.seal(&[0x06])],
        &|peer, _| vec![peer.seal(&numbers(&[0x02, 1 << 40, 0, 0, 0]))],
        // Ends its own session.
        &|peer, _| vec![peer.seal(&numbers(&[0x1d, 0, 0]))],
        // Packets of its own under the ids of others.
        &|peer, ids| {
            let mut header = peer.header();
            ids.iter()
                .map(|id| {
                    header.to.clone_from(id);
                    peer.seal_as(&header, &numbers(&[0x1d, 0, 0]))
                })
                .collect()
        },
        // Claims the ids of others as its own, and gives them back.
        &|peer, ids| {
            let claim = |id: &Vec<u8>| [&[0x18, 1, 1, 4][..], id, &[7; 16]].concat();
            let mut packets: Vec<_> = ids.iter().map(|id| peer.seal(&claim(id))).collect();
            packets.push(peer.seal(&numbers(&[0x19, 1, 0x19, 2, 0x19, 3])));
            packets
        },
        // Takes all that it may: streams, bytes, challenges, ids.
        &|peer, _| {
            let streams = (0..96_u64).flat_map(|index| numbers(&[0x0e, index << 2, 10_900, 1, 0]));
            let streams: Vec<u8> = streams.collect();
            vec![peer.seal(&streams), peer.seal(&[0x1a; 9].repeat(1_000))]
        },
        // A datagram that ends with the token it told for one of its ids.
        &|peer, ids| {
            let tell = peer.seal(&[&[0x18, 1, 0, 4][..], b"mine", &[7; 16]].concat());
            let resets = ids
                .iter()
                .map(|id| [&[0x9f][..], id, &[3; 10], &[7; 16]].concat());
            core::iter::once(tell).chain(resets).collect()
        },
    ];
    for deed in deeds {
        let mut case = Case::new();
        let mut third = Third::enter(&mut case.bob);
        let ids = third.ids.clone();
        for packet in deed(&mut case.peer, &ids) {
            case.bob.receive("mallory", &packet);
            case.bob.receive("alice", &packet);
        }
        let packet = case.peer.seal(&[PING]);
        case.bob.receive("mallory", &packet);
        third.talk(&mut case.bob);
    }
}
