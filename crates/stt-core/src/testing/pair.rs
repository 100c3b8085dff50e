use core::time::Duration;
use std::collections::VecDeque;

use super::link::{Flight, InFlight, Link};
use crate::{
    Connection, ConnectionHandle, Ecn, Endpoint, EndpointEvent, Event, LinkProfile, PathId, Side,
    Timestamp,
    endpoint::{ConnectConfig, ConnectError},
};

/// Two endpoints on one virtual clock, joined by a link for each direction.
///
/// Time jumps from event to event. [`Pair::step`] makes one jump; what is sent at one moment is
/// handed to the links in the order left, right.
pub struct Pair {
    /// The clock.
    pub now: Timestamp,
    ends: [End; 2],
    /// The ways between the ends: what each end calls it, by the address of the other there.
    ways: Vec<[PathId; 2]>,
    links: [Box<dyn Link>; 2],
    flights: [InFlight<(PathId, Flight)>; 2],
    buf: Vec<u8>,
    /// Called with every datagram that an end sends.
    tap: Option<Tap>,
}

/// Sees every datagram: when, who sent it, its ECN field, its bytes.
pub type Tap = Box<dyn FnMut(Timestamp, Side, Ecn, &[u8])>;

struct End {
    endpoint: Endpoint,
    events: VecDeque<EndpointEvent>,
}

impl Pair {
    /// The initiator and the responder to be, and the link that each sends into.
    pub fn new(endpoints: [Endpoint; 2], links: [Box<dyn Link>; 2]) -> Self {
        Self {
            now: Timestamp::ZERO,
            ends: endpoints.map(|endpoint| End {
                endpoint,
                events: VecDeque::new(),
            }),
            ways: vec![[address(1), address(0)]],
            links,
            flights: [InFlight::new(), InFlight::new()],
            buf: vec![0; 1 << 17],
            tap: None,
        }
    }

    /// Shows every datagram that is sent from now on to `tap`.
    pub fn tap(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    /// The endpoint of `side`.
    pub fn endpoint(&mut self, side: Side) -> &mut Endpoint {
        &mut self.ends[side as usize].endpoint
    }

    /// A session at `side`.
    pub fn connection(&mut self, side: Side, handle: ConnectionHandle) -> Option<&mut Connection> {
        self.endpoint(side).connection(handle)
    }

    /// The link that `side` sends into.
    pub fn link(&mut self, side: Side) -> &mut dyn Link {
        &mut *self.links[side as usize]
    }

    /// Takes the place of the endpoint of `side`, as after a restart.
    pub fn replace(&mut self, side: Side, endpoint: Endpoint) {
        let end = &mut self.ends[side as usize];
        end.endpoint = endpoint;
        end.events.clear();
    }

    /// Puts `side` at another address of the newest way, as a NAT does: datagrams to the old one are lost.
    pub fn rebind(&mut self, side: Side, name: u16) {
        if let Some(way) = self.ways.last_mut() {
            way[!side as usize] = address(name);
        }
    }

    /// Opens one more way, on which the responder is at the first address and the initiator at the second.
    /// Those that there are stay open.
    pub fn open_way(&mut self, responder: u16, initiator: u16) {
        self.ways.push([address(responder), address(initiator)]);
    }

    /// Where `side` is, on the newest way.
    pub fn address(&self, side: Side) -> PathId {
        self.ways
            .last()
            .map_or(address(0), |way| way[!side as usize])
    }

    /// `side` opens a session to the other end.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(
        &mut self,
        side: Side,
        profile: LinkProfile,
        timeout: Duration,
    ) -> Result<ConnectionHandle, ConnectError> {
        let to = self.address(!side);
        let config = ConnectConfig {
            profile,
            timeout,
            ..ConnectConfig::default()
        };
        let now = self.now;
        self.endpoint(side).connect(now, to, config)
    }

    /// Connects from the initiator's side and runs until both ends are open: their handles.
    ///
    /// # Panics
    /// If that takes more than `within`.
    pub fn open(&mut self, profile: LinkProfile, within: Duration) -> [ConnectionHandle; 2] {
        let begun = self.connect(Side::Initiator, profile, within);
        assert!(begun.is_ok(), "{begun:?}");
        let mut opened = [None, None];
        self.run_until(within, |pair| {
            for side in [Side::Initiator, Side::Responder] {
                while let Some(event) = pair.poll_event(side) {
                    if let EndpointEvent::Opened { handle, .. } = event {
                        opened[side as usize] = Some(handle);
                    }
                }
            }
            opened.iter().all(Option::is_some)
        });
        opened.map(|handle| handle.expect("run_until has seen both"))
    }

    /// The next event at `side`, the confirmations of sessions included.
    pub fn poll_event(&mut self, side: Side) -> Option<EndpointEvent> {
        self.ends[side as usize].events.pop_front()
    }

    /// The next event of sessions at `side`; others are dropped.
    pub fn poll_session_event(&mut self, side: Side) -> Option<(ConnectionHandle, Event)> {
        loop {
            if let EndpointEvent::Session { handle, event } = self.poll_event(side)? {
                return Some((handle, event));
            }
        }
    }

    /// Sends what both ends have to send and takes their events.
    pub fn flush(&mut self) {
        for side in [Side::Initiator, Side::Responder] {
            let end = &mut self.ends[side as usize];
            let mut sent = 0_u32;
            while let Some(transmit) = end.endpoint.poll_transmit(self.now, 10, &mut self.buf) {
                sent += 1;
                assert!(sent < MAX_SENDS, "endless sending at {:?}", self.now);
                let segment = transmit.segment_size.unwrap_or(transmit.size);
                for datagram in self.buf[..transmit.size].chunks(segment) {
                    if let Some(tap) = &mut self.tap {
                        tap(self.now, side, transmit.ecn, datagram);
                    }
                    // What goes to an address that nobody has is lost.
                    let is_there = |way: &&[PathId; 2]| way[side as usize] == transmit.path;
                    let Some(way) = self.ways.iter().find(is_there) else {
                        continue;
                    };
                    let flight = Flight {
                        bytes: datagram.to_vec(),
                        ecn: transmit.ecn,
                    };
                    let flights = &mut self.flights[!side as usize];
                    let from = way[!side as usize];
                    self.links[side as usize].send(self.now, flight, &mut |at, flight| {
                        flights.push(at, (from, flight));
                    });
                }
            }
            while let Some(event) = end.endpoint.poll_event() {
                end.events.push_back(event);
            }
        }
    }

    /// When something happens next.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let flights = self.flights.iter().filter_map(InFlight::next);
        let timers = self
            .ends
            .iter()
            .filter_map(|end| end.endpoint.poll_timeout());
        flights.chain(timers).min()
    }

    /// Goes to the next thing that happens, at most to `limit`; false if nothing does before it.
    pub fn step(&mut self, limit: Timestamp) -> bool {
        self.flush();
        let Some(next) = self.next_wakeup().filter(|next| *next <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        self.now = self.now.max(next);
        for side in [Side::Initiator, Side::Responder] {
            let endpoint = &mut self.ends[side as usize].endpoint;
            while let Some((from, mut flight)) = self.flights[side as usize].pop_due(self.now) {
                endpoint.handle_datagram(self.now, from, flight.ecn, &mut flight.bytes);
            }
            if endpoint.poll_timeout().is_some_and(|at| at <= self.now) {
                endpoint.handle_timeout(self.now);
            }
        }
        self.flush();
        true
    }

    /// Runs until `done`.
    ///
    /// # Panics
    /// If that takes more than `span`, or time stands still.
    pub fn run_until(&mut self, span: Duration, mut done: impl FnMut(&mut Self) -> bool) {
        let limit = self.now + span;
        let mut still = 0_u32;
        loop {
            if done(self) {
                return;
            }
            let before = self.now;
            if !self.step(limit) {
                assert!(done(self), "not done within {span:?}");
                return;
            }
            still = if self.now == before { still + 1 } else { 0 };
            assert!(still < MAX_STILL, "time stands still at {:?}", self.now);
        }
    }

    /// Runs for `span`.
    ///
    /// # Panics
    /// If time stands still.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        self.run_until(span + Duration::from_nanos(1), |pair| pair.now >= end);
    }
}

/// Datagrams sent at one moment, and steps without time passing, after which something is wrong.
const MAX_SENDS: u32 = 100_000;
const MAX_STILL: u32 = 100_000;

/// The address with a number for a name.
pub fn address(name: u16) -> PathId {
    PathId::new(&name.to_be_bytes()).expect("two bytes are few enough")
}
