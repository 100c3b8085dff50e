//! The bodies of the fuzz targets in `fuzz/`. They live here so that every build compiles them,
//! and tests run each. They panic when a property does not hold.

mod codec;

pub use codec::{frames, header, params, sttframe, value, varint};

#[cfg(test)]
mod tests;
