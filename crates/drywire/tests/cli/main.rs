//! The `drywire` command as its users see it.

mod examples;
mod exits;
mod frames;
mod interrupt;
mod overrides;
mod secrets;
mod support;
mod sweeps;
