use crate::{Ecn, PathId};

/// What `poll_transmit` wrote to the caller's buffer, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Transmit {
    /// The path to send on.
    pub path: PathId,
    /// The ECN field to send with.
    pub ecn: Ecn,
    /// Bytes written to the buffer, all datagrams together.
    pub size: usize,
    /// Set if there is more than one datagram: each but the last has this many bytes.
    pub segment_size: Option<usize>,
}
