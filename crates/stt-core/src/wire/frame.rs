use core::fmt;

use super::{Ack, WireId, Writer};
use crate::{Dir, StreamId, varint};

/// A frame inside a sealed packet (`docs/spec/stt-wire.md` §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// 00: a run of this many bytes that say nothing.
    Padding(usize),
    /// 01: asks for an acknowledgement.
    Ping,
    /// 02, 03: packets that arrived.
    Ack(Ack<'a>),
    /// 04: the sender gives up its side of a stream.
    Reset {
        /// The stream.
        id: StreamId,
        /// Why, in the application's numbers.
        code: u64,
        /// Bytes that the sender counts against flow control.
        final_size: u64,
    },
    /// 05: asks the peer to give up its side of a stream.
    Stop {
        /// The stream.
        id: StreamId,
        /// Why, in the application's numbers.
        code: u64,
    },
    /// 08–0f: bytes of a stream.
    Stream(Stream<'a>),
    /// 10: how many bytes of all streams together may be sent.
    MaxData(u64),
    /// 11: how many bytes of one stream may be sent.
    MaxStreamData {
        /// The stream.
        id: StreamId,
        /// The limit, as an offset.
        max: u64,
    },
    /// 12, 13: how many streams of a kind may be opened over the session.
    MaxStreams {
        /// The kind.
        dir: Dir,
        /// The limit, a count.
        max: u64,
    },
    /// 18: another wire id of the sender.
    NewId(NewId),
    /// 19: a wire id of the receiver that the sender won't use any more.
    RetireId {
        /// The id's sequence number.
        sequence: u64,
    },
    /// 1a: to be answered with the same bytes, on the same path.
    PathChallenge([u8; 8]),
    /// 1b: the answer to a challenge.
    PathResponse([u8; 8]),
    /// 1c, 1d: the session is over.
    Close {
        /// Closed by the application (1d), whose number `code` is then.
        application: bool,
        /// Why.
        code: u64,
        /// The same for people: any bytes, UTF-8 by intent.
        reason: &'a [u8],
    },
    /// 30, 31: an unreliable message.
    Datagram(&'a [u8]),
}

/// Bytes of a stream (type 08–0f).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream<'a> {
    /// The stream.
    pub id: StreamId,
    /// Where the bytes stand in the stream. Their end is at most 2^62 − 1.
    pub offset: u64,
    /// Whether the stream ends with them.
    pub fin: bool,
    /// The bytes.
    pub data: &'a [u8],
}

/// A wire id for the peer to send to (type 18).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NewId {
    /// Its number: they count up from 0, the id of the handshake.
    pub sequence: u64,
    /// Ids with smaller numbers are to be retired.
    pub retire_prior_to: u64,
    /// The id.
    pub id: WireId,
    /// What a stateless reset of a session with this id ends with. Secret until then.
    pub reset_token: [u8; 16],
}

impl Frame<'_> {
    /// Bytes that [`Frame::write`] takes.
    pub fn encoded_len(&self) -> usize {
        let len = varint::encoded_len;
        match *self {
            Self::Padding(run) => run,
            Self::Ping => 1,
            Self::Ack(ack) => ack.encoded_len(),
            Self::Reset {
                id,
                code,
                final_size,
            } => 1 + len(id.as_u64()) + len(code) + len(final_size),
            Self::Stop { id, code } => 1 + len(id.as_u64()) + len(code),
            Self::Stream(Stream {
                id, offset, data, ..
            }) => stream_header_len(id, offset, Some(data.len())) + data.len(),
            Self::MaxData(max) | Self::MaxStreams { max, .. } => 1 + len(max),
            Self::MaxStreamData { id, max } => 1 + len(id.as_u64()) + len(max),
            Self::NewId(NewId {
                sequence,
                retire_prior_to,
                id,
                ..
            }) => 1 + len(sequence) + len(retire_prior_to) + 1 + id.len() + 16,
            Self::RetireId { sequence } => 1 + len(sequence),
            Self::PathChallenge(_) | Self::PathResponse(_) => 9,
            Self::Close { code, reason, .. } => {
                1 + len(code) + len(reason.len() as u64) + reason.len()
            }
            Self::Datagram(data) => datagram_header_len(Some(data.len())) + data.len(),
        }
    }

    /// Writes the frame, [`Frame::encoded_len`] bytes; STREAM and DATAGRAM with their length.
    ///
    /// # Panics
    /// If the writer has no room for it.
    pub fn write(&self, writer: &mut Writer<'_>) {
        match *self {
            Self::Padding(run) => writer.reserve(run).fill(0),
            Self::Ping => writer.put_u8(PING),
            Self::Ack(ack) => ack.write_again(writer),
            Self::Reset {
                id,
                code,
                final_size,
            } => fields(writer, RESET, &[id.as_u64(), code, final_size]),
            Self::Stop { id, code } => fields(writer, STOP, &[id.as_u64(), code]),
            Self::Stream(stream) => {
                stream.write_header(writer, true);
                writer.put_slice(stream.data);
            }
            Self::MaxData(max) => fields(writer, MAX_DATA, &[max]),
            Self::MaxStreamData { id, max } => {
                fields(writer, MAX_STREAM_DATA, &[id.as_u64(), max]);
            }
            Self::MaxStreams { dir, max } => fields(writer, MAX_STREAMS + dir as u8, &[max]),
            Self::NewId(new) => {
                fields(writer, NEW_ID, &[new.sequence, new.retire_prior_to]);
                writer.put_u8(new.id.len() as u8);
                writer.put_slice(new.id.as_bytes());
                writer.put_slice(&new.reset_token);
            }
            Self::RetireId { sequence } => fields(writer, RETIRE_ID, &[sequence]),
            Self::PathChallenge(data) => {
                writer.put_u8(PATH_CHALLENGE);
                writer.put_slice(&data);
            }
            Self::PathResponse(data) => {
                writer.put_u8(PATH_RESPONSE);
                writer.put_slice(&data);
            }
            Self::Close {
                application,
                code,
                reason,
            } => {
                let kind = CLOSE + u8::from(application);
                fields(writer, kind, &[code, reason.len() as u64]);
                writer.put_slice(reason);
            }
            Self::Datagram(data) => {
                fields(writer, DATAGRAM_WITH_LEN, &[data.len() as u64]);
                writer.put_slice(data);
            }
        }
    }

    /// Whether its packet is to be acknowledged: all but PADDING, ACK and CLOSE (RFC 9002 §2).
    pub const fn is_ack_eliciting(&self) -> bool {
        !matches!(self, Self::Padding(_) | Self::Ack(_) | Self::Close { .. })
    }

    /// Whether it may be sent to probe a path without moving the session there (RFC 9000 §9.1).
    pub const fn is_probing(&self) -> bool {
        matches!(
            self,
            Self::Padding(_) | Self::PathChallenge(_) | Self::PathResponse(_) | Self::NewId(_)
        )
    }

    /// The type byte: of STREAM and DATAGRAM the one that [`Frame::write`] writes.
    pub const fn type_byte(&self) -> u8 {
        match *self {
            Self::Padding(_) => PADDING,
            Self::Ping => PING,
            Self::Ack(ref ack) => {
                if ack.has_ecn() {
                    ACK_ECN
                } else {
                    ACK
                }
            }
            Self::Reset { .. } => RESET,
            Self::Stop { .. } => STOP,
            Self::Stream(ref stream) => stream.type_byte(true),
            Self::MaxData(_) => MAX_DATA,
            Self::MaxStreamData { .. } => MAX_STREAM_DATA,
            Self::MaxStreams { dir, .. } => MAX_STREAMS + dir as u8,
            Self::NewId(_) => NEW_ID,
            Self::RetireId { .. } => RETIRE_ID,
            Self::PathChallenge(_) => PATH_CHALLENGE,
            Self::PathResponse(_) => PATH_RESPONSE,
            Self::Close { application, .. } => CLOSE + application as u8,
            Self::Datagram(_) => DATAGRAM_WITH_LEN,
        }
    }
}

impl Stream<'_> {
    /// Writes type and fields, [`stream_header_len`] bytes; `data.len()` bytes are to follow. With
    /// `with_len` false the frame has to be the last of its packet.
    ///
    /// # Panics
    /// If the writer has no room for it.
    pub fn write_header(&self, writer: &mut Writer<'_>, with_len: bool) {
        let len = with_len.then_some(self.data.len());
        write_stream_header(writer, self.id, self.offset, len, self.fin);
    }

    const fn type_byte(&self, with_len: bool) -> u8 {
        stream_type(self.offset, with_len, self.fin)
    }
}

impl fmt::Debug for NewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sequence,
            retire_prior_to,
            id,
            reset_token: _,
        } = self;
        f.debug_struct("NewId")
            .field("sequence", sequence)
            .field("retire_prior_to", retire_prior_to)
            .field("id", id)
            .field("reset_token", &format_args!("(..)"))
            .finish()
    }
}

/// Bytes of a STREAM frame before its data: with a length field for `len` bytes, or without one
/// (`None`) in the last frame of a packet.
pub const fn stream_header_len(id: StreamId, offset: u64, len: Option<usize>) -> usize {
    let offset = if offset > 0 {
        varint::encoded_len(offset)
    } else {
        0
    };
    let len = match len {
        Some(len) => varint::encoded_len(len as u64),
        None => 0,
    };
    1 + varint::encoded_len(id.as_u64()) + offset + len
}

/// Writes the head of a STREAM frame, [`stream_header_len`] bytes, for data that the caller copies
/// to its place itself: `len` bytes, or all the rest of the packet (`None`).
///
/// # Panics
/// If the writer has no room for it.
pub fn write_stream_header(
    writer: &mut Writer<'_>,
    id: StreamId,
    offset: u64,
    len: Option<usize>,
    fin: bool,
) {
    writer.put_u8(stream_type(offset, len.is_some(), fin));
    writer.put_varint(id.as_u64());
    if offset > 0 {
        writer.put_varint(offset);
    }
    if let Some(len) = len {
        writer.put_varint(len as u64);
    }
}

const fn stream_type(offset: u64, with_len: bool, fin: bool) -> u8 {
    let offset = if offset > 0 { STREAM_OFF } else { 0 };
    let len = if with_len { STREAM_LEN } else { 0 };
    STREAM | offset | len | fin as u8
}

/// Bytes of a DATAGRAM frame before its data: with a length field for `len` bytes, or without one
/// (`None`) in the last frame of a packet.
pub const fn datagram_header_len(len: Option<usize>) -> usize {
    match len {
        Some(len) => 1 + varint::encoded_len(len as u64),
        None => 1,
    }
}

/// Writes the head of a DATAGRAM frame, [`datagram_header_len`] bytes.
///
/// # Panics
/// If the writer has no room for it.
pub fn write_datagram_header(writer: &mut Writer<'_>, len: Option<usize>) {
    match len {
        Some(len) => fields(writer, DATAGRAM_WITH_LEN, &[len as u64]),
        None => writer.put_u8(DATAGRAM),
    }
}

fn fields(writer: &mut Writer<'_>, kind: u8, values: &[u64]) {
    writer.put_u8(kind);
    for &value in values {
        writer.put_varint(value);
    }
}

pub(super) const PADDING: u8 = 0x00;
pub(super) const PING: u8 = 0x01;
pub(super) const ACK: u8 = 0x02;
pub(super) const ACK_ECN: u8 = 0x03;
pub(super) const RESET: u8 = 0x04;
pub(super) const STOP: u8 = 0x05;
pub(super) const CRYPTO: u8 = 0x06;
pub(super) const STREAM: u8 = 0x08;
pub(super) const STREAM_END: u8 = 0x0f;
pub(super) const STREAM_FIN: u8 = 0x01;
pub(super) const STREAM_LEN: u8 = 0x02;
pub(super) const STREAM_OFF: u8 = 0x04;
pub(super) const MAX_DATA: u8 = 0x10;
pub(super) const MAX_STREAM_DATA: u8 = 0x11;
pub(super) const MAX_STREAMS: u8 = 0x12;
pub(super) const MAX_STREAMS_UNI: u8 = 0x13;
pub(super) const NEW_ID: u8 = 0x18;
pub(super) const RETIRE_ID: u8 = 0x19;
pub(super) const PATH_CHALLENGE: u8 = 0x1a;
pub(super) const PATH_RESPONSE: u8 = 0x1b;
pub(super) const CLOSE: u8 = 0x1c;
pub(super) const CLOSE_APPLICATION: u8 = 0x1d;
pub(super) const DATAGRAM: u8 = 0x30;
pub(super) const DATAGRAM_WITH_LEN: u8 = 0x31;
