//! What happens when a deadline passes.

use crate::{Timestamp, recovery::Outcome};

use super::{Connection, ConnectionError, path::PathTimeout, timers::Timer};

impl Connection {
    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Recovery => self.on_recovery_timeout(now),
                // `poll_transmit` looks at the time itself.
                Timer::Ack | Timer::Pacing => {}
                Timer::Idle => {
                    self.end(ConnectionError::TimedOut);
                    self.drain_now();
                }
                Timer::KeepAlive => {
                    self.ping = true;
                    self.restart_keep_alive(now);
                }
                Timer::Greet => {
                    if let Some(greeting) = &mut self.greeting {
                        greeting.count += 1;
                        self.ping = true;
                        self.restart_greeting(now);
                    }
                }
                Timer::Path => self.on_path_timeout(now),
                Timer::KeyDiscard => self.keys.discard_previous(),
                Timer::Rekey => self.rekey = true,
                Timer::Close => self.drain_now(),
                Timer::Trim => self.trim(),
            }
        }
    }

    /// Nothing came for a while: what a busy time has left behind is given back.
    fn trim(&mut self) {
        self.recovery.release_memory();
        self.pool.shrink();
        self.writing = Vec::new();
        self.datagrams.trim();
        self.streams.trim();
        self.outcome = Outcome::default();
        self.events.shrink_to_fit();
        self.requests.shrink_to_fit();
    }

    fn on_recovery_timeout(&mut self, now: Timestamp) {
        let mut outcome = core::mem::take(&mut self.outcome);
        let probes = self.recovery.on_timeout(now, &mut outcome);
        self.outcome = outcome;
        self.apply_outcome(now);
        if probes.0 > 0 && !self.streams.has_pending() {
            self.repeat_oldest(probes.0);
        }
        self.probes = self.probes.max(probes.0);
        self.rearm_recovery();
    }

    /// With nothing new to send, probes repeat what waits longest (RFC 9002 §6.2.4).
    fn repeat_oldest(&mut self, packets: u8) {
        for _ in 0..packets {
            let oldest = self
                .recovery
                .unacknowledged()
                .find(|carried| !carried.is_empty());
            let Some(carried) = oldest.map(core::mem::take) else {
                return;
            };
            self.tell_again(&carried);
            self.pool.give(carried);
        }
    }

    fn on_path_timeout(&mut self, now: Timestamp) {
        let due = |path: &super::path::Path| path.deadline().is_some_and(|at| at <= now);
        if due(&self.active) {
            match self.active.on_timeout() {
                PathTimeout::Failed => self.on_path_failed(now),
                PathTimeout::Again => self.active.look_again(now + self.recovery.pto() * 2),
            }
        }
        if let Some(former) = self.former.as_mut().filter(|path| due(path)) {
            // Only asked whether it is still there; the session does not depend on it.
            let _ = former.on_timeout();
        }
        if let Some(mut candidate) = self.candidate.take() {
            if due(&candidate) && candidate.on_timeout() == PathTimeout::Failed {
                let path = candidate.id;
                self.leave(&candidate);
                self.push_event(crate::Event::PathFailed(path));
            } else {
                self.candidate = Some(candidate);
            }
        }
        self.rearm_path();
    }

    pub(super) fn rearm_recovery(&mut self) {
        self.timers
            .set_or_stop(Timer::Recovery, self.recovery.next_timeout());
    }

    pub(super) fn rearm_path(&mut self) {
        let next = self.paths().filter_map(super::path::Path::deadline).min();
        self.timers.set_or_stop(Timer::Path, next);
    }
}
