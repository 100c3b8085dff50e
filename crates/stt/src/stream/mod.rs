//! Streams (`docs/spec/stt-node.md` section 6).

mod recv;
mod send;

pub use recv::RecvStream;
pub use send::SendStream;
