//! The crate through its public face; one behaviour a module.

mod auth;
mod decoder;
mod frames;
mod messages;
mod routing;
mod spec_page;
mod vectors;
