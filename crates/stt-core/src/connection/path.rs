//! Paths and their validation (`docs/spec/stt-session.md` §7, RFC 9000 §8.2, §9).

use crate::{PathId, Timestamp};

/// On a path that is not validated, bytes sent stay under this multiple of bytes received
/// (RFC 9000 §8.1).
const AMPLIFICATION: u64 = 3;
/// Challenges sent before a path is given up.
const MAX_CHALLENGES: usize = 3;
/// Paths with an answer waiting at one time.
const MAX_RESPONSES: usize = 2;

/// One way to the peer.
pub(super) struct Path {
    pub(super) id: PathId,
    /// Sequence of the peer's wire id in use here.
    pub(super) peer_sequence: u64,
    received: u64,
    sent: u64,
    validation: Validation,
}

/// A path that packets do not move the session back to, for they were sent before the peer knew.
pub(super) struct Left {
    pub(super) id: PathId,
    /// Until then, or until the peer is heard on the new path.
    pub(super) until: Option<Timestamp>,
}

enum Validation {
    Done,
    Pending(Challenges),
}

/// The challenges that are out: the answer to any of them counts.
#[derive(Default)]
struct Challenges {
    sent: [Option<[u8; 8]>; MAX_CHALLENGES],
    /// Deadlines that have passed.
    rounds: usize,
    /// One more is to be sent.
    due: bool,
    next: Option<Timestamp>,
}

/// What a validation timer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PathTimeout {
    /// Another challenge is due.
    Again,
    /// The path does not work.
    Failed,
}

impl Path {
    /// A path that is known to work.
    pub(super) fn validated(id: PathId, peer_sequence: u64) -> Self {
        Self {
            id,
            peer_sequence,
            received: 0,
            sent: 0,
            validation: Validation::Done,
        }
    }

    /// A path that a challenge is to be sent on.
    pub(super) fn unproven(id: PathId, peer_sequence: u64) -> Self {
        Self {
            validation: Validation::Pending(Challenges {
                due: true,
                ..Challenges::default()
            }),
            ..Self::validated(id, peer_sequence)
        }
    }

    pub(super) fn is_validated(&self) -> bool {
        matches!(self.validation, Validation::Done)
    }

    /// Begins validation of a path that worked before.
    pub(super) fn challenge_again(&mut self) {
        self.validation = Validation::Pending(Challenges {
            due: true,
            ..Challenges::default()
        });
    }

    /// The path is known to work by other means than a challenge.
    pub(super) fn prove(&mut self) {
        self.validation = Validation::Done;
    }

    pub(super) fn on_received(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
    }

    pub(super) fn on_sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
    }

    /// Bytes that may be sent now.
    pub(super) fn allowance(&self) -> u64 {
        match self.validation {
            Validation::Done => u64::MAX,
            Validation::Pending(_) => self
                .received
                .saturating_mul(AMPLIFICATION)
                .saturating_sub(self.sent),
        }
    }

    pub(super) fn challenge_due(&self) -> bool {
        matches!(&self.validation, Validation::Pending(challenges) if challenges.due)
    }

    /// A challenge with `data` goes out; `next` is when to look again.
    pub(super) fn on_challenge_sent(&mut self, data: [u8; 8], next: Timestamp) {
        if let Validation::Pending(challenges) = &mut self.validation {
            if let Some(free) = challenges.sent.iter_mut().find(|slot| slot.is_none()) {
                *free = Some(data);
            }
            challenges.due = false;
            challenges.next = Some(next);
        }
    }

    /// When to look at the validation again.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match &self.validation {
            Validation::Pending(challenges) => challenges.next,
            Validation::Done => None,
        }
    }

    /// Sets when to look again in case no challenge can be sent before.
    pub(super) fn look_again(&mut self, at: Timestamp) {
        if let Validation::Pending(challenges) = &mut self.validation {
            challenges.next = Some(at);
        }
    }

    /// The deadline has passed.
    pub(super) fn on_timeout(&mut self) -> PathTimeout {
        let Validation::Pending(challenges) = &mut self.validation else {
            return PathTimeout::Again;
        };
        challenges.next = None;
        // A challenge that could not be afforded counts as one that was lost.
        challenges.rounds += 1;
        if challenges.rounds == MAX_CHALLENGES {
            return PathTimeout::Failed;
        }
        challenges.due = true;
        PathTimeout::Again
    }

    /// An answer from the peer; true if it validates this path.
    pub(super) fn on_response(&mut self, data: &[u8; 8]) -> bool {
        let Validation::Pending(challenges) = &self.validation else {
            return false;
        };
        let ours = challenges.sent.iter().flatten().any(|sent| sent == data);
        if ours {
            self.validation = Validation::Done;
        }
        ours
    }
}

/// Answers to the peer's challenges that wait to be sent, each on the path that it came on.
#[derive(Default)]
pub(super) struct Responses([Option<(PathId, [u8; 8])>; MAX_RESPONSES]);

impl Responses {
    /// The latest challenge of a path counts; with answers waiting for two other paths it is
    /// dropped.
    pub(super) fn push(&mut self, path: PathId, data: [u8; 8]) {
        let same = self
            .0
            .iter()
            .position(|slot| slot.is_some_and(|(waiting, _)| waiting == path));
        let slot = same.or_else(|| self.0.iter().position(Option::is_none));
        if let Some(index) = slot {
            self.0[index] = Some((path, data));
        }
    }

    /// Takes the answer for `path`.
    pub(super) fn take(&mut self, path: &PathId) -> Option<[u8; 8]> {
        self.0
            .iter_mut()
            .find(|slot| slot.is_some_and(|(waiting, _)| waiting == *path))?
            .take()
            .map(|(_, data)| data)
    }

    /// Takes an answer for any path but `active`.
    pub(super) fn take_other(&mut self, active: &PathId) -> Option<(PathId, [u8; 8])> {
        self.0
            .iter_mut()
            .find(|slot| slot.is_some_and(|(waiting, _)| waiting != *active))?
            .take()
    }

    pub(super) fn has(&self, path: &PathId) -> bool {
        self.0
            .iter()
            .any(|slot| slot.is_some_and(|(waiting, _)| waiting == *path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: u8) -> PathId {
        PathId::new(&[name]).unwrap()
    }

    #[test]
    fn three_times_what_came_until_it_is_validated() {
        let mut path = Path::unproven(path(1), 0);
        assert_eq!(path.allowance(), 0);
        path.on_received(100);
        path.on_sent(250);
        assert_eq!(path.allowance(), 50);
        path.on_challenge_sent([7; 8], Timestamp::ZERO);
        assert!(!path.on_response(&[8; 8]));
        assert!(path.on_response(&[7; 8]));
        assert_eq!(path.allowance(), u64::MAX);
    }

    #[test]
    fn given_up_after_three_challenges() {
        let mut path = Path::unproven(path(1), 0);
        for number in 0..3 {
            assert!(path.challenge_due());
            path.on_challenge_sent([number; 8], Timestamp::ZERO);
            let expected = if number < 2 {
                PathTimeout::Again
            } else {
                PathTimeout::Failed
            };
            assert_eq!(path.on_timeout(), expected);
        }
    }

    #[test]
    fn a_flood_of_challenges_keeps_two_answers() {
        let mut responses = Responses::default();
        for number in 0..100 {
            responses.push(path(number), [number; 8]);
        }
        responses.push(path(1), [99; 8]);
        assert_eq!(responses.take(&path(1)), Some([99; 8]));
        assert_eq!(responses.take_other(&path(9)), Some((path(0), [0; 8])));
        assert_eq!(responses.take_other(&path(9)), None);
    }
}
