//! Frames that live in somebody else's buffer: reading and writing without allocation.

use crate::wire::{self, Body};
use crate::{DecodeError, EncodeError, MAX_PAYLOAD_LEN, PayloadRef, Verb};

#[cfg(feature = "alloc")]
use crate::Frame;

/// A verb and a borrowed payload.
///
/// ```
/// use st_protocol::{FrameRef, Verb};
///
/// let mut out = [0; 16];
/// let len = FrameRef::new(Verb::Search, b"TODO")?.encode_into(&mut out)?;
/// assert_eq!(&out[..len], b"\x03TODO\0");
///
/// let frame = FrameRef::decode(&out[..len])?;
/// assert_eq!((frame.verb(), frame.payload().as_str()), (Verb::Search, Some("TODO")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRef<'a> {
    verb: Verb,
    payload: PayloadRef<'a>,
}

/// Reads the one frame that `bytes` are, borrowing its payload; the same as [`FrameRef::decode`].
///
/// # Errors
/// As [`FrameRef::decode`].
pub fn decode_ref(bytes: &[u8]) -> Result<FrameRef<'_>, DecodeError> {
    FrameRef::decode(bytes)
}

impl<'a> FrameRef<'a> {
    /// A frame with this payload, unescaped.
    ///
    /// # Errors
    /// A payload over [`MAX_PAYLOAD_LEN`].
    #[inline]
    pub const fn new(verb: Verb, payload: &'a [u8]) -> Result<Self, EncodeError> {
        match PayloadRef::new(payload) {
            Ok(payload) => Ok(Self { verb, payload }),
            Err(error) => Err(error),
        }
    }

    #[inline]
    pub(crate) const fn from_parts(verb: Verb, payload: PayloadRef<'a>) -> Self {
        Self { verb, payload }
    }

    /// Reads the one frame that `bytes` are, to the last byte.
    ///
    /// Nothing is copied: a payload with escapes is checked and stays in its wire form (see [`PayloadRef`]).
    ///
    /// # Errors
    /// What is wrong at the first byte that can't be right, or that more is needed (spec 8).
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (frame, len) = Self::decode_prefix(bytes)?;
        if len == bytes.len() {
            return Ok(frame);
        }
        // Spec 8.2: which of the two mistakes it looks like.
        let joined = Verb::from_byte(bytes[len]).is_some();
        if bytes.last() == Some(&crate::END) && !joined {
            return Err(DecodeError::BareEnd { at: len - 1 });
        }
        Err(DecodeError::TrailingBytes {
            at: len,
            extra: bytes.len() - len,
        })
    }

    /// Reads the frame at the head of `bytes` and gives it with the length of its wire form; what follows is left alone.
    ///
    /// To read a stream that arrives in pieces use a [`Decoder`](crate::Decoder): this starts from the verb each time.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), without the two about what follows.
    #[inline]
    pub fn decode_prefix(bytes: &'a [u8]) -> Result<(Self, usize), DecodeError> {
        let (verb, body) = wire::split_verb(bytes)?;
        match wire::look(body, MAX_PAYLOAD_LEN) {
            Body::Whole { end, escapes } => Ok((
                Self {
                    verb,
                    payload: PayloadRef::checked_wire(&body[..end], escapes),
                },
                end + 2,
            )),
            Body::Part { in_escape, .. } => Err(wire::needs_more(bytes.len(), in_escape)),
            Body::Wrong { window } => {
                Err(wire::first_error(&body[..window], 0, MAX_PAYLOAD_LEN, 1))
            }
        }
    }

    /// The verb.
    #[inline]
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// The payload.
    #[inline]
    pub const fn payload(&self) -> PayloadRef<'a> {
        self.payload
    }

    /// Length of the wire form in bytes, verb and END included.
    pub fn encoded_len(&self) -> usize {
        self.payload.escaped_len() + 2
    }

    /// Writes the wire form to the head of `out` and returns its length in bytes.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len); what it then holds is unspecified.
    #[inline]
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let have = out.len();
        self.write(out).ok_or_else(|| EncodeError::BufferTooSmall {
            needed: self.encoded_len(),
            have,
        })
    }

    #[inline]
    fn write(&self, out: &mut [u8]) -> Option<usize> {
        let (verb, body) = out.split_first_mut()?;
        *verb = self.verb.as_byte();
        let len = self.payload.escape_into(body)?;
        *body.get_mut(len)? = crate::END;
        Some(len + 2)
    }

    /// A copy that owns its payload.
    #[cfg(feature = "alloc")]
    pub fn to_frame(&self) -> Frame {
        Frame::new(self.verb, self.payload.to_payload())
    }
}
