use stt_crypto::NodeId;

use super::ConnectionHandle;
use crate::{
    Event, PathId, Side,
    handshake::{Refusal, ResponseError},
};

/// What an [`Endpoint`](super::Endpoint) has to tell its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointEvent {
    /// An attempt to open a session failed; the handle names nothing any more.
    Failed {
        /// The attempt.
        handle: ConnectionHandle,
        /// Why.
        error: OpenError,
    },
    /// A session is confirmed; comes before its other events.
    Opened {
        /// The session: of an attempt, the same handle.
        handle: ConnectionHandle,
        /// Which end this is.
        side: Side,
        /// Who is at the other, proven.
        peer: NodeId,
    },
    /// A HELLO was refused. At most one of each kind in a second.
    Refused {
        /// Where it came from.
        path: PathId,
        /// Why.
        refusal: Refusal,
        /// How many of this kind were not told before it.
        unreported: u64,
    },
    /// Something happened in a session.
    Session {
        /// The session. After [`Event::Closed`] it names nothing any more, as soon as the session has
        /// told its peer.
        handle: ConnectionHandle,
        /// What.
        event: Event,
    },
    /// A peer resumes a session: delete the ticket of this id durably, then call
    /// [`Endpoint::ticket_taken`](super::Endpoint::ticket_taken).
    TakeTicket {
        /// To be handed back.
        request: TicketRequest,
        /// The ticket's id.
        id: [u8; 16],
    },
}

/// Stands for the question whether a ticket is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRequest(pub(super) u64);

/// Why an attempt can't begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The expected peer isn't among the allowed ones.
    #[error("node {0} is expected but not allowed: add it to the allowed peers")]
    NotAllowed(NodeId),
    /// The link takes no HELLO and does not fragment.
    #[error(
        "the link takes {mtu} bytes, a handshake needs {} or a bearer that fragments",
        MIN_MTU
    )]
    PathTooSmall {
        /// What the link takes.
        mtu: u16,
    },
    /// All sessions that the endpoint may have are in use.
    #[error("the endpoint has as many sessions as it may have: close some, or raise the limit")]
    TooManySessions,
    /// All wire ids of the endpoint's length are in use.
    #[error("all wire ids are in use: close some sessions, or make the ids longer")]
    NoWireIds,
}

/// Why an attempt to open a session failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An authentic answer that can't be used.
    #[error(transparent)]
    Answer(#[from] ResponseError),
    /// The caller gave up.
    #[error("cancelled")]
    Cancelled,
    /// No answer.
    #[error(
        "no answer: the peer is unreachable, or holds another seed{}",
        Hint(hint)
    )]
    TimedOut {
        /// Versions and suites that something on the way claimed to speak: a hint, not proven.
        hint: Vec<(u8, u8)>,
    },
    /// Another node than the expected one.
    #[error("node {found} answered instead of the expected one")]
    WrongPeer {
        /// Who answered.
        found: NodeId,
    },
}

struct Hint<'a>(&'a [(u8, u8)]);

impl core::fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (number, (version, suite)) in self.0.iter().enumerate() {
            f.write_str(if number == 0 {
                "; it may speak only "
            } else {
                ", "
            })?;
            write!(f, "version {version} suite {suite}")?;
        }
        Ok(())
    }
}

/// A HELLO with all that it may hold fits.
pub(super) const MIN_MTU: u16 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_says_what_may_be_wrong() {
        let plain = OpenError::TimedOut { hint: Vec::new() };
        assert_eq!(
            plain.to_string(),
            "no answer: the peer is unreachable, or holds another seed"
        );
        let hinted = OpenError::TimedOut {
            hint: vec![(2, 1), (3, 1)],
        };
        assert!(
            hinted
                .to_string()
                .ends_with("; it may speak only version 2 suite 1, version 3 suite 1")
        );
    }
}
