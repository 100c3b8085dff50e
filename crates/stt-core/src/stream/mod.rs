//! Streams and their flow control, without packets: bytes of the application in, frames out, and
//! the other way round (`docs/spec/stt-streams.md`).

mod app;
mod assembler;
mod carried;
mod config;
mod control;
mod error;
mod event;
mod flow;
mod input;
mod output;
mod pool;
mod recv;
mod ring;
mod scheduler;
mod send;
mod send_buffer;
mod state;
mod streams;
#[cfg(test)]
mod tests;

pub use carried::Carried;
pub use config::StreamConfig;
pub use error::{ClosedStream, ReadError, WriteError};
pub use event::StreamEvent;
pub(crate) use pool::Packet;
pub use state::{RecvState, SendState};
pub use streams::Streams;
