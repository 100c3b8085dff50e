//! Tests through the public interface.

mod codecs;
mod determinism;
mod documented;
mod endpoint;
mod half_open;
mod handshake;
mod hostile;
mod musts;
mod narrow;
mod resumption;
mod session;
mod support;
