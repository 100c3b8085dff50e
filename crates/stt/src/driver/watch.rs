use std::time::Duration;

use stt_core::{ConnectionHandle, Timestamp};

use super::{Signal, State, Wakes};

/// A session that somebody waits for until the peer has everything.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// To be closed then, or at this time.
    close: Option<Linger>,
}

/// How a session is closed whose handles are gone.
#[derive(Clone, Debug)]
pub(crate) struct Linger {
    /// At the latest.
    pub(crate) at: Timestamp,
    pub(crate) code: u64,
    pub(crate) reason: &'static str,
}

impl Linger {
    /// The time that is left to what was written before a handle was dropped.
    pub(crate) const DROPPED: Duration = Duration::from_secs(2);
    /// The same before a node stops.
    pub(crate) const STOPPING: Duration = Duration::from_secs(1);
}

impl State {
    /// Tells the session's waiters once the peer has everything, and closes it then if `close` says
    /// so.
    pub(crate) fn watch(&mut self, handle: ConnectionHandle, close: Option<Linger>) {
        let watch = self.watched.entry(handle).or_default();
        if close.is_some() {
            watch.close = close;
        }
        self.wants_turn();
    }

    /// Looks at all watched sessions; whether one was closed, which gives something to send.
    pub(super) fn check_watched(&mut self, now: Timestamp, wakes: &mut Wakes) -> bool {
        let mut watched = std::mem::take(&mut self.watched);
        let mut closed = false;
        watched.retain(|handle, watch| {
            let Some(connection) = self.endpoint.connection_ref(*handle) else {
                return false;
            };
            if connection.is_closed() {
                return false;
            }
            let is_due = watch.close.as_ref().is_some_and(|close| close.at <= now);
            if !connection.is_flushed() && !is_due {
                return true;
            }
            if let Some(entry) = self.entries.get(handle) {
                wakes.session(&entry.core, Signal::Changed);
            }
            if let Some(close) = watch.close.take()
                && let Some(connection) = self.endpoint.connection(*handle)
            {
                connection.close(now, close.code, close.reason);
                closed = true;
            }
            false
        });
        self.watched = watched;
        closed
    }

    /// When a watched session is closed at the latest.
    pub(super) fn watch_deadline(&self) -> Option<Timestamp> {
        let closes = self
            .watched
            .values()
            .filter_map(|watch| watch.close.as_ref());
        closes.map(|close| close.at).min()
    }
}
