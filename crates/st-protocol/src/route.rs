//! Frames with an address in front, on connections that negotiated it (spec 7).

use core::fmt;

use crate::address::{self, Prefix};
use crate::storage::{DefaultStorage, Storage};
use crate::{Address, AddressError, DecodeError, Decoder, EncodeError, FrameRef, InlineAddress};

/// A frame and who it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routed<'a> {
    /// Who it is for.
    pub address: Address,
    /// The frame.
    pub frame: FrameRef<'a>,
}

impl<'a> Routed<'a> {
    /// Reads the one routed frame that `bytes` are, to the last byte. Positions in a frame's error count from its verb.
    ///
    /// # Errors
    /// As [`Address::decode`] and [`FrameRef::decode`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, RouteError> {
        let (address, len) = Address::decode(bytes)?;
        Ok(Self {
            address,
            frame: FrameRef::decode(&bytes[len..])?,
        })
    }

    /// Length of the wire form in bytes.
    pub fn encoded_len(&self) -> usize {
        self.address.encoded_len() + self.frame.encoded_len()
    }

    /// Writes the wire form to the head of `out` and returns its length in bytes.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len); what it then holds is unspecified.
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let have = out.len();
        let too_small = |_| EncodeError::BufferTooSmall {
            needed: self.encoded_len(),
            have,
        };
        let head = self.address.encode_into(out).map_err(too_small)?;
        let body = self
            .frame
            .encode_into(&mut out[head..])
            .map_err(too_small)?;
        Ok(head + body)
    }

    /// The wire form.
    #[cfg(feature = "alloc")]
    pub fn encode(&self) -> alloc::vec::Vec<u8> {
        let mut out = alloc::vec![crate::END; self.encoded_len()];
        let written = self.encode_into(&mut out);
        debug_assert_eq!(written, Ok(out.len()), "the length was counted");
        out
    }
}

/// A [`Decoder`] for a stream of routed frames. Fused after an error.
#[derive(Clone, Debug)]
pub struct RoutedDecoder<S = DefaultStorage> {
    frames: Decoder<S>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// An address comes next, or goes on: its first `len` bytes are here, which is never all of it.
    Address {
        bytes: [u8; Address::MAX_LEN],
        len: usize,
    },
    /// The frame for this address comes next, or goes on.
    Frame(Address),
    Failed(RouteError),
}

impl State {
    const START: Self = Self::Address {
        bytes: [0; Address::MAX_LEN],
        len: 0,
    };
}

#[cfg(feature = "alloc")]
impl RoutedDecoder {
    /// A decoder with memory of its own, up to one payload's worth.
    pub const fn new() -> Self {
        Self {
            frames: Decoder::new(),
            state: State::START,
        }
    }
}

#[cfg(feature = "alloc")]
impl Default for RoutedDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Storage> RoutedDecoder<S> {
    /// A decoder over this one, which sets storage and limits and should be fresh.
    pub const fn with_decoder(frames: Decoder<S>) -> Self {
        Self {
            frames,
            state: State::START,
        }
    }

    /// Takes bytes off the front of `input` until a frame is whole, and gives it with its address; `None` once the input
    /// is used up.
    ///
    /// # Errors
    /// What is wrong with the stream, at the first byte that can't be right; the same error comes again.
    pub fn next_frame<'s, 'a: 's>(
        &'s mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<Routed<'s>>, RouteError> {
        let address = match self.state {
            State::Failed(error) => return Err(error),
            State::Frame(address) => address,
            State::Address { .. } => match self.next_address(input) {
                Ok(Some(address)) => address,
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.state = State::Failed(error.into());
                    return Err(error.into());
                }
            },
        };
        self.state = match self.frames.next_frame(input) {
            Ok(Some(frame)) => {
                self.state = State::START;
                return Ok(Some(Routed { address, frame }));
            }
            Ok(None) => State::Frame(address),
            Err(error) => State::Failed(error.into()),
        };
        if let State::Failed(error) = self.state {
            Err(error)
        } else {
            Ok(None)
        }
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// An address or a frame has begun and not ended, or the stream was wrong.
    pub fn finish(&self) -> Result<(), RouteError> {
        match self.state {
            State::Address { len: 0, .. } => Ok(()),
            State::Address { bytes, len } => {
                Address::decode(&bytes[..len]).map_or_else(|e| Err(e.into()), |_| Ok(()))
            }
            State::Frame(_) if self.frames.is_inside_frame() => Ok(self.frames.finish()?),
            State::Frame(_) => Err(DecodeError::Incomplete { have: 0 }.into()),
            State::Failed(error) => Err(error),
        }
    }

    /// Takes bytes until the address is whole.
    fn next_address(&mut self, input: &mut &[u8]) -> Result<Option<Address>, AddressError> {
        let State::Address { mut bytes, mut len } = self.state else {
            return Ok(None);
        };
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            bytes[len] = byte;
            len += 1;
            let address = match Prefix::of(bytes[0]) {
                Prefix::Whole(address) => Some(address),
                Prefix::Inline { len: 0 } => return Err(AddressError::Empty),
                Prefix::Inline { len: whole } if len == 1 + whole => {
                    Some(Address::Inline(InlineAddress::from_bytes(&bytes[1..len])?))
                }
                // At most 126 bytes are looked at 126 times: bounded, and it finds an error at its byte.
                Prefix::Inline { .. } => address::check_piece(&bytes[1..len]).map(|()| None)?,
            };
            if address.is_some() {
                return Ok(address);
            }
        }
        self.state = State::Address { bytes, len };
        Ok(None)
    }
}

/// Why bytes are no routed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The address is wrong.
    Address(AddressError),
    /// The frame behind it is wrong.
    Frame(DecodeError),
}

impl RouteError {
    /// Whether every byte so far was right and more could complete it.
    pub const fn needs_more(&self) -> bool {
        match self {
            Self::Address(error) => error.needs_more(),
            Self::Frame(error) => error.needs_more(),
        }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RouteError {}

impl From<AddressError> for RouteError {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

impl From<DecodeError> for RouteError {
    fn from(error: DecodeError) -> Self {
        Self::Frame(error)
    }
}
