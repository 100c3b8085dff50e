//! What can go wrong, by family of calls.

use std::{io, net::SocketAddr};

use stt_core::{
    ConnectionError,
    endpoint::{ConnectError as BeginError, OpenError},
    handshake::TooManySeeds,
};
use stt_crypto::{NodeId, secret::EmptySeed};
use stt_store::ChamberError;

use crate::transport::WsError;

/// Why a node can't be made or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// It runs already.
    #[error("the node has been started already: stop it first")]
    AlreadyStarted,
    /// The address can't be bound.
    #[error(
        "can't bind {address}: {source}; is the port in use, or the address not of this machine?"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The chamber can't be opened or written.
    #[error(transparent)]
    Chamber(#[from] ChamberError),
    /// A seed without bytes.
    #[error("{which}: {source}")]
    EmptySeed {
        /// Which seed.
        which: &'static str,
        /// What it should have.
        source: EmptySeed,
    },
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    NoRandomness(getrandom::Error),
    /// It isn't running.
    #[error("the node is not running: start it first")]
    NotStarted,
    /// The host's name doesn't resolve.
    #[error("can't resolve host {host:?}: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// A socket fails.
    #[error("socket: {0}")]
    Socket(io::Error),
    /// Too many shared seeds.
    #[error(transparent)]
    TooManySeeds(#[from] TooManySeeds),
    /// How to listen for WebSockets.
    #[error("WebSocket: {0}")]
    WebSocket(#[from] WsError),
}

/// Why a session can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The attempt can't begin.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// An address of the other family than the node's.
    #[error(
        "can't reach {peer} from {local}: bind the node to an address of the same family, or to \"::\""
    )]
    Family {
        /// Where to.
        peer: SocketAddr,
        /// Where the node is bound.
        local: SocketAddr,
    },
    /// The connection that was to carry it was closed.
    #[error("the connection beneath the session was closed before it was open")]
    LinkClosed,
    /// It began, and failed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The host's name doesn't resolve.
    #[error("can't resolve host {host:?}: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// The node isn't running.
    #[error("the node is not running")]
    Stopped,
    /// The WebSocket beneath the session.
    #[error("WebSocket: {0}")]
    WebSocket(#[from] WsError),
}

impl ConnectError {
    /// Whether nobody answered in time.
    pub const fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::Open(OpenError::TimedOut { .. }) | Self::WebSocket(WsError::TimedOut(_))
        )
    }

    /// The node that answered in place of the expected one.
    pub const fn wrong_peer(&self) -> Option<NodeId> {
        match self {
            Self::Open(OpenError::WrongPeer { found }) => Some(*found),
            _ => None,
        }
    }
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// As the protocol tells it: closed by an end, timed out, reset, or against the rules.
    #[error(transparent)]
    Session(#[from] ConnectionError),
    /// The connection that carried it (a WebSocket) was closed.
    #[error("the connection beneath the session was closed")]
    LinkClosed,
    /// The node was stopped.
    #[error("the node was stopped")]
    Stopped,
}

impl CloseReason {
    /// The code that the peer's application closed with.
    pub const fn peer_code(&self) -> Option<u64> {
        match self {
            Self::Session(ConnectionError::ApplicationClosed { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// Whether this end ended it: by a close, by dropping it, or by stopping the node.
    pub const fn is_local(&self) -> bool {
        matches!(
            self,
            Self::Session(ConnectionError::LocallyClosed) | Self::Stopped
        )
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Session(ConnectionError::TimedOut) => io::ErrorKind::TimedOut,
            Self::Session(ConnectionError::Reset | ConnectionError::ApplicationClosed { .. }) => {
                io::ErrorKind::ConnectionReset
            }
            Self::Session(ConnectionError::LocallyClosed) | Self::Stopped => {
                io::ErrorKind::NotConnected
            }
            _ => io::ErrorKind::ConnectionAborted,
        }
    }
}

/// Why nothing was written to a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// It was finished or reset before.
    #[error("the stream was finished or reset before")]
    Closed,
    /// The session is over.
    #[error("session over: {0}")]
    Session(#[from] CloseReason),
    /// The peer wants no more of it.
    #[error("stopped by the peer with code {0}")]
    Stopped(u64),
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        let kind = match &error {
            WriteError::Session(reason) => reason.kind(),
            WriteError::Stopped(_) => io::ErrorKind::ConnectionReset,
            WriteError::Closed => io::ErrorKind::BrokenPipe,
        };
        Self::new(kind, error)
    }
}

/// Why nothing was read from a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It was read to its end, or stopped, before.
    #[error("the stream was read to its end or stopped before")]
    Closed,
    /// The peer gave it up.
    #[error("reset by the peer with code {0}")]
    Reset(u64),
    /// The session is over.
    #[error("session over: {0}")]
    Session(#[from] CloseReason),
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::Session(reason) => reason.kind(),
            ReadError::Reset(_) => io::ErrorKind::ConnectionReset,
            ReadError::Closed => io::ErrorKind::NotConnected,
        };
        Self::new(kind, error)
    }
}

/// Why a stream was not read to its end in one call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadToEndError {
    /// There is more than the caller allows.
    #[error(
        "the stream holds more than the {limit} bytes allowed: raise the limit, or read it in pieces"
    )]
    TooLong {
        /// What the caller allows, bytes.
        limit: usize,
    },
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a datagram was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatagramError {
    /// The session is over.
    #[error("session over: {0}")]
    Session(#[from] CloseReason),
    /// Longer than the path, the peer or the buffer takes.
    #[error("datagram of {len} bytes, at most {max} can be sent now: cut it, or use a stream")]
    TooLarge {
        /// Its length, bytes.
        len: usize,
        /// What can be sent now, bytes.
        max: usize,
    },
}

/// Why a session stays on its path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The new address can't be bound, or resolved.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// It runs over a WebSocket, or another link that has no address.
    #[error("the session doesn't run over UDP: open another one")]
    NotUdp,
    /// A later call to move the session took the place of this one.
    #[error("a later call moves the session elsewhere")]
    Overtaken,
    /// The peer was not reached from there.
    #[error("the peer can't be reached from the new address: the session stays where it was")]
    PathFailed,
    /// The session is over.
    #[error("session over: {0}")]
    Session(#[from] CloseReason),
    /// The node has 256 sockets open.
    #[error("the node has 256 sockets open, one for each move of its sessions: let some end first")]
    TooManySockets,
}
