//! Nodes on loopback.

mod basics;
mod support;
