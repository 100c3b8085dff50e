//! The bodies of the fuzz targets in `fuzz/`. They live here so that every build compiles them,
//! and tests run each. They panic when a property does not hold.

mod codec;
mod endpoint;
mod handshake;
mod streams;

pub use codec::{frames, header, params, sttframe, value, varint};
pub use endpoint::endpoint;
pub use handshake::{cookie, hello, response, versions};
pub use streams::{messages, stream_frames, streams};

#[cfg(test)]
mod endpoint_tests;
#[cfg(test)]
mod tests;
