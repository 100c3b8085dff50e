//! Random scenarios from seeds, with invariants checked at every step.
//!
//! [`run`] draws links, faults and applications from a seed and runs two endpoints to the end. The
//! same seed gives the same bytes. Checked: what arrives on a stream is a prefix of what was sent,
//! in order, once; the end comes after all of it; buffers stay within their limits; everything
//! finishes as long as the link passes enough; both ends are closed at last; no window is under its minimum; ECN is
//! given up where it does not come through, and only there. `docs/spec/stt-recovery.md` §11 lists what is drawn.

mod app;
mod ends;
mod invariants;
mod plan;
#[cfg(test)]
mod tests;
mod world;

use core::fmt;

use crate::Timestamp;

pub use ends::EndPlan;
pub use plan::{Fault, Plan};
pub use world::{run, run_with_qlog};

/// What a run that held all invariants looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Simulated time.
    pub took: Timestamp,
    /// Datagrams that both ends sent.
    pub datagrams: u64,
    /// Bytes of streams that arrived.
    pub delivered: u64,
    /// Key updates of both ends.
    pub updates: u64,
    /// Packets that came marked CE.
    pub marked: u64,
    /// Ends that gave ECN up.
    pub unmarked: u64,
    /// Changes of path of both ends.
    pub moves: u64,
    /// A hash of every datagram with its time: two runs of one seed agree in it.
    pub fingerprint: u64,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed that shows it.
    pub seed: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
    /// What was going on.
    pub plan: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {} at {:?}: {}\n  plan: {}\n  replay: cargo xtask simulate --seed {} --trace FILE",
            self.seed, self.at, self.what, self.plan, self.seed
        )
    }
}

impl std::error::Error for Failure {}
