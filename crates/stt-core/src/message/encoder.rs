use super::{Message, Preface};
use crate::{varint, wire::Writer};

/// Writes messages of one stream to a buffer from which the stream is fed.
///
/// The preface is not part of it: only the end that opened the stream sends one.
#[derive(Debug)]
pub struct MessageEncoder {
    preface: Preface,
    buffer: Vec<u8>,
    /// Bytes at the buffer's front that the stream has taken.
    taken: usize,
}

/// Why a message can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeMessageError {
    /// Messages of its kind go on streams of another preface.
    #[error("a stream of {stream:?} messages takes no {message:?} message")]
    Preface {
        /// What the stream carries.
        stream: Preface,
        /// What the message is.
        message: Preface,
    },
    /// An endpoint's name has 1 to 255 bytes.
    #[error("endpoint name of {0} bytes; it takes 1 to 255")]
    Name(usize),
    /// A user's type is 0x80 to 0xff.
    #[error("frame type {0:#04x} is reserved; users have 0x80 to 0xff")]
    Kind(u8),
}

impl MessageEncoder {
    /// Memory kept when everything was taken.
    const KEPT: usize = 64 << 10;

    /// No messages yet, for a stream that carries what `preface` says.
    pub const fn new(preface: Preface) -> Self {
        Self {
            preface,
            buffer: Vec::new(),
            taken: 0,
        }
    }

    /// Adds a message behind the others.
    ///
    /// # Errors
    /// [`EncodeMessageError`]; nothing was added then.
    pub fn push(&mut self, message: &Message<'_>) -> Result<(), EncodeMessageError> {
        let (stream, kind) = (self.preface, message.preface());
        if kind != stream {
            return Err(EncodeMessageError::Preface {
                stream,
                message: kind,
            });
        }
        match *message {
            Message::Endpoint { name, payload } => {
                let Ok(len @ 1..) = u8::try_from(name.len()) else {
                    return Err(EncodeMessageError::Name(name.len()));
                };
                self.body(&[&[len], name.as_bytes(), payload]);
            }
            Message::User { kind, payload } => {
                if kind < Message::MIN_KIND {
                    return Err(EncodeMessageError::Kind(kind));
                }
                self.body(&[&[kind], payload]);
            }
        }
        Ok(())
    }

    /// What the stream has not taken yet.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.taken..]
    }

    /// The stream took the first `len` bytes of them.
    pub fn advance(&mut self, len: usize) {
        self.taken = (self.taken + len).min(self.buffer.len());
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(Self::KEPT);
            self.taken = 0;
        }
    }

    fn body(&mut self, parts: &[&[u8]]) {
        // What was taken goes before the buffer grows over it, at the price of at most one move of each byte.
        if self.taken > self.buffer.len() / 2 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut head = [0; varint::MAX_LEN_U64];
        let mut writer = Writer::new(&mut head);
        writer.put_varint(len as u64);
        self.buffer.reserve(writer.len() + len);
        self.buffer.extend_from_slice(writer.written());
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_spec_shows() {
        let mut encoder = MessageEncoder::new(Preface::User);
        for (kind, payload) in [(0x80, &b"hi!"[..]), (0xff, b"")] {
            encoder.push(&Message::User { kind, payload }).unwrap();
        }
        assert_eq!(encoder.bytes(), b"\x04\x80hi!\x01\xff");
        encoder.advance(3);
        assert_eq!(encoder.bytes(), b"i!\x01\xff");
        encoder.advance(9);
        assert!(encoder.bytes().is_empty());

        let mut encoder = MessageEncoder::new(Preface::Endpoint);
        let message = Message::Endpoint {
            name: "cam",
            payload: &[7; 200],
        };
        encoder.push(&message).unwrap();
        assert_eq!(encoder.bytes()[..6], *b"\xcc\x01\x03cam");
    }

    #[test]
    fn what_is_refused() {
        let mut users = MessageEncoder::new(Preface::User);
        let payload = b"";
        let low = Message::User {
            kind: 0x7f,
            payload,
        };
        assert_eq!(users.push(&low), Err(EncodeMessageError::Kind(0x7f)));
        let mut endpoints = MessageEncoder::new(Preface::Endpoint);
        assert_eq!(
            endpoints.push(&low).unwrap_err().to_string(),
            "a stream of Endpoint messages takes no User message"
        );
        for name in ["", &"n".repeat(256)] {
            let message = Message::Endpoint { name, payload };
            let error = EncodeMessageError::Name(name.len());
            assert_eq!(endpoints.push(&message), Err(error));
        }
        assert!(users.bytes().is_empty() && endpoints.bytes().is_empty());
    }
}
