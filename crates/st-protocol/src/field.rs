//! Fields of a payload: integers and length-prefixed bytes and texts (spec 4).

use crate::{EncodeError, FieldError};

/// Longest field with a one-byte length.
const SHORT_MAX: usize = 126;

/// What a one-byte length is added to.
const SHORT_BASE: u8 = 0x80;

/// The first byte of the long form.
const LONG: u8 = 0xFF;

/// Reads fields off the front of an unescaped payload. A read that fails leaves the reader where it was (spec 4.3).
///
/// ```
/// use st_protocol::{FieldReader, Frame};
///
/// let scan = Frame::scan("/srv", 3);
/// let mut fields = scan.payload().fields();
/// assert_eq!((fields.lstr()?, fields.u8()?), ("/srv", 3));
/// fields.finish()?;
/// # Ok::<(), st_protocol::FieldError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FieldReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> FieldReader<'a> {
    /// A reader at the start of `payload`, unescaped.
    pub const fn new(payload: &'a [u8]) -> Self {
        Self {
            bytes: payload,
            at: 0,
        }
    }

    /// One byte.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn u8(&mut self) -> Result<u8, FieldError> {
        self.array().map(|[byte]| byte)
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u16_le(&mut self) -> Result<u16, FieldError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u32_le(&mut self) -> Result<u32, FieldError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u64_le(&mut self) -> Result<u64, FieldError> {
        self.array().map(u64::from_le_bytes)
    }

    /// `N` bytes as they are.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FieldError> {
        match self.remaining_bytes().first_chunk() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// Length-prefixed bytes.
    ///
    /// # Errors
    /// A bad or wasteful length, or fewer bytes left than it says.
    pub fn lbytes(&mut self) -> Result<&'a [u8], FieldError> {
        let at = self.at;
        let rest = self.remaining_bytes();
        let (head, len) = match *rest {
            [] => return Err(self.truncated(1)),
            [LONG, low, high, ..] => {
                let len = usize::from(u16::from_le_bytes([low, high]));
                if len <= SHORT_MAX {
                    return Err(FieldError::NotMinimal { at, len });
                }
                (3, len)
            }
            [LONG, ..] => return Err(self.truncated(3)),
            [byte, ..] if byte < SHORT_BASE => return Err(FieldError::BadPrefix { at, byte }),
            [byte, ..] => (1, usize::from(byte - SHORT_BASE)),
        };
        let field = rest
            .get(head..head + len)
            .ok_or_else(|| self.truncated(head + len))?;
        self.at += head + len;
        Ok(field)
    }

    /// Length-prefixed UTF-8.
    ///
    /// # Errors
    /// As [`lbytes`](Self::lbytes), or the bytes are no UTF-8.
    pub fn lstr(&mut self) -> Result<&'a str, FieldError> {
        let at = self.at;
        let bytes = self.lbytes()?;
        core::str::from_utf8(bytes).map_err(|_| {
            self.at = at;
            FieldError::NotUtf8 { at }
        })
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.remaining_bytes();
        self.at = self.bytes.len();
        rest
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// Something is.
    pub fn finish(self) -> Result<(), FieldError> {
        match self.remaining() {
            0 => Ok(()),
            len => Err(FieldError::Trailing { at: self.at, len }),
        }
    }

    /// Bytes read so far.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Bytes left.
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn remaining_bytes(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn truncated(&self, needed: usize) -> FieldError {
        FieldError::Truncated {
            at: self.at,
            missing: needed - self.remaining(),
        }
    }
}

/// Writes fields into a caller's buffer, without allocation. A write that fails leaves the writer where it was.
///
/// ```
/// use st_protocol::{FieldWriter, FrameRef, Verb};
///
/// let mut buffer = [0; 32];
/// let mut fields = FieldWriter::new(&mut buffer);
/// fields.lstr("/srv")?;
/// fields.u8(3)?;
/// let scan = FrameRef::new(Verb::Scan, fields.finish())?;
/// assert_eq!(scan.encoded_len(), 8);
/// # Ok::<(), st_protocol::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct FieldWriter<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> FieldWriter<'a> {
    /// A writer at the start of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// One byte.
    ///
    /// # Errors
    /// The buffer is full, here and in all that follow.
    pub fn u8(&mut self, value: u8) -> Result<(), EncodeError> {
        self.raw(&[value])
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// The buffer is full.
    pub fn u16_le(&mut self, value: u16) -> Result<(), EncodeError> {
        self.raw(&value.to_le_bytes())
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// The buffer is full.
    pub fn u32_le(&mut self, value: u32) -> Result<(), EncodeError> {
        self.raw(&value.to_le_bytes())
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// The buffer is full.
    pub fn u64_le(&mut self, value: u64) -> Result<(), EncodeError> {
        self.raw(&value.to_le_bytes())
    }

    /// Length-prefixed bytes.
    ///
    /// # Errors
    /// Over 65,535 bytes, or the buffer is full.
    pub fn lbytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let (prefix, prefix_len) = length_prefix(bytes.len())?;
        let needed = self.len + prefix_len + bytes.len();
        if needed > self.buffer.len() {
            return Err(EncodeError::BufferTooSmall {
                needed,
                have: self.buffer.len(),
            });
        }
        self.raw(&prefix[..prefix_len])?;
        self.raw(bytes)
    }

    /// Length-prefixed UTF-8.
    ///
    /// # Errors
    /// As [`lbytes`](Self::lbytes).
    pub fn lstr(&mut self, text: &str) -> Result<(), EncodeError> {
        self.lbytes(text.as_bytes())
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// The buffer is full.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let (needed, have) = (self.len + bytes.len(), self.buffer.len());
        match self.buffer.get_mut(self.len..needed) {
            Some(room) => room.copy_from_slice(bytes),
            None => return Err(EncodeError::BufferTooSmall { needed, have }),
        }
        self.len = needed;
        Ok(())
    }

    /// What has been written.
    pub fn finish(self) -> &'a [u8] {
        &self.buffer[..self.len]
    }
}

/// The prefix of a field of `len` bytes, and how many of the three bytes it is.
pub(crate) fn length_prefix(len: usize) -> Result<([u8; 3], usize), EncodeError> {
    let Ok(long) = u16::try_from(len) else {
        return Err(EncodeError::FieldTooLong { len });
    };
    let [low, high] = long.to_le_bytes();
    // Up to 126 the low byte is the whole length.
    Ok(if len <= SHORT_MAX {
        ([SHORT_BASE + low, 0, 0], 1)
    } else {
        ([LONG, low, high], 3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn a_failed_read_leaves_the_reader_where_it_was() {
        let cases: [(&[u8], FieldError); 7] = [
            (&[], FieldError::Truncated { at: 1, missing: 1 }),
            (&[0x83, 1], FieldError::Truncated { at: 1, missing: 2 }),
            (&[0xFF, 0x7F], FieldError::Truncated { at: 1, missing: 1 }),
            (
                &[0xFF, 0x7F, 0x00, 9],
                FieldError::Truncated {
                    at: 1,
                    missing: 126,
                },
            ),
            (&[0x7F, b'A'], FieldError::BadPrefix { at: 1, byte: 0x7F }),
            (
                &[0xFF, 0x7E, 0x00, 9],
                FieldError::NotMinimal { at: 1, len: 126 },
            ),
            (&[0x82, 0xC3, 0x28], FieldError::NotUtf8 { at: 1 }),
        ];
        for (tail, error) in cases {
            let payload = [&[0x2A], tail].concat();
            let mut reader = FieldReader::new(&payload);
            assert_eq!(reader.u8(), Ok(0x2A));
            assert_eq!(reader.lstr(), Err(error), "{tail:02x?}");
            assert_eq!((reader.position(), reader.remaining()), (1, tail.len()));
            assert_eq!(reader.rest(), tail);
        }
    }

    #[test]
    fn the_long_form_begins_at_127_bytes() {
        for (len, head) in [
            (0, &[0x80][..]),
            (126, &[0xFE]),
            (127, &[0xFF, 127, 0]),
            (65_535, &[0xFF, 255, 255]),
        ] {
            let mut buffer = vec![0; len + 3];
            let mut writer = FieldWriter::new(&mut buffer);
            writer.lbytes(&vec![7; len]).unwrap();
            let written = writer.finish();
            assert_eq!(&written[..head.len()], head);
            assert_eq!(FieldReader::new(written).lbytes().unwrap().len(), len);
        }
        assert_eq!(
            length_prefix(65_536),
            Err(EncodeError::FieldTooLong { len: 65_536 })
        );
    }

    proptest! {
        #[test]
        fn fields_come_back(
            a in any::<u8>(), b in any::<u16>(), c in any::<u32>(), d in any::<u64>(),
            text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let mut buffer = vec![0; 2000];
            let mut writer = FieldWriter::new(&mut buffer);
            writer.u8(a).unwrap();
            writer.lstr(&text).unwrap();
            writer.u16_le(b).unwrap();
            writer.u32_le(c).unwrap();
            writer.lbytes(&bytes).unwrap();
            writer.u64_le(d).unwrap();
            let mut reader = FieldReader::new(writer.finish());
            prop_assert_eq!(reader.u8(), Ok(a));
            prop_assert_eq!(reader.lstr(), Ok(&text[..]));
            prop_assert_eq!(reader.u16_le(), Ok(b));
            prop_assert_eq!(reader.u32_le(), Ok(c));
            prop_assert_eq!(reader.lbytes(), Ok(&bytes[..]));
            prop_assert_eq!(reader.u64_le(), Ok(d));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn a_field_that_reads_is_the_one_that_writes(payload in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = FieldReader::new(&payload);
            if let Ok(field) = reader.lbytes() {
                let mut buffer = vec![0; 400];
                let mut writer = FieldWriter::new(&mut buffer);
                writer.lbytes(field).unwrap();
                prop_assert_eq!(writer.finish(), &payload[..reader.position()], "one form per value");
            } else {
                prop_assert_eq!(reader.position(), 0);
            }
        }

        #[test]
        fn a_full_buffer_is_refused_and_leaves_the_writer(room in 0usize..8, field in prop::collection::vec(any::<u8>(), 8..10)) {
            let mut buffer: Vec<u8> = vec![0; room];
            let mut writer = FieldWriter::new(&mut buffer);
            let needed = field.len() + 1;
            prop_assert_eq!(writer.lbytes(&field), Err(EncodeError::BufferTooSmall { needed, have: room }));
            prop_assert_eq!(writer.finish().len(), 0);
        }
    }
}
