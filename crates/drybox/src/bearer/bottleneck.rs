//! What happens at a PDU's entry: partitions and the serialising bottleneck
//! (`docs/spec/bearers.md`, section 6).

use std::collections::VecDeque;

use super::{Partition, RateLimit};

/// The intervals in which nothing enters, sorted and merged.
#[derive(Debug)]
pub(super) struct Partitions {
    /// `[begin, end)` in ms.
    closed: Vec<(u64, u64)>,
}

impl Partitions {
    pub(super) fn new(partitions: &[Partition]) -> Self {
        let mut sorted: Vec<(u64, u64)> = partitions
            .iter()
            .map(|p| (p.at_ms, p.at_ms.saturating_add(p.duration_ms)))
            .collect();
        sorted.sort_unstable();
        let mut closed: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
        for (begin, end) in sorted {
            match closed.last_mut() {
                Some(last) if begin <= last.1 => last.1 = last.1.max(end),
                _ => closed.push((begin, end)),
            }
        }
        Self { closed }
    }

    /// Whether a PDU sent at `now_ms` finds the link cut.
    pub(super) fn cut(&self, now_ms: u64) -> bool {
        let begun = self.closed.partition_point(|&(begin, _)| begin <= now_ms);
        begun
            .checked_sub(1)
            .is_some_and(|last| now_ms < self.closed[last].1)
    }
}

/// PDUs leave one after another at a fixed rate; those that wait fill a queue of bytes.
#[derive(Debug)]
pub(super) struct Bottleneck {
    ms_per_byte: f64,
    queue_bytes: usize,
    /// When the last accepted PDU will have left.
    free_ms: f64,
    /// When each waiting PDU begins to leave, and its bytes.
    waiting: VecDeque<(f64, usize)>,
    waiting_bytes: usize,
}

impl Bottleneck {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            // A rate of nothing would make the product with an empty PDU undefined.
            ms_per_byte: 8000.0 / limit.rate_bps.max(1e-9),
            queue_bytes: limit.queue_bytes,
            free_ms: 0.0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// Another limit for what comes next; what waits keeps its turn.
    pub(super) fn retune(&mut self, limit: RateLimit) {
        let Self {
            ms_per_byte,
            queue_bytes,
            ..
        } = Self::new(limit);
        self.ms_per_byte = ms_per_byte;
        self.queue_bytes = queue_bytes;
    }

    /// How many PDUs wait at `now_ms`, lost ones among them.
    pub(super) fn waiting(&mut self, now_ms: u64) -> usize {
        self.begin_until(now_ms as f64);
        self.waiting.len()
    }

    /// Takes those out of the queue that have begun to leave.
    fn begin_until(&mut self, now: f64) {
        while let Some(&(begin, bytes)) = self.waiting.front() {
            if begin > now {
                break;
            }
            self.waiting_bytes -= bytes;
            self.waiting.pop_front();
        }
    }

    /// How long a PDU sent at `now_ms` takes to leave, waiting included; `None` when the queue has
    /// no room for it.
    pub(super) fn enter(&mut self, now_ms: u64, len_bytes: usize) -> Option<f64> {
        let now = now_ms as f64;
        self.begin_until(now);
        let begin = self.free_ms.max(now);
        if begin > now {
            // An empty PDU takes a byte of the queue, so that the queue stays finite.
            let bytes = len_bytes.max(1);
            if self.waiting_bytes.saturating_add(bytes) > self.queue_bytes {
                return None;
            }
            self.waiting.push_back((begin, bytes));
            self.waiting_bytes += bytes;
        }
        self.free_ms = begin + len_bytes as f64 * self.ms_per_byte;
        Some(self.free_ms - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_half_open_and_may_overlap() {
        let cut = |at_ms, duration_ms| Partition { at_ms, duration_ms };
        let partitions = Partitions::new(&[cut(50, 10), cut(10, 5), cut(12, 8), cut(90, 0)]);
        let closed: Vec<u64> = (0..100).filter(|&t| partitions.cut(t)).collect();
        let expected: Vec<u64> = (10..20).chain(50..60).collect();
        assert_eq!(closed, expected);
        assert!(Partitions::new(&[cut(5, u64::MAX)]).cut(u64::MAX - 1));
    }

    #[test]
    fn rate_limit_serialises_one_pdu_after_another() {
        // 8,000 bit/s: a byte takes one ms.
        let mut bottleneck = Bottleneck::new(RateLimit {
            rate_bps: 8000.0,
            queue_bytes: 1000,
        });
        assert_eq!(bottleneck.enter(0, 100), Some(100.0));
        assert_eq!(bottleneck.enter(0, 50), Some(150.0));
        assert_eq!(bottleneck.enter(10, 25), Some(165.0));
        // Idle again at 175.
        assert_eq!(bottleneck.enter(500, 3), Some(3.0));
    }

    #[test]
    fn rate_limit_drops_at_the_tail_what_exceeds_the_queue() {
        let mut bottleneck = Bottleneck::new(RateLimit {
            rate_bps: 8000.0,
            queue_bytes: 200,
        });
        // The first is being sent, not waiting; two more fill the queue to the byte.
        assert_eq!(bottleneck.enter(0, 500), Some(500.0));
        assert_eq!(bottleneck.enter(0, 150), Some(650.0));
        assert_eq!(bottleneck.enter(0, 51), None);
        assert_eq!(bottleneck.enter(0, 50), Some(700.0));
        assert_eq!(bottleneck.enter(499, 1), None);
        // At 500 the second begins to leave and frees its 150 bytes.
        assert_eq!(bottleneck.enter(500, 150), Some(350.0));
    }

    #[test]
    fn odd_limits_stay_bounded() {
        for rate_bps in [0.0, 1e-300, f64::INFINITY] {
            let mut bottleneck = Bottleneck::new(RateLimit {
                rate_bps,
                queue_bytes: 10,
            });
            for now in 0..1000 {
                let wait = bottleneck.enter(now, (now % 3) as usize);
                assert!(wait.is_none_or(|ms| ms >= 0.0), "{rate_bps}: {wait:?}");
                assert!(bottleneck.waiting.len() <= 10);
            }
        }
    }
}
