//! What can be wrong, by kind of work. Written by hand: `core` only, and `Copy` where it stays small.

use core::error::Error;
use core::fmt;

use crate::MAX_PAYLOAD_LEN;

/// Why a byte is no verb (spec 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerbError {
    /// `0x00`, which ends frames.
    Missing,
    /// `0x1B`: in the map, and never a frame's verb.
    Escape,
    /// Above `0x1F`.
    Unknown {
        /// The byte.
        byte: u8,
    },
}

impl fmt::Display for VerbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("END (0x00) where a verb should be"),
            Self::Escape => f.write_str("ESCAPE (0x1b) can't be a frame's verb"),
            Self::Unknown { byte } => {
                write!(f, "unknown verb 0x{byte:02x}, verbs are 0x01 to 0x1f")
            }
        }
    }
}

impl Error for VerbError {}

/// Why bytes are no frame (spec 8.1). Positions count from the frame's verb, which is byte 0.
///
/// [`needs_more`](Self::needs_more) tells "not all of it is here yet" from "this is wrong".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Every byte so far is right and END has not come.
    Incomplete {
        /// Bytes of the frame seen so far.
        have: usize,
    },
    /// As `Incomplete`, and the last byte is an ESC that waits for its second byte.
    TruncatedEscape {
        /// Bytes of the frame seen so far.
        have: usize,
    },
    /// The first byte is no verb.
    Verb(VerbError),
    /// A byte after ESC that may not follow it.
    InvalidEscape {
        /// Where that byte stands.
        at: usize,
        /// That byte.
        byte: u8,
    },
    /// The payload is longer than the limit.
    PayloadTooLong {
        /// Where the first byte too many stands.
        at: usize,
        /// The limit, in payload bytes.
        limit: usize,
    },
    /// One frame was asked for, and a zero inside it is not escaped (spec 8.2).
    BareEnd {
        /// Where the zero stands.
        at: usize,
    },
    /// One frame was asked for, and more follows it (spec 8.2).
    TrailingBytes {
        /// Where the frame ended: the first byte after it.
        at: usize,
        /// How many bytes follow.
        extra: usize,
    },
}

impl DecodeError {
    /// Whether every byte so far was right and more could complete the frame.
    pub const fn needs_more(&self) -> bool {
        matches!(self, Self::Incomplete { .. } | Self::TruncatedEscape { .. })
    }

    /// A name for the kind of error, the same in every binding and in the test vectors.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "incomplete",
            Self::TruncatedEscape { .. } => "truncated_escape",
            Self::Verb(VerbError::Missing) => "missing_verb",
            Self::Verb(VerbError::Escape) => "escape_verb",
            Self::Verb(VerbError::Unknown { .. }) => "unknown_verb",
            Self::InvalidEscape { .. } => "invalid_escape",
            Self::PayloadTooLong { .. } => "payload_too_long",
            Self::BareEnd { .. } => "bare_end",
            Self::TrailingBytes { .. } => "trailing_bytes",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Incomplete { have } => {
                write!(
                    f,
                    "incomplete frame: no END in the first {have} bytes, read more"
                )
            }
            Self::TruncatedEscape { have } => {
                write!(
                    f,
                    "incomplete frame: {have} bytes end inside an escape, read more"
                )
            }
            Self::Verb(error) => error.fmt(f),
            Self::InvalidEscape { at, byte } => write!(
                f,
                "invalid escape: 0x{byte:02x} at byte {at} follows 0x1b, only 0x00 and 0x1b may"
            ),
            Self::PayloadTooLong { at, limit } => {
                write!(
                    f,
                    "payload longer than {limit} bytes, the first too many is byte {at}"
                )
            }
            Self::BareEnd { at } => {
                write!(
                    f,
                    "zero at byte {at} inside the frame is not escaped, write it as 1b 00"
                )
            }
            Self::TrailingBytes { at, extra } => write!(
                f,
                "{extra} bytes after the frame, which ended at byte {at}; use a Decoder for several frames"
            ),
        }
    }
}

impl Error for DecodeError {}

impl From<VerbError> for DecodeError {
    fn from(error: VerbError) -> Self {
        Self::Verb(error)
    }
}

/// Why something can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The caller's buffer is too short.
    BufferTooSmall {
        /// Bytes that it takes.
        needed: usize,
        /// Bytes that there are.
        have: usize,
    },
    /// The payload is over [`MAX_PAYLOAD_LEN`].
    PayloadTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A length-prefixed field is over 65,535 bytes.
    FieldTooLong {
        /// Its length in bytes.
        len: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BufferTooSmall { needed, have } => {
                write!(f, "buffer too small: {needed} bytes needed, {have} given")
            }
            Self::PayloadTooLong { len } => {
                write!(
                    f,
                    "payload of {len} bytes is over the limit of {MAX_PAYLOAD_LEN}, send less"
                )
            }
            Self::FieldTooLong { len } => {
                write!(
                    f,
                    "field of {len} bytes does not fit its 16-bit length, send less"
                )
            }
        }
    }
}

impl Error for EncodeError {}

/// Why a field can't be read (spec 4.3). Positions count from the start of the unescaped payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldError {
    /// The payload ends inside the field.
    Truncated {
        /// Where the field starts.
        at: usize,
        /// Bytes of it that are missing.
        missing: usize,
    },
    /// A length prefix under `0x80`.
    BadPrefix {
        /// Where the field starts.
        at: usize,
        /// The prefix.
        byte: u8,
    },
    /// A length under 127 in the long form.
    NotMinimal {
        /// Where the field starts.
        at: usize,
        /// The length.
        len: usize,
    },
    /// A text that is no UTF-8.
    NotUtf8 {
        /// Where the field starts.
        at: usize,
    },
    /// More than the fields that belong there.
    Trailing {
        /// Where the rest starts.
        at: usize,
        /// How many bytes it has.
        len: usize,
    },
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { at, missing } => {
                write!(
                    f,
                    "field at payload byte {at} is cut short: {missing} bytes missing"
                )
            }
            Self::BadPrefix { at, byte } => write!(
                f,
                "field at payload byte {at} starts with 0x{byte:02x}, a length prefix is 0x80 to 0xff"
            ),
            Self::NotMinimal { at, len } => write!(
                f,
                "field at payload byte {at} spends three bytes on a length of {len}, one is enough"
            ),
            Self::NotUtf8 { at } => write!(f, "text at payload byte {at} is not UTF-8"),
            Self::Trailing { at, len } => {
                write!(
                    f,
                    "{len} bytes too many after the last field, at payload byte {at}"
                )
            }
        }
    }
}

impl Error for FieldError {}
