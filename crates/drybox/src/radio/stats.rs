//! Totals of one direction (`docs/spec/radio.md`, section 13).

use std::collections::BTreeMap;

/// What has become of the frames of one direction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VoiceStats {
    /// Blocks taken from the sender.
    pub blocks: u64,
    /// Frames given to the bearer: `blocks` less what DTX left untransmitted.
    pub sent: u64,
    /// Frames that the bearer lost.
    pub lost: u64,
    /// Frames that arrived after their time to play.
    pub late: u64,
    /// Frames played in time.
    pub delivered: u64,
    /// Blocks that concealment filled.
    pub concealed: u64,
    /// Clock slips.
    pub slips: u64,
    /// How many delivered frames took how many ms from pull to push: an exact histogram.
    pub latency_ms: BTreeMap<u64, u64>,
    snr_db_sum: f64,
    snr_blocks: u64,
}

impl VoiceStats {
    /// Frames whose fate is known: the denominator of a loss rate.
    pub const fn settled(&self) -> u64 {
        self.lost + self.late + self.delivered
    }

    /// Frames sent and neither played nor dropped.
    pub const fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.settled())
    }

    /// Lost and late frames among the settled ones; `None` before the first.
    pub fn loss_rate(&self) -> Option<f64> {
        let settled = self.settled();
        (settled > 0).then(|| (self.lost + self.late) as f64 / settled as f64)
    }

    /// Mean of the delivered blocks' SNR estimates in dB; `None` without any.
    pub fn mean_snr_db(&self) -> Option<f64> {
        (self.snr_blocks > 0).then(|| self.snr_db_sum / self.snr_blocks as f64)
    }

    pub(crate) fn deliver(&mut self, latency_ms: u64, snr_db: Option<f64>) {
        self.delivered += 1;
        *self.latency_ms.entry(latency_ms).or_default() += 1;
        if let Some(db) = snr_db {
            self.snr_db_sum += db;
            self.snr_blocks += 1;
        }
    }
}

/// RFC 3550's running estimate of the interarrival jitter (section 6.4.1).
#[derive(Debug, Default)]
pub(crate) struct Jitter {
    last_transit_ms: Option<u64>,
    mean_ms: f64,
}

impl Jitter {
    /// Takes one frame's time on the way and returns the estimate.
    pub(crate) fn update(&mut self, transit_ms: u64) -> f64 {
        if let Some(last) = self.last_transit_ms.replace(transit_ms) {
            self.mean_ms += (last.abs_diff(transit_ms) as f64 - self.mean_ms) / 16.0;
        }
        self.mean_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_follows_the_rfc() {
        let mut jitter = Jitter::default();
        assert_eq!(jitter.update(50), 0.0);
        assert_eq!(jitter.update(66), 1.0);
        assert_eq!(jitter.update(66), 0.9375);
    }

    #[test]
    fn settled_and_in_flight_partition_what_was_sent() {
        let mut stats = VoiceStats {
            blocks: 12,
            sent: 10,
            lost: 2,
            late: 1,
            ..VoiceStats::default()
        };
        stats.deliver(60, Some(10.0));
        stats.deliver(60, None);
        assert_eq!((stats.settled(), stats.in_flight()), (5, 5));
        assert_eq!(stats.loss_rate(), Some(0.6));
        assert_eq!(stats.mean_snr_db(), Some(10.0));
        assert_eq!(stats.latency_ms, BTreeMap::from([(60, 2)]));
        assert_eq!(VoiceStats::default().loss_rate(), None);
    }
}
