//! What the invariants of simulated runs look at inside a session.

use super::Connection;
use crate::wire::EcnCounts;

/// A moment of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    /// One more with each path that the session moves to.
    pub(crate) path_generation: u32,
    /// Marks don't come through on this path, as far as this end can tell.
    pub(crate) ecn_has_failed: bool,
    /// Packets that came with a mark and opened.
    pub(crate) marks: EcnCounts,
    /// The congestion window, and the least that it may be, bytes; none on reliable links.
    pub(crate) window: Option<(u64, u64)>,
}

impl Connection {
    pub(crate) fn watch(&self) -> Watched {
        let window = (self.recovery.cwnd(), 2 * u64::from(self.recovery.mtu()));
        Watched {
            path_generation: self.recovery.path_generation(),
            ecn_has_failed: self.recovery.ecn_has_failed(),
            marks: self.received.ecn().unwrap_or_default(),
            window: (!self.profile.reliable).then_some(window),
        }
    }
}
