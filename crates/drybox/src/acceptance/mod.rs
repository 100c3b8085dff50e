//! Acceptance: what a run must achieve, and whether it did (`docs/spec/scenario.md`, section 10).

mod judge;
mod measured;
mod rules;
#[cfg(test)]
mod tests;
mod verdict;

pub use measured::{BitErrors, DirectionMeasured, HandshakeMeasured, Latencies, Measured};
pub use rules::{Acceptance, EventRule, HandshakeRule, LatencyRule};
pub use verdict::{Check, Verdict};
