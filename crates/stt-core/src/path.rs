use core::fmt;

/// Names the way a datagram came or goes: what the driver needs to reach the peer, opaque here.
///
/// At most [`PathId::MAX_LEN`] bytes, for instance a remote and a local socket address. Two
/// datagrams belong to one path exactly if their `PathId`s are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId {
    len: u8,
    bytes: [u8; Self::MAX_LEN],
}

impl PathId {
    /// The most bytes that a path may be named by: two IPv6 addresses with port and scope.
    pub const MAX_LEN: usize = 40;

    /// The path named by `bytes`, or `None` if there are more than [`PathId::MAX_LEN`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut path = Self {
            len: u8::try_from(bytes.len()).ok()?,
            bytes: [0; Self::MAX_LEN],
        };
        path.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(path)
    }

    /// The bytes that the driver gave.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for PathId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathId(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_and_too_long() {
        let longest = [7; PathId::MAX_LEN];
        assert_eq!(PathId::new(&longest).unwrap().as_bytes(), longest);
        assert_eq!(PathId::new(&[7; PathId::MAX_LEN + 1]), None);
        assert!(PathId::new(&[]).unwrap().as_bytes().is_empty());
    }
}
