//! The proxy's clock.

use std::time::{Duration, Instant};

/// Whole µs since the proxy began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: where time comes in (docs/spec/drybox-proxy.md, 2.1)"
    )]
    pub(super) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time.
    pub(super) fn now_us(self) -> u64 {
        micros(self.start.elapsed())
    }
}

/// A duration in µs, as much of it as fits.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
