//! What goes out: datagrams, deadlines, events (`docs/spec/stt-handshake.md` §14.5).

use super::{ConnectionHandle, Endpoint, EndpointEvent, Slot, TicketRequest, ids::Route};
use crate::{Ecn, Timestamp, Transmit, connection::Request};

impl Endpoint {
    /// Writes datagrams to send, up to `max_datagrams` for one path. Gives `None` if nothing is to
    /// be sent now. Sessions take turns.
    ///
    /// `buf` should hold the largest datagram of any path; handshakes need 201 bytes of it.
    pub fn poll_transmit(
        &mut self,
        now: Timestamp,
        max_datagrams: usize,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        while let Some((path, datagram)) = self.answers.pop_front() {
            if let Some(size) = copy(buf, &datagram) {
                return Some(single(path, size));
            }
        }
        while let Some(index) = self.sending.pop() {
            match self.slots.at_mut(index) {
                Some(Slot::Opening(opening)) => {
                    let path = opening.path;
                    let hello = opening.transmit(now);
                    self.deadlines.set(index, Some(opening.deadline()));
                    if let Some(size) = hello.and_then(|hello| copy(buf, &hello)) {
                        return Some(single(path, size));
                    }
                }
                Some(Slot::Live(_)) => {
                    self.serve(index);
                    let Some(Slot::Live(live)) = self.slots.at_mut(index) else {
                        continue;
                    };
                    if !self.blocked.is_empty() && self.blocked.contains(&live.connection.path()) {
                        self.held.push(index);
                        let deadline = live.connection.poll_timeout();
                        self.deadlines.set(index, deadline);
                        continue;
                    }
                    let transmit = live.connection.poll_transmit(now, max_datagrams, buf);
                    let deadline = live.connection.poll_timeout();
                    self.serve(index);
                    self.deadlines.set(index, deadline);
                    self.telling.push(index);
                    if transmit.is_some() {
                        self.sending.push(index);
                        return transmit;
                    }
                }
                Some(Slot::Failed(_)) | None => {}
            }
        }
        None
    }

    /// When to call [`Endpoint::handle_timeout`], if nothing comes before. Right once
    /// [`Endpoint::poll_transmit`] has given nothing.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let slots = self.deadlines.first().map(|(deadline, _)| deadline);
        match (slots, self.half_open.next_expiry()) {
            (Some(slot), Some(half_open)) => Some(slot.min(half_open)),
            (one, other) => one.or(other),
        }
    }

    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some((_, index)) = self
            .deadlines
            .first()
            .filter(|(deadline, _)| *deadline <= now)
        {
            // Set again by what follows, or by `poll_transmit`.
            self.deadlines.set(index, None);
            match self.slots.at_mut(index) {
                Some(Slot::Opening(opening)) => {
                    let step = opening.handle_timeout(now);
                    self.take_step(index, step);
                }
                Some(Slot::Live(live)) => {
                    live.connection.handle_timeout(now);
                    self.sending.push(index);
                    self.telling.push(index);
                }
                Some(Slot::Failed(_)) | None => {}
            }
        }
        while let Some(expired) = self.half_open.expire(now) {
            self.release_half_open(&expired);
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<EndpointEvent> {
        if let Some(event) = self.poll_own_event() {
            return Some(event);
        }
        while let Some(index) = self.telling.pop() {
            self.serve(index);
            let Some(handle) = self.slots.handle(index) else {
                continue;
            };
            match self.slots.at_mut(index) {
                Some(Slot::Failed(_)) => {
                    if let Some(Slot::Failed(error)) = self.slots.remove(index) {
                        return Some(EndpointEvent::Failed { handle, error });
                    }
                }
                Some(Slot::Live(_)) => {
                    if let Some(event) = self.poll_live(handle) {
                        self.telling.push(index);
                        return Some(event);
                    }
                }
                Some(Slot::Opening(_)) | None => {}
            }
        }
        None
    }

    fn poll_own_event(&mut self) -> Option<EndpointEvent> {
        if let Some(refused) = self.refusals.poll() {
            return Some(EndpointEvent::Refused {
                path: refused.path,
                refusal: refused.refusal,
                unreported: refused.unreported,
            });
        }
        while let Some(serial) = self.ticket_requests.pop_front() {
            if let Some(id) = self.half_open.get(serial).and_then(|entry| entry.ticket()) {
                return Some(EndpointEvent::TakeTicket {
                    request: TicketRequest(serial),
                    id,
                });
            }
        }
        None
    }

    /// The next event of a session; forgets it once it is over and has told everything.
    fn poll_live(&mut self, handle: ConnectionHandle) -> Option<EndpointEvent> {
        let Some(Slot::Live(live)) = self.slots.get_mut(handle) else {
            return None;
        };
        if !core::mem::replace(&mut live.is_told, true) {
            return Some(EndpointEvent::Opened {
                handle,
                side: live.connection.side(),
                peer: *live.connection.peer(),
            });
        }
        if let Some(event) = live.connection.poll_event() {
            return Some(EndpointEvent::Session { handle, event });
        }
        if live.connection.is_drained() {
            self.forget(handle.index());
        }
        None
    }

    /// Does what a session asks of its endpoint.
    fn serve(&mut self, index: u32) {
        loop {
            let Some(Slot::Live(live)) = self.slots.at_mut(index) else {
                return;
            };
            match live.connection.poll_request() {
                None => return,
                Some(Request::NeedIds(count)) => {
                    for _ in 0..count {
                        let Some(id) = self.ids.issue(&mut self.rng, Route::Session(index)) else {
                            break;
                        };
                        live.connection.issue_id(id, self.resets.token(&id));
                        self.sending.push(index);
                    }
                }
                Some(Request::RetireId(id)) => self.ids.release(&id),
                Some(Request::WatchToken(token)) => {
                    live.tokens.push_back(self.resets.watch(&token, index));
                    if live.tokens.len() > MAX_TOKENS
                        && let Some(oldest) = live.tokens.pop_front()
                    {
                        self.resets.unwatch(&oldest);
                    }
                }
                // Its last events come first; then it is forgotten.
                Some(Request::Drained) => self.telling.push(index),
            }
        }
    }

    /// Removes a session and all that leads to it.
    pub(super) fn forget(&mut self, index: u32) {
        self.serve(index);
        let Some(Slot::Live(live)) = self.slots.remove(index) else {
            return;
        };
        for id in live.connection.local_ids() {
            self.ids.release(&id);
        }
        for token in &live.tokens {
            self.resets.unwatch(token);
        }
        self.ephemerals.remove(&live.e);
        self.deadlines.set(index, None);
    }
}

fn copy(buf: &mut [u8], datagram: &[u8]) -> Option<usize> {
    buf.get_mut(..datagram.len())?.copy_from_slice(datagram);
    Some(datagram.len())
}

fn single(path: crate::PathId, size: usize) -> Transmit {
    Transmit {
        path,
        ecn: Ecn::NotEct,
        size,
        segment_size: None,
    }
}

/// Tokens of one peer that are watched; a session keeps no more ids of its peer.
const MAX_TOKENS: usize = 8;
