//! Tests through the public interface.

mod half_open;
mod handshake;
mod resumption;
mod support;
