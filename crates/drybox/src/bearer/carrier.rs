//! What becomes of each PDU of one direction (`docs/spec/bearers.md`, section 2).

use super::BearerParams;
use super::bottleneck::{Bottleneck, Partitions};
use super::delay::Delay;
use super::loss::GilbertElliott;
use crate::Direction;
use crate::rng::{Stream, Streams};

/// Why a PDU is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It was sent while the link was partitioned.
    Partition,
    /// The queue of the rate limit had no room.
    QueueFull,
    /// The additional Gilbert–Elliott process took it.
    ExtraLoss,
    /// The bearer's own loss process took it.
    Bearer,
}

/// What becomes of a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost(Cause),
    /// It arrives.
    Arrives(Arrival),
}

/// How a PDU arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When, in ms since the start of the run; delivery is at the first tick from here on.
    pub due_ms: u64,
    /// The bit that is flipped on the way.
    pub flip: Option<Flip>,
    /// The second copy, if there is one.
    pub duplicate: Option<Twin>,
}

/// The second copy of a duplicated PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twin {
    /// When it arrives.
    pub due_ms: u64,
    /// The bit that is flipped in this copy.
    pub flip: Option<Flip>,
}

/// A bit to flip, as a place in a PDU of any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip(u64);

impl Flip {
    /// Flips one bit of `bytes`, chosen uniformly; an empty slice stays as it is.
    pub fn apply(self, bytes: &mut [u8]) {
        let bit = (u128::from(self.0) * (bytes.len() as u128 * 8)) >> 64;
        if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
            *byte ^= 1 << (bit % 8);
        }
    }
}

/// The loss process, delay law and impairments of one direction.
///
/// [`Carrier::carry`] is called once per PDU with rising serials and times: per PDU of the sender
/// in Mode A, per 20 ms slot with the block's serial in Mode B.
#[derive(Debug)]
pub struct Carrier {
    partitions: Partitions,
    /// Cut from outside, beside the partitions.
    cut: bool,
    bottleneck: Option<Bottleneck>,
    extra: Option<GilbertElliott>,
    own: GilbertElliott,
    delay: Delay,
    duplicate_rate: f64,
    duplicate: Stream,
    corrupt_rate: f64,
    corrupt: Stream,
}

impl Carrier {
    /// A carrier of packets, with every impairment (Mode A).
    pub fn new(params: &BearerParams, direction: Direction, streams: &Streams) -> Self {
        let name = |consumer: &str| format!("{}/{consumer}", direction.label());
        let impairments = &params.impairments;
        let extra = impairments.gilbert_elliott.map(|ge| {
            GilbertElliott::new(
                [ge.p_good_bad, ge.p_bad_good],
                [ge.loss_good, ge.loss_bad],
                streams,
                [&name("extra-ge"), &name("extra-loss")],
            )
        });
        Self {
            partitions: Partitions::new(&impairments.partitions),
            cut: false,
            bottleneck: impairments.rate_limit.map(Bottleneck::new),
            extra,
            own: GilbertElliott::new(
                [params.ge_p_good_bad, params.ge_p_bad_good],
                [
                    params.loss_rate,
                    params.loss_rate + params.ge_bad_extra_loss,
                ],
                streams,
                [&name("ge"), &name("loss")],
            ),
            delay: Delay::new(params, direction, streams),
            duplicate_rate: impairments.duplicate_rate,
            duplicate: streams.stream(&name("dup")),
            corrupt_rate: impairments.corrupt_rate,
            corrupt: streams.stream(&name("corrupt")),
        }
    }

    /// A carrier of voice frames (Mode B): rate limit, duplication and corruption act on bytes and
    /// are left out.
    pub fn for_frames(params: &BearerParams, direction: Direction, streams: &Streams) -> Self {
        Self {
            bottleneck: None,
            duplicate_rate: 0.0,
            corrupt_rate: 0.0,
            ..Self::new(params, direction, streams)
        }
    }

    /// The settings for PDUs that are sent from now on. Chains keep their state, the queue keeps
    /// what waits, and a draw stays that of its stream and serial.
    pub(crate) fn retune(
        &mut self,
        params: &BearerParams,
        direction: Direction,
        streams: &Streams,
    ) {
        let new = Self::new(params, direction, streams);
        self.partitions = new.partitions;
        match (&mut self.bottleneck, params.impairments.rate_limit) {
            (Some(bottleneck), Some(limit)) => bottleneck.retune(limit),
            _ => self.bottleneck = new.bottleneck,
        }
        match (&mut self.extra, new.extra) {
            (Some(chain), Some(new)) => chain.retune(new),
            (chain, new) => *chain = new,
        }
        self.own.retune(new.own);
        self.delay.retune(params, direction, streams);
        self.duplicate_rate = new.duplicate_rate;
        self.corrupt_rate = new.corrupt_rate;
    }

    /// Cuts the carrier, as a partition does that begins now, or heals it.
    pub(crate) const fn cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// The memory of what waits at `now_ms`, PDUs that are lost behind the queue included.
    pub(crate) fn held_bytes(&mut self, now_ms: u64) -> usize {
        self.bottleneck
            .as_mut()
            .map_or(0, |bottleneck| 128 * bottleneck.waiting(now_ms))
    }

    /// Decides what becomes of PDU `serial` of `len_bytes`, sent at `now_ms`.
    pub fn carry(&mut self, serial: u64, now_ms: u64, len_bytes: usize) -> Fate {
        // Both chains step for every PDU, whatever else takes it.
        let extra_loss = self.extra.as_mut().is_some_and(|ge| ge.loses(serial));
        let own_loss = self.own.loses(serial);
        if self.cut || self.partitions.cut(now_ms) {
            return Fate::Lost(Cause::Partition);
        }
        let queued_ms = match &mut self.bottleneck {
            None => 0.0,
            Some(bottleneck) => match bottleneck.enter(now_ms, len_bytes) {
                None => return Fate::Lost(Cause::QueueFull),
                Some(ms) => ms,
            },
        };
        let due_ms = self.delay.due(serial, now_ms, queued_ms);
        if extra_loss {
            return Fate::Lost(Cause::ExtraLoss);
        }
        if own_loss {
            return Fate::Lost(Cause::Bearer);
        }
        let [flip, copy_flip] = self.flips(serial);
        Fate::Arrives(Arrival {
            due_ms,
            flip,
            duplicate: self
                .duplicate_due(serial, now_ms, queued_ms, due_ms)
                .map(|due_ms| Twin {
                    due_ms,
                    flip: copy_flip,
                }),
        })
    }

    fn duplicate_due(
        &mut self,
        serial: u64,
        now_ms: u64,
        queued_ms: f64,
        original_due: u64,
    ) -> Option<u64> {
        if self.duplicate_rate <= 0.0 {
            return None;
        }
        let mut draws = self.duplicate.at(serial);
        let twice = draws.unit() < self.duplicate_rate;
        twice.then(|| {
            self.delay
                .duplicate_due(&mut draws, now_ms, queued_ms, original_due)
        })
    }

    /// The corruption of the PDU and of its copy: for each, whether and where.
    fn flips(&mut self, serial: u64) -> [Option<Flip>; 2] {
        if self.corrupt_rate <= 0.0 {
            return [None; 2];
        }
        let mut draws = self.corrupt.at(serial);
        [(); 2].map(|()| {
            let (hit, place) = (draws.unit(), draws.bits());
            (hit < self.corrupt_rate).then_some(Flip(place))
        })
    }
}

#[cfg(test)]
mod tests;
