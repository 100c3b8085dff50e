//! Mode A: simulated packet bearers (`docs/spec/bearers.md`).

mod bottleneck;
mod carrier;
mod delay;
mod loss;
mod params;

pub use carrier::{Arrival, Carrier, Cause, Fate, Flip, Twin};
pub use params::{
    BearerKind, BearerParams, GilbertElliottParams, Impairments, Partition, RateLimit, SarPolicy,
};
