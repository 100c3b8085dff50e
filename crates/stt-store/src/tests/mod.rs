//! Tests over both stores.

#![expect(
    clippy::unwrap_used,
    reason = "in helpers of tests too a panic is the failure report"
)]

mod vectors;
