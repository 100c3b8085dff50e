use std::borrow::Cow;

use core::fmt;

/// Why a session was closed by the transport, as a CLOSE frame of type 1C says it
/// (`docs/spec/stt-wire.md` §6). Open: a code that this version doesn't know is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u64);

/// One row for each code: its number, its name, and what it tells.
macro_rules! codes {
    ($($number:literal $name:ident $doc:literal)*) => {
        impl Code {
            $(#[doc = $doc] pub const $name: Self = Self($number);)*

            /// The name of a code that the specification lists.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

// Up to 0f the numbers are RFC 9000's and RFC 9001's (§20.1, §6.6); from 20 they are ours.
codes! {
    0x00 NO_ERROR "Closed without an error."
    0x01 INTERNAL_ERROR "A fault of the sender's own."
    0x03 FLOW_CONTROL_ERROR "More data than was allowed."
    0x04 STREAM_LIMIT_ERROR "More streams than were allowed."
    0x05 STREAM_STATE_ERROR "A frame that the state of its stream doesn't allow."
    0x06 FINAL_SIZE_ERROR "A final size that changed, or data beyond it."
    0x07 FRAME_ENCODING_ERROR "A frame that can't be read."
    0x08 TRANSPORT_PARAMETER_ERROR "A transport parameter that can't be read or isn't allowed."
    0x09 ID_LIMIT_ERROR "More wire ids than were allowed."
    0x0a PROTOCOL_VIOLATION "A breach of a rule that has no code of its own."
    0x0e KEY_UPDATE_ERROR "A key update out of turn."
    0x0f AEAD_LIMIT_REACHED "A key that was used as often as it may be."
    0x10 NO_VIABLE_PATH "No path to the peer is left."
    0x20 WRONG_PEER "The peer proved another identity than the expected one."
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "code {:#x}", self.0),
        }
    }
}

/// A breach of the protocol by the peer, or a fault of ours, that ends a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}{}: {reason}", OfFrame(*frame))]
pub struct TransportError {
    /// What the peer is told.
    pub code: Code,
    /// The type of the inner frame that was at fault, if one was.
    pub frame: Option<u8>,
    /// What happened, for people. Sent to the peer: never holds a secret.
    pub reason: Cow<'static, str>,
}

impl TransportError {
    /// An error of no particular frame.
    pub fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            frame: None,
            reason: reason.into(),
        }
    }

    /// An error in a frame of type `frame`.
    pub fn in_frame(code: Code, frame: u8, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            frame: Some(frame),
            reason: reason.into(),
        }
    }
}

/// " in frame 02", or nothing.
struct OfFrame(Option<u8>);

impl fmt::Display for OfFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(frame) => write!(f, " in frame {frame:02x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_code_frame_and_reason() {
        let error = TransportError::in_frame(Code::FINAL_SIZE_ERROR, 0x08, "data after the end");
        assert_eq!(
            error.to_string(),
            "FINAL_SIZE_ERROR in frame 08: data after the end"
        );
        let error = TransportError::new(Code(0x77), "of a later version");
        assert_eq!(error.to_string(), "code 0x77: of a later version");
    }
}
