use core::ops::Not;

/// Which end of a session: the one that sent the HELLO or the one that answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Sent the HELLO.
    Initiator = 0,
    /// Answered it.
    Responder = 1,
}

impl Not for Side {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// Whether a stream carries bytes both ways or from its initiator only (RFC 9000 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dir {
    /// Both ends send.
    Bi = 0,
    /// Only the end that opened it sends.
    Uni = 1,
}
