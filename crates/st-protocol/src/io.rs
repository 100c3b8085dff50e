//! Frames over `std::io`, for programs without an async runtime.

use std::boxed::Box;
use std::io::{ErrorKind, Read, Write};
use std::vec::Vec;
use std::{fmt, io};

use crate::{DecodeError, Decoder, Frame, FrameRef};

/// Bytes asked for at once.
const READ_LEN: usize = 8192;

/// Reads frames from a stream of bytes.
///
/// It buffers: give it the stream and read nothing past it. For frames that are not copied, push what you read into a
/// [`Decoder`].
///
/// ```
/// use st_protocol::{Frame, FrameReader, FrameWriter};
///
/// let mut wire = Vec::new();
/// FrameWriter::new(&mut wire).write(Frame::scan("/srv", 2).as_frame_ref())?;
/// let mut reader = FrameReader::new(&wire[..]);
/// assert_eq!(reader.read()?, Some(Frame::scan("/srv", 2)));
/// assert_eq!(reader.read()?, None);
/// # Ok::<(), st_protocol::ReadError>(())
/// ```
#[derive(Debug)]
pub struct FrameReader<R> {
    inner: R,
    decoder: Decoder,
    buffer: Box<[u8]>,
    /// What of the buffer has been read and not yet decoded.
    start: usize,
    end: usize,
}

impl<R: Read> FrameReader<R> {
    /// A reader with the protocol's limits.
    pub fn new(inner: R) -> Self {
        Self::with_decoder(inner, Decoder::new())
    }

    /// A reader that decodes with this decoder, which sets the limits.
    pub fn with_decoder(inner: R, decoder: Decoder) -> Self {
        Self {
            inner,
            decoder,
            buffer: std::vec![0; READ_LEN].into(),
            start: 0,
            end: 0,
        }
    }

    /// Waits for the next frame; `None` once the stream has ended between two frames.
    ///
    /// # Errors
    /// The stream fails, holds something wrong, or ends inside a frame ([`DecodeError::needs_more`]). A wrong stream stays
    /// wrong; a failed one may be tried again.
    pub fn read(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let mut input = &self.buffer[self.start..self.end];
            let frame = self
                .decoder
                .next_frame(&mut input)?
                .map(|frame| frame.to_frame());
            self.start = self.end - input.len();
            if frame.is_some() {
                return Ok(frame);
            }
            (self.start, self.end) = (0, 0);
            self.end = match self.inner.read(&mut self.buffer) {
                Ok(0) => {
                    self.decoder.finish()?;
                    return Ok(None);
                }
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
        }
    }

    /// The stream.
    pub const fn get_ref(&self) -> &R {
        &self.inner
    }
}

/// Writes frames to a stream of bytes, each with one `write_all`.
#[derive(Debug)]
pub struct FrameWriter<W> {
    inner: W,
    /// Kept from frame to frame, at most one frame long.
    buffer: Vec<u8>,
}

impl<W: Write> FrameWriter<W> {
    /// A writer.
    pub const fn new(inner: W) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
        }
    }

    /// Writes a frame; see [`Frame::as_frame_ref`].
    ///
    /// # Errors
    /// The stream fails.
    pub fn write(&mut self, frame: FrameRef<'_>) -> io::Result<()> {
        let len = frame.encoded_len();
        if self.buffer.len() < len {
            self.buffer.resize(len, 0);
        }
        let len = frame
            .encode_into(&mut self.buffer)
            .map_err(io::Error::other)?;
        self.inner.write_all(&self.buffer[..len])
    }

    /// The stream.
    pub const fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Gives the stream back.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

/// Why no frame could be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream failed.
    Io(io::Error),
    /// What came is no frame.
    Decode(DecodeError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "reading frames: {error}"),
            Self::Decode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Decode(_) => None,
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for ReadError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    /// Gives one byte at a time, and an interruption before each.
    struct Drip<'a>(&'a [u8], bool);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            let len = self.0.len().min(1);
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    #[test]
    fn frames_come_through_a_stream_that_drips() {
        let frames = [
            Frame::ping(),
            Frame::recall("notes", 27),
            Frame::error("no"),
        ];
        let mut writer = FrameWriter::new(vec![]);
        for frame in &frames {
            writer.write(frame.as_frame_ref()).unwrap();
        }
        let wire = writer.into_inner();
        let mut reader = FrameReader::new(Drip(&wire, false));
        for frame in frames {
            assert_eq!(reader.read().unwrap(), Some(frame));
        }
        assert_eq!(reader.read().unwrap(), None);
    }

    #[test]
    fn the_end_inside_a_frame_and_a_wrong_stream_are_errors() {
        let mut cut = FrameReader::new(&b"\x05\x00\x01ab"[..]);
        assert!(cut.read().unwrap().is_some());
        assert!(matches!(
            cut.read(),
            Err(ReadError::Decode(DecodeError::Incomplete { have: 3 }))
        ));
        let mut wrong = FrameReader::new(&b"\x05\x00\x7f\x05\x00"[..]);
        assert!(wrong.read().unwrap().is_some());
        for _ in 0..2 {
            assert!(matches!(
                wrong.read(),
                Err(ReadError::Decode(DecodeError::Verb(_)))
            ));
        }
    }

    #[test]
    fn more_than_a_buffer_comes_through() {
        let frame = Frame::audio(&[0x1B; 60_000]);
        let mut wire = frame.encode();
        wire.extend(Frame::ok().encode());
        let mut reader = FrameReader::new(&wire[..]);
        assert_eq!(reader.read().unwrap(), Some(frame));
        assert_eq!(reader.read().unwrap(), Some(Frame::ok()));
    }
}
