//! The Drywire command line as a library.

pub mod adapters;
pub mod boxcli;
pub mod framecli;
pub mod program;
pub mod proxy;
pub mod session;
pub mod sttcli;
