//! `BinaryStorage` through its public interface.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is the failure report of a test"
)]

mod basics;
mod common;
mod damage;
mod failing;
mod processes;
mod upkeep;
