//! A peer that holds the seed, completes the handshake and then keeps no rule
//! (`docs/spec/stt-musts.md`).

mod acks;
mod frames;
mod ids;
mod keys;
mod offers;
mod others;
mod paths;
mod streams;

use stt_core::{
    Code, Connection, ConnectionError, Dir, Event, StreamId,
    endpoint::{ConnectionHandle, EndpointEvent},
    testing::peer::{Attempt, Opened, Peer, numbers, parameters},
    wire::{Frame, Frames},
};
use stt_crypto::secret::Seed;

use super::support::{Node, shared};

/// Bob, and Mallory who is in a session with him.
pub(super) struct Case {
    pub(super) bob: Node,
    pub(super) peer: Peer,
    pub(super) handle: ConnectionHandle,
    events: Vec<Event>,
}

impl Case {
    /// Mallory has opened the session.
    pub(super) fn new() -> Self {
        Self::with(Node::new("bob"))
    }

    pub(super) fn with(bob: Node) -> Self {
        let (mut bob, mut peer) = Self::half_open_with(bob);
        bob.receive("mallory", &peer.seal(&[PING]));
        let handle = bob.opened()[0].0;
        let events = Vec::new();
        let mut case = Self {
            bob,
            peer,
            handle,
            events,
        };
        case.heard();
        case
    }

    /// Mallory has Bob's answer and has not said anything yet.
    pub(super) fn half_open() -> (Node, Peer) {
        Self::half_open_with(Node::new("bob"))
    }

    fn half_open_with(mut bob: Node) -> (Node, Peer) {
        let attempt = Attempt::new(&shared(1).psk(), &mallory(), 9, &parameters())
            .expect("parameters are short");
        bob.receive("mallory", &attempt.hello);
        let peer = attempt.finish(&bob.sent_one()).expect("Bob answers");
        (bob, peer)
    }

    /// Bob has opened it.
    pub(super) fn answering() -> Self {
        Self::answering_with(&[])
    }

    /// Bob has opened it, and Mallory's answer holds these parameters as well.
    pub(super) fn answering_with(further: &[u8]) -> Self {
        let mut case = Self::answered_with(further);
        case.tell(&[PING]);
        case.heard();
        case
    }

    /// Bob has Mallory's answer and nothing that she has sealed.
    pub(super) fn answered_with(further: &[u8]) -> Self {
        let mut bob = Node::new("bob");
        let handle = bob.connect("mallory");
        let (peer, response) = Peer::answer(
            &shared(1).psk(),
            &mallory(),
            8,
            &bob.sent_one(),
            &[&parameters()[..], further].concat(),
        )
        .expect("it is a HELLO");
        bob.receive("mallory", &response);
        assert_eq!(bob.opened()[0].0, handle);
        let events = Vec::new();
        Self {
            bob,
            peer,
            handle,
            events,
        }
    }

    /// Bob gets a packet with these frames.
    pub(super) fn tell(&mut self, frames: &[u8]) {
        let packet = self.peer.seal(frames);
        self.bob.receive("mallory", &packet);
    }

    /// What Bob has to send, wherever to.
    pub(super) fn heard(&mut self) -> Vec<Opened> {
        let sent = self.bob.sent();
        let open = |(_, datagram): &(_, Vec<u8>)| self.peer.open(datagram).expect("Bob sealed it");
        sent.iter().map(open).collect()
    }

    /// What Bob sends within `millis`.
    pub(super) fn pass(&mut self, millis: u64) -> Vec<Opened> {
        let sent = self.bob.pass(millis);
        let opened = sent
            .iter()
            .map(|(_, (_, datagram))| self.peer.open(datagram));
        opened
            .map(|packet| packet.expect("Bob sealed it"))
            .collect()
    }

    /// Acknowledges every number up to `largest`.
    pub(super) fn acknowledge(&mut self, largest: u64) {
        self.tell(&numbers(&[0x02, largest, 0, 0, largest]));
    }

    /// How the session has ended, if it has.
    pub(super) fn end(&mut self) -> Option<ConnectionError> {
        for event in self.bob.events() {
            if let EndpointEvent::Session { handle, event } = event {
                assert_eq!(handle, self.handle);
                self.events.push(event);
            }
        }
        self.events.iter().find_map(|event| match event {
            Event::Closed(error) => Some(error.clone()),
            _ => None,
        })
    }

    /// Bob has closed the session for this reason and tells so.
    #[track_caller]
    pub(super) fn assert_closed(&mut self, code: Code) {
        match self.end() {
            Some(ConnectionError::Transport(error)) => assert_eq!(error.code, code, "{error}"),
            end => panic!("not {code} but {end:?}"),
        }
        let last = self.heard().pop().expect("a CLOSE");
        match Frames::new(&last.frames).next() {
            Some(Ok(Frame::Close {
                application: false,
                code: told,
                ..
            })) => assert_eq!(Code(told), code),
            other => panic!("{other:?}"),
        }
    }

    /// These frames make Bob close the session for this reason.
    #[track_caller]
    pub(super) fn refused(frames: &[u8], code: Code) {
        let mut case = Self::new();
        case.tell(frames);
        case.assert_closed(code);
    }

    /// The session is there and carries data both ways.
    #[track_caller]
    pub(super) fn assert_unharmed(&mut self) {
        assert_eq!(self.end(), None);
        let connection = self.connection();
        assert!(connection.is_open());
        let id = connection.open(Dir::Uni).expect("there is credit");
        assert_eq!(connection.streams().write(id, b"unharmed"), Ok(8));
        self.tell(&[PING]);
        let heard = self.heard();
        let arrived = heard.iter().any(|packet| {
            Frames::new(&packet.frames).any(|frame| {
                matches!(frame, Ok(Frame::Stream(stream)) if stream.id == id && stream.data == b"unharmed")
            })
        });
        assert!(arrived, "{heard:?}");
    }

    /// Bob's side of the session.
    pub(super) fn connection(&mut self) -> &mut Connection {
        let connection = self.bob.endpoint.connection(self.handle);
        connection.expect("it is there")
    }

    /// Bytes that Bob's application reads from a stream.
    pub(super) fn read(&mut self, id: u64) -> Vec<u8> {
        let id = StreamId::from_u64(id);
        let connection = self.connection();
        let mut out = Vec::new();
        let mut buf = [0; 4_096];
        while let Ok(Some(count @ 1..)) = connection.streams().read(id, &mut buf) {
            out.extend_from_slice(&buf[..count]);
        }
        out
    }

    pub(super) fn stats(&self) -> stt_core::Stats {
        self.bob
            .endpoint
            .connection_ref(self.handle)
            .expect("it is there")
            .stats()
    }

    /// Where Bob sends to.
    pub(super) fn path(&self) -> stt_core::PathId {
        self.bob
            .endpoint
            .connection_ref(self.handle)
            .expect("it is there")
            .path()
    }
}

pub(super) const PING: u8 = 0x01;

fn mallory() -> stt_crypto::secret::NodeKey {
    Seed::new(&[66; 32]).expect("not empty").node_key(b"")
}

#[test]
fn a_peer_made_from_the_pages_alone_talks_to_ours_both_ways() {
    // The first bidirectional stream of the initiator, and of the responder.
    for (mut case, stream) in [(Case::new(), 0), (Case::answering(), 1)] {
        case.tell(&[&[0x0a, stream, 5][..], b"hello"].concat());
        let connection = case.connection();
        assert!(connection.streams().accept(Dir::Bi).is_some());
        assert_eq!(case.read(u64::from(stream)), b"hello");
        case.assert_unharmed();
        let largest = case.peer.largest.expect("Bob has sent something");
        case.acknowledge(largest);
        case.assert_unharmed();
        case.tell(b"\x1d\x07\x03bye");
        let (code, reason) = (7, "bye".to_owned());
        assert_eq!(
            case.end(),
            Some(ConnectionError::ApplicationClosed { code, reason })
        );
    }
}
