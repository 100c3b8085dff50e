//! Goodput windows of one second (`docs/spec/engine.md`, section 4).

use crate::Side;

/// The length of a window in ms.
pub(super) const WINDOW_MS: u64 = 1000;

/// Counts what each side received in the current window.
#[derive(Debug, Default)]
pub(super) struct GoodputWindows {
    /// The first ms that no longer belongs to the current window, minus [`WINDOW_MS`].
    start_ms: u64,
    bits: [u64; 2],
}

impl GoodputWindows {
    /// Whether the current window is over at `t_ms`.
    #[inline]
    pub(super) const fn is_over(&self, t_ms: u64) -> bool {
        t_ms - self.start_ms >= WINDOW_MS
    }

    /// Closes the current window and gives its bits per second, left and right.
    pub(super) fn close(&mut self) -> [f64; 2] {
        self.start_ms += WINDOW_MS;
        // A window is a second, so bits are bits per second.
        std::mem::take(&mut self.bits).map(|bits| bits as f64)
    }

    /// Counts bits of SDUs that `side` received.
    pub(super) const fn count(&mut self, side: Side, bits: u64) {
        self.bits[side.index()] += bits;
    }

    /// Bits in the window that the end of the run cut short, left and right.
    pub(super) const fn partial_bits(&self) -> [u64; 2] {
        self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_the_ticks_before_its_end() {
        let mut windows = GoodputWindows::default();
        windows.count(Side::Right, 80);
        assert!(!windows.is_over(999));
        assert!(windows.is_over(1000));
        assert_eq!(windows.close(), [0.0, 80.0]);
        assert!(!windows.is_over(1000));
        windows.count(Side::Left, 8);
        assert_eq!(windows.partial_bits(), [8, 0]);
    }
}
