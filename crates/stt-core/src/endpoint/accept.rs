//! Answering HELLOs (`docs/spec/stt-handshake.md` §3 to §11).

use super::{
    Endpoint, MAX_ANSWERS, TicketRequest,
    half_open::{Answered, AwaitsTicket, HalfOpen, State},
    ids::Route,
};
use crate::{
    PathId, Timestamp,
    handshake::{Heard, Hello, HelloError, Icid, Refusal, Ticket, Versions},
};

/// A HELLO and where it came from.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    hello: Hello<'a>,
    datagram: &'a [u8],
    e: [u8; 32],
    path: PathId,
    address: PathId,
    is_proven: bool,
}

impl Endpoint {
    /// Entrusts a ticket to the endpoint: a peer may resume with it, once.
    pub fn add_ticket(&mut self, ticket: Ticket) {
        self.tickets.add(ticket);
    }

    /// Takes a ticket back, to open a session with it or to forget it: from now on nobody resumes
    /// with it. `None` if it was used, or pushed out by newer ones.
    pub fn remove_ticket(&mut self, id: &[u8; 16]) -> Option<Ticket> {
        self.tickets.take(id)
    }

    /// Says whether a ticket was deleted durably, as
    /// [`EndpointEvent::TakeTicket`](super::EndpointEvent::TakeTicket) asked. If not, the peer gets
    /// no answer and goes on with a full handshake.
    pub fn ticket_taken(&mut self, now: Timestamp, request: TicketRequest, is_deleted: bool) {
        let TicketRequest(serial) = request;
        let is_waiting = self
            .half_open
            .get(serial)
            .is_some_and(|entry| matches!(entry.state, State::AwaitsTicket(_)));
        if !is_waiting {
            return;
        }
        let Some(entry) = self.half_open.remove(serial) else {
            return;
        };
        let path = entry.last_path();
        let HalfOpen {
            e,
            address,
            is_proven,
            state: State::AwaitsTicket(waiting),
            ..
        } = entry
        else {
            return;
        };
        let AwaitsTicket {
            hello: datagram,
            heard,
        } = *waiting;
        let Some(hello) = Hello::decode(&datagram).ok().filter(|_| is_deleted) else {
            return;
        };
        let arrival = Arrival {
            hello,
            datagram: &datagram,
            e,
            path,
            address,
            is_proven,
        };
        match self.agree(now, arrival, heard) {
            Ok(()) => self.stats.resumed += 1,
            Err(refusal) => self.refuse(now, path, refusal),
        }
    }

    pub(super) fn on_hello(&mut self, now: Timestamp, path: PathId, datagram: &[u8]) {
        self.stats.hellos += 1;
        // Whatever comes of it would want an answer.
        if !self.config.accepts || self.answers.len() >= MAX_ANSWERS {
            self.stats.dropped += 1;
            return;
        }
        let hello = match Hello::decode(datagram) {
            Ok(hello) => hello,
            Err(error) => {
                if let HelloError::Unknown { icid, .. } = error {
                    self.answer_versions(path, &icid, true, datagram.len());
                }
                self.refuse(now, path, error.into());
                return;
            }
        };
        let Some(e) = hello.ephemeral().copied() else {
            return;
        };
        if self.ephemerals.contains(&e) {
            self.stats.dropped += 1;
            return;
        }
        if self.answer_copy(path, &hello) {
            return;
        }

        let is_proven = self.cookies.verify(now, &path, &hello, &e);
        let address = self.config.paths.address(&path);
        if !is_proven && (self.half_open.is_crowded(&address) || !self.tries.allow(now)) {
            let credentials = &self.config.credentials;
            let cookie = self
                .cookies
                .answer(now, &mut self.rng, credentials, &path, &hello, &e);
            if cookie.len() <= AMPLIFICATION * datagram.len() && self.answer(path, cookie) {
                self.stats.cookies += 1;
            }
            return;
        }
        let arrival = Arrival {
            hello,
            datagram,
            e,
            path,
            address,
            is_proven,
        };
        if let Err(refusal) = self.consider(now, arrival) {
            self.refuse(now, path, refusal);
        }
    }

    /// Answers a HELLO that came before; `false` if it is a new one.
    fn answer_copy(&mut self, path: PathId, hello: &Hello<'_>) -> bool {
        let Some(entry) = self.half_open.find(hello) else {
            return false;
        };
        if let State::Answered(answered) = &entry.state {
            let response = answered.response.clone();
            entry.add_path(path);
            if self.answer(path, response) {
                self.stats.responses += 1;
            }
        }
        true
    }

    /// Reads message 1 and does what is cheap; nothing is kept for a HELLO that fails here.
    fn consider(&mut self, now: Timestamp, arrival: Arrival<'_>) -> Result<(), Refusal> {
        if !self.half_open.has_room(&arrival.address, arrival.is_proven)
            || self.slots.len() >= self.config.max_sessions
        {
            return Err(Refusal::Full);
        }
        let hello = &arrival.hello;
        let ephemeral = self.scalar();
        let credentials = &self.config.credentials;
        let Some(id) = hello.ticket else {
            let heard = Heard::full(credentials, hello, &ephemeral)?;
            self.check_allowed(&heard)?;
            return self.agree(now, arrival, heard);
        };
        let Some(ticket) = self.tickets.get(id) else {
            self.answer_versions(arrival.path, &hello.icid, false, arrival.datagram.len());
            return Ok(());
        };
        let heard = Heard::resumed(credentials, hello, &ephemeral, ticket)?;
        self.check_allowed(&heard)?;
        self.tickets.take(id);
        self.ticket_requests.push_back(self.half_open.next_serial());
        let state = State::AwaitsTicket(Box::new(AwaitsTicket {
            hello: arrival.datagram.to_vec(),
            heard,
        }));
        self.keep(now, arrival, state);
        Ok(())
    }

    fn check_allowed(&self, heard: &Heard) -> Result<(), Refusal> {
        let peer = heard.peer();
        if self.config.is_allowed(&peer) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed(peer))
        }
    }

    /// Does the costly part, answers and keeps the handshake until it is confirmed.
    fn agree(&mut self, now: Timestamp, arrival: Arrival<'_>, heard: Heard) -> Result<(), Refusal> {
        let profile = self.config.paths.profile(&arrival.path);
        let terms = self.config.terms(&profile);
        let serial = self.half_open.next_serial();
        let local_id = self
            .ids
            .issue(&mut self.rng, Route::HalfOpen(serial))
            .ok_or(Refusal::Full)?;
        let (response, agreed) = match heard.answer(&arrival.hello, &terms, local_id) {
            Ok(answer) => answer,
            Err(refusal) => {
                self.ids.release(&local_id);
                return Err(refusal);
            }
        };
        debug_assert!(response.len() <= AMPLIFICATION * arrival.datagram.len());
        if self.answer(arrival.path, response.clone()) {
            self.stats.responses += 1;
        }
        let state = State::Answered(Box::new(Answered {
            response,
            agreed,
            local_id,
            local_limits: terms.limits,
        }));
        self.keep(now, arrival, state);
        Ok(())
    }

    fn keep(&mut self, now: Timestamp, arrival: Arrival<'_>, state: State) {
        let Arrival {
            hello,
            e,
            path,
            address,
            is_proven,
            ..
        } = arrival;
        let entry = HalfOpen::new(&hello, e, path, address, is_proven, state);
        if let Some(evicted) = self.half_open.insert(now, entry) {
            self.release_half_open(&evicted);
        }
    }

    pub(super) fn release_half_open(&mut self, entry: &HalfOpen) {
        if let State::Answered(answered) = &entry.state {
            self.ids.release(&answered.local_id);
        }
    }

    fn answer_versions(&mut self, path: PathId, icid: &Icid, resumption: bool, limit: usize) {
        let packet = Versions::spoken(icid, resumption);
        if packet.len() <= limit && self.answer(path, packet) {
            self.stats.versions += 1;
        }
    }

    fn refuse(&mut self, now: Timestamp, path: PathId, refusal: Refusal) {
        self.stats.refused += 1;
        self.refusals.add(now, path, refusal);
    }
}

/// How many times what came from an unproven address may go to it (RFC 9000 §8.1).
const AMPLIFICATION: usize = 3;
