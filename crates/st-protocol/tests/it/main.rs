//! The crate through its public face; one behaviour a module.

mod frames;
mod spec_page;
