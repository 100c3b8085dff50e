//! What is sent next, and how a packet is built (`docs/spec/stt-session.md`).

use stt_crypto::TAG_LEN;

use crate::{
    Ecn, PathId, Timestamp, Transmit,
    observer::{self, Observed},
    recovery::{SendState, Sent},
    wire::{
        Ack, Frame, Limits, WireId, Writer,
        header::{self, MIN_PN_AND_PLAINTEXT, SealedHeader},
    },
};

use super::{
    Connection, LAST_NUMBER, State,
    carried::{IdFrame, Manifest},
    close::Closing,
    numbers_used_up, skip_distance,
    timers::Timer,
};

/// A packet with a challenge, and with the acknowledgement that rides on it, takes at most this.
const CHALLENGE_SIZE: u64 = 48;
/// What every link carries.
const LEAST_SIZE: usize = Limits::MIN_DATAGRAM as usize;
/// Packets on other paths between two on the active one: each takes a number, and the numbers in between take memory.
const MAX_UNTRACKED: u64 = 1_024;

/// What a packet may hold.
#[derive(Clone, Copy)]
struct Plan {
    /// Frames that count against the congestion window.
    data: bool,
    /// Must ask for an acknowledgement.
    probe: bool,
    /// Filled up to its size: a probe of the path MTU.
    fill: bool,
}

/// A packet in the making.
struct Built {
    size: usize,
    number: u64,
    eliciting: bool,
    carried: Manifest,
}

impl Connection {
    /// Writes datagrams to send: up to `max_datagrams` of one size, the last one may be shorter,
    /// all for one path. Gives `None` if nothing is to be sent now; then wait for `poll_timeout`.
    ///
    /// `buf` must hold at least one datagram of the path's MTU; a shorter one bounds the packets.
    pub fn poll_transmit(
        &mut self,
        now: Timestamp,
        max_datagrams: usize,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        match &mut self.state {
            State::Open => {}
            State::Closing(closing) if closing.due => {
                closing.due = false;
                return self.transmit_close(now, buf);
            }
            State::Closing(_) | State::Draining | State::Drained => return None,
        }
        self.update_keys(now);
        if let Some(transmit) = self.transmit_elsewhere(now, buf) {
            return Some(transmit);
        }
        self.transmit_active(now, max_datagrams, buf)
    }

    fn transmit_active(
        &mut self,
        now: Timestamp,
        max_datagrams: usize,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        self.timers.stop(Timer::Pacing);
        let mtu = usize::from(self.recovery.mtu());
        // One mark for all of them: the driver sends them as one.
        let mut ecn = Ecn::NotEct;
        let mut written = 0;
        let mut segment = None;
        // A reliable link takes packets one by one.
        let max_datagrams = if self.profile.reliable {
            1
        } else {
            max_datagrams.max(1)
        };
        for _ in 0..max_datagrams {
            let left = buf.len() - written;
            if segment.is_some_and(|segment| left < segment) {
                // A packet that only the buffer's end makes short wastes its header.
                break;
            }
            let mut room = segment.unwrap_or(mtu).min(left);
            let Some(plan) = self.plan(now, room) else {
                break;
            };
            let mark = self.mark(plan);
            if segment.is_some() && mark != ecn {
                break;
            }
            ecn = mark;
            if plan.probe {
                room = room.min(usize::from(self.recovery.probe_size(self.probes)));
            } else if !plan.data && self.heard_size <= LEAST_SIZE {
                // Perhaps nothing larger passes: an ACK of many ranges might not.
                room = room.min(LEAST_SIZE);
            }
            let buf = &mut buf[written..written + room];
            let Some(size) = self.transmit_packet(now, plan, ecn, buf) else {
                break;
            };
            written += size;
            let first = *segment.get_or_insert(size);
            if size < first || first < mtu {
                break;
            }
        }
        if written == 0 {
            return self.transmit_mtu_probe(now, buf);
        }
        // The numbers or the key may have come to their end behind these packets.
        if matches!(self.state, State::Open) {
            self.rearm_recovery();
        }
        let first = segment.unwrap_or(written);
        Some(Transmit {
            segment_size: (written > first).then_some(first),
            ..one(self.active.id, ecn, written)
        })
    }

    /// What the next packet on the active path may hold; `None` if there is none to send.
    fn plan(&mut self, now: Timestamp, room: usize) -> Option<Plan> {
        if !self.confirmed || self.active.allowance() < CHALLENGE_SIZE {
            return None;
        }
        let ack_due = self.received.due().is_some_and(|at| at <= now);
        // On an unproven path the challenges come first: data must leave room for more of them.
        let has_room = self.active.allowance() >= room as u64 + 2 * CHALLENGE_SIZE;
        if self.probes > 0 && has_room {
            return Some(Plan {
                data: true,
                probe: true,
                fill: false,
            });
        }
        if self.has_data() && has_room {
            match self.recovery.can_send(now, room as u64) {
                SendState::Now => {
                    return Some(Plan {
                        data: true,
                        probe: false,
                        fill: false,
                    });
                }
                SendState::At(later) => self.timers.set(Timer::Pacing, later),
                SendState::Blocked => {}
            }
        } else if has_room {
            self.recovery.on_app_limited();
        }
        // Answers to challenges and acknowledgements are not held back (RFC 9002 §7).
        let answers = self.responses.has(&self.active.id) || self.active.challenge_due();
        (answers || self.greets() || ack_due && has_room).then_some(Plan {
            data: false,
            probe: false,
            fill: false,
        })
    }

    /// Whether frames wait that count against the congestion window.
    fn has_data(&self) -> bool {
        self.ping
            || self.streams.has_pending()
            || self.datagrams.has_pending()
            || self.tells_ids() && self.local_ids.has_pending()
            || self.peer_ids.next_retiring().is_some()
    }

    fn transmit_packet(
        &mut self,
        now: Timestamp,
        plan: Plan,
        ecn: Ecn,
        buf: &mut [u8],
    ) -> Option<usize> {
        let room = buf
            .len()
            .min(usize::try_from(self.active.allowance()).unwrap_or(usize::MAX));
        let id = self.peer_ids.id(self.active.peer_sequence)?;
        let built = self.build(now, plan, &id, &mut buf[..room])?;
        let size = built.size;
        if plan.probe {
            self.probes -= 1;
            self.stats.probes += 1;
        }
        self.active.on_sent(size);
        self.register(now, built, ecn, plan.fill);
        Some(size)
    }

    /// A larger packet than the path is known to take, if it is time for one.
    fn transmit_mtu_probe(&mut self, now: Timestamp, buf: &mut [u8]) -> Option<Transmit> {
        if !self.confirmed || !self.active.is_validated() {
            return None;
        }
        let size = usize::from(self.recovery.poll_mtu_probe(now)?);
        if size > buf.len() {
            return None;
        }
        let plan = Plan {
            data: false,
            probe: false,
            fill: true,
        };
        let ecn = self.mark(plan);
        let sent = self.transmit_packet(now, plan, ecn, &mut buf[..size])?;
        self.rearm_recovery();
        Some(one(self.active.id, ecn, sent))
    }

    /// Challenges and answers on paths that are not active.
    fn transmit_elsewhere(&mut self, now: Timestamp, buf: &mut [u8]) -> Option<Transmit> {
        // What goes elsewhere isn't tracked, but takes numbers between those that are.
        if !self.confirmed || self.recovery.untracked() >= MAX_UNTRACKED {
            return None;
        }
        let (path, sequence, challenge, frame) =
            if let Some((path, sequence, data)) = self.answer_elsewhere() {
                (path, sequence, None, Frame::PathResponse(data))
            } else {
                let waiting = [&self.former, &self.candidate]
                    .into_iter()
                    .flatten()
                    .find(|known| known.challenge_due())?;
                let (path, sequence) = (waiting.id, waiting.peer_sequence);
                let data = self.fresh_challenge();
                (path, sequence, Some(data), Frame::PathChallenge(data))
            };
        let id = self.peer_ids.id(sequence)?;
        let room = buf.len().min(usize::from(self.recovery.mtu()));
        let size = self.seal(now, path, &id, &mut buf[..room], |writer| {
            put(writer, &frame)
        })?;
        for known in [self.former.as_mut(), self.candidate.as_mut()] {
            if let Some(known) = known
                && known.id == path
            {
                known.on_sent(size);
                if let Some(data) = challenge {
                    known.on_challenge_sent(data, now + self.recovery.pto());
                }
            }
        }
        self.rearm_path();
        self.count_sent(size);
        // Not tracked: these frames are never told again, and another path's loss says nothing
        // about this one (RFC 9000 §9.4).
        Some(one(path, Ecn::NotEct, size))
    }

    /// A challenge of the peer that is to be answered on another path than the active one, and the
    /// id there. A path that was left meanwhile needs no answer.
    fn answer_elsewhere(&mut self) -> Option<(PathId, u64, [u8; 8])> {
        let (path, data) = self.responses.take_other(&self.active.id)?;
        let known = self.paths().find(|known| known.id == path)?;
        Some((path, known.peer_sequence, data))
    }

    fn transmit_close(&mut self, now: Timestamp, buf: &mut [u8]) -> Option<Transmit> {
        let State::Closing(Closing {
            application,
            code,
            reason,
            ..
        }) = &self.state
        else {
            return None;
        };
        let (application, code, reason) = (*application, *code, reason.clone());
        let id = self.peer_ids.id(self.active.peer_sequence)?;
        let room = buf
            .len()
            .min(usize::from(self.recovery.mtu()))
            .min(usize::try_from(self.active.allowance()).unwrap_or(usize::MAX));
        let path = self.active.id;
        let size = self.seal(now, path, &id, &mut buf[..room], |writer| {
            let mut keep = reason.len();
            loop {
                let frame = Frame::Close {
                    application,
                    code,
                    reason: &reason[..keep],
                };
                if frame.encoded_len() <= writer.remaining() {
                    frame.write(writer);
                    return true;
                }
                if keep == 0 {
                    return false;
                }
                keep = 0;
            }
        })?;
        self.active.on_sent(size);
        self.count_sent(size);
        Some(one(self.active.id, Ecn::NotEct, size))
    }

    /// Fills and seals a packet for the active path.
    fn build(&mut self, now: Timestamp, plan: Plan, id: &WireId, buf: &mut [u8]) -> Option<Built> {
        let mut eliciting = false;
        let challenge = self.active.challenge_due().then(|| self.fresh_challenge());
        let number = self.next_number(now)?;
        let mut carried = Manifest::default();
        let largest_acked = self.recovery.largest_acked();
        let pn_len = header::pn_len(number, largest_acked);
        let start = 1 + id.len() + pn_len;
        let end = buf.len().checked_sub(TAG_LEN)?;
        if start + MIN_PN_AND_PLAINTEXT > end {
            return None;
        }
        let mut writer = Writer::new(&mut buf[start..end]);

        // Before the ACK, whose ranges may take all the room that an unproven path has.
        if let Some(data) = self.responses.take(&self.active.id) {
            eliciting |= put(&mut writer, &Frame::PathResponse(data));
        }
        if let Some(data) = challenge
            && put(&mut writer, &Frame::PathChallenge(data))
        {
            eliciting = true;
            let again = now + self.recovery.pto();
            self.active.on_challenge_sent(data, again);
            self.rearm_path();
        }
        if self.received.has_news() {
            let written = Ack::write(
                &mut writer,
                self.received.ranges().iter().cloned(),
                micros(now.saturating_since(self.received.largest_at())),
                self.received.ecn(),
                Ack::MAX_RANGES,
            );
            if let (1.., Some(range)) = (written, self.received.ranges().first()) {
                let largest = *range.end();
                carried.ack = Some(largest);
                self.received.on_ack_sent();
                self.heard_size = 0;
                self.timers.stop(Timer::Ack);
            }
        }
        // Before the data, which may reach to the end of the packet.
        let ping = plan.fill
            || plan.data && self.ping
            || self.greets()
            || plan.probe && !self.has_data()
            || self.recovery.wants_ping();
        if ping && put(&mut writer, &Frame::Ping) {
            eliciting = true;
            self.ping = false;
            if let Some(greeting) = &mut self.greeting {
                greeting.due = false;
            }
        }
        if plan.data {
            eliciting |= self.write_data(&mut writer, &mut carried);
        }
        if writer.is_empty() {
            return None;
        }
        let minimum = if plan.fill {
            writer.len() + writer.remaining()
        } else {
            MIN_PN_AND_PLAINTEXT.saturating_sub(pn_len)
        };
        pad(&mut writer, minimum);
        let body = writer.len();
        self.use_number(number);
        self.observe_sent(
            now,
            self.active.id,
            number,
            &buf[start..start + body],
            start,
        );
        let size = self.seal_at(number, pn_len, id, body, buf)?;
        Some(Built {
            size,
            number,
            eliciting,
            carried,
        })
    }

    /// Whether the initiator's first PING is to be repeated.
    fn greets(&self) -> bool {
        self.greeting.as_ref().is_some_and(|greeting| greeting.due)
    }

    /// Whether NEW_IDs may go out: not in the initiator's first packets, which should be small and
    /// arrive (`stt-handshake.md` §6.6).
    fn tells_ids(&self) -> bool {
        self.greeting.is_none()
    }

    /// Ids, streams and datagrams. True if anything was written.
    fn write_data(&mut self, writer: &mut Writer<'_>, carried: &mut Manifest) -> bool {
        let before = writer.len();
        while self.tells_ids()
            && let Some(new) = self.local_ids.pending()
        {
            let sequence = new.sequence;
            if !put(writer, &Frame::NewId(new)) {
                break;
            }
            self.local_ids.on_sent(sequence);
            carried.push_id(IdFrame::New(sequence), &mut self.pool);
        }
        while let Some(sequence) = self.peer_ids.next_retiring() {
            if !put(writer, &Frame::RetireId { sequence }) {
                break;
            }
            self.peer_ids.on_retire_sent();
            carried.push_id(IdFrame::Retire(sequence), &mut self.pool);
        }
        // Live data first: its worth falls with every millisecond.
        self.datagrams.write_frames(writer);
        self.streams.write_frames(writer, &mut self.writing);
        carried.set_streams(&self.writing, &mut self.pool);
        self.writing.clear();
        writer.len() > before
    }

    /// Builds a packet outside loss recovery.
    fn seal(
        &mut self,
        now: Timestamp,
        path: PathId,
        id: &WireId,
        buf: &mut [u8],
        fill: impl FnOnce(&mut Writer<'_>) -> bool,
    ) -> Option<usize> {
        let number = self.next_number(now)?;
        let pn_len = header::pn_len(number, self.recovery.largest_acked());
        let start = 1 + id.len() + pn_len;
        let end = buf.len().checked_sub(TAG_LEN)?;
        if start + MIN_PN_AND_PLAINTEXT > end {
            return None;
        }
        let mut writer = Writer::new(&mut buf[start..end]);
        if !fill(&mut writer) || writer.is_empty() {
            return None;
        }
        pad(&mut writer, MIN_PN_AND_PLAINTEXT.saturating_sub(pn_len));
        let body = writer.len();
        self.use_number(number);
        self.observe_sent(now, path, number, &buf[start..start + body], start);
        self.seal_at(number, pn_len, id, body, buf)
    }

    /// Puts header, tag and header protection around `body` bytes of frames.
    fn seal_at(
        &mut self,
        number: u64,
        pn_len: usize,
        id: &WireId,
        body: usize,
        buf: &mut [u8],
    ) -> Option<usize> {
        let start = 1 + id.len() + pn_len;
        let size = start + body + TAG_LEN;
        let mut writer = Writer::new(&mut buf[..start]);
        SealedHeader::write(&mut writer, self.keys.phase(), id, pn_len, number);
        let (head, payload) = buf[..size].split_at_mut(start);
        if let Err(error) = self.keys.seal(number, head, payload) {
            // `next_number` looked at every limit before.
            debug_assert!(false, "{error}");
            return None;
        }
        let number_at = 1 + id.len();
        if let Some(sample) = header::sample(&buf[..size], number_at) {
            let mask = self.keys.send_header().mask(sample);
            header::protect(&mut buf[..size], number_at, &mask);
        }
        Some(size)
    }

    /// Tells whoever watches of a packet with these frames after `header` bytes.
    fn observe_sent(
        &self,
        now: Timestamp,
        path: PathId,
        number: u64,
        frames: &[u8],
        header: usize,
    ) {
        self.observe(
            now,
            Observed::PacketSent(observer::Packet {
                number,
                phase: self.keys.phase(),
                size: header + frames.len() + TAG_LEN,
                frames,
                path,
            }),
        );
    }

    /// Hands a packet of the active path to loss recovery, whose timer is to be set behind the last one.
    fn register(&mut self, now: Timestamp, built: Built, ecn: Ecn, is_mtu_probe: bool) {
        self.count_sent(built.size);
        if built.eliciting && !self.eliciting_since_heard {
            self.eliciting_since_heard = true;
            self.restart_idle(now);
        }
        if built.eliciting {
            self.restart_keep_alive(now);
        }
        self.recovery.on_sent(
            now,
            Sent {
                pn: built.number,
                size: u16::try_from(built.size).unwrap_or(u16::MAX),
                ack_eliciting: built.eliciting,
                ecn,
                is_mtu_probe,
                path_generation: self.recovery.path_generation(),
                carried: built.carried,
            },
        );
    }

    /// The mark for a packet of the active path (`stt-recovery.md` §8). What a session or a path begins with must not
    /// be lost for it, nor an acknowledgement, which nobody misses.
    fn mark(&self, plan: Plan) -> Ecn {
        let asks = plan.data || plan.fill;
        if asks && self.active.is_validated() && self.greeting.is_none() {
            self.recovery.ecn()
        } else {
            Ecn::NotEct
        }
    }

    fn count_sent(&mut self, size: usize) {
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += size as u64;
    }

    /// The number of the next packet, which is not used yet. Closes the session at the last one,
    /// and when the key must not seal any more.
    fn next_number(&mut self, now: Timestamp) -> Option<u64> {
        let closing = !matches!(self.state, State::Open);
        if self.recovery.peek_pn() == self.skip_at && !closing {
            if self.recovery.skip_pn().is_err() {
                return None;
            }
            self.skip_at = self.recovery.peek_pn() + skip_distance(&mut self.luck);
        }
        let number = self.recovery.peek_pn();
        // The last number, and the last seal of a key, are kept for the CLOSE.
        if closing {
            return (number <= LAST_NUMBER).then_some(number);
        }
        if number >= LAST_NUMBER || !self.keys.can_seal() {
            self.fail(now, numbers_used_up());
            return None;
        }
        Some(number)
    }

    fn use_number(&mut self, number: u64) {
        let used = self.recovery.next_pn();
        debug_assert!(used == Ok(number), "{used:?} is not {number}");
    }

    /// Answers or starts a key update, if it is time (`stt-session.md` §4).
    fn update_keys(&mut self, now: Timestamp) {
        if self.keys.must_answer_update() {
            self.keys.answer_update(now);
            self.restart_rekey();
        }
        self.rekey |= self.keys.is_worn(&self.config.rekey);
        if !self.rekey || !self.confirmed {
            return;
        }
        if self.keys.may_update(self.recovery.largest_acked()) {
            self.rekey = false;
            self.keys.update(now);
            self.observe(
                now,
                Observed::KeysUpdated {
                    epoch: self.keys.epoch(),
                    by_peer: false,
                },
            );
            self.restart_rekey();
            self.ping = true; // shows the peer the new keys
        } else if self.keys.wants_ack(self.recovery.largest_acked())
            && self.recovery.bytes_in_flight() == 0
        {
            self.ping = true;
        }
    }

    pub(super) fn restart_rekey(&mut self) {
        self.timers
            .set_or_stop(Timer::Rekey, self.keys.expires(&self.config.rekey));
    }

    fn fresh_challenge(&mut self) -> [u8; 8] {
        self.luck.bytes()
    }
}

/// A single datagram.
fn one(path: PathId, ecn: Ecn, size: usize) -> Transmit {
    Transmit {
        path,
        ecn,
        size,
        segment_size: None,
    }
}

/// Writes a frame if it fits.
fn put(writer: &mut Writer<'_>, frame: &Frame<'_>) -> bool {
    let fits = frame.encoded_len() <= writer.remaining();
    if fits {
        frame.write(writer);
    }
    fits
}

/// Fills up to `len` bytes.
fn pad(writer: &mut Writer<'_>, len: usize) {
    if let Some(missing @ 1..) = len.checked_sub(writer.len()) {
        Frame::Padding(missing).write(writer);
    }
}

fn micros(span: core::time::Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
