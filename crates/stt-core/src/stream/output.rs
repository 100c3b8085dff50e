//! What goes to the peer, and what became of it.

use super::{Carried, Streams, control::Control, event::Pending};
use crate::{
    Dir, StreamId,
    wire::{Frame, Writer},
};

impl Streams {
    /// Whether [`Streams::write_frames`] would write something, given 32 bytes of room.
    pub fn has_pending(&self) -> bool {
        self.window.is_due()
            || self.window_lost
            || self.remote.iter().any(|remote| remote.is_due())
            || !self.control.is_empty()
            || !self.scheduler.is_empty()
    }

    /// Writes what is to be sent to the rest of a packet, as far as it fits, and adds what it wrote to
    /// `carried` (§6). If the writer is full afterwards, the last frame may extend to its end by
    /// having no length: nothing may follow it in the packet then.
    pub fn write_frames(&mut self, writer: &mut Writer<'_>, carried: &mut Vec<Carried>) {
        if self.write_credit(writer, carried) && self.write_control(writer, carried) {
            self.write_data(writer, carried);
        }
    }

    /// What a packet carried was acknowledged.
    pub fn on_acked(&mut self, carried: Carried) {
        match carried {
            Carried::Stream {
                id,
                start,
                end,
                fin,
            } => self.on_data_acked(id, start, end, fin),
            Carried::Reset(id) => {
                if let Some(stream) = self.streams.get_mut(&id)
                    && stream
                        .send
                        .as_ref()
                        .is_some_and(|send| send.reset_fields().is_some())
                {
                    stream.send = None;
                    self.control.cancel(id, &mut stream.control, Control::RESET);
                    self.settle(id);
                }
            }
            // Their effect shows in what the peer does.
            Carried::Stop(_)
            | Carried::MaxData(_)
            | Carried::MaxStreamData { .. }
            | Carried::MaxStreams { .. } => {}
        }
    }

    /// What a packet carried was lost: sent again if it is still of use (§7.2).
    pub fn on_lost(&mut self, carried: Carried) {
        match carried {
            Carried::Stream {
                id,
                start,
                end,
                fin,
            } => {
                let credit = self.credit();
                let stream = self.streams.get_mut(&id);
                if let Some(send) = stream.and_then(|stream| stream.send.as_mut())
                    && send.reset_fields().is_none()
                {
                    send.on_lost(start, end, fin);
                    self.scheduler.update(id, send, credit);
                }
            }
            Carried::Reset(id) => {
                if let Some(stream) = self.streams.get_mut(&id)
                    && stream.send.is_some()
                {
                    self.control.add(id, &mut stream.control, Control::RESET);
                }
            }
            Carried::Stop(id) => {
                if let Some(stream) = self.streams.get_mut(&id)
                    && let Some(recv) = &stream.recv
                    && recv.needs_stop().is_some()
                {
                    self.control.add(id, &mut stream.control, Control::STOP);
                }
            }
            Carried::MaxData(max) => self.window_lost |= max == self.window.granted(),
            Carried::MaxStreamData { id, max } => {
                if let Some(stream) = self.streams.get_mut(&id)
                    && let Some(recv) = &stream.recv
                    && recv.takes_credit()
                    && recv.granted() == max
                {
                    self.control.add(id, &mut stream.control, Control::CREDIT);
                }
            }
            Carried::MaxStreams { dir, max } => {
                let remote = &mut self.remote[dir as usize];
                remote.lost |= max == remote.announced;
            }
        }
    }

    /// MAX_DATA and MAX_STREAMS. Whether there was room for what was due.
    fn write_credit(&mut self, writer: &mut Writer<'_>, carried: &mut Vec<Carried>) -> bool {
        if self.window_lost || self.window.is_due() {
            if writer.remaining() < Self::CREDIT_LEN {
                return false;
            }
            let max = self.window.grant(self.clock);
            self.window_lost = false;
            Frame::MaxData(max).write(writer);
            carried.push(Carried::MaxData(max));
        }
        for dir in [Dir::Bi, Dir::Uni] {
            let remote = &mut self.remote[dir as usize];
            if remote.is_due() {
                if writer.remaining() < Self::CREDIT_LEN {
                    return false;
                }
                remote.announced = remote.max;
                remote.lost = false;
                let max = remote.max;
                Frame::MaxStreams { dir, max }.write(writer);
                carried.push(Carried::MaxStreams { dir, max });
            }
        }
        true
    }

    /// RESET, STOP and MAX_STREAM_DATA. Whether there was room for what was due.
    fn write_control(&mut self, writer: &mut Writer<'_>, carried: &mut Vec<Carried>) -> bool {
        while let Some(id) = self.control.front() {
            let stream = self
                .streams
                .get_mut(&id)
                .expect("a stream with frames to send is not forgotten");
            for kind in [Control::RESET, Control::STOP, Control::CREDIT] {
                if !stream.control.contains(kind) {
                    continue;
                }
                let (send, recv) = (stream.send.as_ref(), stream.recv.as_mut());
                let frame = match kind {
                    Control::RESET => {
                        send.and_then(|send| send.reset_fields())
                            .map(|(code, final_size)| {
                                let frame = Frame::Reset {
                                    id,
                                    code,
                                    final_size,
                                };
                                (frame, Carried::Reset(id))
                            })
                    }
                    Control::STOP => recv
                        .and_then(|recv| recv.needs_stop())
                        .map(|code| (Frame::Stop { id, code }, Carried::Stop(id))),
                    // The grant itself waits for the room: it is given once.
                    _ if writer.remaining() < Self::STREAM_CREDIT_LEN => return false,
                    _ => recv.map(|recv| {
                        let max = recv.grant(self.clock);
                        let frame = Frame::MaxStreamData { id, max };
                        (frame, Carried::MaxStreamData { id, max })
                    }),
                };
                if let Some((frame, what)) = frame {
                    if writer.remaining() < frame.encoded_len() {
                        return false;
                    }
                    frame.write(writer);
                    carried.push(what);
                }
                self.control.cancel(id, &mut stream.control, kind);
            }
        }
        true
    }

    fn write_data(&mut self, writer: &mut Writer<'_>, carried: &mut Vec<Carried>) {
        // Type and id at least: the turn of a full packet's end needn't be looked up.
        while writer.remaining() > 1
            && let Some(next) = self.scheduler.peek()
        {
            let credit = self.credit();
            let (send, pending) = self
                .streams
                .get_mut(&next.id)
                .and_then(|stream| Some((stream.send.as_mut()?, &mut stream.pending)))
                .expect("a stream in a queue has something to send");
            let before = send.sent();
            let Some(what) = send.write_frame(next.id, writer, next.again, credit) else {
                break;
            };
            carried.push(what);
            let new = send.sent() - before;
            self.sent += new;
            self.scheduler.after_turn(next, send, credit - new);
            if send.wants_room && !send.starved && send.is_roomy(&self.config) {
                send.wants_room = false;
                self.events.raise(next.id, pending, Pending::WRITABLE);
            }
            if new > 0 && new == credit {
                self.scheduler.withhold(&mut self.streams);
            }
        }
    }

    fn on_data_acked(&mut self, id: StreamId, start: u64, end: u64, fin: bool) {
        let credit = self.credit();
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let Some(send) = &mut stream.send else {
            return;
        };
        let freed = send.on_acked(&mut self.pool, start, end, fin);
        let waits = send.wants_room || !self.starved.is_empty();
        if send.is_done() {
            self.scheduler.remove(id, &mut send.turn);
            if send.starved {
                self.starved.retain(|&starved| starved != id);
            }
            stream.send = None;
            stream.pending.remove(Pending::WRITABLE);
            self.events
                .raise(id, &mut stream.pending, Pending::FINISHED);
        } else if send.reset_fields().is_none() {
            // What was to be sent again may have arrived after all.
            self.scheduler.update(id, send, credit);
        }
        if waits {
            self.on_freed(id, freed);
        } else {
            self.held -= freed;
        }
    }

    /// The most that MAX_DATA or MAX_STREAMS takes.
    const CREDIT_LEN: usize = 1 + crate::varint::MAX_LEN;
    /// The most that MAX_STREAM_DATA takes.
    const STREAM_CREDIT_LEN: usize = 1 + 2 * crate::varint::MAX_LEN;
}
