use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::EndpointLimits;

/// The queue of one endpoint. Waiting is by notification, so that it needs no runtime.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// One message more.
    filled: Notify,
    /// Room for one message more.
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

/// What there is without waiting.
pub(super) enum Popped {
    Message(Bytes),
    /// Nothing, for now.
    Empty,
    /// Nothing, and nothing comes.
    Closed,
}

impl Queue {
    /// Waits for room; `false` if the queue was closed first. Cancelling it leaves the message out.
    pub(super) async fn push(&self, message: Bytes, limits: &EndpointLimits) -> bool {
        loop {
            // Made before the attempt, so that nothing is missed in between.
            let drained = self.drained.notified();
            match self.try_push(&message, limits) {
                Some(pushed) => return pushed,
                None => drained.await,
            }
        }
    }

    /// `None` if there is no room, else whether the message was taken.
    pub(super) fn try_push(&self, message: &Bytes, limits: &EndpointLimits) -> Option<bool> {
        let mut state = self.lock();
        if state.closed {
            return Some(false);
        }
        let fits = state.messages.len() < limits.messages
            && state.bytes.saturating_add(message.len()) <= limits.bytes;
        if !fits && !state.messages.is_empty() {
            return None;
        }
        state.bytes += message.len();
        state.messages.push_back(message.clone());
        let more = state.has_room(limits);
        drop(state);
        self.filled.notify_one();
        if more {
            // Several messages may fit where one was: wake the next that waits.
            self.drained.notify_one();
        }
        Some(true)
    }

    /// Waits for a message; `None` if the queue is closed and empty.
    pub(super) async fn pop(&self) -> Option<Bytes> {
        loop {
            let filled = self.filled.notified();
            match self.try_pop() {
                Popped::Message(message) => return Some(message),
                Popped::Closed => return None,
                Popped::Empty => filled.await,
            }
        }
    }

    pub(super) fn try_pop(&self) -> Popped {
        let mut state = self.lock();
        let Some(message) = state.messages.pop_front() else {
            return if state.closed {
                Popped::Closed
            } else {
                Popped::Empty
            };
        };
        state.bytes -= message.len();
        let more = !state.messages.is_empty();
        let drained_for_good = state.closed && !more;
        drop(state);
        self.drained.notify_one();
        if more {
            self.filled.notify_one();
        }
        if drained_for_good {
            self.filled.notify_waiters();
        }
        Popped::Message(message)
    }

    /// No more messages. Tells whether the queue is empty.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        state.closed = true;
        let empty = state.messages.is_empty();
        drop(state);
        self.drained.notify_waiters();
        self.filled.notify_waiters();
        empty
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Closed, and nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        let state = self.lock();
        state.closed && state.messages.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().messages.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self, limits: &EndpointLimits) -> bool {
        self.messages.len() < limits.messages && self.bytes < limits.bytes
    }
}
