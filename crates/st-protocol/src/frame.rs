//! Frames that own their payload.

use alloc::vec::Vec;

use crate::field::length_prefix;
use crate::payload::or_panic;
use crate::{DecodeError, EncodeError, FrameRef, Payload, Verb};

/// A verb and its payload (spec 1). Every `Frame` can be written: the limits hold from construction on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    verb: Verb,
    payload: Payload,
}

impl Frame {
    /// A frame with this payload.
    pub const fn new(verb: Verb, payload: Payload) -> Self {
        Self { verb, payload }
    }

    /// A frame without payload: two bytes on the wire.
    pub const fn simple(verb: Verb) -> Self {
        Self::new(verb, Payload::new())
    }

    /// Starts a frame that is put together field by field.
    pub const fn builder(verb: Verb) -> FrameBuilder {
        FrameBuilder::new(verb)
    }

    /// Reads the one frame that `bytes` are, to the last byte.
    ///
    /// # Errors
    /// As [`FrameRef::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        FrameRef::decode(bytes).map(|frame| frame.to_frame())
    }

    /// Reads the one frame that `bytes` are and borrows its payload; the same as [`FrameRef::decode`].
    ///
    /// # Errors
    /// As [`FrameRef::decode`].
    pub fn decode_ref(bytes: &[u8]) -> Result<FrameRef<'_>, DecodeError> {
        FrameRef::decode(bytes)
    }

    /// The wire form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_to(&mut out);
        out
    }

    /// Appends the wire form to `out`.
    pub fn encode_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let len = self.encoded_len();
        out.reserve_exact(len);
        out.resize(start + len, crate::END);
        let written = self.encode_into(&mut out[start..]);
        debug_assert_eq!(written, Ok(len), "the length was counted");
    }

    /// Writes the wire form to the head of `out` and returns its length in bytes, without allocation.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len); what it then holds is unspecified.
    #[inline]
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        self.as_frame_ref().encode_into(out)
    }

    /// Length of the wire form in bytes, verb and END included.
    pub fn encoded_len(&self) -> usize {
        self.as_frame_ref().encoded_len()
    }

    /// The verb.
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// The payload.
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Gives the payload away.
    pub fn into_payload(self) -> Payload {
        self.payload
    }

    /// A borrowed view.
    #[inline]
    pub fn as_frame_ref(&self) -> FrameRef<'_> {
        FrameRef::from_parts(self.verb, self.payload.as_payload_ref())
    }
}

/// Puts a frame together. The limits are checked at the end, by [`build`](Self::build) or its twin.
///
/// `string` and `bytes` add bytes as they are; `lstr` and `lbytes` put their length in front (spec 4.2).
#[derive(Clone, Debug)]
pub struct FrameBuilder {
    verb: Verb,
    bytes: Vec<u8>,
    /// The first field that does not fit its length prefix.
    error: Option<EncodeError>,
}

impl FrameBuilder {
    /// A frame without payload so far.
    pub const fn new(verb: Verb) -> Self {
        Self {
            verb,
            bytes: Vec::new(),
            error: None,
        }
    }

    /// Adds one byte.
    #[must_use]
    pub fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    /// Adds two bytes, little-endian.
    #[must_use]
    pub fn u16_le(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Adds four bytes, little-endian.
    #[must_use]
    pub fn u32_le(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Adds eight bytes, little-endian.
    #[must_use]
    pub fn u64_le(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Adds bytes as they are.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Adds the UTF-8 bytes of a text as they are.
    #[must_use]
    pub fn string(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds length-prefixed bytes.
    #[must_use]
    pub fn lbytes(mut self, bytes: &[u8]) -> Self {
        match length_prefix(bytes.len()) {
            Ok((prefix, len)) => self.bytes(&prefix[..len]).bytes(bytes),
            Err(error) => {
                self.error.get_or_insert(error);
                self
            }
        }
    }

    /// Adds length-prefixed UTF-8.
    #[must_use]
    pub fn lstr(self, text: &str) -> Self {
        self.lbytes(text.as_bytes())
    }

    /// The frame.
    ///
    /// # Panics
    /// A field or the payload is over 65,535 bytes.
    pub fn build(self) -> Frame {
        or_panic(self.try_build())
    }

    /// The frame.
    ///
    /// # Errors
    /// A field or the payload is over 65,535 bytes.
    pub fn try_build(self) -> Result<Frame, EncodeError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Frame::new(self.verb, Payload::try_from_vec(self.bytes)?)),
        }
    }
}
