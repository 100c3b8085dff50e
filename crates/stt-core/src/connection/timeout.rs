//! What happens when a deadline passes.

use crate::{Timestamp, recovery::Outcome};

use super::{Connection, ConnectionError, timers::Timer};

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
                    self.drain_now(now);
                }
                Timer::KeepAlive => {
                    self.ping = true;
                    self.restart_keep_alive(now);
                }
                Timer::Greet => {
                    if let Some(greeting) = &mut self.greeting {
                        greeting.count += 1;
                        greeting.due = true;
                        self.restart_greeting(now);
                    }
                }
                Timer::Path => self.on_path_timeout(now),
                Timer::KeyDiscard => self.keys.discard_previous(),
                Timer::Rekey => self.rekey = true,
                Timer::Close => self.drain_now(now),
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

    pub(super) fn rearm_recovery(&mut self) {
        self.timers
            .set_or_stop(Timer::Recovery, self.recovery.next_timeout());
    }
}
