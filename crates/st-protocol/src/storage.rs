//! Where a [`Decoder`](crate::Decoder) keeps the part of a payload that it has.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

#[cfg(feature = "alloc")]
use crate::MAX_PAYLOAD_LEN;

/// What a decoder has unless told otherwise: memory that grows with the payloads, or without `alloc` one kilobyte.
#[cfg(feature = "alloc")]
pub(crate) type DefaultStorage = Vec<u8>;
#[cfg(not(feature = "alloc"))]
pub(crate) type DefaultStorage = [u8; 1024];

/// Memory for one unescaped payload: a `Vec<u8>` that grows to what comes, an array, or a borrowed slice. Its size bounds
/// the payloads that the decoder takes.
///
/// Sealed: the decoder relies on how these three behave.
pub trait Storage: sealed::Sealed {}

impl<S: sealed::Sealed> Storage for S {}

pub(crate) mod sealed {
    #[expect(unnameable_types, reason = "sealed: no other type may implement it")]
    /// The working side of [`Storage`](super::Storage).
    pub trait Sealed {
        /// Most bytes that it can hold.
        fn most(&self) -> usize;

        /// All of it, at least `len` bytes, if it can hold so many. Bytes written before are kept.
        fn room(&mut self, len: usize) -> Option<&mut [u8]>;

        /// The first `len` bytes, which were written before.
        fn head(&self, len: usize) -> &[u8];
    }
}

#[cfg(feature = "alloc")]
impl sealed::Sealed for Vec<u8> {
    fn most(&self) -> usize {
        MAX_PAYLOAD_LEN
    }

    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.len() {
            // The length is the high-water mark, so that no byte is cleared twice. It doubles, to be linear when a
            // payload comes byte by byte, and never passes what one payload may take.
            let target = len.max((2 * self.len()).min(MAX_PAYLOAD_LEN));
            self.reserve_exact(target - self.len());
            self.resize(target, 0);
        }
        Some(self)
    }

    fn head(&self, len: usize) -> &[u8] {
        &self[..len]
    }
}

impl<const N: usize> sealed::Sealed for [u8; N] {
    fn most(&self) -> usize {
        N
    }

    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        (len <= N).then_some(self)
    }

    fn head(&self, len: usize) -> &[u8] {
        &self[..len]
    }
}

impl sealed::Sealed for &mut [u8] {
    fn most(&self) -> usize {
        self.len()
    }

    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        (len <= self.len()).then_some(self)
    }

    fn head(&self, len: usize) -> &[u8] {
        &self[..len]
    }
}
