//! What an application does with its streams.

use super::{
    ClosedStream, ReadError, RecvState, SendState, StreamEvent, Streams, WriteError,
    control::Control, event::Pending,
};
use crate::{Dir, Side, StreamId};

impl Streams {
    /// Opens a stream, or `None` if the peer allows no more:
    /// [`StreamEvent::Available`] follows. The peer learns of it by what is sent on it.
    pub fn open(&mut self, dir: Dir) -> Option<StreamId> {
        let unpolled = self.is_unpolled();
        let local = &mut self.local[dir as usize];
        if local.next >= local.max || unpolled {
            local.wanted = true;
            return None;
        }
        let id = StreamId::new(self.side, dir, local.next);
        local.next += 1;
        self.create(id);
        Some(id)
    }

    /// The next stream that the peer opened, in its order.
    pub fn accept(&mut self, dir: Dir) -> Option<StreamId> {
        let peer: Side = !self.side;
        let remote = &mut self.remote[dir as usize];
        remote.news = false;
        if remote.accepted >= remote.opened {
            return None;
        }
        let id = StreamId::new(peer, dir, remote.accepted);
        remote.accepted += 1;
        self.settle(id);
        Some(id)
    }

    /// Copies as much of `data` into the send buffer as it takes, and tells how much. If that isn't
    /// all, [`StreamEvent::Writable`] follows.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(&mut self, id: StreamId, data: &[u8]) -> Result<usize, WriteError> {
        let credit = self.credit();
        let sends = self.sends(id);
        let stream = match self.streams.get_mut(&id) {
            Some(stream) if sends => stream,
            _ => return Err(WriteError::Unknown(id)),
        };
        if let Some(code) = stream.stopped {
            return Err(WriteError::Stopped(code));
        }
        let send = stream.send.as_mut().filter(|send| send.is_open());
        let send = send.ok_or(WriteError::Closed)?;

        let stream_room = (self.config.send_buffer as u64)
            .saturating_sub(send.held())
            .min((self.config.max_unsent as u64).saturating_sub(send.unsent()));
        let session_room = (self.config.session_send_buffer as u64)
            .saturating_sub(self.held)
            .max(Self::SHARE.saturating_sub(send.held()));
        let room = stream_room.min(session_room);
        let len = usize::try_from(room).map_or(data.len(), |room| room.min(data.len()));
        if len < data.len() {
            send.wants_room = true;
            if session_room < stream_room && !send.starved {
                send.starved = true;
                self.starved.push_back(id);
            }
            if len == 0 {
                return Err(WriteError::Blocked);
            }
        }
        send.write(&mut self.pool, &data[..len]);
        self.held += len as u64;
        self.scheduler.update(id, send, credit);
        Ok(len)
    }

    /// Ends the sending half behind what was written. [`StreamEvent::Finished`] tells when the peer
    /// has everything.
    ///
    /// # Errors
    /// [`WriteError`], but never `Blocked`.
    pub fn finish(&mut self, id: StreamId) -> Result<(), WriteError> {
        let credit = self.credit();
        let sends = self.sends(id);
        let stream = match self.streams.get_mut(&id) {
            Some(stream) if sends => stream,
            _ => return Err(WriteError::Unknown(id)),
        };
        if let Some(code) = stream.stopped {
            return Err(WriteError::Stopped(code));
        }
        let send = stream.send.as_mut().filter(|send| send.is_open());
        let send = send.ok_or(WriteError::Closed)?;
        send.finish();
        self.scheduler.update(id, send, credit);
        Ok(())
    }

    /// Gives up the sending half: what the peer has not acknowledged may never arrive. It is told
    /// `code`, of the application's choice, at most 2^62 − 1 (larger ones are told as that).
    ///
    /// # Errors
    /// [`ClosedStream`] if there is no such half, it was reset, or the peer has everything.
    pub fn reset(&mut self, id: StreamId, code: u64) -> Result<(), ClosedStream> {
        if self.abandon(id, code.min(crate::varint::MAX)) {
            Ok(())
        } else {
            Err(ClosedStream(id))
        }
    }

    /// Sets which streams send first: larger before smaller, 0 to begin with (§6.2).
    ///
    /// # Errors
    /// [`ClosedStream`] if there is no sending half left.
    pub fn set_priority(&mut self, id: StreamId, priority: i32) -> Result<(), ClosedStream> {
        let credit = self.credit();
        let stream = self.streams.get_mut(&id).ok_or(ClosedStream(id))?;
        let send = stream.send.as_mut().ok_or(ClosedStream(id))?;
        if send.turn.priority != priority {
            self.scheduler.set_priority(id, &mut send.turn, priority);
            if send.reset_fields().is_none() {
                self.scheduler.update(id, send, credit);
            }
        }
        Ok(())
    }

    /// The stream's priority.
    ///
    /// # Errors
    /// [`ClosedStream`] if there is no sending half left.
    pub fn priority(&self, id: StreamId) -> Result<i32, ClosedStream> {
        let stream = self.streams.get(&id).ok_or(ClosedStream(id))?;
        let send = stream.send.as_ref().ok_or(ClosedStream(id))?;
        Ok(send.turn.priority)
    }

    /// Moves the next bytes to `out` and tells how many, or `None` at the end of the stream, which is
    /// told once.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&mut self, id: StreamId, out: &mut [u8]) -> Result<Option<usize>, ReadError> {
        if !self.prepare_read(id, out.is_empty())? {
            return Ok(None);
        }
        let Some(recv) = self.streams.get_mut(&id).and_then(|s| s.recv.as_mut()) else {
            return Ok(None);
        };
        let len = recv.read(&mut self.pool, out);
        self.window.consume(len as u64);
        self.after_read(id);
        Ok(Some(len))
    }

    /// The next bytes where they lie, as far as they lie together, or `None` at the end of the stream,
    /// which is told once. [`Streams::consume`] goes on.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn peek(&mut self, id: StreamId) -> Result<Option<&[u8]>, ReadError> {
        if !self.prepare_read(id, false)? {
            return Ok(None);
        }
        let recv = self.streams.get(&id).and_then(|s| s.recv.as_ref());
        Ok(recv.map(|recv| recv.peek()))
    }

    /// Drops the first `len` bytes that can be read, or all there are.
    pub fn consume(&mut self, id: StreamId, len: usize) {
        let Some(recv) = self.streams.get_mut(&id).and_then(|s| s.recv.as_mut()) else {
            return;
        };
        let len = recv.consume(&mut self.pool, len as u64);
        self.window.consume(len);
        self.after_read(id);
    }

    /// Wants nothing more of the stream, and asks the peer to give it up. It is told `code`, of the
    /// application's choice, at most 2^62 − 1 (larger ones are told as that).
    ///
    /// # Errors
    /// [`ClosedStream`] if there is no receiving half left, or it was stopped before.
    pub fn stop(&mut self, id: StreamId, code: u64) -> Result<(), ClosedStream> {
        let stream = self.streams.get_mut(&id).ok_or(ClosedStream(id))?;
        let recv = stream.recv.as_mut().ok_or(ClosedStream(id))?;
        if recv.stop_code().is_some() {
            return Err(ClosedStream(id));
        }
        let unread = recv.stop(&mut self.pool, code.min(crate::varint::MAX));
        self.window.consume(unread);
        stream.pending.remove(Pending::READABLE);
        self.control
            .cancel(id, &mut stream.control, Control::CREDIT);
        if recv.needs_stop().is_some() {
            self.control.add(id, &mut stream.control, Control::STOP);
        } else {
            stream.recv = None;
            self.settle(id);
        }
        Ok(())
    }

    /// What happened since it was last asked.
    pub fn poll_event(&mut self) -> Option<StreamEvent> {
        for dir in [Dir::Bi, Dir::Uni] {
            if core::mem::take(&mut self.remote[dir as usize].news) {
                return Some(StreamEvent::Opened { dir });
            }
            if core::mem::take(&mut self.local[dir as usize].available) {
                return Some(StreamEvent::Available(dir));
            }
        }
        while let Some(id) = self.events.front() {
            let stream = self
                .streams
                .get_mut(&id)
                .expect("a stream with events is not forgotten");
            let condition = stream.pending.take();
            let code = stream.stopped.unwrap_or_default();
            if stream.pending.is_empty() {
                let unpolled = self.events.len();
                self.events.pop(&mut stream.pending);
                self.settle(id);
                if unpolled > self.events.len() && !self.is_unpolled() {
                    self.offer();
                }
            }
            let event = match condition {
                Some(Pending::READABLE) => StreamEvent::Readable(id),
                Some(Pending::WRITABLE) => StreamEvent::Writable(id),
                Some(Pending::FINISHED) => StreamEvent::Finished(id),
                Some(Pending::STOPPED) => StreamEvent::Stopped { id, code },
                _ => continue,
            };
            return Some(event);
        }
        None
    }

    /// The state of the sending half.
    pub fn send_state(&self, id: StreamId) -> SendState {
        let send = self.streams.get(&id).and_then(|s| s.send.as_ref());
        send.map_or(SendState::Closed, |send| send.state())
    }

    /// The state of the receiving half.
    pub fn recv_state(&self, id: StreamId) -> RecvState {
        let recv = self.streams.get(&id).and_then(|s| s.recv.as_ref());
        recv.map_or(RecvState::Closed, |recv| recv.state())
    }

    /// Tells those who couldn't open a stream that they may try again.
    pub(super) fn offer(&mut self) {
        for local in &mut self.local {
            if local.wanted && local.next < local.max {
                local.wanted = false;
                local.available = true;
            }
        }
    }

    /// Resets the sending half, if there is one that wasn't (§2.3).
    pub(super) fn abandon(&mut self, id: StreamId, code: u64) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else {
            return false;
        };
        let Some(send) = &mut stream.send else {
            return false;
        };
        let Some(freed) = send.reset(&mut self.pool, code) else {
            return false;
        };
        self.scheduler.remove(id, &mut send.turn);
        if core::mem::take(&mut send.starved) {
            self.starved.retain(|&starved| starved != id);
        }
        stream.pending.remove(Pending::WRITABLE);
        self.control.add(id, &mut stream.control, Control::RESET);
        self.on_freed(id, freed);
        true
    }

    /// Whether there are bytes to read; `false` is the end. Tells the end or a reset once.
    fn prepare_read(&mut self, id: StreamId, wants_none: bool) -> Result<bool, ReadError> {
        let receives = self.receives(id);
        let stream = match self.streams.get_mut(&id) {
            Some(stream) if receives => stream,
            _ => return Err(ReadError::Unknown(id)),
        };
        let recv = stream.recv.as_ref().ok_or(ReadError::Unknown(id))?;
        if let Some(code) = recv.stop_code() {
            return Err(ReadError::Stopped(code));
        }
        let reset = recv.reset_code();
        if reset.is_none() && recv.available() > 0 {
            return Ok(true);
        }
        stream.pending.remove(Pending::READABLE);
        if reset.is_none() && !recv.is_at_end() {
            return if wants_none {
                Ok(true)
            } else {
                Err(ReadError::Blocked)
            };
        }
        stream.recv = None;
        self.settle(id);
        match reset {
            Some(code) => Err(ReadError::Reset(code)),
            None => Ok(false),
        }
    }

    /// Grants the stream more credit if that is due (§4.3).
    fn after_read(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id)
            && let Some(recv) = &stream.recv
            && recv.is_grant_due()
        {
            self.control.add(id, &mut stream.control, Control::CREDIT);
        }
    }
}
