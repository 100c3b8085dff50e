//! `drybox proxy`: DryBox's bearers between real UDP programs, in real time
//! (`docs/spec/drybox-proxy.md`).
//!
//! One thread: [`Proxy`] waits on its sockets and on [`drybox::relay::Relay`]'s next due time,
//! which decides everything about the datagrams. [`control`] speaks to it over a Unix socket.

mod client;
mod clock;
pub mod control;
mod driver;
mod error;
mod options;
mod ports;

pub use client::request;
pub use driver::{Proxy, ProxyEnd, ProxyHost, ProxyReport};
pub use error::ProxyError;
pub use options::{ProxyOptions, resolve};
