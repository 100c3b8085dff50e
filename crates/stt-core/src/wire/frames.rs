use super::{
    Ack, Frame, NewId, Stream, WireId,
    frame::{
        ACK, ACK_ECN, CLOSE, CLOSE_APPLICATION, CRYPTO, DATAGRAM, DATAGRAM_WITH_LEN, MAX_DATA,
        MAX_STREAM_DATA, MAX_STREAMS, MAX_STREAMS_UNI, NEW_ID, PADDING, PATH_CHALLENGE,
        PATH_RESPONSE, PING, RESET, RETIRE_ID, STOP, STREAM, STREAM_END, STREAM_FIN, STREAM_LEN,
        STREAM_OFF,
    },
};
use crate::{
    Dir, StreamId,
    error::{Code, TransportError},
    varint::{self, VarIntError},
};

/// The most streams of a kind over a session (RFC 9000 §19.11): more have no id.
pub(super) const MAX_STREAM_COUNT: u64 = 1 << 60;

/// Goes through the frames of an opened packet, borrowing from it. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Frames<'a> {
    /// The frames of `plaintext`. An empty one has none, which the session refuses (§5.1).
    pub fn new(plaintext: &'a [u8]) -> Self {
        Self {
            rest: plaintext,
            len: plaintext.len(),
        }
    }

    // Inlined, so that a frame is never put together in memory only to be taken apart by its reader.
    #[inline]
    fn read(&mut self, kind: u8) -> Result<Frame<'a>, FrameErrorKind> {
        let input = &mut self.rest;
        Ok(match kind {
            PADDING => {
                let more = input
                    .iter()
                    .position(|&byte| byte != PADDING)
                    .unwrap_or(input.len());
                *input = &input[more..];
                Frame::Padding(1 + more)
            }
            PING => Frame::Ping,
            ACK | ACK_ECN => Frame::Ack(Ack::read(input, kind == ACK_ECN)?),
            RESET => Frame::Reset {
                id: stream_id(input)?,
                code: varint::read(input)?,
                final_size: varint::read(input)?,
            },
            STOP => Frame::Stop {
                id: stream_id(input)?,
                code: varint::read(input)?,
            },
            CRYPTO => return Err(FrameErrorKind::Reserved),
            STREAM..=STREAM_END => Frame::Stream(stream(kind, input)?),
            MAX_DATA => Frame::MaxData(varint::read(input)?),
            MAX_STREAM_DATA => Frame::MaxStreamData {
                id: stream_id(input)?,
                max: varint::read(input)?,
            },
            MAX_STREAMS | MAX_STREAMS_UNI => {
                let max = varint::read(input)?;
                if max > MAX_STREAM_COUNT {
                    return Err(FrameErrorKind::TooManyStreams);
                }
                let dir = if kind == MAX_STREAMS {
                    Dir::Bi
                } else {
                    Dir::Uni
                };
                Frame::MaxStreams { dir, max }
            }
            NEW_ID => Frame::NewId(new_id(input)?),
            RETIRE_ID => Frame::RetireId {
                sequence: varint::read(input)?,
            },
            PATH_CHALLENGE => Frame::PathChallenge(array(input)?),
            PATH_RESPONSE => Frame::PathResponse(array(input)?),
            CLOSE | CLOSE_APPLICATION => Frame::Close {
                application: kind == CLOSE_APPLICATION,
                code: varint::read(input)?,
                reason: counted(input)?,
            },
            DATAGRAM => Frame::Datagram(core::mem::take(input)),
            DATAGRAM_WITH_LEN => Frame::Datagram(counted(input)?),
            _ => return Err(FrameErrorKind::Unknown),
        })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, FrameError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.len - self.rest.len();
        let (&frame, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(self.read(frame).map_err(|kind| {
            self.rest = &[];
            FrameError {
                frame,
                offset,
                kind,
            }
        }))
    }
}

impl core::iter::FusedIterator for Frames<'_> {}

/// Bytes of an opened packet that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame {frame:02x} at byte {offset}: {kind}")]
pub struct FrameError {
    /// The frame's type.
    pub frame: u8,
    /// Where it begins, counted from the start of the plaintext.
    pub offset: usize,
    /// What is wrong.
    pub kind: FrameErrorKind,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameErrorKind {
    /// A wire id of no byte or more than eight.
    #[error("a wire id of {0} bytes; it has 1 to 8")]
    IdLength(u8),
    /// An integer that can't be read.
    #[error(transparent)]
    Integer(#[from] VarIntError),
    /// A range of acknowledged packets that would reach below 0.
    #[error("a range of acknowledged packets reaches below 0")]
    RangeBelowZero,
    /// A type that this version reserves (CRYPTO).
    #[error("reserved type")]
    Reserved,
    /// An id is to be retired that is newer than the one that the frame brings.
    #[error("retire_prior_to is over the sequence number")]
    RetiresItself,
    /// Stream data that would end over 2^62 − 1.
    #[error("stream data ends over 2^62 − 1")]
    StreamTooLong,
    /// More ranges than a frame may hold.
    #[error("{0} ranges of acknowledged packets; at most 128 are allowed")]
    TooManyRanges(u64),
    /// A count of streams over 2^60.
    #[error("more than 2^60 streams")]
    TooManyStreams,
    /// The packet ends before the frame does.
    #[error("truncated")]
    Truncated,
    /// A type that this version doesn't know.
    #[error("unknown type")]
    Unknown,
}

impl FrameError {
    /// The code that the session closes with.
    pub const fn code(&self) -> Code {
        match self.kind {
            FrameErrorKind::Reserved => Code::PROTOCOL_VIOLATION,
            _ => Code::FRAME_ENCODING_ERROR,
        }
    }
}

impl From<FrameError> for TransportError {
    fn from(error: FrameError) -> Self {
        Self::in_frame(error.code(), error.frame, error.kind.to_string())
    }
}

fn stream<'a>(kind: u8, input: &mut &'a [u8]) -> Result<Stream<'a>, FrameErrorKind> {
    let id = stream_id(input)?;
    let offset = if kind & STREAM_OFF != 0 {
        varint::read(input)?
    } else {
        0
    };
    let data = if kind & STREAM_LEN != 0 {
        counted(input)?
    } else {
        core::mem::take(input)
    };
    if offset + data.len() as u64 > varint::MAX {
        return Err(FrameErrorKind::StreamTooLong);
    }
    Ok(Stream {
        id,
        offset,
        fin: kind & STREAM_FIN != 0,
        data,
    })
}

fn new_id(input: &mut &[u8]) -> Result<NewId, FrameErrorKind> {
    let sequence = varint::read(input)?;
    let retire_prior_to = varint::read(input)?;
    if retire_prior_to > sequence {
        return Err(FrameErrorKind::RetiresItself);
    }
    let [len] = array(input)?;
    if !(1..=WireId::MAX_LEN).contains(&usize::from(len)) {
        return Err(FrameErrorKind::IdLength(len));
    }
    let id = WireId::new(slice(input, usize::from(len))?).ok_or(FrameErrorKind::IdLength(len))?;
    Ok(NewId {
        sequence,
        retire_prior_to,
        id,
        reset_token: array(input)?,
    })
}

fn stream_id(input: &mut &[u8]) -> Result<StreamId, FrameErrorKind> {
    Ok(StreamId::from_u64(varint::read(input)?))
}

/// Bytes with their count before them.
fn counted<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], FrameErrorKind> {
    let len = varint::read(input)?;
    let len = usize::try_from(len).map_err(|_| FrameErrorKind::Truncated)?;
    slice(input, len)
}

fn slice<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8], FrameErrorKind> {
    let (bytes, rest) = input
        .split_at_checked(len)
        .ok_or(FrameErrorKind::Truncated)?;
    *input = rest;
    Ok(bytes)
}

fn array<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], FrameErrorKind> {
    let (&bytes, rest) = input.split_first_chunk().ok_or(FrameErrorKind::Truncated)?;
    *input = rest;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
