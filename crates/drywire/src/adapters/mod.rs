//! Adapters of every kind behind `drybox`'s one trait (`docs/spec/adapters.md`).

/// The source of the Python loader and sidecar host: one file, embedded here and imported by the
/// wheel as `drybox._host`.
pub const PYTHON_HOST: &str = include_str!("python_host.py");
