//! What is counted per direction (`docs/spec/bearers.md`, section 10).

use std::collections::BTreeMap;

use crate::bearer::Cause;

/// The counts and measures of one direction so far.
#[derive(Debug, Clone, Default)]
pub struct LinkStats {
    /// SDUs that the sender handed over.
    pub sdus_sent: u64,
    /// SDUs delivered, each once.
    pub sdus_delivered: u64,
    /// SDUs given up: lost, purged or too large.
    pub sdus_dropped: u64,
    /// Of those, reassemblies that timed out.
    pub sdus_purged: u64,
    /// Further deliveries of SDUs that the bearer duplicated.
    pub sdu_duplicates: u64,
    /// Bytes of the SDUs sent.
    pub sdu_bytes_sent: u64,
    /// Bytes of the SDUs delivered, each once.
    pub sdu_bytes_delivered: u64,
    /// PDUs on the bearer; the copy of a duplicated PDU is a PDU of its own.
    pub pdus_sent: u64,
    /// PDUs that arrived.
    pub pdus_received: u64,
    /// Bytes of the PDUs sent, SAR headers included.
    pub pdu_bytes_sent: u64,
    /// Bytes of the PDUs that arrived.
    pub pdu_bytes_received: u64,
    /// PDUs lost by cause, in the order of [`Cause`].
    pub pdus_lost: [u64; 4],
    /// Copies that the bearer made, among the PDUs sent.
    pub pdus_duplicated: u64,
    /// PDUs in which a bit was flipped.
    pub pdus_corrupted: u64,
    /// SDU latencies, poll tick to delivery tick.
    pub latency: LatencyHistogram,
    /// The order in which SDUs arrived.
    pub order: ReorderCounter,
    /// Interarrival jitter of the SDUs.
    pub jitter: Jitter,
}

impl LinkStats {
    /// SDUs neither delivered nor dropped.
    pub const fn sdus_in_flight(&self) -> u64 {
        self.sdus_sent - self.sdus_delivered - self.sdus_dropped
    }

    /// Bits of the SDUs delivered, each once: what goodput counts.
    pub const fn sdu_bits_delivered(&self) -> u64 {
        8 * self.sdu_bytes_delivered
    }

    /// PDUs that did not arrive.
    pub fn pdus_dropped(&self) -> u64 {
        self.pdus_lost.iter().sum()
    }

    /// PDUs neither received nor dropped.
    pub fn pdus_in_flight(&self) -> u64 {
        self.pdus_sent - self.pdus_received - self.pdus_dropped()
    }

    /// Share of the settled SDUs that were dropped; `None` while none is settled.
    pub fn loss_rate(&self) -> Option<f64> {
        ratio(self.sdus_dropped, self.sdus_delivered + self.sdus_dropped)
    }

    /// Share of the delivered SDUs that were reordered; `None` while none is delivered.
    pub fn reorder_rate(&self) -> Option<f64> {
        self.order.ratio()
    }

    pub(super) fn lost(&mut self, cause: Cause) {
        self.pdus_lost[cause as usize] += 1;
    }

    /// Adds the counts, latencies and order of another link; jitter belongs to one link and stays.
    pub(crate) fn absorb(&mut self, other: &Self) {
        // Taken apart, so that a new count can't be forgotten.
        let Self {
            sdus_sent,
            sdus_delivered,
            sdus_dropped,
            sdus_purged,
            sdu_duplicates,
            sdu_bytes_sent,
            sdu_bytes_delivered,
            pdus_sent,
            pdus_received,
            pdu_bytes_sent,
            pdu_bytes_received,
            pdus_lost,
            pdus_duplicated,
            pdus_corrupted,
            latency,
            order,
            jitter: _,
        } = other;
        self.sdus_sent += sdus_sent;
        self.sdus_delivered += sdus_delivered;
        self.sdus_dropped += sdus_dropped;
        self.sdus_purged += sdus_purged;
        self.sdu_duplicates += sdu_duplicates;
        self.sdu_bytes_sent += sdu_bytes_sent;
        self.sdu_bytes_delivered += sdu_bytes_delivered;
        self.pdus_sent += pdus_sent;
        self.pdus_received += pdus_received;
        self.pdu_bytes_sent += pdu_bytes_sent;
        self.pdu_bytes_received += pdu_bytes_received;
        for (sum, lost) in self.pdus_lost.iter_mut().zip(pdus_lost) {
            *sum += lost;
        }
        self.pdus_duplicated += pdus_duplicated;
        self.pdus_corrupted += pdus_corrupted;
        self.latency.absorb(latency);
        self.order.absorb(*order);
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Reordering as RFC 4737 counts it: an arrival is reordered when its serial is below the next
/// one expected, which is one above the highest seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReorderCounter {
    next_expected: u64,
    reordered: u64,
    received: u64,
}

impl ReorderCounter {
    /// Counts one arrival, first copies only; tells whether it was reordered.
    pub fn arrive(&mut self, serial: u64) -> bool {
        self.received += 1;
        let reordered = serial < self.next_expected;
        if reordered {
            self.reordered += 1;
        } else {
            self.next_expected = serial + 1;
        }
        reordered
    }

    /// Adds the counts of another link, whose serials are not comparable.
    const fn absorb(&mut self, other: Self) {
        self.reordered += other.reordered;
        self.received += other.received;
    }

    /// How many arrivals were reordered.
    pub const fn reordered(&self) -> u64 {
        self.reordered
    }

    /// Reordered ÷ received; `None` before the first arrival.
    pub fn ratio(&self) -> Option<f64> {
        ratio(self.reordered, self.received)
    }
}

/// Interarrival jitter as RFC 3550 estimates it: `J += (|D| - J) / 16`, where D is the change of
/// the transit time from one arrival to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Jitter {
    previous_transit_ms: Option<u64>,
    jitter_ms: Option<f64>,
}

impl Jitter {
    /// Counts one arrival that took `transit_ms`.
    pub fn arrive(&mut self, transit_ms: u64) {
        if let Some(previous) = self.previous_transit_ms.replace(transit_ms) {
            let change = transit_ms.abs_diff(previous) as f64;
            let jitter = self.jitter_ms.unwrap_or(0.0);
            self.jitter_ms = Some(jitter + (change - jitter) / 16.0);
        }
    }

    /// The estimate in ms; `None` before the second arrival.
    pub const fn ms(&self) -> Option<f64> {
        self.jitter_ms
    }
}

/// Latencies in ms, exact below 65,536 and within 1/1024 above; at most about 900 KB.
#[derive(Debug, Clone)]
pub struct LatencyHistogram {
    /// Below this every value has a count of its own.
    exact_below: u64,
    /// Counts by ms.
    exact: Vec<u64>,
    /// Counts by the largest value of each coarse cell.
    coarse: BTreeMap<u64, u64>,
    count: u64,
    sum_ms: u128,
    max_ms: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::exact_below(Self::EXACT_MS)
    }
}

impl LatencyHistogram {
    /// Below this many ms every value has a count of its own.
    pub const EXACT_MS: u64 = 65_536;

    /// Where eleven significant bits are all of them: no histogram is exact below less.
    pub(crate) const LEAST_EXACT: u64 = 2_048;

    /// A histogram with a count of its own for each value below `limit`, of 8 bytes each.
    pub(crate) fn exact_below(limit: u64) -> Self {
        Self {
            exact_below: limit.max(Self::LEAST_EXACT),
            exact: Vec::new(),
            coarse: BTreeMap::new(),
            count: 0,
            sum_ms: 0,
            max_ms: 0,
        }
    }

    /// Adds what another histogram of the same kind counted.
    fn absorb(&mut self, other: &Self) {
        self.count += other.count;
        self.sum_ms += other.sum_ms;
        self.max_ms = self.max_ms.max(other.max_ms);
        if self.exact.len() < other.exact.len() {
            self.exact.resize(other.exact.len(), 0);
        }
        for (sum, count) in self.exact.iter_mut().zip(&other.exact) {
            *sum += count;
        }
        for (&cell, count) in &other.coarse {
            *self.coarse.entry(cell).or_default() += count;
        }
    }

    /// Counts one latency.
    pub fn add(&mut self, ms: u64) {
        self.count += 1;
        self.sum_ms += u128::from(ms);
        self.max_ms = self.max_ms.max(ms);
        if ms < self.exact_below {
            let index = ms as usize;
            if self.exact.len() <= index {
                self.exact.resize(index + 1, 0);
            }
            self.exact[index] += 1;
        } else {
            // Eleven significant bits.
            let cell = (1_u64 << (ms.ilog2() - 10)) - 1;
            *self.coarse.entry(ms | cell).or_default() += 1;
        }
    }

    /// How many latencies were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The largest latency.
    pub fn max_ms(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max_ms)
    }

    /// The mean latency.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ms as f64 / self.count as f64)
    }

    /// The `percent`-th percentile by nearest rank: the smallest latency that at least `percent`
    /// per cent of all do not exceed.
    pub fn percentile_ms(&self, percent: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let rank = (percent * self.count as f64 / 100.0).ceil() as u64;
        let rank = rank.clamp(1, self.count);
        let exact = (0_u64..).zip(self.exact.iter().copied());
        let coarse = self.coarse.iter().map(|(&ms, &count)| (ms, count));
        let mut below = 0;
        exact
            .chain(coarse)
            .find(|&(_, count)| {
                below += count;
                below >= rank
            })
            .map(|(ms, _)| ms.min(self.max_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4737_reordering_worked_by_hand() {
        // Sent 0..10. Arriving 4 is early and makes 2 and 3 late; 9 makes 7 and 8 late; 6 is lost.
        let arrivals = [0, 1, 4, 2, 3, 5, 9, 7, 8];
        let reordered = [2, 3, 7, 8];
        let mut order = ReorderCounter::default();
        assert_eq!(order.ratio(), None);
        for serial in arrivals {
            assert_eq!(
                order.arrive(serial),
                reordered.contains(&serial),
                "{serial}"
            );
        }
        assert_eq!(order.ratio(), Some(4.0 / 9.0));
    }

    #[test]
    fn rfc_3550_jitter_worked_by_hand() {
        let mut jitter = Jitter::default();
        let steps = [
            (60, None),
            // |80 - 60| = 20: 0 + 20/16.
            (80, Some(1.25)),
            // |64 - 80| = 16: 1.25 + 14.75/16.
            (64, Some(2.171_875)),
            // 0: 2.171875 - 2.171875/16.
            (64, Some(2.036_132_812_5)),
        ];
        for (transit, expected) in steps {
            jitter.arrive(transit);
            assert_eq!(jitter.ms(), expected);
        }
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.percentile_ms(95.0), None);
        for ms in [15, 20, 35, 40, 50] {
            histogram.add(ms);
        }
        let cases = [
            (0.0, 15),
            (5.0, 15),
            (30.0, 20),
            (40.0, 20),
            (50.0, 35),
            (95.0, 50),
            (100.0, 50),
        ];
        for (percent, expected) in cases {
            assert_eq!(
                histogram.percentile_ms(percent),
                Some(expected),
                "{percent}"
            );
        }
        assert_eq!(
            (histogram.mean_ms(), histogram.max_ms()),
            (Some(32.0), Some(50))
        );
        for ms in 1..=100 {
            histogram.add(ms * 1000);
        }
        assert_eq!(histogram.percentile_ms(f64::NAN), Some(15));
    }

    #[test]
    fn long_latencies_are_within_a_thousandth_and_bounded() {
        let mut histogram = LatencyHistogram::default();
        for power in 16..63 {
            for step in 0..3000 {
                histogram.add((1 << power) + step * ((1 << power) / 3000));
            }
        }
        histogram.add(u64::MAX);
        assert!(histogram.coarse.len() <= 48 * 1024);
        let mut one = LatencyHistogram::default();
        one.add(1_000_000);
        one.add(5_000_000);
        let median = one.percentile_ms(50.0).unwrap();
        assert!((1_000_000..1_001_000).contains(&median), "{median}");
        assert_eq!(one.percentile_ms(100.0), Some(5_000_000));
    }
}
