//! Nodes on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "in helpers of tests too a panic is the failure report"
)]

mod basics;
mod closing;
mod many;
mod messages;
mod paths;
mod peers;
mod processes;
mod resumption;
mod streams;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod web_sockets;
