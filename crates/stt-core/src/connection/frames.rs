//! What each frame of the peer does (`docs/spec/stt-session.md` §5, §6, §9).

use core::time::Duration;

use crate::{
    Code, PathId, Timestamp, TransportError,
    observer::Observed,
    recovery::AckInfo,
    wire::{Ack, Frame, Frames, WireId},
};

use super::{
    Connection, ConnectionError, Request, State,
    carried::{IdFrame, Manifest},
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
                self.on_path_challenge(path, *data);
                // On the active path an ACK is beside the answer, which moves the session back if
                // somebody on the side has pulled it away (RFC 9000 §9.3.3).
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
        for (number, carried) in outcome.lost.drain(..) {
            self.observe(now, Observed::PacketLost { number });
            self.tell_again(&carried);
            self.pool.give(carried);
        }
        outcome.clear();
        self.outcome = outcome;
        if self.config.observer.is_some() {
            self.observe(now, Observed::Metrics(&self.stats()));
        }
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

    pub(super) fn local_id_len(&self) -> usize {
        self.local_ids.iter().next().map_or(0, |id| id.len())
    }
}
