//! Where a session goes, and under which ids (`docs/spec/stt-session.md` §6, §7).

use crate::{Event, PathId, Side, Timestamp, TransportError, observer::Observed};

use super::{
    Connection, ConnectionError,
    path::{Left, Path, PathTimeout},
    timers::Timer,
};

impl Connection {
    /// The packet with the highest number so far and something else than probing tells where the
    /// peer is (RFC 9000 §9.3).
    pub(super) fn consider_migration(
        &mut self,
        now: Timestamp,
        path: PathId,
        number: u64,
        datagram: &[u8],
    ) {
        let newest = self
            .largest_non_probing
            .is_none_or(|largest| number > largest);
        if !newest {
            return;
        }
        self.largest_non_probing = Some(number);
        if path == self.active.id {
            if self.left.as_ref().is_some_and(|left| left.until.is_none()) {
                self.left = None;
            }
            return;
        }
        let holds = |left: &Left| left.id == path && left.until.is_none_or(|until| now < until);
        if self.left.as_deref().is_some_and(holds) {
            return;
        }
        let returns = self.former.take_if(|former| former.id == path);
        let next = returns.map_or_else(
            || {
                let mut fresh = Path::unproven(path, self.id_for(path));
                fresh.on_received(datagram.len());
                fresh
            },
            |mut former| {
                former.prove(); // it worked a moment ago
                *former
            },
        );
        let (left, returns) = (self.active.id, next.is_validated());
        self.switch_to(now, next);
        if returns {
            self.stay(now, left);
        }
    }

    /// Back on a path that works, the initiator stays there for a while, whatever comes on the one that it left, and
    /// the responder follows: if both did, they could follow each other for ever.
    fn stay(&mut self, now: Timestamp, left: PathId) {
        if self.side == Side::Initiator {
            self.left = Some(Box::new(Left {
                id: left,
                until: Some(now + self.recovery.pto() * 3),
            }));
        }
    }

    /// Makes `next` the active path, remembering the one before.
    fn switch_to(&mut self, now: Timestamp, next: Path) {
        let path = next.id;
        self.left = None;
        let mut left = core::mem::replace(&mut self.active, next);
        if left.is_validated() {
            left.challenge_again();
            if let Some(older) = self.former.replace(Box::new(left)) {
                self.leave(&older);
            }
        } else {
            // Never proven: nothing to come back to.
            self.leave(&left);
        }
        if let Some(given_up) = self.candidate.take_if(|candidate| candidate.id == path) {
            self.leave(&given_up);
        }
        self.recovery.on_path_change(now);
        // Also if nothing may be sent there: then the time-out ends it.
        self.active.look_again(now + self.recovery.pto());
        self.datagrams.set_max_size(self.max_datagram());
        self.stats.path_changes += 1;
        self.push_event(Event::PathChanged(path));
        self.observe(now, Observed::Path(path));
        self.rearm_path();
        self.rearm_recovery();
    }

    /// The answer goes where the challenge came from. One other path than those of the session is
    /// remembered for that, until its answer is out.
    pub(super) fn on_path_challenge(&mut self, path: PathId, data: [u8; 8]) {
        if !self.paths().any(|known| known.id == path) {
            let waits = |probed: &Path| self.responses.has(&probed.id);
            if self.probed.as_deref().is_some_and(waits) {
                return;
            }
            let fresh = Path::validated(path, self.id_for(path));
            if let Some(older) = self.probed.replace(Box::new(fresh)) {
                self.leave(&older);
            }
        }
        self.responses.push(path, data);
    }

    pub(super) fn on_path_response(&mut self, now: Timestamp, data: &[u8; 8]) {
        if self.active.on_response(data) {
            // The session has arrived: the former path is left for good.
            if let Some(former) = self.former.take() {
                self.leave(&former);
            }
        } else if let Some(former) = &mut self.former
            && former.on_response(data)
        {
            // The peer still hears us there; only its own packets move the session back.
        } else if let Some(mut candidate) = self.candidate.take() {
            if candidate.on_response(data) {
                let left = self.active.id;
                self.switch_to(now, *candidate);
                self.left = Some(Box::new(Left {
                    id: left,
                    until: None,
                }));
                self.ping = true; // tells the peer to follow
                if let Some(former) = self.former.take() {
                    self.leave(&former);
                }
            } else {
                self.candidate = Some(candidate);
            }
        }
        self.rearm_path();
    }

    /// Leaves ids that the peer wants back (RFC 9000 §5.1.2).
    pub(super) fn leave_retired(&mut self) -> Result<(), TransportError> {
        self.peer_ids.retire_unused()?;
        while let Some(old) = self.asked_back()
            && let Some(spare) = self.peer_ids.take_spare()
        {
            for path in self.paths_mut().filter(|path| path.peer_sequence == old) {
                path.peer_sequence = spare;
            }
            self.peer_ids.retire(old)?;
        }
        Ok(())
    }

    /// The sequence of an id in use that the peer wants back.
    fn asked_back(&self) -> Option<u64> {
        self.paths()
            .map(|path| path.peer_sequence)
            .find(|sequence| self.peer_ids.must_leave(*sequence))
    }

    /// Gives up the active path: back to the former one, if that works.
    fn on_path_failed(&mut self, now: Timestamp) {
        let failed = self.active.id;
        let Some(mut former) = self.former.take() else {
            self.end(ConnectionError::NoPath);
            self.drain_now(now);
            return;
        };
        former.prove();
        let left = core::mem::replace(&mut self.active, *former);
        self.leave(&left);
        self.recovery.on_path_change(now);
        self.datagrams.set_max_size(self.max_datagram());
        self.stay(now, failed);
        self.push_event(Event::PathFailed(failed));
        self.observe(now, Observed::Path(self.active.id));
        self.rearm_path();
        self.rearm_recovery();
    }

    /// Gives the wire id of a path back that is left, unless another path uses it too.
    pub(super) fn leave(&mut self, path: &Path) {
        let is_shared = self
            .paths()
            .any(|kept| kept.peer_sequence == path.peer_sequence);
        if !is_shared {
            // Refused when more wait to be given back than are remembered. Then the peer keeps one
            // for nothing, which is its own loss: it kept RETIRE_ID from being sent.
            let _ = self.peer_ids.retire(path.peer_sequence);
        }
    }

    /// Which of the peer's ids is for a new path, so that nobody can join it to another: the one
    /// that was used there before, or a spare one. With none left it is that of the active path.
    pub(super) fn id_for(&mut self, path: PathId) -> u64 {
        let probed = self.probed.take_if(|probed| probed.id == path);
        probed
            .map(|probed| probed.peer_sequence)
            .or_else(|| self.peer_ids.take_spare())
            .unwrap_or(self.active.peer_sequence)
    }

    /// All paths that are remembered, the active one first.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        [
            Some(&self.active),
            self.former.as_deref(),
            self.candidate.as_deref(),
            self.probed.as_deref(),
        ]
        .into_iter()
        .flatten()
    }

    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut Path> {
        [
            Some(&mut self.active),
            self.former.as_deref_mut(),
            self.candidate.as_deref_mut(),
            self.probed.as_deref_mut(),
        ]
        .into_iter()
        .flatten()
    }

    pub(super) fn on_path_timeout(&mut self, now: Timestamp) {
        let due = |path: &Path| path.deadline().is_some_and(|at| at <= now);
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
                self.push_event(Event::PathFailed(path));
            } else {
                self.candidate = Some(candidate);
            }
        }
        self.rearm_path();
    }

    pub(super) fn rearm_path(&mut self) {
        let next = self.paths().filter_map(Path::deadline).min();
        self.timers.set_or_stop(Timer::Path, next);
    }
}
