//! The `drywire` command as its users see it.

mod determinism;
mod examples;
mod exits;
mod frames;
mod interrupt;
mod overrides;
mod proxy;
mod secrets;
mod support;
mod sweeps;
