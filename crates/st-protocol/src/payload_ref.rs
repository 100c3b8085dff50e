//! A payload that lives in somebody else's buffer.

use core::fmt;

use crate::EncodeError;
use crate::escape::{self, ESC};
use crate::unescape::unescape_into;

#[cfg(feature = "alloc")]
use {crate::Payload, alloc::borrow::Cow, alloc::vec};

/// A borrowed payload: the plain bytes, or the checked wire form of one that holds escapes.
///
/// Equality compares what the payloads say, not how they are held.
#[derive(Clone, Copy)]
pub struct PayloadRef<'a> {
    bytes: &'a [u8],
    /// Escape pairs in `bytes`. With none, `bytes` is the payload itself, and may hold any byte.
    escapes: usize,
}

impl<'a> PayloadRef<'a> {
    /// The payload that consists of these bytes, unescaped.
    ///
    /// # Errors
    /// Over [`MAX_PAYLOAD_LEN`](crate::MAX_PAYLOAD_LEN).
    #[inline]
    pub const fn new(plain: &'a [u8]) -> Result<Self, EncodeError> {
        if plain.len() > crate::MAX_PAYLOAD_LEN {
            return Err(EncodeError::PayloadTooLong { len: plain.len() });
        }
        Ok(Self {
            bytes: plain,
            escapes: 0,
        })
    }

    /// Plain bytes that are known to be within the limit.
    #[inline]
    pub(crate) const fn plain(bytes: &'a [u8]) -> Self {
        Self { bytes, escapes: 0 }
    }

    /// A body without END that [`look`](crate::wire::look) has checked.
    pub(crate) const fn checked_wire(bytes: &'a [u8], escapes: usize) -> Self {
        Self { bytes, escapes }
    }

    /// The payload's bytes, if they lie there without escapes; else see [`copy_to`](Self::copy_to) and
    /// [`to_cow`](Self::to_cow).
    #[inline]
    pub const fn as_bytes(&self) -> Option<&'a [u8]> {
        if self.escapes == 0 {
            Some(self.bytes)
        } else {
            None
        }
    }

    /// The payload as text, if it lies there without escapes and is UTF-8.
    #[inline]
    pub fn as_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.as_bytes()?).ok()
    }

    /// Length in bytes, unescaped.
    #[inline]
    pub const fn len(&self) -> usize {
        self.bytes.len() - self.escapes
    }

    /// Whether there are no bytes.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Copies the payload, unescaped, to the head of `out` and gives that head.
    ///
    /// # Errors
    /// `out` is shorter than [`len`](Self::len).
    #[inline]
    pub fn copy_to<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        let (needed, have) = (self.len(), out.len());
        let Some(head) = out.get_mut(..needed) else {
            return Err(EncodeError::BufferTooSmall { needed, have });
        };
        if self.escapes == 0 {
            head.copy_from_slice(self.bytes);
        } else {
            unescape_into(self.bytes, head).ok_or(EncodeError::BufferTooSmall { needed, have })?;
        }
        Ok(head)
    }

    /// The payload's bytes one by one.
    pub fn iter(&self) -> impl Iterator<Item = u8> + 'a {
        let escaped = self.escapes != 0;
        let mut bytes = self.bytes.iter();
        core::iter::from_fn(move || match bytes.next() {
            Some(&ESC) if escaped => bytes.next().copied(),
            byte => byte.copied(),
        })
    }

    /// The payload's bytes, copied only if they are escaped.
    #[cfg(feature = "alloc")]
    pub fn to_cow(&self) -> Cow<'a, [u8]> {
        match self.as_bytes() {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned(self.to_payload().into_bytes()),
        }
    }

    /// A copy that owns its bytes.
    #[cfg(feature = "alloc")]
    pub fn to_payload(&self) -> Payload {
        match self.as_bytes() {
            Some(bytes) => Payload::from_checked(bytes.to_vec()),
            None => {
                let mut out = vec![0; self.len()];
                let written = unescape_into(self.bytes, &mut out);
                debug_assert_eq!(written, Some(out.len()), "the wire form was checked");
                Payload::from_checked(out)
            }
        }
    }

    /// Length of the wire form, without END.
    pub(crate) fn escaped_len(&self) -> usize {
        if self.escapes == 0 {
            escape::escaped_len(self.bytes)
        } else {
            self.bytes.len()
        }
    }

    /// Writes the wire form, without END, to the head of `out`; `None` if it does not fit.
    #[inline]
    pub(crate) fn escape_into(&self, out: &mut [u8]) -> Option<usize> {
        if self.escapes == 0 {
            return escape::escape_into(self.bytes, out);
        }
        // The wire form of a payload is unique (spec 2.3): what was read is what is written.
        out.get_mut(..self.bytes.len())?.copy_from_slice(self.bytes);
        Some(self.bytes.len())
    }
}

impl fmt::Debug for PayloadRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for PayloadRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.as_bytes(), other.as_bytes()) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.len() == other.len() && self.iter().eq(other.iter()),
        }
    }
}

impl Eq for PayloadRef<'_> {}
