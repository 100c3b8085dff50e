//! What the endpoint tells, and who hears of it.

use std::sync::Arc;

use stt_core::{
    Connection, ConnectionHandle, DatagramEvent, Dir, EndpointEvent, Event, Side, StreamEvent,
    StreamId, message::Preface,
};

use super::{Entry, Outcome, Sending, Shared, Signal, State, Wakes};
use crate::{
    error::{CloseReason, ConnectError},
    node::NodeEvent,
    session::{Session, SessionCore},
    transport::path::Route,
};

impl State {
    /// Takes all that the endpoint has to tell.
    pub(super) fn poll_events(&mut self, shared: &Arc<Shared>, wakes: &mut Wakes) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                EndpointEvent::Session { handle, event } => {
                    self.on_session(shared, handle, event, wakes);
                }
                EndpointEvent::Opened { handle, side, .. } => {
                    self.on_opened(shared, handle, side, wakes);
                }
                EndpointEvent::Failed { handle, error } => {
                    if let Some(attempt) = self.opening.remove(&handle) {
                        self.hang_up(attempt.remote);
                        drop(attempt.done.send(Err(ConnectError::Open(error))));
                    }
                }
                EndpointEvent::Refused {
                    path,
                    refusal,
                    unreported,
                } => shared.tell(NodeEvent::Refused {
                    from: path.into(),
                    refusal,
                    unreported,
                }),
                EndpointEvent::TakeTicket { request, id } => match &shared.tickets {
                    Some(tickets) => tickets.take_for_peer(shared, request, id),
                    None => {
                        let now = shared.clock.now();
                        self.endpoint.ticket_taken(now, request, false);
                    }
                },
                _ => {}
            }
        }
    }

    fn on_opened(
        &mut self,
        shared: &Arc<Shared>,
        handle: ConnectionHandle,
        side: Side,
        wakes: &mut Wakes,
    ) {
        let Some(connection) = self.endpoint.connection_ref(handle) else {
            return;
        };
        let core = Arc::new(SessionCore::new(shared, handle, connection));
        let link = match Route::from_path(&connection.path()) {
            Some(Route::Link(number)) => Some(number),
            _ => None,
        };
        if let Some(tickets) = &shared.tickets {
            let ticket = tickets.keep(shared, connection);
            self.endpoint.add_ticket(ticket);
        }
        if let Some(number) = link {
            self.links.count(number, true);
        }
        let session = Session::new(&core);
        shared.tell(NodeEvent::Opened {
            session: core.id(),
            peer: core.peer(),
            side,
        });
        if let Some(attempt) = self.opening.remove(&handle) {
            let entry = Entry::new(core, attempt.remote, link);
            self.entries.insert(handle, entry);
            if let Err(Ok(unwanted)) = attempt.done.send(Ok(session)) {
                wakes.unwanted.push(unwanted);
            }
            return;
        }
        self.entries.insert(handle, Entry::new(core, None, link));
        if self.accepted.len() < self.backlog && self.phase == super::Phase::Running {
            self.accepted.push_back(session);
            wakes.accepted = true;
            return;
        }
        if let Some(connection) = self.endpoint.connection(handle) {
            connection.close(shared.clock.now(), NOT_ACCEPTED, "not accepted");
            self.wants_turn();
        }
        wakes.unwanted.push(session);
    }

    fn on_session(
        &mut self,
        shared: &Shared,
        handle: ConnectionHandle,
        event: Event,
        wakes: &mut Wakes,
    ) {
        let Some(entry) = self.entries.get_mut(&handle) else {
            return;
        };
        match event {
            Event::Stream(event) => {
                if let Some(connection) = self.endpoint.connection(handle) {
                    entry.on_stream(connection, event, wakes);
                }
            }
            Event::Datagram(DatagramEvent::Readable) => {
                wakes.session(&entry.core, Signal::Received)
            }
            Event::KeysUpdated { epoch } => {
                entry.epoch = epoch;
                wakes.session(&entry.core, Signal::Changed);
                shared.tell(NodeEvent::KeysUpdated {
                    session: entry.core.id(),
                    epoch,
                });
            }
            Event::OpenFailed { total } => shared.tell(NodeEvent::OpenFailed {
                session: entry.core.id(),
                total,
            }),
            Event::PathChanged(path) => {
                entry.moving.take_if(|moving| *moving == path);
                self.sockets.changed();
                wakes.session(&entry.core, Signal::Changed);
                shared.tell(NodeEvent::PathChanged {
                    session: entry.core.id(),
                    to: path.into(),
                });
            }
            Event::PathFailed(path) => {
                entry.moving.take_if(|moving| *moving == path);
                self.sockets.changed();
                entry.failed_path = Some(path);
                wakes.session(&entry.core, Signal::Changed);
                shared.tell(NodeEvent::PathFailed {
                    session: entry.core.id(),
                    to: path.into(),
                });
            }
            Event::Closed(error) => self.on_closed(shared, handle, error.into(), wakes),
            _ => {}
        }
    }

    /// The session is over, for whatever reason: everybody who waits is told, what came is kept.
    pub(crate) fn on_closed(
        &mut self,
        shared: &Shared,
        handle: ConnectionHandle,
        reason: CloseReason,
        wakes: &mut Wakes,
    ) {
        self.watched.remove(&handle);
        let Some(entry) = self.entries.get_mut(&handle) else {
            return;
        };
        if entry.core.close_reason().is_some() {
            return;
        }
        if !reason.is_local()
            && !entry.is_orphan
            && let Some(connection) = self.endpoint.connection(handle)
        {
            entry.save(connection);
        }
        shared.tell(NodeEvent::Closed {
            session: entry.core.id(),
            peer: entry.core.peer(),
            reason: reason.clone(),
        });
        entry.core.set_closed(reason);
        let connection = self.endpoint.connection_ref(handle);
        let route = connection.and_then(|connection| Route::from_path(&connection.path()));
        let stays_at_home = matches!(route, Some(Route::Udp { socket: 0, .. } | Route::Link(_)));
        if !stays_at_home || entry.moving.is_some() {
            self.sockets.changed();
        }
        wakes.session(&entry.core, Signal::All);
        for sending in entry.sending.values_mut() {
            wakes.task(sending.waker.take());
        }
        for waker in entry.receiving.values_mut() {
            wakes.task(waker.take());
        }
        wakes.gone = true;
        if let Some(number) = entry.link.take() {
            self.links.count(number, false);
        }
        let (remote, is_orphan) = (entry.remote.take(), entry.is_orphan);
        self.hang_up(remote);
        if is_orphan {
            self.entries.remove(&handle);
        }
    }
}

impl Entry {
    fn on_stream(&mut self, connection: &mut Connection, event: StreamEvent, wakes: &mut Wakes) {
        match event {
            StreamEvent::Opened { dir } => {
                while let Some(id) = connection.streams().accept(dir) {
                    self.arriving.push(id);
                    if dir == Dir::Bi {
                        // What becomes of the answer may be known before it is asked for.
                        self.sending.insert(id, Sending::default());
                    }
                    self.classify(connection, id, wakes);
                }
            }
            StreamEvent::Available(dir) => wakes.session(&self.core, Signal::Available(dir)),
            StreamEvent::Readable(id) => {
                if let Some(waker) = self.receiving.get_mut(&id) {
                    wakes.task(waker.take());
                } else if self.arriving.contains(&id) {
                    self.classify(connection, id, wakes);
                }
            }
            StreamEvent::Writable(id) => {
                if let Some(sending) = self.sending.get_mut(&id) {
                    wakes.task(sending.waker.take());
                }
            }
            StreamEvent::Finished(id) => self.settle(id, Outcome::Finished, wakes),
            StreamEvent::Stopped { id, code } => self.settle(id, Outcome::Stopped(code), wakes),
            _ => {}
        }
    }

    fn settle(&mut self, id: StreamId, outcome: Outcome, wakes: &mut Wakes) {
        if let Some(sending) = self.sending.get_mut(&id) {
            sending.outcome = Some(outcome);
            wakes.task(sending.waker.take());
        }
    }

    /// Reads the first byte of a stream that the peer opened, if it is there (6.1).
    fn classify(&mut self, connection: &mut Connection, id: StreamId, wakes: &mut Wakes) {
        let streams = connection.streams();
        let preface = match streams.peek(id) {
            Err(stt_core::ReadError::Blocked) => return,
            Ok(Some(bytes)) => bytes.first().copied().and_then(Preface::from_byte),
            // Over before it began.
            Ok(None) | Err(_) => None,
        };
        self.arriving.retain(|&arriving| arriving != id);
        let is_bi = id.dir() == Dir::Bi;
        if preface != Some(Preface::Application) {
            self.sending.remove(&id);
        }
        match preface {
            Some(Preface::Application) => {
                streams.consume(id, 1);
                self.accepted[id.dir() as usize].push_back(id);
                wakes.session(&self.core, Signal::Opened(id.dir()));
            }
            Some(preface) => {
                streams.consume(id, 1);
                // Answers go on a stream of this end's own.
                if is_bi {
                    let _ = streams.finish(id);
                }
                self.receiving.insert(id, None);
                wakes.messages.push((Arc::clone(&self.core), preface, id));
            }
            None => {
                let _ = streams.stop(id, Preface::UNKNOWN);
                if is_bi {
                    let _ = streams.reset(id, Preface::UNKNOWN);
                }
            }
        }
    }
}

/// The code for sessions that find no room among those to be accepted.
const NOT_ACCEPTED: u64 = 1;
