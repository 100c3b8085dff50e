use std::time::Instant;

use stt_core::Timestamp;

/// The monotonic clock as the endpoint counts: from the start of the node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where time enters"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.0.elapsed()
    }

    /// For the runtime's timers.
    pub(crate) fn instant(&self, at: Timestamp) -> tokio::time::Instant {
        let instant = self.0 + at.saturating_since(Timestamp::ZERO);
        tokio::time::Instant::from_std(instant)
    }
}
