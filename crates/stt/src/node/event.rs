use std::{fmt, net::SocketAddr};

use stt_core::{PathId, Side, handshake::Refusal};
use stt_crypto::NodeId;

use crate::{error::CloseReason, transport::path::Route};

/// What happens in a node, for those who watch it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NodeEvent {
    /// A session is over.
    Closed {
        /// The session's id.
        session: [u8; 8],
        /// Who was at the other end.
        peer: NodeId,
        /// Why.
        reason: CloseReason,
    },
    /// Both ends use new keys.
    KeysUpdated {
        /// The session's id.
        session: [u8; 8],
        /// Updates since it began.
        epoch: u64,
    },
    /// A message of a peer was dropped: its handler failed, nobody was there for it, or it was none.
    MessageFailed {
        /// The session's id.
        session: [u8; 8],
        /// Why.
        reason: String,
    },
    /// Packets of a session did not open: damaged, or forged. Told at the first, second, fourth,
    /// eighth …
    OpenFailed {
        /// The session's id.
        session: [u8; 8],
        /// All so far.
        total: u64,
    },
    /// A session is open.
    Opened {
        /// The session's id.
        session: [u8; 8],
        /// Who is at the other end.
        peer: NodeId,
        /// Which end this node is.
        side: Side,
    },
    /// A session goes on over another path.
    PathChanged {
        /// The session's id.
        session: [u8; 8],
        /// Where to.
        to: PathAddress,
    },
    /// The way to a new path did not work: the session stays where it was.
    PathFailed {
        /// The session's id.
        session: [u8; 8],
        /// Where to.
        to: PathAddress,
    },
    /// Somebody was not let in. At most one of a kind in a second.
    Refused {
        /// Where it came from.
        from: PathAddress,
        /// Why.
        refusal: Refusal,
        /// How many of this kind were not told before it.
        unreported: u64,
    },
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathAddress {
    /// To a UDP address.
    Udp(SocketAddr),
    /// Over the reliable link of this number.
    Link(u64),
    /// Nowhere that this node knows.
    Unknown,
}

impl PathAddress {
    /// The UDP address.
    pub const fn udp(&self) -> Option<SocketAddr> {
        match self {
            Self::Udp(address) => Some(*address),
            Self::Link(_) | Self::Unknown => None,
        }
    }
}

impl From<PathId> for PathAddress {
    fn from(path: PathId) -> Self {
        match Route::from_path(&path) {
            Some(Route::Udp { remote, .. }) => Self::Udp(remote),
            Some(Route::Link(number)) => Self::Link(number),
            None => Self::Unknown,
        }
    }
}

impl fmt::Display for PathAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(address) => write!(f, "udp {address}"),
            Self::Link(number) => write!(f, "link {number}"),
            Self::Unknown => f.write_str("an unknown path"),
        }
    }
}
