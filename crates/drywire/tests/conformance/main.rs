//! The conformance suite: what every kind of adapter must do, and what DryBox says of one that
//! does not (`docs/spec/adapters.md`). The same list runs against adapters in process in the Python
//! tests.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is the failure report of a test"
)]

mod bench;
mod broken_sidecars;
mod command;
mod errors;
mod lifecycle;
mod loading;
mod native;
mod values;
