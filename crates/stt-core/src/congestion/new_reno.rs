use super::{Acked, Controller, Loss, minimum_window};

/// RFC 9002 §7.3 and B.
#[derive(Debug)]
pub(super) struct NewReno {
    mtu: u16,
    window: u64,
    /// Slow start up to here.
    threshold: u64,
    /// Bytes acknowledged in avoidance, towards one more packet.
    credit: u64,
    /// Window and threshold before the last congestion event.
    before: Option<(u64, u64)>,
}

impl NewReno {
    pub(super) const fn new(mtu: u16, window: u64) -> Self {
        Self {
            mtu,
            window,
            threshold: u64::MAX,
            credit: 0,
            before: None,
        }
    }
}

impl Controller for NewReno {
    fn on_ack(&mut self, ack: &Acked<'_>) {
        if !was_used(self.window, self.is_slow_start(), self.mtu, ack.peak) {
            return;
        }
        let left = grow_slowly(&mut self.window, self.threshold, ack.fresh);
        self.credit += left;
        if self.credit >= self.window {
            self.credit -= self.window;
            self.window += u64::from(self.mtu);
        }
    }

    fn on_loss(&mut self, loss: &Loss) {
        if loss.event {
            self.before = Some((self.window, self.threshold));
            // kLossReductionFactor, 1/2 (RFC 9002 B.1).
            self.window = (self.window / 2).max(minimum_window(self.mtu));
            self.threshold = self.window;
            self.credit = 0;
        }
        if loss.persistent {
            self.before = None;
            self.window = minimum_window(self.mtu);
        }
    }

    fn on_spurious(&mut self) {
        if let Some((window, threshold)) = self.before.take() {
            self.window = self.window.max(window);
            self.threshold = self.threshold.max(threshold);
        }
    }

    fn on_mtu(&mut self, mtu: u16) {
        self.mtu = mtu;
        self.window = self.window.max(minimum_window(mtu));
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn is_slow_start(&self) -> bool {
        self.window < self.threshold
    }
}

/// Whether a window was used up so far that it may grow (RFC 9002 §7.8): in slow start, where it
/// doubles while it is being filled, half of it is enough.
pub(super) fn was_used(window: u64, slow_start: bool, mtu: u16, peak: u64) -> bool {
    let slack = if slow_start {
        window / 2
    } else {
        3 * u64::from(mtu)
    };
    peak.saturating_add(slack) >= window
}

/// Slow start: by as much as was acknowledged, up to `threshold`. What of `acked` is left over
/// counts for avoidance.
pub(super) fn grow_slowly(window: &mut u64, threshold: u64, acked: u64) -> u64 {
    let room = threshold.saturating_sub(*window);
    let growth = acked.min(room);
    *window += growth;
    acked - growth
}
