//! STT as a pure state machine: a secure, multiplexed session over any link, without I/O.
//!
//! Nothing here reads a clock, a socket or an entropy source. Datagrams, the time and a seed come
//! in as arguments; datagrams to send, a deadline and events come out. The same inputs give the
//! same bytes.

mod ecn;
mod error;
mod frame;
pub mod handshake;
mod path;
mod profile;
mod side;
mod stream_id;
mod time;
mod transmit;
pub mod value;
pub mod varint;
pub mod wire;

pub use ecn::Ecn;
pub use error::{Code, TransportError};
pub use frame::{AssociatedData, SttFrame, SttFrameError, SttFrameRef};
pub use path::PathId;
pub use profile::LinkProfile;
pub use side::{Dir, Side};
pub use stream_id::StreamId;
pub use time::Timestamp;
pub use transmit::Transmit;
