//! The crate through its public face; one behaviour a module.

mod decoder;
mod frames;
mod spec_page;
