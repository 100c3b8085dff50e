//! Adapters of every kind behind `drybox`'s one trait (`docs/spec/adapters.md`).
//!
//! [`Adapters`] makes them from specs. Python adapters run in a [`sidecar`] here; the wheel runs
//! them in its own process, with the same loader.

pub mod contract;
mod native;
mod registry;
pub mod sidecar;
mod stt;
mod unavailable;

pub use native::{PingPong, Tone, Traffic, Wav};
pub use registry::{Adapters, NATIVE, SpecKind, native};
pub use sidecar::{ENTROPY_PREFIX, LogSink, Sidecar, SidecarOptions, SidecarProcess};
pub use stt::Stt;
pub use unavailable::Unavailable;

/// The source of the Python loader: one file, embedded here for the sidecar host and imported by
/// the wheel as `drybox._host`.
pub const PYTHON_HOST: &str = include_str!("python_host.py");

/// The source of the module that notes which clocks and unseeded random sources adapters use, for
/// `drybox check`: imported by the wheel as `drybox._entropy`, and by the sidecar host on request.
pub const PYTHON_ENTROPY: &str = include_str!("python_entropy.py");
