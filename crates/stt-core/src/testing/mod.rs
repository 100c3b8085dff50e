//! For tests: endpoints and links on a virtual clock.

mod link;
mod pair;
pub mod peer;
mod qlog;
pub mod simulate;

pub use link::{EcnField, Flight, InFlight, Link, LinkConfig, SimpleLink};
pub use pair::{Pair, Tap, address};
pub use qlog::Qlog;
