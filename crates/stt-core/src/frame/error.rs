use crate::{SttFrame, varint::VarIntError};

/// Why bytes are no standalone frame, or a frame can't be written (`docs/spec/stt-frame.md` §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SttFrameError {
    /// The frame has metadata: its payload is sealed already.
    #[error("the frame has metadata: its payload is sealed already")]
    AlreadySealed,
    /// A length that would make the frame larger than 2 MiB.
    #[error(
        "a frame of {len} bytes after its length; it may have {} with all",
        SttFrame::MAX_FRAME
    )]
    FrameTooLong {
        /// The length.
        len: u64,
    },
    /// The frame goes on beyond the input: not wrong so far.
    #[error("not the whole frame: it has at least {needed} bytes")]
    Incomplete {
        /// Bytes that the input needs at least before it is worth another try.
        needed: usize,
    },
    /// A length that can't be read.
    #[error("the length at byte {offset}: {kind}")]
    Length {
        /// Where it begins.
        offset: usize,
        /// What is wrong with it.
        kind: VarIntError,
    },
    /// Metadata that would reach beyond the frame.
    #[error("metadata of {len} bytes where the frame has {remaining} left")]
    MetadataBeyondFrame {
        /// Its length.
        len: usize,
        /// Bytes of the frame after that length.
        remaining: usize,
    },
    /// Over 4 KiB of metadata.
    #[error("metadata of {len} bytes; it may have {}", SttFrame::MAX_METADATA)]
    MetadataTooLong {
        /// Its length.
        len: u64,
    },
    /// The first two bytes are not "ST".
    #[error("no frame: it does not begin with 53 54")]
    NoMagic,
    /// The buffer to write to is too small.
    #[error("a frame of {needed} bytes does not fit a buffer of {room}")]
    NoRoom {
        /// Bytes of the frame.
        needed: usize,
        /// Bytes of the buffer.
        room: usize,
    },
    /// The type is 0.
    #[error("frame type 0; 01 to 7f are STT's, 80 to ff the user's")]
    NoType,
    /// Opening was asked for, and the payload is plain.
    #[error("the frame has no metadata: its payload is not sealed, so nobody vouches for it")]
    NotSealed,
    /// The payload doesn't open.
    #[error(transparent)]
    Open(#[from] stt_crypto::FrameError),
    /// A payload over its limit.
    #[error("a payload of {len} bytes; it may have {max}")]
    PayloadTooLong {
        /// Its length.
        len: usize,
        /// The limit for this frame.
        max: usize,
    },
    /// A length that the fixed fields alone exceed.
    #[error("a frame of {len} bytes after its length; the fields take at least 31")]
    TooShort {
        /// The length.
        len: usize,
    },
}

impl SttFrameError {
    /// How many bytes the input needs at least, if all that is wrong is that it ends early.
    pub const fn needed(&self) -> Option<usize> {
        match *self {
            Self::Incomplete { needed } => Some(needed),
            _ => None,
        }
    }
}
