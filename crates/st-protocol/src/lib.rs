//! The control wire of Drywire: `verb · escaped payload · 0x00`, in which every byte counts.
//!
//! ```
//! use st_protocol::{Frame, Verb, Payload};
//!
//! # fn main() -> Result<(), st_protocol::DecodeError> {
//! // Create a PING frame (2 bytes)
//! let ping = Frame::ping();
//! let bytes = ping.encode(); // [0x05, 0x00]
//! # assert_eq!(bytes, [0x05, 0x00]);
//!
//! // Create a SCAN frame
//! let scan = Frame::scan("/home/hue", 3);
//! let bytes = scan.encode();
//!
//! // Decode a frame
//! let frame = Frame::decode(&bytes)?;
//! println!("{} {}", frame.verb().name(), frame.payload().as_str().unwrap_or(""));
//! # assert_eq!((frame.verb(), frame.payload()), (Verb::Scan, &Payload::from_bytes(b"\x89/home/hue\x03")));
//! # Ok(())
//! # }
//! ```
//!
//! Frames from a connection come in pieces; a [`Decoder`] takes them however they are cut:
//!
//! ```
//! use st_protocol::{Decoder, Message};
//!
//! let mut decoder = Decoder::new();
//! for mut piece in [&b"\x05\x00\x01\x84/s"[..], b"rv\x03\x00"] {
//!     while let Some(frame) = decoder.next_frame(&mut piece)? {
//!         let payload = frame.payload().as_bytes().unwrap_or_default();
//!         if let Message::Scan { path, depth } = Message::parse(frame.verb(), payload)? {
//!             assert_eq!((path, depth), ("/srv", 3));
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | build and read single frames | [`Frame`], or [`FrameRef`] and [`decode_ref`], which allocate nothing |
//! | read a stream | [`Decoder`], its [`frames`](Decoder::frames) for reads full of small ones, [`FrameReader`] over `std::io`, `FrameCodec` over tokio |
//! | read payloads by meaning, or field by field | [`Message`], [`FieldReader`], [`FieldWriter`] |
//! | route frames to other hosts | [`Address`], [`Routed`], [`RoutedDecoder`], [`HostCache`] |
//! | make and check protected requests | [`AuthBlock`], [`Verb::level`] |
//!
//! It carries and checks bytes. Keys, sessions and who may do what are the daemon's.
//!
//! Features: `std` (default) adds `std::io`; `alloc`, without it, owned frames; with neither, everything borrowed still works,
//! down to a [`Decoder`] over an array. `tokio-util` adds `FrameCodec`. A panic on bytes from outside is a bug of ours.
//!
//! The wire is specified in `docs/spec/st-protocol.md`; "spec 4.2" in these pages is a section of it.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod address;
pub use address::{Address, AddressError, HostIndex, InlineAddress};

mod auth;
pub use auth::{AuthBlock, AuthError, Peer, SIGNATURE_LEN, SIGNING_LABEL, SessionId};

mod decoder;
pub use decoder::{Decoder, Skipped};

mod error;
pub use error::{DecodeError, EncodeError, FieldError, VerbError};

mod escape;
pub use escape::{END, ESC};

mod field;
pub use field::{FieldReader, FieldWriter};

mod frame_ref;
pub use frame_ref::{FrameRef, decode_ref};

mod frames;
pub use frames::Frames;

mod level;
pub use level::AuthLevel;

mod message;
pub use message::{Message, MessageError};

mod payload_ref;
pub use payload_ref::PayloadRef;

mod route;
pub use route::{RouteError, Routed, RoutedDecoder};

mod search;

mod storage;
pub use storage::Storage;

mod unescape;

mod verb;
pub use verb::{VERB_MAP, Verb, VerbEntry};

mod wire;

#[cfg(feature = "alloc")]
mod constructors;

#[cfg(feature = "alloc")]
mod frame;
#[cfg(feature = "alloc")]
pub use frame::{Frame, FrameBuilder};

#[cfg(feature = "alloc")]
mod host_cache;
#[cfg(feature = "alloc")]
pub use host_cache::{Host, HostCache, HostCacheError};

#[cfg(feature = "alloc")]
mod payload;
#[cfg(feature = "alloc")]
pub use payload::Payload;

#[cfg(feature = "std")]
mod io;
#[cfg(feature = "std")]
pub use io::{FrameReader, FrameWriter, ReadError};

#[cfg(feature = "tokio-util")]
mod codec;
#[cfg(feature = "tokio-util")]
pub use codec::FrameCodec;

#[cfg(any(feature = "__fuzz", test))]
#[doc(hidden)]
pub mod __fuzz;

/// Most bytes in a payload, before escaping (spec 1.3).
pub const MAX_PAYLOAD_LEN: usize = 65_535;

/// Most bytes in a frame's wire form: verb, a payload in which every byte is escaped, END (spec 1.3).
pub const MAX_FRAME_LEN: usize = 2 * MAX_PAYLOAD_LEN + 2;
