use std::collections::VecDeque;

use crate::StreamId;

/// Frames about a stream, other than STREAM, that are to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Control(u8);

impl Control {
    pub(super) const RESET: Self = Self(1);
    pub(super) const STOP: Self = Self(2);
    /// MAX_STREAM_DATA.
    pub(super) const CREDIT: Self = Self(4);

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn contains(self, frame: Self) -> bool {
        self.0 & frame.0 != 0
    }
}

/// Streams with such frames, in the order in which they fell due: a stream stands here exactly while
/// it has one (`docs/spec/stt-streams.md` §6.1).
#[derive(Debug, Default)]
pub(super) struct ControlQueue(VecDeque<StreamId>);

impl ControlQueue {
    pub(super) fn add(&mut self, id: StreamId, due: &mut Control, frame: Control) {
        if due.is_empty() {
            self.0.push_back(id);
        }
        due.0 |= frame.0;
    }

    pub(super) fn cancel(&mut self, id: StreamId, due: &mut Control, frame: Control) {
        if !due.contains(frame) {
            return;
        }
        due.0 &= !frame.0;
        if due.is_empty()
            && let Some(at) = self.0.iter().position(|&queued| queued == id)
        {
            self.0.remove(at);
        }
    }

    pub(super) fn front(&self) -> Option<StreamId> {
        self.0.front().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn trim(&mut self) {
        self.0.shrink_to_fit();
    }
}
