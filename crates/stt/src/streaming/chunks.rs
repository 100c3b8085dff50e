use stt_crypto::{SALT_LEN, SegmentError, SegmentOpener, SegmentSealer, secret::StreamContext};

use super::{DecodeError, EncodeError, MAX_SEGMENT_SIZE};

/// Seals whole messages as chunks in order (`docs/spec/stt-primitives.md` §3).
#[derive(Debug)]
pub struct StreamEncoder<'a> {
    context: &'a StreamContext,
    size: usize,
}

impl<'a> StreamEncoder<'a> {
    /// An encoder with `chunk_size` bytes of plaintext a chunk.
    ///
    /// # Errors
    ///
    /// The size is 0 or over [`MAX_SEGMENT_SIZE`].
    pub fn new(context: &'a StreamContext, chunk_size: usize) -> Result<Self, EncodeError> {
        if !(1..=MAX_SEGMENT_SIZE).contains(&chunk_size) {
            return Err(EncodeError::Size { size: chunk_size });
        }
        Ok(Self {
            context,
            size: chunk_size,
        })
    }

    /// The chunks of one message, sealed one by one as they are asked for.
    ///
    /// # Errors
    ///
    /// The operating system gives no random bytes.
    pub fn encode_bytes<'d>(&self, data: &'d [u8]) -> Result<EncodedChunks<'d>, EncodeError> {
        let mut salt = [0; SALT_LEN];
        getrandom::fill(&mut salt)?;
        Ok(EncodedChunks {
            sealer: Some(self.context.sealer(salt)),
            size: self.size,
            rest: data,
        })
    }
}

/// The chunks of one message: [`StreamEncoder::encode_bytes`].
#[derive(Debug)]
pub struct EncodedChunks<'d> {
    /// Gone after the last chunk.
    sealer: Option<SegmentSealer>,
    size: usize,
    rest: &'d [u8],
}

impl Iterator for EncodedChunks<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let sealer = self.sealer.as_mut()?;
        let (head, rest) = self.rest.split_at(self.size.min(self.rest.len()));
        self.rest = rest;
        let mut chunk = Vec::new();
        sealer
            .seal(head, rest.is_empty(), &mut chunk)
            .expect("a slice has fewer than 2^62 chunks, each far below the AEAD's limit, and the sealer goes with the last");
        if rest.is_empty() {
            self.sealer = None;
        }
        Some(chunk)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self.sealer {
            Some(_) => self.rest.len().div_ceil(self.size).max(1),
            None => 0,
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for EncodedChunks<'_> {}

/// Opens what a [`StreamEncoder`] has sealed (`docs/spec/stt-primitives.md` §3).
#[derive(Debug)]
pub struct StreamDecoder<'a> {
    context: &'a StreamContext,
}

impl<'a> StreamDecoder<'a> {
    /// A decoder.
    pub fn new(context: &'a StreamContext) -> Self {
        Self { context }
    }

    /// The message whose chunks these are, all of them, in order.
    ///
    /// # Errors
    ///
    /// A chunk is not the next of this message ([`DecodeError::Segment`]), or follows the last
    /// ([`DecodeError::Beyond`]); or the last is missing ([`DecodeError::Incomplete`]).
    pub fn decode_to_bytes<C: AsRef<[u8]>>(
        &self,
        chunks: impl IntoIterator<Item = C>,
    ) -> Result<Vec<u8>, DecodeError> {
        let mut opener = self.chunks();
        let mut message = Vec::new();
        let mut scratch = Vec::new();
        for chunk in chunks {
            scratch.clear();
            scratch.extend_from_slice(chunk.as_ref());
            message.extend_from_slice(opener.open(&mut scratch)?);
        }
        opener.finish()?;
        Ok(message)
    }

    /// Opens a message chunk by chunk, for those too long for memory.
    pub fn chunks(&self) -> ChunkOpener {
        ChunkOpener {
            opener: self.context.opener(),
            next: 0,
            ended: false,
        }
    }
}

/// Opens the chunks of one message in order: [`StreamDecoder::chunks`].
#[derive(Debug)]
pub struct ChunkOpener {
    opener: SegmentOpener,
    next: u64,
    ended: bool,
}

impl ChunkOpener {
    /// The plaintext of the next chunk, opened where it lies.
    ///
    /// # Errors
    ///
    /// It isn't the next chunk of this message, which can be tried again; or the last was opened.
    pub fn open<'c>(&mut self, chunk: &'c mut [u8]) -> Result<&'c [u8], DecodeError> {
        let sequence = self.next;
        if self.ended {
            let end = sequence;
            return Err(DecodeError::Beyond { sequence, end });
        }
        let fail = |cause: SegmentError| DecodeError::Segment { sequence, cause };
        let opened = self.opener.open(sequence, chunk).map_err(fail)?;
        self.next += 1;
        self.ended = opened.last;
        Ok(opened.plaintext)
    }

    /// The message is whole.
    ///
    /// # Errors
    ///
    /// Its last chunk wasn't opened.
    pub fn finish(self) -> Result<(), DecodeError> {
        let missing = self.next;
        if self.ended {
            Ok(())
        } else {
            Err(DecodeError::Incomplete { missing })
        }
    }
}
