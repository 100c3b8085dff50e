//! STT as a pure state machine: a secure, multiplexed session over any link, without I/O.
//!
//! Nothing here reads a clock, a socket or an entropy source. Datagrams, the time and a seed come
//! in as arguments; datagrams to send, a deadline and events come out. The same inputs give the
//! same bytes.

mod config;
mod congestion;
pub mod connection;
mod datagram;
mod ecn;
pub mod endpoint;
mod error;
mod event;
mod frame;
pub mod handshake;
mod link_timers;
pub mod message;
mod mtud;
pub mod observer;
mod pacing;
mod path;
mod profile;
mod range_set;
mod recovery;
mod scalar;
mod side;
mod stats;
mod stream;
mod stream_id;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod transmit;
pub mod value;
pub mod varint;
pub mod wire;

pub use config::SessionConfig;
pub use congestion::ControllerKind;
pub use connection::{Connection, ConnectionError, RekeyLimits};
pub use datagram::{
    DatagramConfig, DatagramEvent, DatagramStats, Datagrams, Overflow, SendDatagramError,
};
pub use ecn::Ecn;
pub use endpoint::{ConnectionHandle, Endpoint, EndpointConfig, EndpointEvent};
pub use error::{Code, TransportError};
pub use event::Event;
pub use frame::{AssociatedData, SttFrame, SttFrameError, SttFrameRef};
pub use link_timers::LinkTimers;
pub use observer::Observer;
pub use path::PathId;
pub use profile::LinkProfile;
pub use recovery::{RecoveryStats, RttEstimator};
pub use side::{Dir, Side};
pub use stats::Stats;
pub use stream::{
    Carried, ClosedStream, ReadError, RecvState, SendState, StreamConfig, StreamEvent, Streams,
    WriteError,
};
pub use stream_id::StreamId;
pub use time::Timestamp;
pub use transmit::Transmit;

#[cfg(any(feature = "__fuzz", test))]
#[doc(hidden)]
pub mod __fuzz;
