//! Opening sessions (`docs/spec/stt-handshake.md` §5, §6, §8, §10).

use std::sync::Arc;

use rand_core::Rng;

use super::{
    ConnectConfig, ConnectError, ConnectionHandle, Endpoint, Live, OpenError, Slot,
    event::MIN_MTU,
    ids::Route,
    opening::{Opening, Step},
};
use crate::{
    PathId, Side, Timestamp,
    connection::{Connection, Established},
    handshake::{Attempt, Icid, Kind, NEW_ICID_LEN, Terms, Ticket, answered},
    wire::WireId,
};

impl Endpoint {
    /// Begins to open a session over `path`. [`EndpointEvent`](super::EndpointEvent) tells what
    /// becomes of it.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: nothing was begun.
    pub fn connect(
        &mut self,
        now: Timestamp,
        path: PathId,
        config: ConnectConfig,
    ) -> Result<ConnectionHandle, ConnectError> {
        let ConnectConfig {
            profile,
            expected_peer,
            ticket,
            timeout,
        } = config;
        if !profile.reliable && profile.fragment.is_none() && profile.mtu < MIN_MTU {
            return Err(ConnectError::PathTooSmall { mtu: profile.mtu });
        }
        if let Some(peer) = expected_peer.filter(|peer| !self.config.is_allowed(peer)) {
            return Err(ConnectError::NotAllowed(peer));
        }
        if self.slots.len() >= self.config.max_sessions {
            return Err(ConnectError::TooManySessions);
        }
        let ticket = ticket.filter(|ticket| {
            let peer = ticket.peer();
            self.config.is_allowed(&peer) && expected_peer.is_none_or(|expected| expected == peer)
        });

        let terms = self.config.terms(&profile);
        let icid = self.icid();
        let scalar = self.scalar();
        let (ids, rng, credentials) = (&mut self.ids, &mut self.rng, &self.config.credentials);
        let handle = self
            .slots
            .insert_with(|handle| {
                let local_id = ids.issue(rng, Route::Session(handle.index()))?;
                let local_limits = terms.limits;
                let scalar = *scalar.expose();
                let attempt =
                    Attempt::start(credentials, terms, local_id, icid, scalar, ticket.as_ref())
                        .expect("parameters fit a Noise message");
                Some(Slot::Opening(Box::new(Opening::new(
                    now,
                    attempt,
                    path,
                    profile,
                    local_id,
                    local_limits,
                    expected_peer,
                    timeout,
                ))))
            })
            .ok_or(ConnectError::NoWireIds)?;
        self.register(handle.index());
        Ok(handle)
    }

    /// Gives up an attempt, or forgets a session without telling its peer. Returns whether there
    /// was one; `Failed` tells of an attempt's end, of a session's end nothing does.
    pub fn abandon(&mut self, handle: ConnectionHandle) -> bool {
        match self.slots.get(handle) {
            Some(Slot::Opening(_)) => self.fail(handle.index(), OpenError::Cancelled),
            Some(Slot::Live(_)) => self.forget(handle.index()),
            Some(Slot::Failed(_)) | None => return false,
        }
        true
    }

    /// A HELLO_RESP, COOKIE or VERSIONS.
    pub(super) fn on_answer(&mut self, now: Timestamp, kind: Kind, datagram: &[u8]) {
        let index =
            answered(datagram, NEW_ICID_LEN).and_then(|icid| self.icids.get(&icid).copied());
        let Some(index) = index else {
            self.stats.dropped += 1;
            return;
        };
        let Some(Slot::Opening(opening)) = self.slots.at_mut(index) else {
            self.stats.dropped += 1;
            return;
        };
        let step = match kind {
            Kind::Response => {
                let config = &self.config;
                let outcome = opening.on_response(now, &config.credentials, datagram, |peer| {
                    config.is_allowed(peer)
                });
                match outcome {
                    Ok((e, is_resumed, agreed)) => {
                        self.stats.resumed += u64::from(is_resumed);
                        self.on_agreed(now, index, e, agreed);
                        return;
                    }
                    Err(step) => {
                        self.stats.forged_responses += 1;
                        step
                    }
                }
            }
            Kind::Cookie => {
                opening.on_cookie(&self.config.credentials, datagram);
                Step::Wait
            }
            Kind::Versions => opening.on_versions(datagram),
            Kind::Hello | Kind::Sealed => Step::Wait,
        };
        self.take_step(index, step);
    }

    pub(super) fn take_step(&mut self, index: u32, step: Step) {
        match step {
            Step::Wait => self.arm_opening(index),
            Step::FallBack => self.fall_back(index),
            Step::Fail(error) => self.fail(index, error),
        }
    }

    /// The peer is proven: the attempt becomes a session.
    fn on_agreed(
        &mut self,
        now: Timestamp,
        index: u32,
        e: [u8; 32],
        agreed: crate::handshake::Agreed,
    ) {
        self.unregister(index);
        let Some(Slot::Opening(opening)) = self.slots.at(index) else {
            return;
        };
        let established = Established {
            side: Side::Initiator,
            send: agreed.session.send,
            receive: agreed.session.receive,
            aead: agreed.aead,
            exporter: agreed.session.exporter,
            peer: agreed.peer,
            peer_limits: agreed.peer_limits,
            local_limits: opening.local_limits,
            local_id: opening.local_id,
            local_token: self.resets.token(&opening.local_id),
            peer_id: agreed.peer_id,
            path: opening.path,
            profile: opening.profile,
            handshake_rtt: opening.rtt(now),
            rng_seed: {
                let mut seed = [0; 32];
                self.rng.fill_bytes(&mut seed);
                seed
            },
        };
        let connection = Connection::new(Arc::clone(&self.config.session), established, now);
        self.ephemerals.insert(e);
        if let Some(slot) = self.slots.at_mut(index) {
            *slot = Slot::Live(Box::new(Live::new(connection, e)));
        }
        self.deadlines.set(index, None);
        self.sending.push(index);
        self.telling.push(index);
    }

    /// Begins a full handshake beside an attempt to resume.
    fn fall_back(&mut self, index: u32) {
        let Some(Slot::Opening(opening)) = self.slots.at(index) else {
            return;
        };
        let (local_id, profile) = (opening.local_id, opening.profile);
        let terms = self.config.terms(&profile);
        let attempt = self.attempt(terms, local_id, None);
        if let Some(Slot::Opening(opening)) = self.slots.at_mut(index) {
            opening.fall_back(attempt);
        }
        self.register(index);
    }

    fn attempt(&mut self, terms: Terms, local_id: WireId, ticket: Option<&Ticket>) -> Attempt {
        let icid = self.icid();
        let scalar = *self.scalar().expose();
        let credentials = &self.config.credentials;
        Attempt::start(credentials, terms, local_id, icid, scalar, ticket)
            .expect("parameters fit a Noise message")
    }

    /// A name that no attempt under way has.
    fn icid(&mut self) -> Icid {
        loop {
            let bytes: [u8; NEW_ICID_LEN] = self.random();
            let icid = Icid::new(&bytes).expect("the length is one that names have");
            // At most one in 65,536 is taken: the number of sessions is far below 2^32.
            if !self.icids.contains_key(&icid) {
                return icid;
            }
        }
    }

    /// Makes an attempt known by its names, and sends its HELLO.
    fn register(&mut self, index: u32) {
        if let Some(Slot::Opening(opening)) = self.slots.at(index) {
            for (icid, e) in opening.names() {
                self.icids.insert(icid, index);
                self.ephemerals.insert(e);
            }
        }
        self.arm_opening(index);
    }

    fn unregister(&mut self, index: u32) {
        if let Some(Slot::Opening(opening)) = self.slots.at(index) {
            for (icid, e) in opening.names() {
                self.icids.remove(&icid);
                self.ephemerals.remove(&e);
            }
        }
    }

    fn arm_opening(&mut self, index: u32) {
        if let Some(Slot::Opening(opening)) = self.slots.at(index) {
            self.deadlines.set(index, Some(opening.deadline()));
            self.sending.push(index);
        }
    }

    fn fail(&mut self, index: u32, error: OpenError) {
        self.unregister(index);
        if let Some(slot) = self.slots.at_mut(index) {
            if let Slot::Opening(opening) = slot {
                self.ids.release(&opening.local_id);
            }
            *slot = Slot::Failed(error);
        }
        self.deadlines.set(index, None);
        self.telling.push(index);
    }
}

impl Live {
    pub(super) fn new(connection: Connection, e: [u8; 32]) -> Self {
        Self {
            connection,
            e,
            tokens: std::collections::VecDeque::new(),
            is_told: false,
        }
    }
}
