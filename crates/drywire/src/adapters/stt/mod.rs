//! `native:stt`: an STT endpoint in DryBox, Mode A (`docs/spec/adapters.md`, section 7.5).
//!
//! The very state machine that runs on sockets, driven by DryBox's clock; an SDU is a datagram.

mod adapter;
mod settings;
mod traffic;

pub use adapter::Stt;
