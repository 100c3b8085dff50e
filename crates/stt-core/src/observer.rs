//! What sessions do, told while they do it.

use core::fmt;
use std::sync::Arc;

use crate::{PathId, Side, Stats, Timestamp};

/// Watches sessions: told what each does at the moment it does it, for traces.
///
/// It sees inner frames in the clear. Set in [`SessionConfig`](crate::SessionConfig), it watches
/// every session of the endpoint.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Observation<'_>) + Send + Sync>);

impl Observer {
    /// Calls `tell` with everything.
    pub fn new(tell: impl Fn(&Observation<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, observation: &Observation<'_>) {
        (self.0)(observation);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

/// One thing that a session did.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// When.
    pub now: Timestamp,
    /// The session's id, the same at both ends.
    pub session: [u8; 8],
    /// Which end.
    pub side: Side,
    /// What.
    pub what: Observed<'a>,
}

/// What a session did.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Observed<'a> {
    /// It sealed a packet.
    PacketSent(Packet<'a>),
    /// It opened a packet that had not come before.
    PacketReceived(Packet<'a>),
    /// A datagram changed nothing.
    PacketDropped {
        /// Its bytes.
        size: usize,
        /// It opened, but had come before, or is too old to tell; else it did not open.
        duplicate: bool,
    },
    /// A packet counts as lost.
    PacketLost {
        /// Its number.
        number: u64,
    },
    /// Round-trip time, window or bytes in flight may have changed.
    Metrics(&'a Stats),
    /// New keys, from the next packet on.
    KeysUpdated {
        /// Of the sending direction, 0 at first.
        epoch: u64,
        /// The peer began it.
        by_peer: bool,
    },
    /// It goes on over this path.
    Path(PathId),
    /// It has come to this stage of its life.
    Stage(Stage),
}

/// A packet and where it went or came from.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number, whole.
    pub number: u64,
    /// Key phase bit.
    pub phase: bool,
    /// Bytes of the datagram.
    pub size: usize,
    /// Inner frames, in the clear.
    pub frames: &'a [u8],
    /// Its path.
    pub path: PathId,
}

/// A stage of a session's life (`docs/spec/stt-session.md` §1, §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Both ends have the keys.
    Confirmed,
    /// This end has closed it.
    Closing,
    /// The peer has closed it.
    Draining,
    /// It is over.
    Closed,
}
