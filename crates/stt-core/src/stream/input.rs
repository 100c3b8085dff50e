//! What the peer sent about streams.

use super::{Packet, Streams, control::Control, event::Pending, recv::Breach};
use crate::{
    Dir, StreamId,
    error::{Code, TransportError},
    varint,
    wire::{self, Frame},
};

impl Streams {
    /// Memory to open a packet of `len` bytes to, at least as long.
    pub(crate) fn take_packet(&mut self, len: usize) -> Packet {
        self.pool.take_packet(len)
    }

    /// The frames from here on lie in `packet`, of which streams may keep parts, until it is put back.
    pub(crate) fn lend(&mut self, packet: &Packet) {
        self.lent = Some(packet.clone());
    }

    /// Takes a packet back. Streams have what they keep of it.
    pub(crate) fn put_packet(&mut self, packet: Packet) {
        self.lent = None;
        self.pool.put_packet(packet);
    }

    /// Takes a STREAM frame.
    ///
    /// # Errors
    /// What the session is to be closed with (§9).
    pub fn on_stream(&mut self, frame: &wire::Stream<'_>) -> Result<(), TransportError> {
        let kind = Frame::Stream(*frame).type_byte();
        let id = frame.id;
        self.check_receives(id, kind)?;
        let end = frame.offset.saturating_add(frame.data.len() as u64);
        if end > varint::MAX {
            return Err(too_large(kind));
        }
        let session_credit = self.window.granted() - self.received;
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(());
        };
        let Some(recv) = &mut stream.recv else {
            return Ok(());
        };
        let in_frame = |breach: Breach| breach.in_frame(kind);
        let more = recv
            .check(end, frame.fin, session_credit)
            .map_err(in_frame)?;
        let ready = recv.is_readable().then(|| recv.available());
        let dropped = recv
            .on_data(
                &mut self.pool,
                frame.offset,
                frame.data,
                self.lent.as_ref(),
                frame.fin,
            )
            .map_err(in_frame)?;
        self.received += more;
        self.window.consume(dropped);
        if recv.stop_code().is_none() && recv.is_readable() && ready != Some(recv.available()) {
            self.events
                .raise(id, &mut stream.pending, Pending::READABLE);
        }
        if frame.fin {
            self.on_final_size(id);
        }
        Ok(())
    }

    /// Takes a RESET frame.
    ///
    /// # Errors
    /// What the session is to be closed with (§9).
    pub fn on_reset(
        &mut self,
        id: StreamId,
        code: u64,
        final_size: u64,
    ) -> Result<(), TransportError> {
        let kind = Frame::Reset {
            id,
            code,
            final_size,
        }
        .type_byte();
        self.check_receives(id, kind)?;
        if final_size > varint::MAX {
            return Err(too_large(kind));
        }
        let session_credit = self.window.granted() - self.received;
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(());
        };
        let Some(recv) = &mut stream.recv else {
            return Ok(());
        };
        let more = recv
            .check(final_size, true, session_credit)
            .map_err(|breach| breach.in_frame(kind))?;
        let had_reset = recv.reset_code().is_some();
        let dropped = recv.on_reset(&mut self.pool, code, final_size);
        self.received += more;
        self.window.consume(dropped);
        if !had_reset && recv.reset_code().is_some() {
            self.events
                .raise(id, &mut stream.pending, Pending::READABLE);
        }
        self.on_final_size(id);
        Ok(())
    }

    /// Takes a STOP frame.
    ///
    /// # Errors
    /// What the session is to be closed with (§9).
    pub fn on_stop(&mut self, id: StreamId, code: u64) -> Result<(), TransportError> {
        self.check_sends(id, Frame::Stop { id, code }.type_byte())?;
        if self.abandon(id, code)
            && let Some(stream) = self.streams.get_mut(&id)
        {
            stream.stopped = Some(code);
            self.events.raise(id, &mut stream.pending, Pending::STOPPED);
        }
        Ok(())
    }

    /// Takes a MAX_DATA frame.
    pub fn on_max_data(&mut self, max: u64) {
        if max <= self.max_data {
            return;
        }
        self.max_data = max;
        let credit = self.credit();
        while let Some(id) = self.scheduler.first_without_credit() {
            let send = self.streams.get_mut(&id).and_then(|s| s.send.as_mut());
            let send = send.expect("a stream that waits has bytes to send");
            self.scheduler.update(id, send, credit);
        }
    }

    /// Takes a MAX_STREAM_DATA frame.
    ///
    /// # Errors
    /// What the session is to be closed with (§9).
    pub fn on_max_stream_data(&mut self, id: StreamId, max: u64) -> Result<(), TransportError> {
        self.check_sends(id, Frame::MaxStreamData { id, max }.type_byte())?;
        let credit = self.credit();
        if let Some(send) = self.streams.get_mut(&id).and_then(|s| s.send.as_mut()) {
            send.on_max_data(max);
            if send.reset_fields().is_none() {
                self.scheduler.update(id, send, credit);
            }
        }
        Ok(())
    }

    /// Takes a MAX_STREAMS frame.
    ///
    /// # Errors
    /// What the session is to be closed with (§9).
    pub fn on_max_streams(&mut self, dir: Dir, max: u64) -> Result<(), TransportError> {
        if max > Self::MAX_COUNT {
            let kind = Frame::MaxStreams { dir, max }.type_byte();
            let reason = "more streams than there are ids for";
            return Err(TransportError::in_frame(
                Code::FRAME_ENCODING_ERROR,
                kind,
                reason,
            ));
        }
        let local = &mut self.local[dir as usize];
        local.max = local.max.max(max);
        if !self.is_unpolled() {
            self.offer();
        }
        Ok(())
    }

    /// The final size is known: no more credit, no STOP (§3.4, §4.3).
    fn on_final_size(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        for frame in [Control::CREDIT, Control::STOP] {
            self.control.cancel(id, &mut stream.control, frame);
        }
        if stream
            .recv
            .as_ref()
            .is_some_and(|recv| recv.stop_code().is_some())
        {
            stream.recv = None;
            self.settle(id);
        }
    }

    /// Refuses a frame about bytes that only this end sends, and one about a stream that can't be.
    fn check_receives(&mut self, id: StreamId, kind: u8) -> Result<(), TransportError> {
        if !self.receives(id) {
            let reason = "the peer doesn't send on this stream";
            return Err(TransportError::in_frame(
                Code::STREAM_STATE_ERROR,
                kind,
                reason,
            ));
        }
        self.check_opened(id, kind)
    }

    /// Refuses a frame about bytes that only the peer sends, and one about a stream that can't be.
    fn check_sends(&mut self, id: StreamId, kind: u8) -> Result<(), TransportError> {
        if !self.sends(id) {
            let reason = "the peer doesn't receive on this stream";
            return Err(TransportError::in_frame(
                Code::STREAM_STATE_ERROR,
                kind,
                reason,
            ));
        }
        self.check_opened(id, kind)
    }

    /// Opens the stream if the peer may (§1.3).
    fn check_opened(&mut self, id: StreamId, kind: u8) -> Result<(), TransportError> {
        if id.initiator() == self.side {
            if id.index() < self.local[id.dir() as usize].next {
                return Ok(());
            }
            let reason = "this stream was not opened";
            return Err(TransportError::in_frame(
                Code::STREAM_STATE_ERROR,
                kind,
                reason,
            ));
        }
        let remote = &mut self.remote[id.dir() as usize];
        if id.index() >= remote.announced {
            let reason = "more streams than allowed";
            return Err(TransportError::in_frame(
                Code::STREAM_LIMIT_ERROR,
                kind,
                reason,
            ));
        }
        if id.index() >= remote.opened {
            let first = core::mem::replace(&mut remote.opened, id.index() + 1);
            remote.news = true;
            for index in first..=id.index() {
                self.create(StreamId::new(id.initiator(), id.dir(), index));
            }
        }
        Ok(())
    }
}

impl Breach {
    fn in_frame(self, kind: u8) -> TransportError {
        TransportError::in_frame(self.code, kind, self.reason)
    }
}

fn too_large(kind: u8) -> TransportError {
    let reason = "stream longer than 2^62 - 1 bytes";
    TransportError::in_frame(Code::FRAME_ENCODING_ERROR, kind, reason)
}
