//! Addresses of objects (`docs/spec/stt-store.md`, section 2).

use core::{fmt, str::FromStr};

use aws_lc_rs::digest::{self, SHA3_256};
use thiserror::Error;

use crate::hex;

/// The SHA3-256 of an object's bytes: 64 hex digits as text.
///
/// ```
/// use stt_store::Address;
///
/// let address = Address::of(b"");
/// assert_eq!(
///     address.to_string(),
///     "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
/// );
/// assert_eq!(address.to_string().parse(), Ok(address));
/// assert!("../../etc/passwd".parse::<Address>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 32]);

impl Address {
    /// The address that these 32 bytes are.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The address of an object.
    pub fn of(object: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(object);
        hasher.finish()
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        hex::decode(text).map(Self).ok_or(AddressError)
    }
}

/// Text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an address is 64 hex digits, the SHA3-256 of the object")]
pub struct AddressError;

/// The hash of an object that comes in pieces.
#[derive(Clone)]
pub(crate) struct Hasher(digest::Context);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(digest::Context::new(&SHA3_256))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Address {
        let hash = self.0.finish();
        Address(hash.as_ref().try_into().expect("SHA3-256 gives 32 bytes"))
    }
}
