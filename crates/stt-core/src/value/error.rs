use core::fmt;

use super::MAX_DEPTH;

/// Why bytes are no value, or a value can't be written (`docs/spec/stt-value.md` §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct ValueError {
    /// Where, counted from the start of the bytes read or written.
    pub offset: usize,
    /// What is wrong.
    pub kind: ValueErrorKind,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueErrorKind {
    /// A count of elements that the rest of the input can't hold.
    #[error("a count of {count} with {remaining} bytes left")]
    Count {
        /// The count.
        count: u32,
        /// Bytes after it.
        remaining: usize,
    },
    /// Lists and dicts nest deeper than 64.
    #[error("lists and dicts nested deeper than {MAX_DEPTH}")]
    Depth,
    /// A dict holds a key twice.
    #[error("a key that its dict holds already")]
    DuplicateKey,
    /// A dict's key is no text.
    #[error("a key that is no text (tag {0:#04x})")]
    KeyTag(u8),
    /// A length over the rest of the input.
    #[error("a length of {len} with {remaining} bytes left")]
    Length {
        /// The length.
        len: u32,
        /// Bytes after it.
        remaining: usize,
    },
    /// A NaN other than the one that is written.
    #[error("a NaN in another form than the canonical one")]
    Nan,
    /// An integer in a longer form than it needs.
    #[error("an integer in a longer form than it needs")]
    NotShortest,
    /// Bytes, a text, a list or a dict of 2^32 or more: such can't be written.
    #[error("something longer than 4,294,967,295")]
    TooLong,
    /// Bytes after the value.
    #[error("{0} bytes after the value")]
    Trailing(usize),
    /// The input ends before the value does.
    #[error("truncated: the input ends")]
    Truncated,
    /// A tag that means nothing.
    #[error("unknown tag {0:#04x}")]
    UnknownTag(u8),
    /// A dict's keys are not in order.
    #[error("a key that sorts before the one ahead of it")]
    UnsortedKeys,
    /// Text that is no UTF-8.
    #[error("text that is no UTF-8")]
    Utf8,
}

/// Why a Rust type can't be made of bytes, or bytes of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerdeError {
    /// The bytes, or the value to be written, break a rule.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A map's key that is no text.
    #[error("a map's key is no text; only text can be one")]
    KeyNotText,
    /// An integer outside −2^63 to 2^64 − 1.
    #[error("an integer outside -2^63 to 2^64 - 1; write it as text or bytes")]
    IntegerRange,
    /// What the type itself has to say.
    #[error("{0}")]
    Custom(String),
}

impl serde::ser::Error for SerdeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

impl serde::de::Error for SerdeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}
