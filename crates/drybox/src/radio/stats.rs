//! Totals of one direction (`docs/spec/radio.md`, section 13).

use crate::link::{Jitter, LatencyHistogram};

/// What has become of the frames of one direction.
#[derive(Debug, Clone, Default)]
pub struct VoiceStats {
    /// Blocks taken from the sender.
    pub blocks: u64,
    /// Of those, blocks that are not silent: a direction without any is not judged.
    pub active: u64,
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
    /// Latencies of delivered frames, pull tick to push tick.
    pub latency: LatencyHistogram,
    /// Interarrival jitter of the frames.
    pub jitter: Jitter,
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
        self.latency.add(latency_ms);
        if let Some(db) = snr_db {
            self.snr_db_sum += db;
            self.snr_blocks += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(
            (stats.latency.count(), stats.latency.max_ms()),
            (2, Some(60))
        );
        assert_eq!(VoiceStats::default().loss_rate(), None);
    }
}
