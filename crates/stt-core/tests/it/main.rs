//! Tests through the public interface.

mod codecs;
mod endpoint;
mod half_open;
mod handshake;
mod resumption;
mod support;
