use std::collections::VecDeque;

use crate::{Dir, StreamId};

/// What happened to streams since it was last asked (`docs/spec/stt-streams.md` §12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The peer opened streams: accept until there are none.
    Opened {
        /// Their direction.
        dir: Dir,
    },
    /// More streams may be opened, after there were too many.
    Available(Dir),
    /// Bytes, the end or the peer's reset can be read.
    Readable(StreamId),
    /// There is room again, after a write was cut short.
    Writable(StreamId),
    /// The peer has everything, the end included.
    Finished(StreamId),
    /// The peer wants no more; the sending half was reset.
    Stopped {
        /// The stream.
        id: StreamId,
        /// Why, in the application's numbers.
        code: u64,
    },
}

/// Conditions of one stream that are still to be told, each at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pending(u8);

impl Pending {
    pub(super) const READABLE: Self = Self(1);
    pub(super) const WRITABLE: Self = Self(2);
    pub(super) const FINISHED: Self = Self(4);
    pub(super) const STOPPED: Self = Self(8);
    /// Set while the stream stands in the queue.
    const QUEUED: Self = Self(128);

    pub(super) fn is_empty(self) -> bool {
        self.0 & !Self::QUEUED.0 == 0
    }

    /// Nothing is to be told, and the stream doesn't stand in the queue.
    pub(super) fn is_settled(self) -> bool {
        self.0 == 0
    }

    pub(super) fn contains(self, condition: Self) -> bool {
        self.0 & condition.0 != 0
    }

    pub(super) fn remove(&mut self, condition: Self) {
        self.0 &= !condition.0;
    }

    fn insert(&mut self, condition: Self) {
        self.0 |= condition.0;
    }

    /// Takes out what is to be told first.
    pub(super) fn take(&mut self) -> Option<Self> {
        let first = [
            Self::READABLE,
            Self::WRITABLE,
            Self::FINISHED,
            Self::STOPPED,
        ]
        .into_iter()
        .find(|&condition| self.contains(condition))?;
        self.remove(first);
        Some(first)
    }
}

/// Streams with something to tell: each stands here at most once.
#[derive(Debug, Default)]
pub(super) struct EventQueue(VecDeque<StreamId>);

impl EventQueue {
    pub(super) fn raise(&mut self, id: StreamId, pending: &mut Pending, condition: Pending) {
        if !pending.contains(Pending::QUEUED) {
            pending.insert(Pending::QUEUED);
            self.0.push_back(id);
        }
        pending.insert(condition);
    }

    pub(super) fn front(&self) -> Option<StreamId> {
        self.0.front().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The front has nothing left to tell.
    pub(super) fn pop(&mut self, pending: &mut Pending) {
        pending.remove(Pending::QUEUED);
        self.0.pop_front();
    }

    pub(super) fn trim(&mut self) {
        self.0.shrink_to_fit();
    }
}
