//! From a datagram to its frames (`docs/spec/stt-session.md` §3).

use core::time::Duration;

use stt_crypto::TAG_LEN;

use crate::{
    Code, Ecn, Event, PathId, Timestamp, TransportError,
    observer::{self, Observed},
    stream,
    wire::header,
};

use super::{Connection, State, keys::OpenFailure, timers::Timer};

/// Silence after which a session gives memory back.
const TRIM_AFTER: Duration = Duration::from_secs(2);

/// A packet that opened.
struct Packet {
    number: u64,
    phase: bool,
    reserved_clear: bool,
    /// Where its frames stand in the datagram.
    start: usize,
    len: usize,
}

impl Connection {
    /// A datagram that bears one of this session's wire ids, or may be a reset of the peer. It is
    /// opened in place, a long one to memory that streams may keep. `ecn` is what the IP header said.
    pub(crate) fn handle_packet(
        &mut self,
        now: Timestamp,
        path: PathId,
        ecn: Ecn,
        bytes: &mut [u8],
    ) {
        self.stats.packets_received += 1;
        self.stats.bytes_received += bytes.len() as u64;
        for known in self.paths_mut().filter(|known| known.id == path) {
            known.on_received(bytes.len());
        }
        match &mut self.state {
            State::Open => {}
            State::Closing(closing) => {
                // Opened or not makes no difference to the rule, except that the peer's own CLOSE
                // ends the wait.
                closing.on_datagram();
                if self.opens_with_close(bytes) {
                    self.enter_draining(now);
                }
                return;
            }
            State::Draining | State::Drained => return,
        }
        let mut long =
            (bytes.len() >= stream::Packet::LONG).then(|| self.streams.take_packet(bytes.len()));
        let out = long.as_mut().and_then(stream::Packet::as_mut);
        match self.open_packet(now, bytes, out) {
            Ok(packet) => {
                if let Some(opened) = &long {
                    self.streams.lend(opened);
                }
                let opened = long.as_ref().map_or(&*bytes, stream::Packet::bytes);
                self.accept_packet(now, path, ecn, &packet, &opened[..bytes.len()]);
            }
            Err(OpenFailure::Forged) => self.on_forged(now, bytes),
            Err(OpenFailure::Fatal(code, reason)) => {
                self.fail(now, TransportError::new(code, reason));
            }
        }
        if let Some(long) = long {
            self.streams.put_packet(long);
        }
    }

    /// In place, or to `out`, which is as long.
    fn open_packet(
        &mut self,
        now: Timestamp,
        datagram: &mut [u8],
        out: Option<&mut [u8]>,
    ) -> Result<Packet, OpenFailure> {
        let id_len = self.local_ids.iter().next().map_or(0, |id| id.len());
        let number_at = 1 + id_len;
        let sample = header::sample(datagram, number_at).ok_or(OpenFailure::Forged)?;
        let mask = self.keys.receive_header().mask(sample);
        let header = header::unprotect(datagram, number_at, &mask).ok_or(OpenFailure::Forged)?;
        let number = header::expand_pn(header.truncated, header.pn_len, self.replay.expected());
        let start = number_at + header.pn_len;
        let (head, body) = datagram.split_at_mut(start);
        if body.len() < TAG_LEN {
            return Err(OpenFailure::Forged);
        }
        let out = out.map(|out| {
            let (before, out) = out.split_at_mut(start);
            before.copy_from_slice(head);
            out
        });
        let opened = self.keys.open(number, header.phase, head, body, out)?;
        if opened.updated {
            self.keys.answer_update(now);
            self.observe(
                now,
                Observed::KeysUpdated {
                    epoch: self.keys.epoch(),
                    by_peer: true,
                },
            );
            self.restart_rekey();
        }
        if opened.first_of_epoch && self.keys.receive_epoch() > 0 {
            self.timers
                .set(Timer::KeyDiscard, now + self.recovery.pto() * 3);
            self.push_event(Event::KeysUpdated {
                epoch: self.keys.epoch(),
            });
        }
        Ok(Packet {
            number,
            phase: header.phase,
            reserved_clear: header.reserved_clear,
            start,
            len: opened.len,
        })
    }

    fn accept_packet(
        &mut self,
        now: Timestamp,
        path: PathId,
        ecn: Ecn,
        packet: &Packet,
        datagram: &[u8],
    ) {
        if !self.replay.insert(packet.number) {
            self.stats.duplicates += 1;
            self.observe(now, dropped(datagram, true));
            return;
        }
        if !self.confirmed {
            // Only the peer that the answer was for could seal this, and on that path.
            self.active.prove();
            self.confirm(now);
        }
        self.greeting = None;
        self.timers.stop(Timer::Greet);
        self.on_heard(now);
        let body = &datagram[packet.start..packet.start + packet.len];
        self.observe(
            now,
            Observed::PacketReceived(observer::Packet {
                number: packet.number,
                phase: packet.phase,
                size: datagram.len(),
                frames: body,
                path,
            }),
        );
        let outcome = if !packet.reserved_clear {
            Err(violation("a reserved bit is set"))
        } else if body.is_empty() {
            Err(violation("a packet without frames"))
        } else {
            self.process_frames(now, path, &datagram[..packet.start], body)
        };
        match outcome {
            Ok(seen) => {
                self.received
                    .on_packet(now, packet.number, ecn, seen.eliciting);
                if seen.eliciting {
                    self.heard_size = self.heard_size.max(datagram.len());
                }
                if seen.ping_only {
                    self.received.hurry(now);
                }
                self.timers.set_or_stop(Timer::Ack, self.received.due());
                if seen.non_probing && matches!(self.state, State::Open) {
                    self.consider_migration(now, path, packet.number, datagram);
                }
            }
            Err(error) => self.fail(now, error),
        }
    }

    /// The peer was heard: silence begins anew. Packets that come together do that once.
    fn on_heard(&mut self, now: Timestamp) {
        if self.heard_at == Some(now) && !self.eliciting_since_heard {
            return;
        }
        self.heard_at = Some(now);
        self.eliciting_since_heard = false;
        self.restart_idle(now);
        self.restart_keep_alive(now);
        self.timers.set(Timer::Trim, now + TRIM_AFTER);
    }

    /// A datagram that the peer did not seal: damaged, forged, or a reset.
    fn on_forged(&mut self, now: Timestamp, datagram: &[u8]) {
        if self.peer_ids.is_reset(datagram) {
            self.on_reset(now);
            return;
        }
        self.observe(now, dropped(datagram, false));
        let total = self.keys.failed_opens();
        if total.is_power_of_two() {
            self.push_event(Event::OpenFailed { total });
        }
    }

    /// While closing: whether the datagram is the peer's CLOSE.
    fn opens_with_close(&mut self, datagram: &mut [u8]) -> bool {
        let id_len = self.local_ids.iter().next().map_or(0, |id| id.len());
        let number_at = 1 + id_len;
        let Some(sample) = header::sample(datagram, number_at) else {
            return false;
        };
        let mask = self.keys.receive_header().mask(sample);
        let Some(header) = header::unprotect(datagram, number_at, &mask) else {
            return false;
        };
        let number = header::expand_pn(header.truncated, header.pn_len, self.replay.expected());
        let (head, body) = datagram.split_at_mut(number_at + header.pn_len);
        match self.keys.open(number, header.phase, head, body, None) {
            Ok(opened) => Self::has_close(&body[..opened.len]),
            Err(_) => false,
        }
    }
}

fn dropped(datagram: &[u8], duplicate: bool) -> Observed<'static> {
    Observed::PacketDropped {
        size: datagram.len(),
        duplicate,
    }
}

fn violation(reason: &'static str) -> TransportError {
    TransportError::new(Code::PROTOCOL_VIOLATION, reason)
}
