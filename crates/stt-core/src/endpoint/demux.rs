//! Which session a datagram belongs to (`docs/spec/stt-handshake.md` §1, §14).

use std::sync::Arc;

use super::{
    Endpoint, Live, Slot,
    half_open::{Answered, HalfOpen, State},
    ids::Route,
};
use crate::{
    Ecn, PathId, Side, Timestamp,
    connection::{Connection, Established},
    handshake::Kind,
    wire::{WireId, header},
};

impl Endpoint {
    /// Takes a datagram that came over `path`; it may be opened in place. `ecn` is what the IP
    /// header said.
    pub fn handle_datagram(&mut self, now: Timestamp, path: PathId, ecn: Ecn, datagram: &mut [u8]) {
        self.stats.datagrams += 1;
        match Kind::of(datagram) {
            Some(Kind::Sealed) => self.on_sealed(now, path, ecn, datagram),
            Some(Kind::Hello) => self.on_hello(now, path, datagram),
            Some(kind) => self.on_answer(now, kind, datagram),
            None => self.stats.dropped += 1,
        }
    }

    fn on_sealed(&mut self, now: Timestamp, path: PathId, ecn: Ecn, datagram: &mut [u8]) {
        let receiver = header::receiver(datagram, self.ids.id_len()).map(|(id, _)| id);
        match receiver.and_then(|id| self.ids.route(&id)) {
            Some(Route::Session(index)) => {
                if let Some(Slot::Live(live)) = self.slots.at_mut(index) {
                    live.connection.handle_packet(now, path, ecn, datagram);
                    self.sending.push(index);
                    self.telling.push(index);
                } else {
                    // Nobody has our id before his own answer is here.
                    self.stats.dropped += 1;
                }
            }
            Some(Route::HalfOpen(serial)) => {
                self.on_first_packet(now, path, ecn, serial, datagram);
            }
            None => self.on_unknown(now, path, receiver, datagram),
        }
    }

    /// A packet for a half-open handshake: if it opens, that becomes a session.
    fn on_first_packet(
        &mut self,
        now: Timestamp,
        path: PathId,
        ecn: Ecn,
        serial: u64,
        datagram: &mut [u8],
    ) {
        let opens = match self.half_open.get(serial).map(|entry| &entry.state) {
            Some(State::Answered(answered)) => opens(answered, self.ids.id_len(), datagram),
            Some(State::AwaitsTicket(_)) | None => false,
        };
        if !opens || self.slots.len() >= self.config.max_sessions {
            self.stats.dropped += 1;
            return;
        }
        let Some(entry) = self.half_open.remove(serial) else {
            return;
        };
        let begins_on = entry.begins_on(path);
        let HalfOpen {
            e,
            state: State::Answered(answered),
            ..
        } = entry
        else {
            return;
        };
        let Answered {
            agreed,
            local_id,
            local_limits,
            ..
        } = *answered;
        let established = Established {
            side: Side::Responder,
            send: agreed.session.send,
            receive: agreed.session.receive,
            aead: agreed.aead,
            exporter: agreed.session.exporter,
            peer: agreed.peer,
            peer_limits: agreed.peer_limits,
            local_limits,
            local_id,
            local_token: self.resets.token(&local_id),
            peer_id: agreed.peer_id,
            path: begins_on,
            profile: self.config.paths.profile(&begins_on),
            handshake_rtt: None,
            rng_seed: self.random(),
        };
        let mut connection = Connection::new(Arc::clone(&self.config.session), established, now);
        connection.handle_packet(now, path, ecn, datagram);
        let slot = Slot::Live(Box::new(Live::new(connection, e)));
        let Some(handle) = self.slots.insert_with(|_| Some(slot)) else {
            self.ids.release(&local_id);
            return;
        };
        let index = handle.index();
        self.ids.redirect(&local_id, Route::Session(index));
        self.ephemerals.insert(e);
        self.sending.push(index);
        self.telling.push(index);
    }

    /// A packet for nobody: the peer's reset, or one of a session that an earlier run had.
    fn on_unknown(
        &mut self,
        now: Timestamp,
        path: PathId,
        receiver: Option<WireId>,
        datagram: &[u8],
    ) {
        self.stats.dropped += 1;
        if let Some(index) = self.resets.find(datagram) {
            if let Some(Slot::Live(live)) = self.slots.at_mut(index) {
                live.connection.on_reset(now);
                self.sending.push(index);
                self.telling.push(index);
            }
            return;
        }
        let Some(id) = receiver else {
            return;
        };
        let Some(reset) = self.resets.answer(&mut self.rng, &id, datagram.len()) else {
            return;
        };
        if self.reset_limit.allow(now) && self.answer(path, reset) {
            self.stats.resets += 1;
        }
    }
}

/// Whether the initiator has sealed this packet. Tried on a copy: the session opens it again.
fn opens(answered: &Answered, id_len: usize, datagram: &[u8]) -> bool {
    let (receive, aead) = (&answered.agreed.session.receive, answered.agreed.aead);
    let number_at = 1 + id_len;
    let mut copy = datagram.to_vec();
    let Some(sample) = header::sample(&copy, number_at) else {
        return false;
    };
    let mask = receive.header_key(aead).mask(sample);
    let Some(found) = header::unprotect(&mut copy, number_at, &mask) else {
        return false;
    };
    // No update of keys comes before the confirmation (`stt-session.md` §1.2).
    if found.phase {
        return false;
    }
    let number = header::expand_pn(found.truncated, found.pn_len, 0);
    let (head, body) = copy.split_at_mut(number_at + found.pn_len);
    receive.packet_key(aead).open(number, head, body).is_ok()
}
