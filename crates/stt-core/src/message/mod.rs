//! Messages on streams: endpoint messages and user frames (`docs/spec/stt-streams.md` §11).
//!
//! The first byte of each stream is its [`Preface`]. Behind [`Preface::Application`] the stream is the
//! application's; behind the others [`MessageEncoder`] writes and [`MessageDecoder`] reads.
//!
//! ```
//! use stt_core::message::{Message, MessageDecoder, MessageEncoder, Preface};
//!
//! let mut encoder = MessageEncoder::new(Preface::User);
//! encoder.push(&Message::User { kind: 0x80, payload: b"hi!" })?;
//! let wire = [&[Preface::User.to_byte()], encoder.bytes()].concat();
//! assert_eq!(wire, [0x02, 0x04, 0x80, b'h', b'i', b'!']);
//!
//! let preface = Preface::from_byte(wire[0]).expect("one that this version knows");
//! let mut decoder = MessageDecoder::new(preface, MessageDecoder::DEFAULT_MAX_LEN);
//! let mut input = &wire[1..];
//! let message = decoder.push(&mut input)?;
//! assert_eq!(message, Some(Message::User { kind: 0x80, payload: b"hi!" }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decoder;
mod encoder;

pub use decoder::{MessageDecoder, MessageError};
pub use encoder::{EncodeMessageError, MessageEncoder};

/// What a stream carries: its first byte, sent by the end that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Preface {
    /// The application's bytes, as they are.
    Application = 0,
    /// Messages to named endpoints.
    Endpoint = 1,
    /// Frames of types that users define.
    User = 2,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// For an endpoint of the peer.
    Endpoint {
        /// The endpoint's name, 1 to 255 bytes.
        name: &'a str,
        /// Anything.
        payload: &'a [u8],
    },
    /// A user's frame.
    User {
        /// Its type, 0x80–0xFF.
        kind: u8,
        /// Anything.
        payload: &'a [u8],
    },
}

impl Preface {
    /// The code to stop and reset a stream with whose preface is not known.
    pub const UNKNOWN: u64 = 0x21;

    /// From a stream's first byte; `None` if this version doesn't know it.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Application),
            1 => Some(Self::Endpoint),
            2 => Some(Self::User),
            _ => None,
        }
    }

    /// The stream's first byte.
    pub const fn to_byte(self) -> u8 {
        self as u8
    }
}

impl Message<'_> {
    /// The smallest type that users may define.
    pub const MIN_KIND: u8 = 0x80;

    /// What its stream's preface has to be.
    pub const fn preface(&self) -> Preface {
        match self {
            Self::Endpoint { .. } => Preface::Endpoint,
            Self::User { .. } => Preface::User,
        }
    }
}
