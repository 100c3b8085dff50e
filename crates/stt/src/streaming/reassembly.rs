use std::collections::BTreeMap;

use stt_crypto::{SegmentOpener, secret::StreamContext};

use super::DecodeError;

/// How much a decoder may hold (`docs/spec/stt-primitives.md` §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReassemblyLimits {
    /// Bytes that wait for an earlier segment, each segment counting its plaintext and
    /// [`Self::SEGMENT_COST`]; 64 MiB by default.
    pub reorder_bytes: usize,
    /// Bytes in order that were not taken yet; 1 GiB by default.
    pub ready_bytes: usize,
}

impl ReassemblyLimits {
    /// What a segment costs beside its plaintext, bytes: so that empty ones are bounded as well.
    pub const SEGMENT_COST: usize = 64;
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self {
            reorder_bytes: 64 << 20,
            ready_bytes: 1 << 30,
        }
    }
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It, and perhaps early ones behind it, can be taken.
    Ready,
    /// It waits for an earlier one.
    Early,
    /// It was there already.
    Duplicate,
}

/// Puts the segments of one encoder in order: the decoder without its waiting
/// (`docs/spec/stt-primitives.md` §2). [`super::BinaryStreamDecoder`] shares one between tasks.
#[derive(Debug)]
pub struct Reassembly {
    opener: SegmentOpener,
    limits: ReassemblyLimits,
    /// The segment that is next in order.
    next: u64,
    /// How many segments the stream has, once the last was seen.
    end: Option<u64>,
    ready: Vec<u8>,
    early: BTreeMap<u64, Vec<u8>>,
    early_cost: usize,
    /// Where segments are opened.
    scratch: Vec<u8>,
}

impl Reassembly {
    /// For the segments of one encoder on `context`, whichever is heard first.
    pub fn new(context: &StreamContext, limits: ReassemblyLimits) -> Self {
        Self {
            opener: context.opener(),
            limits,
            next: 0,
            end: None,
            ready: Vec::new(),
            early: BTreeMap::new(),
            early_cost: 0,
            scratch: Vec::new(),
        }
    }

    /// Takes segment `sequence`.
    ///
    /// # Errors
    ///
    /// It is refused ([`DecodeError`]); nothing has changed then.
    pub fn receive(&mut self, segment: &[u8], sequence: u64) -> Result<Received, DecodeError> {
        if sequence < self.next || self.early.contains_key(&sequence) {
            return Ok(Received::Duplicate);
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(segment);
        let opened = self
            .opener
            .open(sequence, &mut self.scratch)
            .map_err(|cause| DecodeError::Segment { sequence, cause })?;

        let is_next = sequence == self.next;
        let end = match self.end {
            Some(end) if sequence >= end || opened.last => {
                return Err(DecodeError::Beyond { sequence, end });
            }
            None if opened.last => {
                // The largest early one is past this one's place.
                if self
                    .early
                    .last_key_value()
                    .is_some_and(|(&at, _)| at > sequence)
                {
                    let end = sequence + 1;
                    return Err(DecodeError::Beyond { sequence, end });
                }
                Some(sequence + 1)
            }
            end => end,
        };
        if is_next {
            let limit = self.limits.ready_bytes;
            // One segment is always taken, however small the limit.
            if !self.ready.is_empty() && self.ready.len() + opened.plaintext.len() > limit {
                return Err(DecodeError::ReadyFull { sequence, limit });
            }
            self.ready.extend_from_slice(opened.plaintext);
            self.next += 1;
        } else {
            let cost = opened.plaintext.len() + ReassemblyLimits::SEGMENT_COST;
            let limit = self.limits.reorder_bytes;
            if cost > limit - self.early_cost {
                return Err(DecodeError::ReorderFull {
                    sequence,
                    missing: self.next,
                    limit,
                });
            }
            self.early_cost += cost;
            self.early.insert(sequence, opened.plaintext.to_vec());
        }
        self.end = end;
        self.promote();
        Ok(if is_next {
            Received::Ready
        } else {
            Received::Early
        })
    }

    /// Takes everything that is in order.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Whether there is something to [`take`](Self::take).
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether the last segment and all before it were received and are in order.
    pub fn is_complete(&self) -> bool {
        self.end == Some(self.next)
    }

    /// The first segment that is missing.
    pub fn missing(&self) -> u64 {
        self.next
    }

    /// Early segments that have become the next in order. What they hold is
    /// bounded already, so the limit on ready bytes isn't asked again.
    fn promote(&mut self) {
        while let Some(plaintext) = self.early.remove(&self.next) {
            self.early_cost -= plaintext.len() + ReassemblyLimits::SEGMENT_COST;
            self.ready.extend_from_slice(&plaintext);
            self.next += 1;
        }
    }
}
