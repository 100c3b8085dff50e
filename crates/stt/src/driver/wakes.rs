use std::{sync::Arc, task::Waker};

use stt_core::{Dir, StreamId, message::Preface};

use super::Shared;
use crate::{
    message,
    session::{Session, SessionCore},
    stream::RecvStream,
};

/// Whom to wake once the lock is given back.
#[derive(Default)]
pub(crate) struct Wakes {
    tasks: Vec<Waker>,
    sessions: Vec<(Arc<SessionCore>, Signal)>,
    pub(super) accepted: bool,
    pub(crate) gone: bool,
    /// Streams of messages that the peer has opened.
    pub(super) messages: Vec<(Arc<SessionCore>, Preface, StreamId)>,
    /// Handles that nobody took: dropping them takes the lock.
    pub(super) unwanted: Vec<Session>,
}

/// What a session's calls wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A stream of the application can be accepted.
    Opened(Dir),
    /// A stream may be opened again.
    Available(Dir),
    /// Datagrams can be received.
    Received,
    /// Keys, path, or everything arrived.
    Changed,
    /// The session is over.
    All,
}

impl Wakes {
    pub(super) fn task(&mut self, waker: Option<Waker>) {
        self.tasks.extend(waker);
    }

    pub(crate) fn session(&mut self, core: &Arc<SessionCore>, signal: Signal) {
        self.sessions.push((Arc::clone(core), signal));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.sessions.is_empty() && !self.accepted && !self.gone
    }

    /// Wakes them all. Not with the lock held.
    pub(super) fn fire(&mut self, shared: &Shared) {
        for waker in self.tasks.drain(..) {
            waker.wake();
        }
        for (core, signal) in self.sessions.drain(..) {
            core.signal(signal);
        }
        if std::mem::take(&mut self.accepted) {
            shared.accepted.notify_waiters();
        }
        if std::mem::take(&mut self.gone) {
            shared.gone.notify_waiters();
        }
        for (core, preface, id) in self.messages.drain(..) {
            let stream = RecvStream::new(Arc::clone(&core), None, id);
            message::incoming(&core, preface, stream);
        }
        self.unwanted.clear();
    }
}
