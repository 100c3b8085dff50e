//! Named queues of messages (`docs/spec/stt-primitives.md` §4).

mod error;
mod manager;
mod queue;

pub use error::EndpointError;
pub use manager::{EndpointLimits, EndpointManager};
