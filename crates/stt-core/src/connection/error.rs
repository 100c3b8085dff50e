use crate::{Code, TransportError};

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// This end closed it.
    #[error("closed by this end")]
    LocallyClosed,
    /// The peer's application closed it.
    #[error("closed by the peer with code {code}: {reason}")]
    ApplicationClosed {
        /// What the peer's application gave.
        code: u64,
        /// Its words, for people; invalid UTF-8 replaced.
        reason: String,
    },
    /// The peer found that this end broke a rule.
    #[error("closed by the peer's transport: {code}: {reason}")]
    ConnectionClosed {
        /// The rule.
        code: Code,
        /// The peer's words, for people; invalid UTF-8 replaced.
        reason: String,
    },
    /// The peer broke a rule; it has been told.
    #[error("the peer broke a rule: {0}")]
    Transport(TransportError),
    /// Nothing was heard for the idle time-out. The peer or the link is gone: connect again.
    #[error("nothing heard for the idle time-out")]
    TimedOut,
    /// The peer has restarted and knows nothing of this session: connect again.
    #[error("the peer has lost the session, it seems to have restarted")]
    Reset,
    /// The only path stopped working.
    #[error("no path to the peer works")]
    NoPath,
}

impl From<TransportError> for ConnectionError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}
