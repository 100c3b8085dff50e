use super::{
    EnvelopeError, Icid, Suite, VERSION,
    envelope::{COOKIE_LEN, Fields, TICKET_ID_LEN},
};

/// A HELLO, the packet that opens a session (`docs/spec/stt-handshake.md` §2), borrowed from its
/// datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The initiator's name for the attempt.
    pub icid: Icid,
    /// The cookie that the responder asked for.
    pub cookie: Option<&'a [u8; COOKIE_LEN]>,
    /// The ticket to resume with: suite 2 if there is one.
    pub ticket: Option<&'a [u8; TICKET_ID_LEN]>,
    /// Noise message 1.
    pub noise: &'a [u8],
}

/// Why a datagram is no HELLO of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// No HELLO of any version.
    #[error("malformed HELLO: {0}")]
    Malformed(#[from] EnvelopeError),
    /// A HELLO of a version or suite that isn't spoken here.
    #[error("version {version} suite {suite} is not spoken here")]
    Unknown {
        /// Its version.
        version: u8,
        /// Its suite.
        suite: u8,
        /// Its name, for the answer.
        icid: Icid,
    },
}

impl<'a> Hello<'a> {
    /// Reads a datagram; it is all of the packet.
    ///
    /// # Errors
    ///
    /// [`HelloError::Unknown`] if it is a HELLO that VERSIONS is the answer to, else
    /// [`HelloError::Malformed`].
    pub fn decode(datagram: &'a [u8]) -> Result<Self, HelloError> {
        let mut fields = Fields::new(datagram, 0x01)?;
        // These four have the same form in every version.
        let version = fields.byte("the version")?;
        let number = fields.byte("the suite")?;
        let len = usize::from(fields.byte("the icid's length")?);
        let length_error = EnvelopeError::Length {
            field: "the icid",
            found: len,
        };
        if !(Icid::MIN_LEN..=Icid::MAX_LEN).contains(&len) {
            return Err(length_error.into());
        }
        let icid = Icid::new(fields.bytes(len, "the icid")?).ok_or(length_error)?;
        let suite = match Suite::from_wire(number) {
            Some(suite) if version == VERSION => suite,
            _ => {
                return Err(HelloError::Unknown {
                    version,
                    suite: number,
                    icid,
                });
            }
        };

        let cookie = match usize::from(fields.byte("the cookie's length")?) {
            0 => None,
            COOKIE_LEN => Some(fields.array("the cookie")?),
            found => {
                let field = "the cookie";
                return Err(EnvelopeError::Length { field, found }.into());
            }
        };
        let ticket = match suite {
            Suite::Full => None,
            Suite::Resume => Some(fields.array("the ticket")?),
        };
        let noise = fields.noise(suite)?;
        Ok(Self {
            icid,
            cookie,
            ticket,
            noise,
        })
    }

    /// Its suite.
    pub const fn suite(&self) -> Suite {
        match self.ticket {
            None => Suite::Full,
            Some(_) => Suite::Resume,
        }
    }

    /// The initiator's ephemeral key, in the clear at the front of the Noise message.
    pub fn ephemeral(&self) -> Option<&'a [u8; 32]> {
        self.noise.first_chunk()
    }

    /// Appends the packet.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0x01, VERSION, self.suite().to_wire()]);
        self.icid.write(out);
        match self.cookie {
            None => out.push(0),
            Some(cookie) => {
                // 16, so one byte.
                out.push(COOKIE_LEN as u8);
                out.extend_from_slice(cookie);
            }
        }
        if let Some(ticket) = self.ticket {
            out.extend_from_slice(ticket);
        }
        out.extend_from_slice(self.noise);
    }

    /// What Noise authenticates before its first message (`docs/spec/stt-handshake.md` §3).
    pub(crate) fn prologue(icid: &Icid, ticket: Option<&[u8; TICKET_ID_LEN]>) -> Vec<u8> {
        let suite = match ticket {
            None => Suite::Full,
            Some(_) => Suite::Resume,
        };
        let mut prologue = Vec::with_capacity(3 + 2 + 1 + Icid::MAX_LEN + TICKET_ID_LEN);
        prologue.extend_from_slice(b"STT");
        prologue.extend_from_slice(&[VERSION, suite.to_wire()]);
        icid.write(&mut prologue);
        if let Some(ticket) = ticket {
            prologue.extend_from_slice(ticket);
        }
        prologue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(hello: &Hello<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        hello.encode(&mut out);
        out
    }

    #[test]
    fn annotated() {
        let noise = [9; 96];
        let hello = Hello {
            icid: Icid::new(&[1, 2, 3, 4]).unwrap(),
            cookie: Some(&[7; 16]),
            ticket: None,
            noise: &noise,
        };
        let mut bytes = vec![
            0x01, // HELLO
            0x01, 0x01, // version 1, suite 1
            0x04, 1, 2, 3, 4,    // icid
            0x10, // a cookie
        ];
        bytes.extend([7; 16]);
        bytes.extend(noise);
        assert_eq!(encoded(&hello), bytes);
        assert_eq!(Hello::decode(&bytes), Ok(hello));
    }

    #[test]
    fn an_unknown_version_or_suite_can_be_answered_whatever_follows() {
        for (version, suite) in [(0, 1), (2, 1), (1, 0), (1, 3), (255, 255)] {
            let bytes = [0x01, version, suite, 4, 5, 6, 7, 8, 0xff];
            let icid = Icid::new(&[5, 6, 7, 8]).unwrap();
            assert_eq!(
                Hello::decode(&bytes),
                Err(HelloError::Unknown {
                    version,
                    suite,
                    icid
                })
            );
        }
    }

    #[test]
    fn lengths_outside_the_bounds_are_refused() {
        let hello = |icid_len: usize, cookie_len: u8, noise: usize| {
            let mut bytes = vec![0x01, 0x01, 0x01, icid_len as u8];
            bytes.resize(4 + icid_len, 3);
            bytes.push(cookie_len);
            bytes.resize(bytes.len() + usize::from(cookie_len) + noise, 4);
            bytes
        };
        for good in [hello(4, 0, 96), hello(20, 16, 160)] {
            assert!(Hello::decode(&good).is_ok());
            for cut in 0..hello(4, 0, 96).len().min(good.len() - 64) {
                assert!(Hello::decode(&good[..cut]).is_err(), "{cut}");
            }
        }
        for bad in [
            hello(3, 0, 96),
            hello(21, 0, 96),
            hello(4, 15, 96),
            hello(4, 17, 96),
            hello(4, 0, 95),
            hello(4, 0, 161),
        ] {
            assert!(matches!(Hello::decode(&bad), Err(HelloError::Malformed(_))));
        }
    }

    proptest! {
        #[test]
        fn what_decodes_is_encoded_to_the_same_bytes(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..240),
            shape in any::<bool>(),
        ) {
            if shape && bytes.len() > 9 {
                let suite = 1 + (bytes[4] & 1);
                bytes[..4].copy_from_slice(&[1, 1, suite, 4]);
                bytes[8] = 16 * (bytes[8] & 1);
            }
            if let Ok(hello) = Hello::decode(&bytes) {
                prop_assert_eq!(encoded(&hello), bytes);
            }
        }
    }
}
