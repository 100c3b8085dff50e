use super::{Message, Preface};
use crate::varint::{self, VarIntError};

/// Reads messages from a stream, cut anywhere.
///
/// A message that lies in the input as a whole is borrowed from it; of others the decoder holds
/// what has arrived. After an error every call gives the same one: the stream is to be stopped.
#[derive(Debug)]
pub struct MessageDecoder {
    preface: Preface,
    max_len: usize,
    /// The length, as far as it arrived.
    head: [u8; varint::MAX_LEN],
    head_len: usize,
    /// The length of the body being assembled.
    body_len: Option<usize>,
    body: Vec<u8>,
    /// The body was handed out.
    done: bool,
    error: Option<MessageError>,
}

/// Why bytes are no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The length is no canonical integer.
    #[error("message length: {0}")]
    Length(#[from] VarIntError),
    /// The message is longer than this end takes.
    #[error("message of {len} bytes, at most {max} are taken")]
    TooLong {
        /// Its length, bytes.
        len: u64,
        /// The decoder's limit.
        max: usize,
    },
    /// An endpoint message without a name, or whose name doesn't end or isn't UTF-8.
    #[error("endpoint message without a valid name")]
    Name,
    /// A user frame without a type, or with one below 0x80.
    #[error("user frame without a type from 0x80 to 0xff")]
    Kind,
    /// The stream ended inside a message.
    #[error("stream ended inside a message")]
    Truncated,
    /// Streams of [`Preface::Application`] carry no messages.
    #[error("the stream carries the application's bytes, not messages")]
    NoMessages,
}

impl MessageDecoder {
    /// The longest message that is taken by default, 16 MiB.
    pub const DEFAULT_MAX_LEN: usize = 16 << 20;
    /// Memory kept between messages.
    const KEPT: usize = 64 << 10;

    /// At the start of a stream, behind its preface, which was `preface`. Messages whose body is over
    /// `max_len` bytes are refused.
    pub fn new(preface: Preface, max_len: usize) -> Self {
        Self {
            preface,
            max_len,
            head: [0; varint::MAX_LEN],
            head_len: 0,
            body_len: None,
            body: Vec::new(),
            done: false,
            error: (preface == Preface::Application).then_some(MessageError::NoMessages),
        }
    }

    /// Takes bytes off the front of `input` up to the end of the next message, and gives that. With
    /// `None` it took them all.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn push<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Message<'a>>, MessageError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if core::mem::take(&mut self.done) {
            self.body.clear();
            self.body.shrink_to(Self::KEPT);
        }
        let body_len = match self
            .body_len
            .map_or_else(|| self.read_len(input), |len| Ok(Some(len)))
        {
            Ok(Some(len)) => len,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.error = Some(error);
                return Err(error);
            }
        };
        let wanted = body_len - self.body.len();
        if input.len() < wanted {
            self.body.extend_from_slice(input);
            *input = &[];
            self.body_len = Some(body_len);
            return Ok(None);
        }
        let (rest_of_body, rest) = input.split_at(wanted);
        *input = rest;
        self.body_len = None;
        let body = if self.body.is_empty() {
            rest_of_body
        } else {
            self.body.extend_from_slice(rest_of_body);
            self.done = true;
            &self.body
        };
        parse(self.preface, body).map(Some).inspect_err(|&error| {
            self.error = Some(error);
        })
    }

    /// The stream ended.
    ///
    /// # Errors
    /// [`MessageError::Truncated`] inside a message, or the error that came before.
    pub fn finish(&self) -> Result<(), MessageError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.head_len > 0 || self.body_len.is_some() {
            return Err(MessageError::Truncated);
        }
        Ok(())
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.body.capacity()
    }

    /// Takes the bytes of a length; `None` if it doesn't end in `input`.
    fn read_len(&mut self, input: &mut &[u8]) -> Result<Option<usize>, MessageError> {
        loop {
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(None);
            };
            *input = rest;
            let Some(place) = self.head.get_mut(self.head_len) else {
                return Err(VarIntError::TooLarge.into());
            };
            *place = byte;
            self.head_len += 1;
            if byte < 0x80 {
                break;
            }
        }
        let head_len = core::mem::take(&mut self.head_len);
        let len = varint::read(&mut &self.head[..head_len])?;
        match usize::try_from(len) {
            Ok(body_len) if body_len <= self.max_len => Ok(Some(body_len)),
            _ => Err(MessageError::TooLong {
                len,
                max: self.max_len,
            }),
        }
    }
}

fn parse(preface: Preface, body: &[u8]) -> Result<Message<'_>, MessageError> {
    match preface {
        Preface::Application => Err(MessageError::NoMessages),
        Preface::Endpoint => {
            let (&len, rest) = body.split_first().ok_or(MessageError::Name)?;
            let (name, payload) = rest
                .split_at_checked(usize::from(len))
                .ok_or(MessageError::Name)?;
            match core::str::from_utf8(name) {
                Ok(name) if !name.is_empty() => Ok(Message::Endpoint { name, payload }),
                _ => Err(MessageError::Name),
            }
        }
        Preface::User => match body.split_first() {
            Some((&kind @ Message::MIN_KIND.., payload)) => Ok(Message::User { kind, payload }),
            _ => Err(MessageError::Kind),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::MessageEncoder;

    /// Name or type, and payload.
    type Owned = (Vec<u8>, Vec<u8>);

    /// Everything that comes out of `wire` cut into pieces of at most `piece` bytes.
    fn decode(
        decoder: &mut MessageDecoder,
        wire: &[u8],
        piece: usize,
    ) -> Result<Vec<Owned>, MessageError> {
        let mut messages = Vec::new();
        for mut input in wire.chunks(piece) {
            while !input.is_empty() {
                match decoder.push(&mut input)? {
                    Some(Message::Endpoint { name, payload }) => {
                        messages.push((name.as_bytes().to_vec(), payload.to_vec()));
                    }
                    Some(Message::User { kind, payload }) => {
                        messages.push((vec![kind], payload.to_vec()));
                    }
                    None => assert!(input.is_empty()),
                }
            }
        }
        decoder.finish().map(|()| messages)
    }

    #[test]
    fn errors_stay_and_name_their_cause() {
        let cases: [(Preface, &[u8], MessageError); 9] = [
            (Preface::User, b"\x01\x7f", MessageError::Kind),
            (Preface::User, b"\x00", MessageError::Kind),
            (Preface::Endpoint, b"\x00", MessageError::Name),
            (Preface::Endpoint, b"\x01\x00", MessageError::Name),
            (Preface::Endpoint, b"\x02\x02a", MessageError::Name),
            (Preface::Endpoint, b"\x02\x01\xff", MessageError::Name),
            (
                Preface::User,
                b"\x80\x00",
                MessageError::Length(VarIntError::NotMinimal),
            ),
            (
                Preface::User,
                &[0xff; 10],
                MessageError::Length(VarIntError::TooLarge),
            ),
            (Preface::Application, b"\x01\x80", MessageError::NoMessages),
        ];
        for (preface, wire, error) in cases {
            for piece in 1..4 {
                let mut decoder = MessageDecoder::new(preface, 100);
                assert_eq!(decode(&mut decoder, wire, piece), Err(error), "{wire:?}");
                assert_eq!(decoder.push(&mut &b"\x01\x80"[..]), Err(error));
                assert_eq!(decoder.finish(), Err(error));
            }
        }
    }

    #[test]
    fn too_long_is_refused_before_anything_is_kept() {
        let mut decoder = MessageDecoder::new(Preface::User, 200);
        let error = MessageError::TooLong { len: 201, max: 200 };
        assert_eq!(decoder.push(&mut &b"\xc9\x01\x80"[..]), Err(error));
        assert_eq!(decoder.memory(), 0);
    }

    #[test]
    fn memory_grows_with_what_arrived() {
        let mut decoder = MessageDecoder::new(Preface::User, usize::MAX);
        let wire = b"\x80\x80\x80\x80\x80\x80\x80\x80\x01\x80abc";
        assert_eq!(decoder.push(&mut &wire[..]), Ok(None));
        assert!(decoder.memory() < 64);
        assert_eq!(decoder.finish(), Err(MessageError::Truncated));
    }

    proptest! {
        #[test]
        fn any_cut_gives_what_was_encoded(
            messages in prop::collection::vec(
                ("[a-zé]{1,9}", 0x80..=0xff_u8, prop::collection::vec(any::<u8>(), 0..300)),
                0..12,
            ),
            piece in 1..400_usize,
            users: bool,
        ) {
            let preface = if users { Preface::User } else { Preface::Endpoint };
            let mut encoder = MessageEncoder::new(preface);
            let mut expected = Vec::new();
            for (name, kind, payload) in &messages {
                if users {
                    encoder.push(&Message::User { kind: *kind, payload }).unwrap();
                    expected.push((vec![*kind], payload.clone()));
                } else {
                    encoder.push(&Message::Endpoint { name, payload }).unwrap();
                    expected.push((name.as_bytes().to_vec(), payload.clone()));
                }
            }
            let mut decoder = MessageDecoder::new(preface, 400);
            prop_assert_eq!(decode(&mut decoder, encoder.bytes(), piece), Ok(expected));
            prop_assert!(decoder.memory() <= 1_024);
        }

        #[test]
        fn any_bytes_are_messages_or_an_error(
            wire in prop::collection::vec(any::<u8>(), 0..200),
            piece in 1..50_usize,
        ) {
            let whole = decode(&mut MessageDecoder::new(Preface::User, 90), &wire, usize::MAX);
            let cut = decode(&mut MessageDecoder::new(Preface::User, 90), &wire, piece);
            prop_assert_eq!(whole, cut);
        }
    }
}
