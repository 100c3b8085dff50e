//! Who a frame is for, on connections that route (spec 7).

use core::fmt;

use crate::EncodeError;

/// Longest inline address in bytes.
const INLINE_MAX: usize = 126;

/// What an inline address's length is added to.
const INLINE_BASE: u8 = 0x80;

/// The prefix byte that means everyone.
const BROADCAST: u8 = 0xFF;

/// The address in front of a routed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// The daemon at the other end of the connection: `00`.
    Local,
    /// A host in the receiver's cache: `01..=7F`.
    Cached(HostIndex),
    /// An address spelt out: its length + `80`, then its bytes.
    Inline(InlineAddress),
    /// Every daemon, to find out which there are: `FF`.
    Broadcast,
}

impl Address {
    /// Longest wire form in bytes.
    pub const MAX_LEN: usize = 1 + INLINE_MAX;

    /// Reads the address at the head of `bytes` and gives it with its length there.
    ///
    /// # Errors
    /// What is wrong with it, or that more is needed ([`AddressError::needs_more`]).
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), AddressError> {
        let Some((&prefix, rest)) = bytes.split_first() else {
            return Err(AddressError::Incomplete { missing: 1 });
        };
        let address = match Prefix::of(prefix) {
            Prefix::Whole(address) => address,
            Prefix::Inline { len: 0 } => return Err(AddressError::Empty),
            Prefix::Inline { len } => {
                // What is there is judged even when more is to come, so that a wrong byte is reported where it stands.
                let text = &rest[..len.min(rest.len())];
                check_piece(text)?;
                if text.len() < len {
                    return Err(AddressError::Incomplete {
                        missing: len - text.len(),
                    });
                }
                Self::Inline(InlineAddress::from_bytes(text)?)
            }
        };
        Ok((address, address.encoded_len()))
    }

    /// Length of the wire form in bytes.
    pub const fn encoded_len(&self) -> usize {
        match self {
            Self::Inline(inline) => 1 + inline.len as usize,
            _ => 1,
        }
    }

    /// Writes the wire form to the head of `out` and returns its length in bytes.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len).
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let (needed, have) = (self.encoded_len(), out.len());
        let Some([prefix, rest @ ..]) = out.get_mut(..needed) else {
            return Err(EncodeError::BufferTooSmall { needed, have });
        };
        *prefix = match self {
            Self::Local => 0,
            Self::Cached(index) => index.get(),
            Self::Broadcast => BROADCAST,
            Self::Inline(inline) => {
                rest.copy_from_slice(inline.as_str().as_bytes());
                INLINE_BASE + inline.len
            }
        };
        Ok(needed)
    }

    /// Whether it is the daemon at the other end of the connection.
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Cached(index) => write!(f, "cached host {}", index.get()),
            Self::Inline(inline) => f.write_str(inline.as_str()),
            Self::Broadcast => f.write_str("broadcast"),
        }
    }
}

/// What the first byte of an address says.
pub(crate) enum Prefix {
    /// All of it.
    Whole(Address),
    /// An inline address of this many bytes follows.
    Inline { len: usize },
}

impl Prefix {
    pub(crate) fn of(byte: u8) -> Self {
        match (byte, HostIndex::new(byte)) {
            (_, Some(index)) => Self::Whole(Address::Cached(index)),
            (0, _) => Self::Whole(Address::Local),
            (BROADCAST, _) => Self::Whole(Address::Broadcast),
            _ => Self::Inline {
                len: usize::from(byte - INLINE_BASE),
            },
        }
    }
}

/// A slot of a host cache, 1 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostIndex(u8);

impl HostIndex {
    /// The highest.
    pub const MAX: u8 = 0x7F;

    /// The slot with this number, if there is one.
    pub const fn new(index: u8) -> Option<Self> {
        if index == 0 || index > Self::MAX {
            None
        } else {
            Some(Self(index))
        }
    }

    /// Its number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// An address spelt out: 1 to 126 bytes of UTF-8 without control characters. Holds its bytes in place, needs no `alloc`.
#[derive(Clone, Copy)]
pub struct InlineAddress {
    len: u8,
    bytes: [u8; INLINE_MAX],
}

impl InlineAddress {
    /// Longest in bytes.
    pub const MAX_LEN: usize = INLINE_MAX;

    /// The address with this text.
    ///
    /// # Errors
    /// Empty, over 126 bytes, or holding a control character.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        Self::from_bytes(text.as_bytes())
    }

    /// The address with these bytes.
    ///
    /// # Errors
    /// As [`new`](Self::new), or the bytes are no UTF-8.
    pub fn from_bytes(text: &[u8]) -> Result<Self, AddressError> {
        let too_long = AddressError::TooLong { len: text.len() };
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let mut bytes = [0; INLINE_MAX];
        bytes
            .get_mut(..text.len())
            .ok_or(too_long)?
            .copy_from_slice(text);
        check_piece(text)?;
        if core::str::from_utf8(text).is_err() {
            return Err(AddressError::NotUtf8);
        }
        let len = u8::try_from(text.len()).map_err(|_| too_long)?;
        Ok(Self { len, bytes })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Checked at construction; an empty text is what no address can be.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for InlineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InlineAddress")
            .field(&self.as_str())
            .finish()
    }
}

impl fmt::Display for InlineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq for InlineAddress {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for InlineAddress {}

impl core::hash::Hash for InlineAddress {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Judges as much of an inline address as there is: whether it can be the beginning of one.
pub(crate) fn check_piece(text: &[u8]) -> Result<(), AddressError> {
    let (valid, cut_only) = match core::str::from_utf8(text) {
        Ok(valid) => (valid, true),
        Err(error) => {
            let valid = core::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default();
            (valid, error.error_len().is_none())
        }
    };
    if let Some((at, _)) = valid.char_indices().find(|(_, c)| c.is_control()) {
        return Err(AddressError::Control { at });
    }
    if cut_only {
        Ok(())
    } else {
        Err(AddressError::NotUtf8)
    }
}

/// Why bytes are no address (spec 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// Every byte so far is right, and at least so many are missing.
    Incomplete {
        /// How many.
        missing: usize,
    },
    /// An inline address of no bytes.
    Empty,
    /// An inline address over 126 bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A control character, among which are END and ESC.
    Control {
        /// Where in the text it stands, in bytes.
        at: usize,
    },
    /// The text is no UTF-8.
    NotUtf8,
}

impl AddressError {
    /// Whether every byte so far was right and more could complete the address.
    pub const fn needs_more(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Incomplete { missing } => {
                write!(f, "incomplete address: {missing} bytes missing, read more")
            }
            Self::Empty => f.write_str("empty inline address, use 0x00 for the local daemon"),
            Self::TooLong { len } => {
                write!(f, "inline address of {len} bytes, at most {INLINE_MAX} fit")
            }
            Self::Control { at } => {
                write!(f, "control character at byte {at} of an inline address")
            }
            Self::NotUtf8 => f.write_str("inline address is not UTF-8"),
        }
    }
}

impl core::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::vec::Vec;

    fn encoded(address: &Address) -> Vec<u8> {
        let mut out = [0; Address::MAX_LEN];
        let len = address.encode_into(&mut out).unwrap();
        assert_eq!(len, address.encoded_len());
        out[..len].to_vec()
    }

    #[test]
    fn every_prefix_is_what_the_spec_says() {
        for prefix in 0..=u8::MAX {
            let mut bytes = [b'a'; 200];
            bytes[0] = prefix;
            let got = Address::decode(&bytes);
            match prefix {
                0x00 => assert_eq!(got, Ok((Address::Local, 1))),
                0x01..=0x7F => assert_eq!(got, Ok((Address::Cached(HostIndex(prefix)), 1))),
                0x80 => assert_eq!(got, Err(AddressError::Empty)),
                0xFF => assert_eq!(got, Ok((Address::Broadcast, 1))),
                _ => {
                    let (address, len) = got.unwrap();
                    assert_eq!(len, usize::from(prefix) - 0x7F);
                    assert_eq!(encoded(&address), &bytes[..len]);
                }
            }
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        let cases: [(&[u8], AddressError); 6] = [
            (b"", AddressError::Incomplete { missing: 1 }),
            (b"\x83ab", AddressError::Incomplete { missing: 1 }),
            (b"\x83a\n", AddressError::Control { at: 1 }),
            (b"\x82a\x1b", AddressError::Control { at: 1 }),
            (b"\x83a\xc2\x85", AddressError::Control { at: 1 }),
            (b"\x82a\xff", AddressError::NotUtf8),
        ];
        for (bytes, error) in cases {
            assert_eq!(Address::decode(bytes), Err(error), "{bytes:02x?}");
        }
        assert_eq!(
            Address::decode(b"\x82a\xc3"),
            Err(AddressError::NotUtf8),
            "a character cut by the length"
        );
        assert_eq!(
            InlineAddress::new(&"x".repeat(127)),
            Err(AddressError::TooLong { len: 127 })
        );
    }

    proptest! {
        #[test]
        fn addresses_come_back(text in "[^\\p{Cc}]{1,40}", tail in prop::collection::vec(any::<u8>(), 0..5)) {
            prop_assume!(text.len() <= INLINE_MAX);
            let address = Address::Inline(InlineAddress::new(&text).unwrap());
            let mut bytes = encoded(&address);
            let len = bytes.len();
            for cut in 0..len {
                prop_assert!(Address::decode(&bytes[..cut]).unwrap_err().needs_more());
                let short = address.encode_into(&mut bytes.clone()[..cut]);
                prop_assert_eq!(short, Err(EncodeError::BufferTooSmall { needed: len, have: cut }));
            }
            bytes.extend(tail);
            prop_assert_eq!(Address::decode(&bytes), Ok((address, len)));
            prop_assert_eq!(format!("{address}"), text);
        }

        #[test]
        fn arbitrary_bytes_that_read_are_what_is_written(bytes in prop::collection::vec(any::<u8>(), 0..140)) {
            if let Ok((address, len)) = Address::decode(&bytes) {
                prop_assert_eq!(encoded(&address), &bytes[..len]);
            }
        }
    }
}
