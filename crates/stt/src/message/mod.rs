//! Messages of sessions: user frames and endpoint messages
//! (`docs/spec/stt-primitives.md` section 7).

mod error;
mod inbox;
mod lanes;
mod session;
mod sink;
#[cfg(test)]
mod tests;

pub use error::SendMessageError;
pub(crate) use inbox::{Inbox, clear, incoming};
pub(crate) use lanes::Outgoing;
pub(crate) use sink::Sinks;
pub use sink::{MessageFuture, MessageSink, PeerMessage};
