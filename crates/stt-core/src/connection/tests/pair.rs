//! Two sessions that have just shaken hands, on one clock.

use core::time::Duration;
use std::sync::Arc;

use stt_crypto::{
    Aead, Initiator, Responder,
    secret::{ResetToken, Seed},
};

use super::super::{Connection, Established, Request};
use crate::{
    Ecn, Event, LinkProfile, PathId, SessionConfig, Side, Timestamp,
    testing::{Flight, InFlight, Link, LinkConfig, SimpleLink},
    wire::{Limits, WireId},
};

pub(super) struct Pair {
    pub(super) now: Timestamp,
    pub(super) ends: [End; 2],
    pub(super) links: [SimpleLink; 2],
    /// What is under way to each end: datagram and the path that it comes on.
    pub(super) flights: [InFlight<(PathId, Flight)>; 2],
    /// Every datagram sent, with its sender, newest last.
    pub(super) log: Vec<(Side, Vec<u8>)>,
    /// Where the peer sees each end.
    pub(super) addresses: [PathId; 2],
    /// Further ways: what each end calls them.
    pub(super) ways: Vec<[PathId; 2]>,
}

pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) events: Vec<Event>,
    next_id: u8,
    side: Side,
}

pub(super) fn path(name: u8) -> PathId {
    PathId::new(&[name]).unwrap()
}

impl Pair {
    pub(super) fn new(link: LinkConfig) -> Self {
        Self::with(
            link,
            LinkProfile::default(),
            SessionConfig::default(),
            Aead::Aes256Gcm,
        )
    }

    pub(super) fn with(
        link: LinkConfig,
        profile: LinkProfile,
        config: SessionConfig,
        aead: Aead,
    ) -> Self {
        let seed = Seed::new(b"a shared seed of more than 32 bytes, for tests").unwrap();
        let (left, right) = (seed.node_key(b"left"), seed.node_key(b"right"));
        let psk = seed.psk();
        let (mut initiator, hello) =
            Initiator::start(&psk, &left, b"prologue", [1; 32], b"").unwrap();
        let (responder, _) = Responder::read(&psk, &right, b"prologue", &hello, [2; 32]).unwrap();
        let (right_session, response) = responder.respond(b"").unwrap();
        let (left_session, _) = initiator.finish(&response).unwrap();
        let config = Arc::new(config);
        let end = |side: Side, session: stt_crypto::Session| {
            let established = Established {
                side,
                send: session.send,
                receive: session.receive,
                aead,
                exporter: session.exporter,
                peer: session.peer.unwrap().node_id(),
                local_limits: config.limits,
                peer_limits: Limits::default(),
                local_id: WireId::new(&[side as u8; 4]).unwrap(),
                local_token: ResetToken::new([0xa0 + side as u8; 16]),
                peer_id: WireId::new(&[!side as u8; 4]).unwrap(),
                path: path(!side as u8),
                profile,
                handshake_rtt: None,
                rng_seed: [side as u8; 32],
            };
            End {
                connection: Connection::new(config.clone(), established, Timestamp::ZERO),
                events: Vec::new(),
                next_id: 1,
                side,
            }
        };
        Self {
            now: Timestamp::ZERO,
            ends: [
                end(Side::Initiator, left_session),
                end(Side::Responder, right_session),
            ],
            links: [SimpleLink::new(link, 1), SimpleLink::new(link, 2)],
            flights: [InFlight::new(), InFlight::new()],
            log: Vec::new(),
            addresses: [path(Side::Initiator as u8), path(Side::Responder as u8)],
            ways: Vec::new(),
        }
    }

    pub(super) fn end(&mut self, side: Side) -> &mut Connection {
        &mut self.ends[side as usize].connection
    }

    pub(super) fn events(&self, side: Side) -> &[Event] {
        &self.ends[side as usize].events
    }

    /// Sends what both ends have to send and takes their events.
    pub(super) fn flush(&mut self) {
        let mut buf = [0; 1 << 16];
        for side in [Side::Initiator, Side::Responder] {
            for _ in 0..10_000 {
                let end = &mut self.ends[side as usize];
                end.answer_requests();
                let Some(transmit) = end.connection.poll_transmit(self.now, 10, &mut buf) else {
                    break;
                };
                // A datagram arrives if it is addressed to where the peer is.
                let first = [self.addresses[1], self.addresses[0]];
                let mut ways = core::iter::once(&first).chain(&self.ways);
                let way = ways.find(|way| way[side as usize] == transmit.path);
                let segment = transmit.segment_size.unwrap_or(transmit.size);
                for datagram in buf[..transmit.size].chunks(segment) {
                    self.log.push((side, datagram.to_vec()));
                    let Some(way) = way else {
                        continue;
                    };
                    let from = way[!side as usize];
                    let flight = Flight {
                        bytes: datagram.to_vec(),
                        ecn: transmit.ecn,
                    };
                    let flights = &mut self.flights[!side as usize];
                    self.links[side as usize].send(self.now, flight, &mut |at, flight| {
                        flights.push(at, (from, flight));
                    });
                }
            }
            let end = &mut self.ends[side as usize];
            while let Some(event) = end.connection.poll_event() {
                end.events.push(event);
            }
        }
    }

    /// Goes to the next thing that happens, at most to `limit`; false if nothing does.
    pub(super) fn step(&mut self, limit: Timestamp) -> bool {
        self.flush();
        let next = [
            self.flights[0].next(),
            self.flights[1].next(),
            self.ends[0].connection.poll_timeout(),
            self.ends[1].connection.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min();
        let Some(next) = next.filter(|next| *next <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        self.now = self.now.max(next);
        for side in [Side::Initiator, Side::Responder] {
            let connection = &mut self.ends[side as usize].connection;
            while let Some((from, mut flight)) = self.flights[side as usize].pop_due(self.now) {
                connection.handle_packet(self.now, from, flight.ecn, &mut flight.bytes);
            }
            if connection.poll_timeout().is_some_and(|at| at <= self.now) {
                connection.handle_timeout(self.now);
            }
        }
        self.flush();
        true
    }

    /// Runs until `done`, at most for `span`; panics if that isn't enough.
    pub(super) fn run_until(&mut self, span: Duration, mut done: impl FnMut(&mut Self) -> bool) {
        let limit = self.now + span;
        for _ in 0..2_000_000 {
            if done(self) {
                return;
            }
            if !self.step(limit) {
                assert!(done(self), "not done within {span:?}; now {:?}", self.now);
                return;
            }
        }
        panic!("a livelock at {:?}", self.now);
    }

    /// Runs for `span`.
    pub(super) fn run(&mut self, span: Duration) {
        let limit = self.now + span;
        for _ in 0..2_000_000 {
            if !self.step(limit) {
                return;
            }
        }
        panic!("a livelock at {:?}", self.now);
    }

    /// A packet of the initiator's, with a PING, that doesn't arrive.
    pub(super) fn stolen_ping(&mut self) -> Vec<u8> {
        self.end(Side::Initiator).ping();
        self.links[0].config_mut().cut = true;
        self.flush();
        self.links[0].config_mut().cut = false;
        let mut sent = self.log.iter().rev();
        let stolen = sent.find(|(side, _)| *side == Side::Initiator);
        stolen.expect("it was sent").1.clone()
    }

    /// Hands an end a datagram out of turn.
    pub(super) fn inject(&mut self, to: Side, from: PathId, mut datagram: Vec<u8>) {
        let now = self.now;
        self.end(to)
            .handle_packet(now, from, Ecn::NotEct, &mut datagram);
        self.flush();
    }
}

impl End {
    fn answer_requests(&mut self) {
        while let Some(request) = self.connection.poll_request() {
            if let Request::NeedIds(count) = request {
                for _ in 0..count {
                    self.next_id += 1;
                    let id = WireId::new(&[self.side as u8, 0, 0, self.next_id]).unwrap();
                    let token = ResetToken::new([self.next_id; 16]);
                    self.connection.issue_id(id, token);
                }
            }
        }
    }
}
