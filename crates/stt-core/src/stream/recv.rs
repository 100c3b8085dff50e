use super::{
    RecvState,
    assembler::Assembler,
    flow::{Clock, Window},
    pool::{Packet, Pool},
};
use crate::error::Code;

/// The receiving half of a stream (`docs/spec/stt-streams.md` §3).
#[derive(Debug)]
pub(super) struct Recv {
    assembler: Assembler,
    window: Window,
    /// The largest offset that was seen.
    highest: u64,
    final_size: Option<u64>,
    /// The code of the peer's RESET, until the application knows.
    reset: Option<u64>,
    /// The code of our STOP, if the application wants nothing more.
    stopped: Option<u64>,
}

/// What is wrong with a frame.
#[derive(Debug)]
pub(super) struct Breach {
    pub(super) code: Code,
    pub(super) reason: &'static str,
}

/// Ranges of a receive buffer, over one for 512 bytes of its window (§8).
const BASE_RANGES: usize = 1024;

impl Recv {
    pub(super) fn new(window: Window) -> Self {
        Self {
            assembler: Assembler::default(),
            window,
            highest: 0,
            final_size: None,
            reset: None,
            stopped: None,
        }
    }

    /// Checks a frame whose bytes end at `end`, the stream's last if `is_final`, and tells by how
    /// much it lifts the sum that the session counts. `session_credit` is what may still be added
    /// to that.
    pub(super) fn check(
        &self,
        end: u64,
        is_final: bool,
        session_credit: u64,
    ) -> Result<u64, Breach> {
        let breach = |code, reason| Err(Breach { code, reason });
        match self.final_size {
            Some(size) if end > size => {
                return breach(Code::FINAL_SIZE_ERROR, "data beyond the final size");
            }
            Some(size) if is_final && end != size => {
                return breach(Code::FINAL_SIZE_ERROR, "final size changed");
            }
            None if is_final && end < self.highest => {
                return breach(Code::FINAL_SIZE_ERROR, "final size below what was received");
            }
            _ => {}
        }
        let more = end.saturating_sub(self.highest);
        if end > self.window.granted() {
            return breach(
                Code::FLOW_CONTROL_ERROR,
                "more data than the stream's credit",
            );
        }
        if more > session_credit {
            return breach(
                Code::FLOW_CONTROL_ERROR,
                "more data than the session's credit",
            );
        }
        Ok(more)
    }

    /// Takes bytes that were checked, parts of `packet` if there is one, and tells how many of the session's count as read by that:
    /// those of a stream that nobody reads any more.
    pub(super) fn on_data(
        &mut self,
        pool: &mut Pool,
        offset: u64,
        data: &[u8],
        packet: Option<&Packet>,
        fin: bool,
    ) -> Result<u64, Breach> {
        let end = offset + data.len() as u64;
        let more = end.saturating_sub(self.highest);
        self.highest += more;
        if fin {
            self.final_size = Some(end);
        }
        if self.is_deaf() {
            return Ok(more);
        }
        let max_ranges = usize::try_from(self.window.size() / 512)
            .unwrap_or(usize::MAX)
            .saturating_add(BASE_RANGES);
        match self
            .assembler
            .insert(pool, offset, data, packet, max_ranges)
        {
            Ok(()) => Ok(0),
            Err(_) => Err(Breach {
                code: Code::PROTOCOL_VIOLATION,
                reason: "more gaps in a stream than are kept account of",
            }),
        }
    }

    /// Takes a RESET that was checked, and tells how many of the session's bytes count as read by
    /// that.
    pub(super) fn on_reset(&mut self, pool: &mut Pool, code: u64, final_size: u64) -> u64 {
        let more = final_size - self.highest;
        self.highest = final_size;
        if self.is_deaf() {
            self.final_size = Some(final_size);
            return more;
        }
        if self.final_size == Some(self.assembler.ready()) {
            return 0;
        }
        self.final_size = Some(final_size);
        self.reset = Some(code);
        self.drop_unread(pool)
    }

    /// Nothing more is wanted. How many of the session's bytes count as read by that.
    pub(super) fn stop(&mut self, pool: &mut Pool, code: u64) -> u64 {
        self.stopped = Some(code);
        self.drop_unread(pool)
    }

    pub(super) fn read(&mut self, pool: &mut Pool, out: &mut [u8]) -> usize {
        let len = self.assembler.read(pool, out);
        self.window.consume(len as u64);
        len
    }

    pub(super) fn peek(&self) -> &[u8] {
        self.assembler.peek()
    }

    /// Drops `len` bytes that were peeked at; how many were there.
    pub(super) fn consume(&mut self, pool: &mut Pool, len: u64) -> u64 {
        let len = len.min(self.assembler.available());
        self.assembler.consume(pool, len);
        self.window.consume(len);
        len
    }

    pub(super) fn grant(&mut self, clock: Clock) -> u64 {
        self.window.grant(clock)
    }

    /// Gives up what is buffered and returns what the session's window gets back for it.
    fn drop_unread(&mut self, pool: &mut Pool) -> u64 {
        let unread = self.highest - self.assembler.read_offset();
        self.assembler.clear(pool);
        unread
    }

    /// The latest credit given.
    pub(super) fn granted(&self) -> u64 {
        self.window.granted()
    }

    /// The peer is to be given more credit (§4.3).
    pub(super) fn is_grant_due(&self) -> bool {
        self.takes_credit() && self.window.is_due()
    }

    /// Credit is of use to the peer.
    pub(super) fn takes_credit(&self) -> bool {
        self.final_size.is_none() && self.stopped.is_none()
    }

    /// STOP is of use: the peer may have more.
    pub(super) fn needs_stop(&self) -> Option<u64> {
        self.stopped.filter(|_| self.final_size.is_none())
    }

    pub(super) fn reset_code(&self) -> Option<u64> {
        self.reset
    }

    pub(super) fn stop_code(&self) -> Option<u64> {
        self.stopped
    }

    pub(super) fn available(&self) -> u64 {
        self.assembler.available()
    }

    /// All was read up to the final size.
    pub(super) fn is_at_end(&self) -> bool {
        self.final_size == Some(self.assembler.read_offset())
    }

    /// A read would tell something else than `Blocked`.
    pub(super) fn is_readable(&self) -> bool {
        self.reset.is_some() || self.available() > 0 || self.is_at_end()
    }

    /// Bytes that come are dropped.
    fn is_deaf(&self) -> bool {
        self.reset.is_some() || self.stopped.is_some()
    }

    pub(super) fn state(&self) -> RecvState {
        match (self.reset, self.final_size) {
            (Some(_), _) => RecvState::ResetRecvd,
            (None, None) => RecvState::Recv,
            (None, Some(size)) if size == self.assembler.ready() => RecvState::DataRecvd,
            (None, Some(_)) => RecvState::SizeKnown,
        }
    }
}
