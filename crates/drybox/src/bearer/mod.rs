//! Mode A: simulated packet bearers (`docs/spec/bearers.md`).

mod params;

pub use params::{
    BearerKind, BearerParams, GilbertElliottParams, Impairments, Partition, RateLimit, SarPolicy,
};
