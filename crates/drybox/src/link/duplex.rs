//! Both directions of a link behind one interface.

use super::path::Path;
use super::{LatencyHistogram, LinkObserver, LinkStats};
use crate::Direction;
use crate::adapter::SduBatch;
use crate::bearer::BearerParams;
use crate::rng::Streams;
use crate::sar;

/// A simulated link of Mode A.
///
/// It counts time in whole units: ms in a run. With other units ([`BearerParams::in_units`]) every
/// `_ms` of its interface, records and statistics is in those.
///
/// Per tick: [`Link::send`] for every SDU of left, then of right, then [`Link::deliver`] L→R and
/// R→L. Times never fall. A tick before [`Link::next_due`] has nothing to deliver.
///
/// Memory: what is in flight. A sender of B SDUs per tick over a delay of D ms keeps about
/// B·D/tick of them in the link, plus `queue_bytes` of a rate limit, plus the sets that wait for a
/// time-out; buffers are pooled, so a steady load allocates nothing.
#[derive(Debug)]
pub struct Link {
    paths: [Path; 2],
    /// The first ms at which anything can happen; `u64::MAX` for never.
    next_due: u64,
    max_sdu_bytes: usize,
}

impl Link {
    /// An idle link.
    pub fn new(params: &BearerParams, streams: &Streams, tick_ms: u64) -> Self {
        Self {
            paths: Direction::BOTH.map(|direction| Path::new(params, direction, streams, tick_ms)),
            next_due: u64::MAX,
            max_sdu_bytes: sar::max_sdu_bytes(params.mtu_bytes.max(sar::HEADER_BYTES + 1)),
        }
    }

    /// Latencies are counted one by one below this, more coarsely above.
    pub(crate) fn count_exactly_below(&mut self, limit: u64) {
        for path in &mut self.paths {
            path.stats.latency = LatencyHistogram::exact_below(limit);
        }
    }

    /// The settings for SDUs that are sent from now on (`docs/spec/drybox-proxy.md`, section 4).
    /// Loss chains, queues and what is on its way stay; `streams` are the link's.
    pub fn retune(&mut self, params: &BearerParams, streams: &Streams) {
        for path in &mut self.paths {
            path.retune(params, streams);
        }
        self.max_sdu_bytes = sar::max_sdu_bytes(params.mtu_bytes.max(sar::HEADER_BYTES + 1));
    }

    /// Cuts one direction, as a partition does that begins now, or heals it.
    pub const fn cut(&mut self, direction: Direction, cut: bool) {
        self.paths[direction.index()].cut(cut);
    }

    /// The bytes that the link holds at `now_ms`, 128 for each PDU, SDU in reassembly and place in
    /// a queue included.
    pub fn held_bytes(&mut self, now_ms: u64) -> usize {
        self.paths
            .iter_mut()
            .map(|path| path.held_bytes(now_ms))
            .sum()
    }

    /// Takes one SDU at its poll tick. One larger than [`Link::max_sdu_bytes`] is dropped and
    /// counted.
    pub fn send<O: LinkObserver>(
        &mut self,
        direction: Direction,
        now_ms: u64,
        sdu: &[u8],
        observer: &mut O,
    ) -> Result<(), O::Error> {
        let path = &mut self.paths[direction.index()];
        path.send(now_ms, sdu, observer)?;
        self.next_due = self.next_due.min(path.next_due());
        Ok(())
    }

    /// Appends to `out` what reaches the receiver of `direction` by `now_ms`, in the order of
    /// arrival, and purges reassemblies whose time is up.
    pub fn deliver<O: LinkObserver>(
        &mut self,
        direction: Direction,
        now_ms: u64,
        out: &mut SduBatch,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        if now_ms < self.next_due {
            return Ok(());
        }
        let peer_delay_ms = self.paths[1 - direction.index()].delay_ms;
        let delivered = self.paths[direction.index()].deliver(now_ms, peer_delay_ms, out, observer);
        self.next_due = self.paths[0].next_due().min(self.paths[1].next_due());
        delivered
    }

    /// The first ms at which something can arrive or time out; `None` while the link is idle.
    #[inline]
    pub const fn next_due(&self) -> Option<u64> {
        if self.next_due == u64::MAX {
            None
        } else {
            Some(self.next_due)
        }
    }

    /// The largest SDU that the link carries.
    pub const fn max_sdu_bytes(&self) -> usize {
        self.max_sdu_bytes
    }

    /// The estimated round trip in ms, without the floor that SAR applies.
    pub fn rtt_ms_est(&self) -> f64 {
        self.paths[0].delay_ms + self.paths[1].delay_ms
    }

    /// The counts and measures of one direction so far.
    pub const fn stats(&self, direction: Direction) -> &LinkStats {
        &self.paths[direction.index()].stats
    }

    /// Ends the run: the final counts, L→R and R→L. What is not settled stays in flight, neither
    /// delivered nor dropped.
    pub fn finish(self) -> [LinkStats; 2] {
        self.paths.map(|path| path.stats)
    }

    #[cfg(test)]
    pub(super) const fn path(&self, direction: Direction) -> &Path {
        &self.paths[direction.index()]
    }
}
