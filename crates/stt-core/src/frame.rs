use core::ops::Deref;

use stt_crypto::{FrameMetadata, Stc};

use crate::{
    varint::{self, VarIntError},
    wire::Writer,
};

mod associated;
mod error;

pub use error::SttFrameError;

/// A standalone frame, with bytes of its own: the documented `STTFrame`
/// (`docs/spec/stt-frame.md`). No replay protection; sessions use sealed packets.
///
/// ```
/// use stt_core::SttFrame;
///
/// let frame = SttFrame {
///     frame_type: SttFrame::DATA,
///     session_id: [7; 8],
///     payload: b"hello".to_vec(),
///     ..SttFrame::default()
/// };
/// let bytes = frame.to_bytes()?;
/// assert_eq!(SttFrame::from_bytes(&bytes)?, (frame, bytes.len()));
/// # Ok::<(), stt_core::SttFrameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SttFrame {
    /// What the frame is: 01–7f STT's, 80–ff the user's, never 0.
    pub frame_type: u8,
    /// The user's; without a meaning here.
    pub flags: u8,
    /// The session that the frame belongs to.
    pub session_id: [u8; 8],
    /// The user's count of frames.
    pub sequence: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub timestamp_ms: u64,
    /// The stream that the frame belongs to.
    pub stream_id: u32,
    /// Empty if the payload is plain, else what opening it takes (§3).
    pub metadata: Vec<u8>,
    /// The payload, sealed if there is metadata.
    pub payload: Vec<u8>,
}

/// A standalone frame that borrows metadata and payload from the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SttFrameRef<'a> {
    /// As [`SttFrame::frame_type`].
    pub frame_type: u8,
    /// As [`SttFrame::flags`].
    pub flags: u8,
    /// As [`SttFrame::session_id`].
    pub session_id: [u8; 8],
    /// As [`SttFrame::sequence`].
    pub sequence: u64,
    /// As [`SttFrame::timestamp_ms`].
    pub timestamp_ms: u64,
    /// As [`SttFrame::stream_id`].
    pub stream_id: u32,
    /// As [`SttFrame::metadata`].
    pub metadata: &'a [u8],
    /// As [`SttFrame::payload`].
    pub payload: &'a [u8],
}

impl SttFrame {
    /// What every frame begins with: "ST".
    pub const MAGIC: [u8; 2] = *b"ST";
    /// The type of a frame with data.
    pub const DATA: u8 = 1;
    /// The type of a control frame.
    pub const CONTROL: u8 = 2;
    /// The type of a stream's frame.
    pub const STREAM: u8 = 3;
    /// The type of an authentication frame.
    pub const AUTH: u8 = 4;
    /// The type of a handshake frame.
    pub const HANDSHAKE: u8 = 5;
    /// The most bytes of metadata.
    pub const MAX_METADATA: usize = 4 << 10;
    /// The most bytes of plain payload; a sealed one has [`SttFrame::TAG_LEN`] more.
    pub const MAX_PAYLOAD: usize = 1 << 20;
    /// The most bytes of a whole frame.
    pub const MAX_FRAME: usize = 2 << 20;
    /// Bytes of the authentication tag at the end of a sealed payload.
    pub const TAG_LEN: usize = stt_crypto::TAG_LEN;

    /// The frame at the start of `bytes`, and how many bytes it takes; what follows is left alone.
    ///
    /// # Errors
    /// [`SttFrameError`]; [`SttFrameError::needed`] tells "not yet whole" from "no frame".
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, usize), SttFrameError> {
        let (frame, used) = SttFrameRef::from_bytes(bytes)?;
        Ok((frame.to_frame(), used))
    }

    /// The frame as bytes.
    ///
    /// # Errors
    /// [`SttFrameError`] if its type is 0, or something is over its limit.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SttFrameError> {
        self.as_ref().to_bytes()
    }

    /// How many bytes [`SttFrame::to_bytes`] gives.
    pub fn encoded_len(&self) -> usize {
        self.as_ref().encoded_len()
    }

    /// Writes the frame to the front of `buffer`; returns its length.
    ///
    /// # Errors
    /// As [`SttFrame::to_bytes`], and if the buffer is too small.
    pub fn encode_into(&self, buffer: &mut [u8]) -> Result<usize, SttFrameError> {
        self.as_ref().encode_into(buffer)
    }

    /// The frame, borrowed.
    pub fn as_ref(&self) -> SttFrameRef<'_> {
        let Self {
            frame_type,
            flags,
            session_id,
            sequence,
            timestamp_ms,
            stream_id,
            ref metadata,
            ref payload,
        } = *self;
        SttFrameRef {
            frame_type,
            flags,
            session_id,
            sequence,
            timestamp_ms,
            stream_id,
            metadata,
            payload,
        }
    }

    /// Seals the payload and sets the metadata; `nonce` is 24 random bytes. The other fields are
    /// bound to it: whoever changes one afterwards makes the frame one that doesn't open.
    ///
    /// # Errors
    /// If there is metadata already, or something is over its limit. The frame is then as it was.
    pub fn encrypt_payload(&mut self, stc: &Stc, nonce: &[u8; 24]) -> Result<(), SttFrameError> {
        if !self.metadata.is_empty() {
            return Err(SttFrameError::AlreadySealed);
        }
        self.as_ref().check()?;
        let (sealed, metadata) = stc.encrypt_frame(&self.payload, &self.associated_data(), nonce);
        self.payload = sealed;
        self.metadata = metadata.to_bytes().to_vec();
        Ok(())
    }

    /// The payload, opened; the frame stays sealed.
    ///
    /// # Errors
    /// If there is no metadata (§3.4), or the payload doesn't open.
    pub fn decrypt_payload(&self, stc: &Stc) -> Result<Vec<u8>, SttFrameError> {
        self.as_ref().decrypt_payload(stc)
    }

    /// What sealing binds the payload to (§3.2).
    pub fn associated_data(&self) -> AssociatedData {
        self.as_ref().associated_data()
    }
}

impl Default for SttFrame {
    /// A frame of type DATA without content, all numbers 0.
    fn default() -> Self {
        Self {
            frame_type: Self::DATA,
            flags: 0,
            session_id: [0; 8],
            sequence: 0,
            timestamp_ms: 0,
            stream_id: 0,
            metadata: Vec::new(),
            payload: Vec::new(),
        }
    }
}

impl<'a> SttFrameRef<'a> {
    /// As [`SttFrame::from_bytes`], without copying.
    ///
    /// # Errors
    /// [`SttFrameError`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<(Self, usize), SttFrameError> {
        let (head, len) = split_length(bytes)?;
        let used = head + len;
        let frame = bytes
            .get(head..used)
            .ok_or(SttFrameError::Incomplete { needed: used })?;

        let short = SttFrameError::TooShort { len };
        let (fixed, mut rest) = frame.split_first_chunk::<FIXED>().ok_or(short)?;
        let metadata_at = head + FIXED;
        let metadata_len = varint::read_u64(&mut rest).map_err(|error| match error {
            VarIntError::Truncated => short,
            kind => SttFrameError::Length {
                offset: metadata_at,
                kind,
            },
        })?;
        let (metadata, payload) = usize::try_from(metadata_len)
            .ok()
            .filter(|&len| len <= SttFrame::MAX_METADATA)
            .ok_or(SttFrameError::MetadataTooLong { len: metadata_len })
            .and_then(|len| {
                rest.split_at_checked(len)
                    .ok_or(SttFrameError::MetadataBeyondFrame {
                        len,
                        remaining: rest.len(),
                    })
            })?;

        let mut fields = Fields(fixed);
        let [frame_type, flags] = fields.take();
        let frame = Self {
            frame_type,
            flags,
            session_id: fields.take(),
            sequence: u64::from_be_bytes(fields.take()),
            timestamp_ms: u64::from_be_bytes(fields.take()),
            stream_id: u32::from_be_bytes(fields.take()),
            metadata,
            payload,
        };
        frame.check()?;
        Ok((frame, used))
    }

    /// As [`SttFrame::to_bytes`].
    ///
    /// # Errors
    /// [`SttFrameError`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, SttFrameError> {
        self.check()?;
        let mut bytes = Vec::with_capacity(self.encoded_len());
        let mut head = [0; HEAD_MAX];
        bytes.extend_from_slice(self.head(&mut head));
        bytes.extend_from_slice(self.metadata);
        bytes.extend_from_slice(self.payload);
        Ok(bytes)
    }

    /// As [`SttFrame::encoded_len`].
    pub fn encoded_len(&self) -> usize {
        let rest = self.rest_len();
        2 + varint::encoded_len(rest as u64) + rest
    }

    /// As [`SttFrame::encode_into`].
    ///
    /// # Errors
    /// [`SttFrameError`].
    pub fn encode_into(&self, buffer: &mut [u8]) -> Result<usize, SttFrameError> {
        self.check()?;
        let needed = self.encoded_len();
        let room = buffer.len();
        let buffer = buffer
            .get_mut(..needed)
            .ok_or(SttFrameError::NoRoom { needed, room })?;
        let mut head = [0; HEAD_MAX];
        let mut writer = Writer::new(buffer);
        writer.put_slice(self.head(&mut head));
        writer.put_slice(self.metadata);
        writer.put_slice(self.payload);
        Ok(needed)
    }

    /// The frame, with bytes of its own.
    pub fn to_frame(&self) -> SttFrame {
        let Self {
            frame_type,
            flags,
            session_id,
            sequence,
            timestamp_ms,
            stream_id,
            metadata,
            payload,
        } = *self;
        SttFrame {
            frame_type,
            flags,
            session_id,
            sequence,
            timestamp_ms,
            stream_id,
            metadata: metadata.to_vec(),
            payload: payload.to_vec(),
        }
    }

    /// As [`SttFrame::decrypt_payload`].
    ///
    /// # Errors
    /// [`SttFrameError`].
    pub fn decrypt_payload(&self, stc: &Stc) -> Result<Vec<u8>, SttFrameError> {
        if self.metadata.is_empty() {
            return Err(SttFrameError::NotSealed);
        }
        let metadata = FrameMetadata::from_bytes(self.metadata)?;
        Ok(stc.decrypt_frame(self.payload, &metadata, &self.associated_data())?)
    }

    /// As [`SttFrame::associated_data`].
    pub fn associated_data(&self) -> AssociatedData {
        associated::data(self)
    }

    /// What holds for a frame read as well as for one to be written (§2.1).
    fn check(&self) -> Result<(), SttFrameError> {
        if self.frame_type == 0 {
            return Err(SttFrameError::NoType);
        }
        if self.metadata.len() > SttFrame::MAX_METADATA {
            return Err(SttFrameError::MetadataTooLong {
                len: self.metadata.len() as u64,
            });
        }
        let tag = if self.metadata.is_empty() {
            0
        } else {
            SttFrame::TAG_LEN
        };
        let max = SttFrame::MAX_PAYLOAD + tag;
        if self.payload.len() > max {
            return Err(SttFrameError::PayloadTooLong {
                len: self.payload.len(),
                max,
            });
        }
        Ok(())
    }

    /// Bytes from type to the end of payload.
    fn rest_len(&self) -> usize {
        FIXED
            + varint::encoded_len(self.metadata.len() as u64)
            + self.metadata.len()
            + self.payload.len()
    }

    /// Everything before the metadata.
    fn head<'b>(&self, buffer: &'b mut [u8; HEAD_MAX]) -> &'b [u8] {
        let mut writer = Writer::new(buffer);
        writer.put_slice(&SttFrame::MAGIC);
        writer.put_varint(self.rest_len() as u64);
        writer.put_slice(&[self.frame_type, self.flags]);
        writer.put_slice(&self.session_id);
        writer.put_slice(&self.sequence.to_be_bytes());
        writer.put_slice(&self.timestamp_ms.to_be_bytes());
        writer.put_slice(&self.stream_id.to_be_bytes());
        writer.put_varint(self.metadata.len() as u64);
        let len = writer.len();
        &buffer[..len]
    }
}

/// The associated data of a frame: bytes to be passed on, as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssociatedData {
    len: usize,
    bytes: [u8; associated::MAX],
}

impl Deref for AssociatedData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The fixed fields of a frame, taken from the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (&field, rest) = self.0.split_first_chunk().expect("FIXED is their sum");
        self.0 = rest;
        field
    }
}

/// Checks magic and length: bytes before the rest of the frame, and bytes of the rest.
fn split_length(bytes: &[u8]) -> Result<(usize, usize), SttFrameError> {
    let magic = &SttFrame::MAGIC;
    let Some((found, mut rest)) = bytes.split_first_chunk::<2>() else {
        return Err(if magic.starts_with(bytes) {
            SttFrameError::Incomplete { needed: MIN_FRAME }
        } else {
            SttFrameError::NoMagic
        });
    };
    if found != magic {
        return Err(SttFrameError::NoMagic);
    }
    let len = varint::read_u64(&mut rest).map_err(|kind| match kind {
        VarIntError::Truncated => SttFrameError::Incomplete { needed: MIN_FRAME },
        kind => SttFrameError::Length { offset: 2, kind },
    })?;
    let head = bytes.len() - rest.len();
    // Before waiting for what may never be wanted.
    let len = usize::try_from(len)
        .ok()
        .filter(|&len| len <= SttFrame::MAX_FRAME - head)
        .ok_or(SttFrameError::FrameTooLong { len })?;
    if len < MIN_REST {
        return Err(SttFrameError::TooShort { len });
    }
    Ok((head, len))
}

/// Bytes of type, flags, session, sequence, timestamp and stream.
const FIXED: usize = 1 + 1 + 8 + 8 + 8 + 4;
/// The smallest length: with empty metadata and payload.
const MIN_REST: usize = FIXED + 1;
/// The smallest frame.
const MIN_FRAME: usize = 2 + 1 + MIN_REST;
/// The longest head: both lengths take at most three bytes, since frames end at 2 MiB.
const HEAD_MAX: usize = 2 + varint::MAX_LEN_U64 + FIXED + varint::MAX_LEN_U64;

#[cfg(test)]
mod tests;
