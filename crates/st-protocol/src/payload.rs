//! A payload that owns its bytes.

use alloc::vec::Vec;

use crate::escape::{self, END};
use crate::wire::{Body, first_error, look};
use crate::{DecodeError, EncodeError, FieldReader, MAX_PAYLOAD_LEN, PayloadRef};

/// The unescaped bytes of a frame, at most [`MAX_PAYLOAD_LEN`] of them, always.
///
/// The constructors named in the users' document panic on more; each has a `try_` twin that does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Payload {
    bytes: Vec<u8>,
}

impl Payload {
    /// No bytes.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// No bytes.
    pub const fn empty() -> Self {
        Self::new()
    }

    /// A copy of these bytes.
    ///
    /// # Panics
    /// Over [`MAX_PAYLOAD_LEN`].
    pub fn from_bytes(bytes: &[u8]) -> Self {
        or_panic(Self::try_from_bytes(bytes))
    }

    /// A copy of these bytes.
    ///
    /// # Errors
    /// Over [`MAX_PAYLOAD_LEN`].
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, EncodeError> {
        // Before copying, so that a refused input costs nothing.
        check(bytes.len())?;
        Ok(Self {
            bytes: bytes.to_vec(),
        })
    }

    /// These bytes, without a copy.
    ///
    /// # Errors
    /// Over [`MAX_PAYLOAD_LEN`].
    pub fn try_from_vec(bytes: Vec<u8>) -> Result<Self, EncodeError> {
        check(bytes.len())?;
        Ok(Self { bytes })
    }

    /// The UTF-8 bytes of a text.
    ///
    /// # Panics
    /// Over [`MAX_PAYLOAD_LEN`].
    pub fn from_string(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// Bytes that are known to be within the limit.
    pub(crate) fn from_checked(bytes: Vec<u8>) -> Self {
        debug_assert!(bytes.len() <= MAX_PAYLOAD_LEN);
        Self { bytes }
    }

    /// Reads the wire form of a payload: escapes, and no END.
    ///
    /// # Errors
    /// As a frame's payload (spec 8.1), with positions from the first byte of `wire`; a zero that is not escaped is a
    /// [`DecodeError::BareEnd`].
    pub fn decode(wire: &[u8]) -> Result<Self, DecodeError> {
        match look(wire, MAX_PAYLOAD_LEN) {
            Body::Part {
                escapes,
                in_escape: false,
            } => Ok(PayloadRef::checked_wire(wire, escapes).to_payload()),
            Body::Part {
                in_escape: true, ..
            } => Err(DecodeError::TruncatedEscape { have: wire.len() }),
            Body::Whole { end, .. } => Err(DecodeError::BareEnd { at: end }),
            Body::Wrong { window } => Err(first_error(&wire[..window], 0, MAX_PAYLOAD_LEN, 0)),
        }
    }

    /// The wire form: escaped, without END.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = alloc::vec![END; escape::escaped_len(&self.bytes)];
        let written = escape::escape_into(&self.bytes, &mut out);
        debug_assert_eq!(written, Some(out.len()), "the length was counted");
        out
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.bytes).ok()
    }

    /// A borrowed view.
    pub fn as_payload_ref(&self) -> PayloadRef<'_> {
        PayloadRef::plain(&self.bytes)
    }

    /// A reader of its fields.
    pub fn fields(&self) -> FieldReader<'_> {
        FieldReader::new(&self.bytes)
    }

    /// Gives the bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Length in bytes, unescaped.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl TryFrom<Vec<u8>> for Payload {
    type Error = EncodeError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, EncodeError> {
        Self::try_from_vec(bytes)
    }
}

impl TryFrom<&[u8]> for Payload {
    type Error = EncodeError;

    fn try_from(bytes: &[u8]) -> Result<Self, EncodeError> {
        Self::try_from_bytes(bytes)
    }
}

/// The documented constructors' answer to what their `try_` twins refuse.
#[track_caller]
pub(crate) fn or_panic<T>(result: Result<T, EncodeError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}; the try_ twin of this constructor returns an error instead"),
    }
}

const fn check(len: usize) -> Result<(), EncodeError> {
    if len > MAX_PAYLOAD_LEN {
        Err(EncodeError::PayloadTooLong { len })
    } else {
        Ok(())
    }
}
