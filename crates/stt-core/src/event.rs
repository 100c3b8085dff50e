use crate::{DatagramEvent, PathId, StreamEvent, connection::ConnectionError};

/// What a session has to tell its application, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Both ends have the keys: data may flow. Comes once, before any other event.
    Confirmed,
    /// Something about streams.
    Stream(StreamEvent),
    /// Something about datagrams.
    Datagram(DatagramEvent),
    /// Both ends use keys of this epoch, the number of updates so far.
    KeysUpdated {
        /// Updates since the session began.
        epoch: u64,
    },
    /// Packets did not open. Counted; told at the first, second, fourth, eighth … one.
    OpenFailed {
        /// All of them so far.
        total: u64,
    },
    /// The session goes on over another path.
    PathChanged(PathId),
    /// The way to a new path did not work; the session stays where it was.
    PathFailed(PathId),
    /// The session is over. Comes once, as the last event.
    Closed(ConnectionError),
}
