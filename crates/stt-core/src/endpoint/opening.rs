use core::time::Duration;

use stt_crypto::NodeId;

use super::OpenError;
use crate::{
    LinkProfile, PathId, Timestamp,
    handshake::{Agreed, Attempt, Credentials, Icid, ResponseError},
    wire::{Limits, WireId},
};

/// An attempt to open a session, with its timers (`docs/spec/stt-handshake.md` §5, §6, §8).
pub(super) struct Opening {
    attempt: Attempt,
    /// The full handshake beside an attempt to resume: whichever is answered first counts.
    fallback: Option<Attempt>,
    pub(super) path: PathId,
    pub(super) profile: LinkProfile,
    pub(super) local_id: WireId,
    /// What the peer is told.
    pub(super) local_limits: Limits,
    expected: Option<NodeId>,
    /// HELLOs sent so far of the attempt that is under way, and of all.
    copies: u32,
    total: u32,
    first_sent: Timestamp,
    is_due: bool,
    resend_at: Option<Timestamp>,
    gives_up: Timestamp,
    hint: Vec<(u8, u8)>,
    wrong_peer: Option<NodeId>,
}

/// What a timer or an answer leads to.
pub(super) enum Step {
    /// Nothing to do, or a HELLO is due: ask [`Opening::transmit`].
    Wait,
    /// Begin the full handshake beside this one: [`Opening::fall_back`].
    FallBack,
    Fail(OpenError),
}

impl Opening {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is stored, none has a natural group"
    )]
    pub(super) fn new(
        now: Timestamp,
        attempt: Attempt,
        path: PathId,
        profile: LinkProfile,
        local_id: WireId,
        local_limits: Limits,
        expected: Option<NodeId>,
        timeout: Duration,
    ) -> Self {
        Self {
            attempt,
            fallback: None,
            path,
            profile,
            local_id,
            local_limits,
            expected,
            copies: 0,
            total: 0,
            first_sent: now,
            is_due: true,
            resend_at: None,
            gives_up: now + timeout,
            hint: Vec::new(),
            wrong_peer: None,
        }
    }

    /// The HELLO, if one is due.
    pub(super) fn transmit(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        if !core::mem::take(&mut self.is_due) {
            return None;
        }
        let hello = self.current().hello();
        if self.total == 0 {
            self.first_sent = now;
        }
        let timers = self.profile.timers();
        self.resend_at = if !self.profile.reliable {
            let both = hello.len() as u64 + RESPONSE_LEN;
            Some(now + timers.hello_timer(self.copies, both))
        } else if self.waits_for_ticket() {
            // Nothing is lost there, but the peer may have no use for the ticket.
            Some(now + RELIABLE_FALLBACK)
        } else {
            None
        };
        self.copies += 1;
        self.total += 1;
        Some(hello)
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.resend_at
            .map_or(self.gives_up, |resend| resend.min(self.gives_up))
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) -> Step {
        let is_resend = self.resend_at.is_some_and(|resend| resend <= now);
        if let Some(found) = self.wrong_peer
            && (is_resend || self.gives_up <= now || self.resend_at.is_none())
        {
            return Step::Fail(OpenError::WrongPeer { found });
        }
        if self.gives_up <= now {
            let hint = core::mem::take(&mut self.hint);
            return Step::Fail(OpenError::TimedOut { hint });
        }
        if is_resend {
            self.resend_at = None;
            let enough = if self.profile.reliable { 1 } else { 2 };
            if self.waits_for_ticket() && self.copies >= enough {
                return Step::FallBack;
            }
            self.is_due = true;
        }
        Step::Wait
    }

    /// Reads a HELLO_RESP. `Ok` once: the session can begin, with the ephemeral key that won, and
    /// whether a ticket did.
    pub(super) fn on_response(
        &mut self,
        now: Timestamp,
        credentials: &Credentials,
        datagram: &[u8],
        is_allowed: impl Fn(&NodeId) -> bool,
    ) -> Result<([u8; 32], bool, Agreed), Step> {
        let expected = self.expected;
        let wanted =
            |peer: &NodeId| expected.is_none_or(|expected| expected == *peer) && is_allowed(peer);
        let mut outcome = None;
        for attempt in [Some(&mut self.attempt), self.fallback.as_mut()]
            .into_iter()
            .flatten()
        {
            match attempt.on_response(credentials, datagram, wanted) {
                Ok(agreed) => {
                    return Ok((attempt.ephemeral(), attempt.is_resumption(), agreed));
                }
                Err(ResponseError::OtherAttempt { .. } | ResponseError::Malformed(_)) => {}
                Err(error) => outcome = Some(error),
            }
        }
        Err(match outcome {
            Some(ResponseError::WrongPeer { found }) => {
                self.wrong_peer = Some(found);
                // A little time for the right one: its answer may be on the way.
                if self.resend_at.is_none() {
                    self.resend_at = Some(now + RELIABLE_FALLBACK);
                }
                Step::Wait
            }
            Some(error @ (ResponseError::Parameters(_) | ResponseError::AeadNotOffered)) => {
                Step::Fail(error.into())
            }
            _ => Step::Wait,
        })
    }

    /// Reads a COOKIE; `true` if a HELLO is due by it.
    pub(super) fn on_cookie(&mut self, credentials: &Credentials, datagram: &[u8]) -> bool {
        let psk = credentials.psk();
        let attempt = self.fallback.as_mut().unwrap_or(&mut self.attempt);
        let changed = attempt.on_cookie(psk, datagram);
        self.is_due |= changed;
        changed
    }

    /// Reads a VERSIONS, which is a hint only.
    pub(super) fn on_versions(&mut self, datagram: &[u8]) -> Step {
        let Some(pairs) = self.current().on_versions(datagram) else {
            return Step::Wait;
        };
        self.hint = pairs;
        if self.waits_for_ticket() {
            Step::FallBack
        } else {
            Step::Wait
        }
    }

    /// Goes on with a full handshake.
    pub(super) fn fall_back(&mut self, full: Attempt) {
        self.fallback = Some(full);
        self.hint.clear();
        self.copies = 0;
        self.is_due = true;
    }

    /// The time from the only HELLO to its answer, which came `now`.
    pub(super) fn rtt(&self, now: Timestamp) -> Option<Duration> {
        (self.total == 1).then(|| now.saturating_since(self.first_sent))
    }

    /// Names and public ephemeral keys of what is under way.
    pub(super) fn names(&self) -> impl Iterator<Item = (Icid, [u8; 32])> {
        [Some(&self.attempt), self.fallback.as_ref()]
            .into_iter()
            .flatten()
            .map(|attempt| (attempt.icid(), attempt.ephemeral()))
    }

    fn current(&self) -> &Attempt {
        self.fallback.as_ref().unwrap_or(&self.attempt)
    }

    fn waits_for_ticket(&self) -> bool {
        self.attempt.is_resumption() && self.fallback.is_none()
    }
}

/// A HELLO_RESP that states everything (`docs/spec/stt-handshake.md` §6.1).
const RESPONSE_LEN: u64 = 119;
/// What stands in for the HELLO timer on links that lose nothing.
const RELIABLE_FALLBACK: Duration = Duration::from_secs(1);
