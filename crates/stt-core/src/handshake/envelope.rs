use core::fmt;

/// The version of STT that is spoken here (`docs/spec/stt-handshake.md` §2).
pub const VERSION: u8 = 1;

/// The versions and suites spoken here, preferred first: what VERSIONS says.
pub const SPOKEN: &[(u8, Suite)] = &[(VERSION, Suite::Full), (VERSION, Suite::Resume)];

/// How keys are agreed (`docs/spec/stt-handshake.md` §2, §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Suite {
    /// `Noise_IXpsk0_25519_ChaChaPoly_SHA256`: both static keys are proven.
    Full = 1,
    /// `Noise_NNpsk0_25519_ChaChaPoly_SHA256`: the psk is a ticket's.
    Resume = 2,
}

impl Suite {
    /// The suite of this number, if it is spoken here.
    pub const fn from_wire(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Full),
            2 => Some(Self::Resume),
            _ => None,
        }
    }

    /// Its number on the wire.
    pub const fn to_wire(self) -> u8 {
        self as u8
    }

    /// Bytes of either Noise message without its payload: keys and tags.
    pub(crate) const fn noise_overhead(self) -> usize {
        match self {
            Self::Full => 96,
            Self::Resume => 48,
        }
    }
}

/// What a datagram is, by its first byte (`docs/spec/stt-handshake.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hello,
    Response,
    Cookie,
    Versions,
    Sealed,
}

impl Kind {
    pub(crate) fn of(datagram: &[u8]) -> Option<Self> {
        Some(match datagram.first()? {
            0x01 => Self::Hello,
            0x02 => Self::Response,
            0x03 => Self::Cookie,
            0x04 => Self::Versions,
            0x80..=0x9f => Self::Sealed,
            _ => return None,
        })
    }
}

/// Names one attempt of an initiator: 4 to 20 bytes that it drew
/// (`docs/spec/stt-handshake.md` §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Icid {
    len: u8,
    bytes: [u8; Self::MAX_LEN],
}

impl Icid {
    /// The fewest bytes: somebody who hasn't seen the HELLO has no good chance to guess them.
    pub const MIN_LEN: usize = 4;
    /// The most bytes (RFC 9000 §17.2).
    pub const MAX_LEN: usize = 20;

    /// The name of these bytes, `None` if they are too few or too many.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < Self::MIN_LEN {
            return None;
        }
        let mut padded = [0; Self::MAX_LEN];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self {
            len: u8::try_from(bytes.len()).ok()?,
            bytes: padded,
        })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// As HELLO and the prologue have it: the length, then the bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.len);
        out.extend_from_slice(self.as_bytes());
    }
}

impl fmt::Debug for Icid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why bytes are no handshake packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Another first byte.
    #[error("first byte is not {expected:02x}")]
    NotThis {
        /// The first byte of the packet that was asked for.
        expected: u8,
    },
    /// The packet ends within a field.
    #[error("cut short: ends within {field}")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// A length or count that the field can't have.
    #[error("{field} has {found} bytes")]
    Length {
        /// The field.
        field: &'static str,
        /// What was found, in bytes.
        found: usize,
    },
}

/// Takes the fields of a packet off its front.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Over what follows the first byte, which must be `expected`.
    pub(super) fn new(datagram: &'a [u8], expected: u8) -> Result<Self, EnvelopeError> {
        match datagram.split_first() {
            Some((first, rest)) if *first == expected => Ok(Self(rest)),
            Some(_) => Err(EnvelopeError::NotThis { expected }),
            None => Err(EnvelopeError::Truncated {
                field: "the first byte",
            }),
        }
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, EnvelopeError> {
        let (byte, rest) = self
            .0
            .split_first()
            .ok_or(EnvelopeError::Truncated { field })?;
        self.0 = rest;
        Ok(*byte)
    }

    pub(super) fn bytes(
        &mut self,
        len: usize,
        field: &'static str,
    ) -> Result<&'a [u8], EnvelopeError> {
        let (bytes, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(EnvelopeError::Truncated { field })?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<&'a [u8; N], EnvelopeError> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or(EnvelopeError::Truncated { field })?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The Noise message: all that is left, its length within what `suite` allows.
    pub(super) fn noise(self, suite: Suite) -> Result<&'a [u8], EnvelopeError> {
        let field = "the Noise message";
        let found = self.0.len();
        if found < suite.noise_overhead() {
            return Err(EnvelopeError::Truncated { field });
        }
        if found > suite.noise_overhead() + MAX_PAYLOAD {
            return Err(EnvelopeError::Length { field, found });
        }
        Ok(self.0)
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The most bytes of transport parameters in a Noise message.
pub(crate) const MAX_PAYLOAD: usize = 64;
/// Bytes of a cookie.
pub(crate) const COOKIE_LEN: usize = 16;
/// Bytes of a ticket's id.
pub(crate) const TICKET_ID_LEN: usize = 16;
/// Bytes of the icids that we draw.
pub(crate) const NEW_ICID_LEN: usize = 4;
