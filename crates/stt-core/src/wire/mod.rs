//! The session wire: sealed packets, the frames in them, transport parameters
//! (`docs/spec/stt-wire.md`).
//!
//! Byte work only: nothing here holds a key or allocates, but for [`Params::to_vec`]. For tools
//! that read or trace packets; a session is driven through the endpoint.

mod ack;
mod frame;
mod frames;
pub mod header;
mod id;
mod limits;
mod params;
mod writer;

pub use ack::{Ack, AckRanges, EcnCounts};
pub use frame::{
    Frame, NewId, Stream, datagram_header_len, stream_header_len, write_datagram_header,
    write_stream_header,
};
pub use frames::{FrameError, FrameErrorKind, Frames};
pub use id::WireId;
pub use limits::Limits;
pub use params::{Codes, Params, ParamsError};
pub use writer::Writer;
