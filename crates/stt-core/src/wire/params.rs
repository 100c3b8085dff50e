use core::fmt;

use super::{Limits, WireId, Writer};
use crate::error::{Code, TransportError};

/// Transport parameters: what each end tells in the payload of its handshake message
/// (`docs/spec/stt-wire.md` §7). What is left out is as by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// What the peer puts at the head of its sealed packets.
    pub wire_id: WireId,
    /// AEADs by number: in a HELLO those offered, the preferred one first; in a HELLO_RESP the one
    /// chosen.
    pub aeads: Option<Codes>,
    /// What the peer is allowed.
    pub limits: Limits,
    /// In a HELLO, the versions that its sender speaks.
    pub versions: Option<Codes>,
}

impl Params {
    /// An upper bound of [`Params::encoded_len`].
    pub const MAX_LEN: usize = (2 + WireId::MAX_LEN) + 2 * (2 + Codes::MAX) + (2 + Limits::COUNT);

    /// Parameters that are all as by default, but for the wire id, which has no default.
    pub fn new(wire_id: WireId) -> Self {
        Self {
            wire_id,
            aeads: None,
            limits: Limits::default(),
            versions: None,
        }
    }

    /// Reads the whole of `payload`. Parameters with types from 80 are skipped.
    ///
    /// # Errors
    /// [`ParamsError`].
    pub fn from_bytes(payload: &[u8]) -> Result<Self, ParamsError> {
        let mut wire_id = None;
        let mut aeads = None;
        let mut limits = Limits::default();
        let mut versions = None;

        let mut last = None;
        let mut rest = payload;
        while let Some((&kind, tail)) = rest.split_first() {
            let (&len, tail) = tail.split_first().ok_or(ParamsError::Truncated { kind })?;
            let (value, tail) = tail
                .split_at_checked(usize::from(len))
                .ok_or(ParamsError::Truncated { kind })?;
            rest = tail;
            if last.is_some_and(|last| last >= kind) {
                return Err(ParamsError::Order { kind });
            }
            last = Some(kind);

            let invalid = ParamsError::Invalid { kind };
            match kind {
                WIRE_ID => wire_id = Some(WireId::new(value).ok_or(invalid)?),
                AEADS => aeads = Some(Codes::new(value).ok_or(invalid)?),
                LIMITS => limits = Limits::from_wire(value).ok_or(invalid)?,
                VERSIONS => versions = Some(Codes::new(value).ok_or(invalid)?),
                IGNORABLE.. => {}
                _ => return Err(ParamsError::Unknown { kind }),
            }
        }
        Ok(Self {
            wire_id: wire_id.ok_or(ParamsError::NoWireId)?,
            aeads,
            limits,
            versions,
        })
    }

    /// The AEADs of an offer, the preferred one first: 1 (AES-256-GCM), then 2
    /// (ChaCha20-Poly1305) by default.
    pub fn offered_aeads(&self) -> &[u8] {
        self.aeads.as_ref().map_or(&[1, 2], Codes::as_bytes)
    }

    /// The AEAD of an answer, 1 by default; `None` if it names several.
    pub fn chosen_aead(&self) -> Option<u8> {
        match self.aeads.as_ref().map_or(&[1][..], Codes::as_bytes) {
            &[one] => Some(one),
            _ => None,
        }
    }

    /// The versions of an offer: only 1 by default.
    pub fn offered_versions(&self) -> &[u8] {
        self.versions.as_ref().map_or(&[1], Codes::as_bytes)
    }

    /// Bytes that [`Params::write`] takes.
    pub fn encoded_len(&self) -> usize {
        self.fields()
            .into_iter()
            .flatten()
            .map(|(_, value)| 2 + value.len())
            .sum()
    }

    /// Writes the parameters, [`Params::encoded_len`] bytes.
    ///
    /// # Panics
    /// If the writer has no room for them.
    pub fn write(&self, writer: &mut Writer<'_>) {
        for (kind, value) in self.fields().into_iter().flatten() {
            writer.put_u8(kind);
            writer.put_u8(value.len() as u8);
            writer.put_slice(value);
        }
    }

    /// The parameters as bytes, at most [`Params::MAX_LEN`].
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.encoded_len()];
        self.write(&mut Writer::new(&mut bytes));
        bytes
    }

    /// What is written, by type.
    fn fields(&self) -> [Option<(u8, &[u8])>; 4] {
        let limits = self.limits.as_wire();
        [
            Some((WIRE_ID, self.wire_id.as_bytes())),
            self.aeads.as_ref().map(|codes| (AEADS, codes.as_bytes())),
            (!limits.is_empty()).then_some((LIMITS, limits)),
            self.versions
                .as_ref()
                .map(|codes| (VERSIONS, codes.as_bytes())),
        ]
    }
}

/// A short list of numbers, 1 to 8 of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    len: u8,
    bytes: [u8; Self::MAX],
}

impl Codes {
    /// The most numbers in a list.
    pub const MAX: usize = 8;

    /// The list of these numbers, `None` unless there are 1 to 8.
    pub fn new(codes: &[u8]) -> Option<Self> {
        if codes.is_empty() {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..codes.len())?.copy_from_slice(codes);
        Some(Self {
            len: codes.len() as u8,
            bytes,
        })
    }

    /// The numbers.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().fmt(f)
    }
}

/// Bytes that are no transport parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// A value that its type doesn't allow.
    #[error("transport parameter {kind:02x} has a value that it may not have")]
    Invalid {
        /// The parameter's type.
        kind: u8,
    },
    /// The sender's wire id is missing.
    #[error("transport parameter 01, the wire id, is missing")]
    NoWireId,
    /// A type that is not larger than the one before it.
    #[error("transport parameter {kind:02x} comes twice or out of order")]
    Order {
        /// The parameter's type.
        kind: u8,
    },
    /// The bytes end before the parameter does.
    #[error("transport parameter {kind:02x} is truncated")]
    Truncated {
        /// The parameter's type.
        kind: u8,
    },
    /// A type under 80 that this version doesn't know.
    #[error("transport parameter {kind:02x} is unknown and may not be ignored")]
    Unknown {
        /// The parameter's type.
        kind: u8,
    },
}

impl From<ParamsError> for TransportError {
    fn from(error: ParamsError) -> Self {
        Self::new(Code::TRANSPORT_PARAMETER_ERROR, error.to_string())
    }
}

const WIRE_ID: u8 = 0x01;
const AEADS: u8 = 0x02;
const LIMITS: u8 = 0x03;
const VERSIONS: u8 = 0x04;
/// Types from here on are skipped by those who don't know them.
const IGNORABLE: u8 = 0x80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(bytes: &[u8]) -> WireId {
        WireId::new(bytes).unwrap()
    }

    #[test]
    fn annotated() {
        let bytes = [
            0x01, 0x04, 0xde, 0xad, 0xbe, 0xef, // wire id of 4 bytes
            0x02, 0x02, 0x02, 0x01, // AEADs: ChaCha20-Poly1305 first, then AES-256-GCM
            0x03, 0x02, 0x00, 0x78, // limits: never idle, 128 KiB; the others as by default
            0x04, 0x01, 0x01, // versions: 1
        ];
        let params = Params {
            wire_id: id(&[0xde, 0xad, 0xbe, 0xef]),
            aeads: Codes::new(&[2, 1]),
            limits: Limits::default()
                .with_idle_timeout(None)
                .with_max_data(128 << 10),
            versions: Codes::new(&[1]),
        };
        assert_eq!(params.to_vec(), bytes);
        assert_eq!(params.encoded_len(), bytes.len());
        assert_eq!(Params::from_bytes(&bytes), Ok(params));
    }

    #[test]
    fn what_is_absent_is_as_by_default() {
        let params = Params::from_bytes(&[0x01, 0x01, 0x07]).unwrap();
        assert_eq!(params, Params::new(id(&[7])));
        assert_eq!(params.to_vec(), [0x01, 0x01, 0x07]);
        assert_eq!(params.offered_aeads(), [1, 2]);
        assert_eq!(params.chosen_aead(), Some(1));
        assert_eq!(params.offered_versions(), [1]);
    }

    #[test]
    fn each_error() {
        use ParamsError::{Invalid, NoWireId, Order, Truncated, Unknown};
        for (bytes, expected) in [
            (&[][..], NoWireId),
            (&[0x02, 0x01, 0x01], NoWireId),
            (&[0x01], Truncated { kind: 1 }),
            (&[0x01, 0x02, 0x00], Truncated { kind: 1 }),
            (&[0x01, 0x00], Invalid { kind: 1 }),
            (&[0x01, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0], Invalid { kind: 1 }),
            (&[0x01, 1, 0, 0x01, 1, 0], Order { kind: 1 }),
            (&[0x02, 1, 1, 0x01, 1, 0], Order { kind: 1 }),
            (&[0x01, 1, 0, 0x02, 0], Invalid { kind: 2 }),
            (
                &[0x01, 1, 0, 0x03, 8, 0, 0, 0, 0, 0, 0, 0, 0],
                Invalid { kind: 3 },
            ),
            (&[0x01, 1, 0, 0x05, 0], Unknown { kind: 5 }),
            (&[0x01, 1, 0, 0x80, 0, 0x80, 0], Order { kind: 0x80 }),
        ] {
            assert_eq!(Params::from_bytes(bytes), Err(expected), "{bytes:02x?}");
        }
        let ignored = [0x01, 1, 0, 0x80, 2, 5, 5, 0xff, 0];
        assert!(Params::from_bytes(&ignored).is_ok());
    }

    #[test]
    fn hello_and_answer_stay_small() {
        let limits = Limits::default().with_max_ack_delay(core::time::Duration::ZERO);
        let hello = Params {
            limits,
            ..Params::new(id(&[0; 4]))
        };
        assert_eq!(hello.encoded_len(), 15);
        let answer = Params {
            aeads: Codes::new(&[2]),
            ..hello
        };
        assert_eq!(answer.encoded_len(), 18);
        assert_eq!(answer.chosen_aead(), Some(2));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(bytes in proptest::collection::vec(0_u8..12, 0..40)) {
            let mut payload = vec![0x01, 0x01, 0x42];
            payload.extend(&bytes);
            if let Ok(params) = Params::from_bytes(&payload) {
                let written = params.to_vec();
                prop_assert_eq!(written.len(), params.encoded_len());
                prop_assert!(written.len() <= Params::MAX_LEN);
                prop_assert_eq!(Params::from_bytes(&written), Ok(params));
            }
        }

        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            if let Ok(params) = Params::from_bytes(&bytes) {
                prop_assert_eq!(Params::from_bytes(&params.to_vec()), Ok(params));
            }
        }
    }
}
