//! Mode A's links for real time: flows of datagrams between a client each and one server
//! (`docs/spec/drybox-proxy.md`).
//!
//! Pure: datagrams enter with the time in µs and come out when a later call says that they are
//! due. Sockets, the clock and the control socket belong to its driver.

mod core;
mod flow;
mod summary;

pub use core::{FlowId, Relay, RelayLimits, Wants};
pub use summary::{
    Causes, ClosedFlows, FlowCounts, OpenFlow, PerDirection, RefusedCounts, RelayDirection,
    RelaySummary, UnsentCounts,
};

#[cfg(test)]
mod tests;

/// Units of a relay's clock in a ms: it counts µs.
const PER_MS: u32 = 1000;
