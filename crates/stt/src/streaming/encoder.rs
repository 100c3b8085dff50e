use std::pin::pin;

use stt_crypto::{SALT_LEN, SEGMENT_OVERHEAD, SegmentSealer, secret::StreamContext};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{EncodeError, MAX_SEGMENT_SIZE};

/// A sealed segment and its number, which travels beside it.
pub type Segment = (u64, Vec<u8>);

/// When bytes leave an encoder (`docs/spec/stt-primitives.md` §1.4, §1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamMode {
    /// For bytes that are all there: segments are full, the last tells the end.
    #[default]
    Bounded,
    /// For bytes as they arise: nothing waits for more, the end is a segment of its own.
    Live,
}

/// Cuts bytes into segments and seals each (`docs/spec/stt-primitives.md` §1).
///
/// It reads and sends nothing itself: bytes go in by [`Self::push`], until it gives no more
/// segments; then [`Self::finish`]. [`Self::encode_all`] and [`Self::reader`] do so for a slice and
/// for a tokio reader.
#[derive(Debug)]
pub struct BinaryStreamEncoder {
    sealer: SegmentSealer,
    mode: StreamMode,
    size: usize,
    /// Plaintext of the segment that is being filled.
    waiting: Vec<u8>,
}

impl BinaryStreamEncoder {
    /// An encoder with a fresh salt, `segment_size` bytes of plaintext a segment.
    ///
    /// # Errors
    ///
    /// The size is 0 or over [`MAX_SEGMENT_SIZE`]; the operating system gives no random bytes.
    pub fn new(
        context: &StreamContext,
        mode: StreamMode,
        segment_size: usize,
    ) -> Result<Self, EncodeError> {
        let mut salt = [0; SALT_LEN];
        getrandom::fill(&mut salt)?;
        Self::with_salt(context, mode, segment_size, salt)
    }

    /// The same with a salt from the caller: 16 random bytes that no other encoder has.
    ///
    /// # Errors
    ///
    /// The size is 0 or over [`MAX_SEGMENT_SIZE`].
    pub fn with_salt(
        context: &StreamContext,
        mode: StreamMode,
        segment_size: usize,
        salt: [u8; SALT_LEN],
    ) -> Result<Self, EncodeError> {
        if !(1..=MAX_SEGMENT_SIZE).contains(&segment_size) {
            return Err(EncodeError::Size { size: segment_size });
        }
        Ok(Self {
            sealer: context.sealer(salt),
            mode,
            size: segment_size,
            waiting: Vec::new(),
        })
    }

    /// The next segment from `input`, which loses what the encoder took; `None` once all of it is
    /// taken and no segment is due. Call it until then.
    ///
    /// # Errors
    ///
    /// The stream has ended ([`Self::finish`]).
    pub fn push(&mut self, input: &mut &[u8]) -> Result<Option<Segment>, EncodeError> {
        if self.waiting.len() < self.size {
            let taken = input.len().min(self.size - self.waiting.len());
            let (head, rest) = input.split_at(taken);
            *input = rest;
            // A full segment is sealed from where it lies.
            if self.waiting.is_empty() && taken == self.size && self.is_due(rest) {
                return self.seal_slice(head).map(Some);
            }
            self.waiting.extend_from_slice(head);
        }
        if self.waiting.is_empty() || !self.is_due(input) {
            return Ok(None);
        }
        self.seal(false).map(Some)
    }

    /// The last segment: what waits, and the end.
    ///
    /// # Errors
    ///
    /// The stream has ended already.
    pub fn finish(&mut self) -> Result<Segment, EncodeError> {
        self.seal(true)
    }

    /// All segments of a whole stream: `data` and the end.
    ///
    /// # Errors
    ///
    /// The stream has ended already.
    pub fn encode_all(&mut self, mut data: &[u8]) -> Result<Vec<Segment>, EncodeError> {
        let mut segments = Vec::with_capacity(data.len() / self.size + 1);
        while let Some(segment) = self.push(&mut data)? {
            segments.push(segment);
        }
        segments.push(self.finish()?);
        Ok(segments)
    }

    /// The segments of everything that `source` gives.
    pub fn reader<R: AsyncRead + Unpin>(self, source: R) -> SegmentReader<R> {
        SegmentReader {
            // In live mode a read is a segment; more would be cut again.
            buffer: vec![0; self.size.min(READ_LEN)],
            start: 0,
            end: 0,
            ended: false,
            encoder: self,
            source,
        }
    }

    /// The number that the next segment gets.
    pub fn next_sequence(&self) -> u64 {
        self.sealer.next_number()
    }

    /// Whether what waits has to go, given what follows it.
    fn is_due(&self, rest: &[u8]) -> bool {
        match self.mode {
            StreamMode::Live => true,
            // A full segment might be the last.
            StreamMode::Bounded => !rest.is_empty(),
        }
    }

    fn seal(&mut self, last: bool) -> Result<Segment, EncodeError> {
        let mut segment = Vec::with_capacity(SEGMENT_OVERHEAD + self.waiting.len());
        let number = self.sealer.seal(&self.waiting, last, &mut segment)?;
        self.waiting.clear();
        Ok((number, segment))
    }

    fn seal_slice(&mut self, plaintext: &[u8]) -> Result<Segment, EncodeError> {
        let mut segment = Vec::with_capacity(SEGMENT_OVERHEAD + plaintext.len());
        let number = self.sealer.seal(plaintext, false, &mut segment)?;
        Ok((number, segment))
    }
}

/// The segments of what a tokio reader gives: [`BinaryStreamEncoder::reader`].
#[derive(Debug)]
pub struct SegmentReader<R> {
    encoder: BinaryStreamEncoder,
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> SegmentReader<R> {
    /// The next segment; `None` after the last. Cancelling it loses nothing.
    ///
    /// # Errors
    ///
    /// The source failed. It may be tried again if the source may.
    pub async fn next(&mut self) -> Result<Option<Segment>, EncodeError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let mut input = &self.buffer[self.start..self.end];
            let segment = self.encoder.push(&mut input)?;
            self.start = self.end - input.len();
            if segment.is_some() {
                return Ok(segment);
            }
            let read = pin!(self.source.read(&mut self.buffer)).await?;
            (self.start, self.end) = (0, read);
            if read == 0 {
                self.ended = true;
                return self.encoder.finish().map(Some);
            }
        }
    }
}

/// The most bytes read from a source at once.
const READ_LEN: usize = 64 << 10;
