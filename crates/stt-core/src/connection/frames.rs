//! What each frame of the peer does, and where the session moves (`docs/spec/stt-session.md`
//! §5–§7, §9).

use core::time::Duration;

use crate::{
    Code, Event, PathId, Timestamp, TransportError,
    recovery::AckInfo,
    wire::{Ack, Frame, Frames, WireId},
};

use super::{
    Connection, ConnectionError, Request, State,
    carried::{IdFrame, Manifest},
    path::Path,
};

/// What a packet held.
#[derive(Default)]
pub(super) struct Seen {
    /// A frame that asks for an acknowledgement.
    pub(super) eliciting: bool,
    /// A frame that may move the session to the packet's path (RFC 9000 §9.1).
    pub(super) non_probing: bool,
    /// It elicits by a PING alone: the peer probes.
    pub(super) ping_only: bool,
}

impl Connection {
    /// Processes the frames of a packet in order. `head` is its header, with the wire id.
    pub(super) fn process_frames(
        &mut self,
        now: Timestamp,
        path: PathId,
        head: &[u8],
        body: &[u8],
    ) -> Result<Seen, TransportError> {
        let mut seen = Seen::default();
        let mut pinged = false;
        let mut other = false;
        for frame in Frames::new(body) {
            let frame = frame.map_err(TransportError::from)?;
            seen.eliciting |= frame.is_ack_eliciting();
            seen.non_probing |= !frame.is_probing();
            match &frame {
                Frame::Ping => pinged = true,
                frame if frame.is_ack_eliciting() => other = true,
                _ => {}
            }
            self.process_frame(now, path, head, &frame)?;
            if !matches!(self.state, State::Open) {
                break;
            }
        }
        seen.ping_only = pinged && !other;
        Ok(seen)
    }

    fn process_frame(
        &mut self,
        now: Timestamp,
        path: PathId,
        head: &[u8],
        frame: &Frame<'_>,
    ) -> Result<(), TransportError> {
        match frame {
            Frame::Padding(_) | Frame::Ping => Ok(()),
            Frame::Ack(ack) => self.on_ack(now, ack),
            Frame::Stream(stream) => self.streams.on_stream(stream),
            Frame::Reset {
                id,
                code,
                final_size,
            } => self.streams.on_reset(*id, *code, *final_size),
            Frame::Stop { id, code } => self.streams.on_stop(*id, *code),
            Frame::MaxData(max) => {
                self.streams.on_max_data(*max);
                Ok(())
            }
            Frame::MaxStreamData { id, max } => self.streams.on_max_stream_data(*id, *max),
            Frame::MaxStreams { dir, max } => self.streams.on_max_streams(*dir, *max),
            Frame::Datagram(data) => {
                self.datagrams.on_datagram(data);
                Ok(())
            }
            Frame::NewId(new) => {
                if let Some(token) = self.peer_ids.on_new_id(new)? {
                    self.requests.push_back(Request::WatchToken(token));
                }
                self.leave_retired()
            }
            Frame::RetireId { sequence } => {
                let used = WireId::new(&head[1..head.len().min(1 + self.local_id_len())]);
                let Some(used) = used else {
                    return Ok(());
                };
                if let Some(id) = self.local_ids.retire(*sequence, &used)? {
                    self.requests.push_back(Request::RetireId(id));
                    self.requests.push_back(Request::NeedIds(1));
                }
                Ok(())
            }
            Frame::PathChallenge(data) => {
                self.responses.push(path, *data);
                // The answer on the active path moves the session back if somebody on the side
                // has pulled it away (RFC 9000 §9.3.3).
                self.ping |= path == self.active.id && self.former.is_some();
                Ok(())
            }
            Frame::PathResponse(data) => {
                self.on_path_response(now, data);
                Ok(())
            }
            Frame::Close {
                application,
                code,
                reason,
            } => {
                let reason = String::from_utf8_lossy(reason).into_owned();
                self.enter_draining(now);
                self.end(if *application {
                    ConnectionError::ApplicationClosed {
                        code: *code,
                        reason,
                    }
                } else {
                    ConnectionError::ConnectionClosed {
                        code: Code(*code),
                        reason,
                    }
                });
                Ok(())
            }
        }
    }

    /// Whether the frames hold a CLOSE.
    pub(super) fn has_close(body: &[u8]) -> bool {
        Frames::new(body)
            .map_while(Result::ok)
            .any(|frame| matches!(frame, Frame::Close { .. }))
    }

    fn on_ack(&mut self, now: Timestamp, ack: &Ack<'_>) -> Result<(), TransportError> {
        let processed = self.recovery.on_ack(
            now,
            &AckInfo {
                largest: ack.largest(),
                delay: Duration::from_micros(ack.delay_us()),
                ecn: ack.ecn(),
            },
            ack.ranges(),
            &mut self.outcome,
        );
        self.apply_outcome(now);
        processed
            .map_err(|error| TransportError::new(Code::PROTOCOL_VIOLATION, error.to_string()))?;
        self.rearm_recovery();
        Ok(())
    }

    /// Passes on what became of packets.
    pub(super) fn apply_outcome(&mut self, now: Timestamp) {
        self.streams.set_clock(now, self.recovery.rtt().smoothed());
        let mut outcome = core::mem::take(&mut self.outcome);
        if outcome.mtu_changed {
            self.datagrams.set_max_size(self.max_datagram());
        }
        for (_, carried) in outcome.acked.drain(..) {
            for item in carried.streams() {
                self.streams.on_acked(item);
            }
            if let Some(largest) = carried.ack {
                self.received.on_ack_acked(largest);
            }
            for item in carried.ids() {
                if let IdFrame::New(sequence) = item {
                    self.local_ids.on_acked(sequence);
                }
            }
            self.pool.give(carried);
        }
        for (_, carried) in outcome.lost.drain(..) {
            self.tell_again(&carried);
            self.pool.give(carried);
        }
        outcome.clear();
        self.outcome = outcome;
    }

    /// What a lost packet carried is to be sent once more.
    pub(super) fn tell_again(&mut self, carried: &Manifest) {
        for item in carried.streams() {
            self.streams.on_lost(item);
        }
        for item in carried.ids() {
            match item {
                IdFrame::New(sequence) => self.local_ids.on_lost(sequence),
                IdFrame::Retire(sequence) => self.peer_ids.on_retire_lost(sequence),
            }
        }
    }

    /// The packet with the highest number so far and something else than probing tells where the
    /// peer is (RFC 9000 §9.3).
    pub(super) fn consider_migration(
        &mut self,
        now: Timestamp,
        path: PathId,
        number: u64,
        datagram: &[u8],
    ) {
        let newest = self
            .largest_non_probing
            .is_none_or(|largest| number > largest);
        if !newest {
            return;
        }
        self.largest_non_probing = Some(number);
        if path == self.active.id {
            self.left = None;
            return;
        }
        if self.left.as_deref() == Some(&path) {
            // The peer sent it before it knew that this end has moved.
            return;
        }
        let returns = self.former.take_if(|former| former.id == path);
        let next = returns.map_or_else(
            || {
                let sequence = self
                    .peer_ids
                    .take_spare()
                    .unwrap_or(self.active.peer_sequence);
                let mut fresh = Path::unproven(path, sequence);
                fresh.on_received(datagram.len());
                fresh
            },
            |mut former| {
                former.prove(); // it worked a moment ago
                *former
            },
        );
        self.switch_to(now, next);
    }

    /// Makes `next` the active path, remembering the one before.
    fn switch_to(&mut self, now: Timestamp, next: Path) {
        let path = next.id;
        let mut left = core::mem::replace(&mut self.active, next);
        if left.is_validated() {
            left.challenge_again();
            if let Some(older) = self.former.replace(Box::new(left)) {
                self.leave(&older);
            }
        } else {
            // Never proven: nothing to come back to.
            self.leave(&left);
        }
        if let Some(given_up) = self.candidate.take_if(|candidate| candidate.id == path) {
            self.leave(&given_up);
        }
        self.recovery.on_path_change(now, false);
        self.datagrams.set_max_size(self.max_datagram());
        self.stats.path_changes += 1;
        self.push_event(Event::PathChanged(path));
        self.rearm_path();
        self.rearm_recovery();
    }

    fn on_path_response(&mut self, now: Timestamp, data: &[u8; 8]) {
        if self.active.on_response(data) {
            // The session has arrived: the former path is left for good.
            if let Some(former) = self.former.take() {
                self.leave(&former);
            }
        } else if let Some(former) = &mut self.former
            && former.on_response(data)
        {
            // The peer still hears us there; only its own packets move the session back.
        } else if let Some(mut candidate) = self.candidate.take() {
            if candidate.on_response(data) {
                self.left = Some(Box::new(self.active.id));
                self.switch_to(now, *candidate);
                self.ping = true; // tells the peer to follow
                if let Some(former) = self.former.take() {
                    self.leave(&former);
                }
            } else {
                self.candidate = Some(candidate);
            }
        }
        self.rearm_path();
    }

    /// Leaves ids that the peer wants back (RFC 9000 §5.1.2).
    fn leave_retired(&mut self) -> Result<(), TransportError> {
        self.peer_ids.retire_unused()?;
        while let Some(old) = self.asked_back()
            && let Some(spare) = self.peer_ids.take_spare()
        {
            for path in self.paths_mut().filter(|path| path.peer_sequence == old) {
                path.peer_sequence = spare;
            }
            self.peer_ids.retire(old)?;
        }
        Ok(())
    }

    /// The sequence of an id in use that the peer wants back.
    fn asked_back(&self) -> Option<u64> {
        self.paths()
            .map(|path| path.peer_sequence)
            .find(|sequence| self.peer_ids.must_leave(*sequence))
    }

    /// Gives up the active path: back to the former one, if that works.
    pub(super) fn on_path_failed(&mut self, now: Timestamp) {
        let failed = self.active.id;
        let Some(mut former) = self.former.take() else {
            self.end(ConnectionError::NoPath);
            self.drain_now();
            return;
        };
        former.prove();
        let left = core::mem::replace(&mut self.active, *former);
        self.leave(&left);
        self.recovery.on_path_change(now, false);
        self.push_event(Event::PathFailed(failed));
        self.rearm_path();
        self.rearm_recovery();
    }

    pub(super) fn local_id_len(&self) -> usize {
        self.local_ids.iter().next().map_or(0, |id| id.len())
    }
}
