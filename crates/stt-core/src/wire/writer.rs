use crate::varint;

/// Writes to the front of a caller's buffer, without allocating.
///
/// Every `put` panics if the buffer has no room: a caller compares [`Writer::remaining`] with the
/// `encoded_len` of what it is about to write first.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Writes to `buffer` from its start.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Writes one byte.
    #[inline]
    pub fn put_u8(&mut self, byte: u8) {
        self.buffer[self.len] = byte;
        self.len += 1;
    }

    /// Writes `bytes`.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Writes `value` as a variable-length integer (`docs/spec/stt-wire.md` §2).
    #[inline]
    pub fn put_varint(&mut self, value: u64) {
        varint::write(value, self);
    }

    /// Makes room for `len` bytes that the caller fills in itself.
    #[inline]
    pub fn reserve(&mut self, len: usize) -> &mut [u8] {
        let begin = self.len;
        self.len += len;
        &mut self.buffer[begin..self.len]
    }

    /// Bytes written.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that still fit.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// What has been written.
    #[inline]
    pub fn written(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}
