//! DryBox: a deterministic bench in which two adapters meet over a simulated link.
//!
//! A run has a logical clock, never sleeps, and the same scenario, adapters and seed give the same
//! bytes on any machine. The [`relay`] lends the same bearers to real time; sockets and clocks are
//! its driver's.

pub mod acceptance;
pub mod adapter;
pub mod bearer;
pub mod engine;
mod exit;
pub mod keys;
pub mod link;
pub mod math;
pub mod output;
pub mod radio;
pub mod relay;
pub mod report;
pub mod rng;
pub mod sar;
pub mod scenario;
mod side;

pub use exit::ExitCode;
pub use side::{Direction, Side};
