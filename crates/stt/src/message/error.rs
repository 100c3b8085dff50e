use stt_core::message::{EncodeMessageError, Preface};
use thiserror::Error;

use crate::error::{CloseReason, WriteError};

/// Why a message was not sent (`docs/spec/stt-primitives.md` section 7).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendMessageError {
    /// Its type or its endpoint's name can't be.
    #[error(transparent)]
    Invalid(#[from] EncodeMessageError),
    /// Longer than peers take.
    #[error("message of {len} bytes, with its type or name; peers take {max}: use a stream")]
    TooLong {
        /// Its length, bytes.
        len: usize,
        /// What peers take.
        max: usize,
    },
    /// The peer has nothing that receives such messages, or not so many.
    #[error("the peer receives no such messages")]
    NotReceived,
    /// The peer refused what was sent before on the same stream.
    #[error("the peer stopped the messages with code {0:#x}")]
    Stopped(u64),
    /// The session is over.
    #[error("session over: {0}")]
    Session(#[from] CloseReason),
}

impl From<WriteError> for SendMessageError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(Preface::UNKNOWN) => Self::NotReceived,
            WriteError::Stopped(code) => Self::Stopped(code),
            WriteError::Session(reason) => reason.into(),
            // Nobody else has the stream to finish or reset it.
            WriteError::Closed => Self::Stopped(0),
        }
    }
}
