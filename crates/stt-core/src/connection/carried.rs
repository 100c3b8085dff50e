//! What a packet carried, to be told again if it is lost.

use crate::stream;

/// The frames of a packet that matter after the packet is gone.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// Frames of the streams and their flow control.
    pub(super) streams: Vec<stream::Carried>,
    /// An ACK up to this number: once it is acknowledged the peer knows of these packets.
    pub(super) ack: Option<u64>,
    /// NEW_ID and RETIRE_ID, rare.
    pub(super) ids: Vec<IdFrame>,
}

impl Manifest {
    /// Whether nothing would be told again.
    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.ids.is_empty()
    }
}

/// A frame about wire ids, by its sequence.
#[derive(Clone, Copy, Debug)]
pub(super) enum IdFrame {
    New(u64),
    Retire(u64),
}

/// The manifests of packets that came to an end, to be used again: packets cost no allocation.
#[derive(Debug, Default)]
pub(super) struct Pool(Vec<Manifest>);

impl Pool {
    /// Manifests kept for use, enough for what one acknowledgement settles.
    const MAX: usize = 64;
    /// Frames that a kept manifest has room for; larger ones are rare and given back.
    const MAX_FRAMES: usize = 16;

    pub(super) fn take(&mut self) -> Manifest {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn give(&mut self, mut manifest: Manifest) {
        let capacity = manifest.streams.capacity();
        if self.0.len() < Self::MAX && (1..=Self::MAX_FRAMES).contains(&capacity) {
            manifest.streams.clear();
            manifest.ids.clear();
            manifest.ack = None;
            self.0.push(manifest);
        }
    }

    /// Gives the memory back, for a session that falls idle.
    pub(super) fn shrink(&mut self) {
        self.0 = Vec::new();
    }
}
