//! For tests: links between endpoints on a virtual clock.

mod link;

pub use link::{Flight, InFlight, Link, LinkConfig, SimpleLink};
