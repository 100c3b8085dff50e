//! What a packet carried, to be told again if it is lost.

use crate::stream;

/// The frames of a packet that matter after the packet is gone.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// An ACK up to this number: once it is acknowledged the peer knows of these packets.
    pub(super) ack: Option<u64>,
    /// The only frame of the streams, as in nearly every packet of a bulk transfer: here, where nothing else has to be
    /// looked up.
    stream: Option<stream::Carried>,
    /// All frames, if there are others.
    more: Option<Box<More>>,
}

#[derive(Debug, Default)]
struct More {
    /// Frames of the streams and their flow control.
    streams: Vec<stream::Carried>,
    /// NEW_ID and RETIRE_ID, rare.
    ids: Vec<IdFrame>,
}

impl Manifest {
    /// Frames of the streams and their flow control.
    pub(super) fn streams(&self) -> impl Iterator<Item = stream::Carried> {
        let more = self.more.iter().flat_map(|more| &more.streams);
        self.stream.iter().chain(more).copied()
    }

    /// NEW_ID and RETIRE_ID.
    pub(super) fn ids(&self) -> impl Iterator<Item = IdFrame> {
        self.more.iter().flat_map(|more| &more.ids).copied()
    }

    /// Whether nothing would be told again.
    pub(super) fn is_empty(&self) -> bool {
        self.streams().next().is_none() && self.ids().next().is_none()
    }

    /// Takes over the packet's frames of streams, once.
    pub(super) fn set_streams(&mut self, streams: &[stream::Carried], pool: &mut Pool) {
        match *streams {
            [] => {}
            [only] => self.stream = Some(only),
            _ => self.more(pool).streams.extend_from_slice(streams),
        }
    }

    pub(super) fn push_id(&mut self, frame: IdFrame, pool: &mut Pool) {
        self.more(pool).ids.push(frame);
    }

    fn more(&mut self, pool: &mut Pool) -> &mut More {
        self.more
            .get_or_insert_with(|| pool.0.pop().unwrap_or_default())
    }
}

/// A frame about wire ids, by its sequence.
#[derive(Clone, Copy, Debug)]
pub(super) enum IdFrame {
    New(u64),
    Retire(u64),
}

/// The larger manifests of packets that came to an end, to be used again: packets cost no allocation.
#[derive(Debug, Default)]
#[expect(
    clippy::vec_box,
    reason = "the boxes themselves are what is used again"
)]
pub(super) struct Pool(Vec<Box<More>>);

impl Pool {
    /// Manifests kept for use, enough for what one acknowledgement settles.
    const MAX: usize = 64;
    /// Frames that a kept manifest has room for; larger ones are rare and given back.
    const MAX_FRAMES: usize = 16;

    pub(super) fn give(&mut self, manifest: Manifest) {
        if let Some(mut more) = manifest.more
            && self.0.len() < Self::MAX
            && more.streams.capacity() <= Self::MAX_FRAMES
        {
            more.streams.clear();
            more.ids.clear();
            self.0.push(more);
        }
    }

    /// Gives the memory back, for a session that falls idle.
    pub(super) fn shrink(&mut self) {
        self.0 = Vec::new();
    }
}
