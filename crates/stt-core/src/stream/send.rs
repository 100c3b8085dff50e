use super::{
    Carried, SendState, StreamConfig, pool::Pool, scheduler::Turn, send_buffer::SendBuffer,
};
use crate::{
    StreamId, varint,
    wire::{Writer, stream_header_len, write_stream_header},
};

/// The sending half of a stream (`docs/spec/stt-streams.md` §2).
#[derive(Debug)]
pub(super) struct Send {
    buffer: SendBuffer,
    fin: Fin,
    /// Set once reset: the code and the final size.
    reset: Option<(u64, u64)>,
    /// The stream's credit.
    max_data: u64,
    /// Set if a write took less than it was given: `Writable` is owed.
    pub(super) wants_room: bool,
    /// Set while in the list of streams that the session's cap holds back.
    pub(super) starved: bool,
    /// Its places in the scheduler's queues.
    pub(super) turn: Turn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fin {
    /// The application may write.
    Open,
    /// To be sent, or sent again.
    Due,
    Sent,
    Acked,
}

impl Send {
    /// Fewer bytes of data are no reason to begin a frame (§6.4).
    const MIN_PIECE: u64 = 8;

    pub(super) fn new(max_data: u64) -> Self {
        Self {
            buffer: SendBuffer::default(),
            fin: Fin::Open,
            reset: None,
            max_data,
            wants_room: false,
            starved: false,
            turn: Turn::default(),
        }
    }

    /// Takes all of `data`: the caller has seen to the room, and that the half is open.
    pub(super) fn write(&mut self, pool: &mut Pool, data: &[u8]) {
        self.buffer.write(pool, data);
    }

    pub(super) fn finish(&mut self) {
        if self.fin == Fin::Open {
            self.fin = Fin::Due;
        }
    }

    /// Gives up what is unacknowledged; how many bytes that freed. `None` if the half was reset or
    /// has nothing left to give up.
    pub(super) fn reset(&mut self, pool: &mut Pool, code: u64) -> Option<u64> {
        if self.reset.is_some() || self.is_done() {
            return None;
        }
        self.reset = Some((code, self.buffer.next()));
        self.wants_room = false;
        Some(self.buffer.clear(pool))
    }

    pub(super) fn on_max_data(&mut self, max: u64) {
        self.max_data = self.max_data.max(max);
    }

    /// Bytes of memory freed.
    pub(super) fn on_acked(&mut self, pool: &mut Pool, start: u64, end: u64, fin: bool) -> u64 {
        if self.reset.is_some() {
            return 0;
        }
        if fin {
            self.fin = Fin::Acked;
        }
        self.buffer.on_acked(pool, start, end)
    }

    pub(super) fn on_lost(&mut self, start: u64, end: u64, fin: bool) {
        if self.reset.is_some() {
            return;
        }
        if fin && self.fin == Fin::Sent {
            self.fin = Fin::Due;
        }
        self.buffer.on_lost(start, end);
    }

    /// Writes one frame of lost bytes (`again`) or of new ones, at most `credit` of those. `None` if
    /// the room doesn't do or there is nothing to send.
    pub(super) fn write_frame(
        &mut self,
        id: StreamId,
        writer: &mut Writer<'_>,
        again: bool,
        credit: u64,
    ) -> Option<Carried> {
        let (start, limit) = if again {
            self.buffer
                .first_lost()
                .map(|lost| (lost.start, lost.end))?
        } else {
            let start = self.buffer.next();
            let allowed = self.max_data.min(start.saturating_add(credit));
            (start, self.buffer.written().min(allowed).max(start))
        };
        let wanted = limit - start;
        let ends = self.fin != Fin::Open;
        if wanted == 0 && !(ends && start == self.buffer.written()) {
            return None;
        }
        let (len, with_len) = Self::fit(id, start, wanted, writer.remaining())?;
        let end = start + len;
        let fin = ends && end == self.buffer.written();
        write_stream_header(writer, id, start, with_len.then_some(len as usize), fin);
        self.buffer.copy_to(start, writer.reserve(len as usize));
        self.buffer.on_sent(start, end);
        if fin && self.fin == Fin::Due {
            self.fin = Fin::Sent;
        }
        Some(Carried::Stream {
            id,
            start,
            end,
            fin,
        })
    }

    /// How many of `wanted` bytes go into `room` behind their header, and whether that bears their
    /// number (§6.4).
    fn fit(id: StreamId, start: u64, wanted: u64, room: usize) -> Option<(u64, bool)> {
        let bare = stream_header_len(id, start, None);
        let room = room.checked_sub(bare)? as u64;
        if room <= wanted {
            // To the end of the packet.
            return (room >= wanted.min(Self::MIN_PIECE)).then_some((room, false));
        }
        // Near the room's end the length field takes the place of a byte or two of data.
        let len = wanted.min(room - varint::encoded_len(wanted) as u64);
        (len > 0 || wanted == 0).then_some((len, true))
    }

    /// The application may still write.
    pub(super) fn is_open(&self) -> bool {
        self.fin == Fin::Open && self.reset.is_none()
    }

    /// Everything was acknowledged, FIN too.
    pub(super) fn is_done(&self) -> bool {
        self.fin == Fin::Acked && self.buffer.is_acked() && self.reset.is_none()
    }

    /// The code and the final size that RESET tells.
    pub(super) fn reset_fields(&self) -> Option<(u64, u64)> {
        self.reset
    }

    pub(super) fn has_lost(&self) -> bool {
        self.buffer.first_lost().is_some()
    }

    /// Something is to be sent that takes credit of the session's, and the stream has its own.
    pub(super) fn has_new_data(&self) -> bool {
        self.buffer.next() < self.buffer.written().min(self.max_data)
    }

    /// FIN is to be sent and no byte before it.
    pub(super) fn has_bare_fin(&self) -> bool {
        self.fin == Fin::Due && self.reset.is_none() && self.buffer.next() == self.buffer.written()
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> u64 {
        self.buffer.held()
    }

    /// Bytes that wait to be sent for the first time.
    pub(super) fn unsent(&self) -> u64 {
        self.buffer.written() - self.buffer.next()
    }

    /// Whether a writer that waits for room is told of it: half of what may be held is free (§8.1).
    pub(super) fn is_roomy(&self, config: &StreamConfig) -> bool {
        2 * self.held() <= config.send_buffer as u64
            && 2 * self.unsent() <= config.max_unsent as u64
    }

    /// The largest offset sent.
    pub(super) fn sent(&self) -> u64 {
        self.buffer.next()
    }

    pub(super) fn state(&self) -> SendState {
        match (self.reset, self.fin) {
            (Some(_), _) => SendState::ResetSent,
            (None, Fin::Open | Fin::Due) if self.buffer.next() == 0 && self.held() == 0 => {
                SendState::Ready
            }
            (None, Fin::Open | Fin::Due) => SendState::Send,
            (None, Fin::Sent | Fin::Acked) => SendState::DataSent,
        }
    }
}
