use super::sent::RateMark;
use crate::{Timestamp, congestion::RateSample};

/// Measures the rate at which the path delivers (draft-ietf-ccwg-bbr §4.1;
/// `docs/spec/stt-recovery.md`, 4.4).
#[derive(Debug)]
pub(super) struct Delivery {
    /// Bytes acknowledged on the session.
    delivered: u64,
    delivered_at: Timestamp,
    /// When the first packet of the current flight was sent.
    first_sent_at: Timestamp,
    /// Samples are of the application's rate until so much is delivered.
    app_limited_until: u64,
    /// The mark of the newest packet of this acknowledgement and when that was sent.
    newest: Option<(RateMark, Timestamp)>,
}

impl Delivery {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            delivered: 0,
            delivered_at: now,
            first_sent_at: now,
            app_limited_until: 0,
            newest: None,
        }
    }

    /// The mark for a packet that goes out with `in_flight` bytes before it.
    pub(super) fn on_sent(&mut self, now: Timestamp, in_flight: u64) -> RateMark {
        if in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        RateMark {
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            app_limited: self.app_limited_until > self.delivered,
        }
    }

    /// The sender has nothing more to send although it may.
    pub(super) fn on_app_limited(&mut self, in_flight: u64) {
        self.app_limited_until = (self.delivered + in_flight).max(1);
    }

    /// A packet of this acknowledgement.
    pub(super) fn on_acked(
        &mut self,
        now: Timestamp,
        mark: RateMark,
        sent_at: Timestamp,
        size: u64,
    ) {
        self.delivered += size;
        self.delivered_at = now;
        if self
            .newest
            .is_none_or(|(newest, at)| (mark.delivered, sent_at) >= (newest.delivered, at))
        {
            self.newest = Some((mark, sent_at));
        }
    }

    /// The sample of the acknowledgement whose packets were told.
    pub(super) fn sample(&mut self, min_rtt: core::time::Duration) -> Option<RateSample> {
        let (mark, sent_at) = self.newest.take()?;
        self.first_sent_at = sent_at;
        let sending = sent_at.saturating_since(mark.first_sent_at);
        let acking = self.delivered_at.saturating_since(mark.delivered_at);
        let interval = sending.max(acking);
        // Shorter than a round trip, it is an artefact of compressed acknowledgements.
        if interval < min_rtt || interval.is_zero() {
            return None;
        }
        let bytes = u128::from(self.delivered - mark.delivered);
        let rate = bytes * 1_000_000_000 / interval.as_nanos();
        Some(RateSample {
            rate: u64::try_from(rate).unwrap_or(u64::MAX),
            app_limited: mark.app_limited,
        })
    }
}
