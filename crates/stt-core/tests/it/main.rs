//! Tests through the public interface.

mod codecs;
mod documented;
mod endpoint;
mod half_open;
mod handshake;
mod hostile;
mod narrow;
mod resumption;
mod session;
mod support;
