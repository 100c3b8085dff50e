//! Mode A: SDUs from one side to the other over a bearer, both directions
//! (`docs/spec/bearers.md`, sections 7 to 10).

mod duplex;
mod flight;
mod path;
mod record;
mod sets;
mod stats;

pub use duplex::Link;
pub use record::{Layer, LinkEvent, LinkObserver, LinkRecord};
pub use stats::{Jitter, LatencyHistogram, LinkStats, ReorderCounter};

#[cfg(test)]
mod tests;
