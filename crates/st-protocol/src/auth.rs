//! Protected requests: the auth block and what its signature covers (spec 6).

use core::fmt;

use crate::{AuthLevel, EncodeError, FieldReader, FieldWriter, FrameRef, Verb, VerbError};

/// What every signature begins with, so that no signature made for something else can be one of these.
pub const SIGNING_LABEL: &[u8; 20] = b"st-protocol auth v1\0";

/// Bytes of a signature; Ed25519 and ES256 (r ‖ s) alike.
pub const SIGNATURE_LEN: usize = 64;

/// The mark between an auth block's head and the request in it.
const MARK: u8 = Verb::AuthEnd.as_byte();

/// Where the peer is, which decides what some verbs need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// On this machine.
    Local,
    /// Elsewhere.
    Remote,
}

impl Verb {
    /// The level that a request with this verb needs from such a peer.
    pub const fn level_for(self, peer: Peer) -> AuthLevel {
        match peer {
            Peer::Local => self.level(),
            Peer::Remote => self.remote_level(),
        }
    }
}

/// 128 random bits that the daemon drew for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The session with these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    /// The first two bytes: enough to tell sessions apart in a log, too little to use one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// The payload of an AUTH_START frame: a request, and the proof that it may be made (spec 6.2).
///
/// The crate builds and reads it; keys, sessions and counters are the caller's.
///
/// ```
/// use st_protocol::{AuthBlock, FrameRef, Peer, SessionId, Verb};
///
/// let node_id = [9; 32];
/// let block = AuthBlock::new(Verb::Forget.level(), SessionId::new([1; 16]), 7, Verb::Forget, b"m1")?;
/// let mut message = [0; 128];
/// let len = block.write_signing_input(&node_id, &mut message)?;
/// # let sign = |message: &[u8]| [message.len() as u8; 64];
/// let block = block.signed(sign(&message[..len]));
///
/// let mut payload = [0; 128];
/// let len = block.write_into(&mut payload)?;
/// let frame = FrameRef::new(Verb::AuthStart, &payload[..len])?;
///
/// let read = AuthBlock::parse(frame.payload().as_bytes().unwrap())?;
/// read.check_level(Peer::Local)?;
/// assert_eq!(read, block);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthBlock<'a> {
    /// The level that the request claims to need.
    pub level: AuthLevel,
    /// The session that it belongs to.
    pub session: SessionId,
    /// Strictly increasing within the session.
    pub counter: u64,
    /// Over [`write_signing_input`](Self::write_signing_input).
    pub signature: [u8; SIGNATURE_LEN],
    verb: Verb,
    payload: &'a [u8],
}

impl<'a> AuthBlock<'a> {
    /// Bytes in front of the inner payload.
    pub const HEAD_LEN: usize = 1 + 16 + 8 + SIGNATURE_LEN + 1 + 1;

    /// Bytes of the signing input in front of the inner payload.
    pub const SIGNING_HEAD_LEN: usize = SIGNING_LABEL.len() + 32 + 16 + 8 + 1 + 1;

    /// Most bytes in the inner payload.
    pub const MAX_INNER_LEN: usize = crate::MAX_PAYLOAD_LEN - Self::HEAD_LEN;

    /// A block that is not signed yet, its signature all zeros.
    ///
    /// # Errors
    /// The inner verb is AUTH_START or AUTH_END, or the payload is over [`MAX_INNER_LEN`](Self::MAX_INNER_LEN).
    pub const fn new(
        level: AuthLevel,
        session: SessionId,
        counter: u64,
        verb: Verb,
        payload: &'a [u8],
    ) -> Result<Self, AuthError> {
        if matches!(verb, Verb::AuthStart | Verb::AuthEnd) {
            return Err(AuthError::Nested { verb });
        }
        if payload.len() > Self::MAX_INNER_LEN {
            return Err(AuthError::InnerTooLong { len: payload.len() });
        }
        Ok(Self {
            level,
            session,
            counter,
            signature: [0; SIGNATURE_LEN],
            verb,
            payload,
        })
    }

    /// The same block with this signature.
    #[must_use]
    pub const fn signed(self, signature: [u8; SIGNATURE_LEN]) -> Self {
        Self { signature, ..self }
    }

    /// Reads a block from the unescaped payload of an AUTH_START frame. Says nothing of whether the request may be made.
    ///
    /// # Errors
    /// Too short, an unknown level, no mark, or an inner verb that is none or may not be there.
    pub fn parse(payload: &'a [u8]) -> Result<Self, AuthError> {
        let too_short = AuthError::TooShort { len: payload.len() };
        let mut reader = FieldReader::new(payload);
        let level = reader.u8().map_err(|_| too_short)?;
        let session = SessionId(reader.array().map_err(|_| too_short)?);
        let counter = reader.u64_le().map_err(|_| too_short)?;
        let signature = reader.array().map_err(|_| too_short)?;
        let mark = reader.u8().map_err(|_| too_short)?;
        let verb = reader.u8().map_err(|_| too_short)?;
        let level = AuthLevel::from_byte(level).ok_or(AuthError::Level { byte: level })?;
        if mark != MARK {
            return Err(AuthError::Mark { byte: mark });
        }
        Ok(Self::new(
            level,
            session,
            counter,
            Verb::try_from(verb)?,
            reader.rest(),
        )?
        .signed(signature))
    }

    /// Checks the claimed level against the table (spec 6.4); for BACK, whose level depends on what it undoes, that it is 1
    /// or more.
    ///
    /// # Errors
    /// It is another.
    pub fn check_level(&self, peer: Peer) -> Result<(), AuthError> {
        let needed = self.verb.level_for(peer);
        let right = match self.verb {
            Verb::Back => self.level >= needed,
            _ => self.level == needed,
        };
        if right {
            Ok(())
        } else {
            Err(AuthError::WrongLevel {
                verb: self.verb,
                needed,
                claimed: self.level,
            })
        }
    }

    /// The request's verb.
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// The request's payload.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The request as a frame.
    pub const fn frame(&self) -> FrameRef<'a> {
        FrameRef::from_parts(self.verb, crate::PayloadRef::plain(self.payload))
    }

    /// Length of the block in bytes, unescaped.
    pub const fn len(&self) -> usize {
        Self::HEAD_LEN + self.payload.len()
    }

    /// False: a block always has a head.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Writes the block, unescaped, to the head of `out` and returns its length in bytes.
    ///
    /// # Errors
    /// `out` is shorter than [`len`](Self::len).
    pub fn write_into(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let mut writer = FieldWriter::new(out);
        writer.u8(self.level.as_byte())?;
        writer.raw(self.session.as_bytes())?;
        writer.u64_le(self.counter)?;
        writer.raw(&self.signature)?;
        writer.u8(MARK)?;
        writer.u8(self.verb.as_byte())?;
        writer.raw(self.payload)?;
        Ok(writer.finish().len())
    }

    /// Writes what the signature covers (spec 6.3) to the head of `out` and returns its length in bytes,
    /// [`SIGNING_HEAD_LEN`](Self::SIGNING_HEAD_LEN) and the inner payload. `node_id` is the daemon's.
    ///
    /// # Errors
    /// `out` is shorter.
    pub fn write_signing_input(
        &self,
        node_id: &[u8; 32],
        out: &mut [u8],
    ) -> Result<usize, EncodeError> {
        let mut writer = FieldWriter::new(out);
        writer.raw(SIGNING_LABEL)?;
        writer.raw(node_id)?;
        writer.raw(self.session.as_bytes())?;
        writer.u64_le(self.counter)?;
        writer.u8(self.level.as_byte())?;
        writer.u8(self.verb.as_byte())?;
        writer.raw(self.payload)?;
        Ok(writer.finish().len())
    }

    /// What the signature covers.
    #[cfg(feature = "alloc")]
    pub fn signing_input(&self, node_id: &[u8; 32]) -> alloc::vec::Vec<u8> {
        let mut out = alloc::vec![0; Self::SIGNING_HEAD_LEN + self.payload.len()];
        let written = self.write_signing_input(node_id, &mut out);
        debug_assert_eq!(written, Ok(out.len()), "the room was measured");
        out
    }

    /// The block as an AUTH_START frame.
    #[cfg(feature = "alloc")]
    pub fn to_frame(&self) -> crate::Frame {
        let mut out = alloc::vec![0; self.len()];
        let written = self.write_into(&mut out);
        debug_assert_eq!(written, Ok(out.len()), "the room was measured");
        // `new` bounds the inner payload so that the block is a payload.
        crate::Frame::new(Verb::AuthStart, crate::Payload::from_checked(out))
    }
}

/// Why bytes are no auth block, or one that claims the wrong level. To the peer, all of these are one answer (spec 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// Shorter than a block's head.
    TooShort {
        /// Bytes there are.
        len: usize,
    },
    /// A level over 3.
    Level {
        /// The byte.
        byte: u8,
    },
    /// Another byte where `0x0F` should be.
    Mark {
        /// The byte.
        byte: u8,
    },
    /// The inner verb is none.
    Verb(VerbError),
    /// The inner verb is AUTH_START or AUTH_END.
    Nested {
        /// Which.
        verb: Verb,
    },
    /// The inner payload does not fit a frame.
    InnerTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The claimed level is not the table's.
    WrongLevel {
        /// The request's verb.
        verb: Verb,
        /// The table's level.
        needed: AuthLevel,
        /// The block's level.
        claimed: AuthLevel,
    },
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => {
                write!(
                    f,
                    "auth block of {len} bytes, its head alone has {}",
                    AuthBlock::HEAD_LEN
                )
            }
            Self::Level { byte } => write!(f, "auth level {byte}, there are 0 to 3"),
            Self::Mark { byte } => {
                write!(
                    f,
                    "0x{byte:02x} in an auth block where AUTH_END (0x0f) should be"
                )
            }
            Self::Verb(error) => write!(f, "inside an auth block: {error}"),
            Self::Nested { verb } => write!(f, "{verb} inside an auth block"),
            Self::InnerTooLong { len } => write!(
                f,
                "payload of {len} bytes in an auth block, at most {} fit",
                AuthBlock::MAX_INNER_LEN
            ),
            Self::WrongLevel {
                verb,
                needed,
                claimed,
            } => {
                write!(
                    f,
                    "auth block claims level {claimed} for {verb}, which needs {needed}"
                )
            }
        }
    }
}

impl core::error::Error for AuthError {}

impl From<VerbError> for AuthError {
    fn from(error: VerbError) -> Self {
        Self::Verb(error)
    }
}
