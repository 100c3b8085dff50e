//! `BinaryStorage` through its public interface.

mod basics;
mod common;
