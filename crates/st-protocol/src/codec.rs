//! Frames over tokio's framed streams.

use bytes::{Buf, BytesMut};
use std::io;
use tokio_util::codec;

use crate::{Decoder, Frame, FrameRef, ReadError};

/// A `tokio_util` codec: `Framed::new(stream, FrameCodec::new())` is a stream and a sink of [`Frame`]s.
///
/// Nothing is read twice: partial frames are kept in the decoder, the buffer is always used up. After an error the
/// connection is to be closed.
#[derive(Clone, Debug, Default)]
pub struct FrameCodec {
    decoder: Decoder,
}

impl FrameCodec {
    /// A codec with the protocol's limits.
    pub const fn new() -> Self {
        Self::with_decoder(Decoder::new())
    }

    /// A codec that decodes with this decoder, which sets the limits.
    pub const fn with_decoder(decoder: Decoder) -> Self {
        Self { decoder }
    }
}

impl codec::Decoder for FrameCodec {
    type Item = Frame;
    type Error = ReadError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
        let mut input = &src[..];
        let frame = self
            .decoder
            .next_frame(&mut input)
            .map(|frame| frame.map(|f| f.to_frame()));
        let taken = src.len() - input.len();
        src.advance(taken);
        Ok(frame?)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
        let frame = self.decode(src)?;
        if frame.is_none() {
            self.decoder.finish()?;
        }
        Ok(frame)
    }
}

impl codec::Encoder<FrameRef<'_>> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: FrameRef<'_>, dst: &mut BytesMut) -> io::Result<()> {
        let start = dst.len();
        dst.resize(start + frame.encoded_len(), crate::END);
        frame
            .encode_into(&mut dst[start..])
            .map(|_| ())
            .map_err(io::Error::other)
    }
}

impl codec::Encoder<&Frame> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: &Frame, dst: &mut BytesMut) -> io::Result<()> {
        self.encode(frame.as_frame_ref(), dst)
    }
}

impl codec::Encoder<Frame> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> io::Result<()> {
        self.encode(frame.as_frame_ref(), dst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeError;
    use codec::{Decoder as _, Encoder as _};

    #[test]
    fn frames_come_back_for_every_cut() {
        let frames = [
            Frame::ping(),
            Frame::recall("notes", 27),
            Frame::search("TODO"),
        ];
        let mut wire = BytesMut::new();
        let mut codec = FrameCodec::new();
        for frame in &frames {
            codec.encode(frame, &mut wire).unwrap();
        }
        for cut in 0..=wire.len() {
            let mut codec = FrameCodec::new();
            let mut got = std::vec::Vec::new();
            let mut src = BytesMut::from(&wire[..cut]);
            while let Some(frame) = codec.decode(&mut src).unwrap() {
                got.push(frame);
            }
            assert!(src.is_empty());
            src.extend_from_slice(&wire[cut..]);
            while let Some(frame) = codec.decode_eof(&mut src).unwrap() {
                got.push(frame);
            }
            assert_eq!(got, frames);
        }
    }

    #[test]
    fn the_end_inside_a_frame_is_an_error() {
        let mut codec = FrameCodec::new();
        let mut src = BytesMut::from(&b"\x01ab"[..]);
        assert!(codec.decode(&mut src).unwrap().is_none());
        let error = codec.decode_eof(&mut src).unwrap_err();
        assert!(matches!(
            error,
            ReadError::Decode(DecodeError::Incomplete { have: 3 })
        ));
    }
}
