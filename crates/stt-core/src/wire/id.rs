use core::fmt;

/// Names a connection to the end that chose it: 1 to 8 bytes at the head of every sealed packet
/// (`docs/spec/stt-wire.md` §3.1). Unused bytes are zero, so that equality is of value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireId {
    len: u8,
    bytes: [u8; Self::MAX_LEN],
}

impl WireId {
    /// The longest wire id, bytes.
    pub const MAX_LEN: usize = 8;

    /// The id of these bytes, or `None` unless there are 1 to 8 of them.
    pub fn new(id: &[u8]) -> Option<Self> {
        if id.is_empty() {
            return None;
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self {
            len: id.len() as u8,
            bytes,
        })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// How many bytes it has, 1 to 8.
    #[expect(clippy::len_without_is_empty, reason = "an id is never empty")]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }
}

impl fmt::Debug for WireId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireId(")?;
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
    fn one_to_eight_bytes() {
        assert_eq!(WireId::new(&[]), None);
        assert_eq!(WireId::new(&[0; 9]), None);
        for len in 1..=8 {
            let bytes = [0xa5; 8];
            let id = WireId::new(&bytes[..len]).unwrap();
            assert_eq!((id.as_bytes(), id.len()), (&bytes[..len], len));
        }
        assert_ne!(WireId::new(&[1]), WireId::new(&[1, 0]));
    }
}
