use core::{cmp::Ordering, fmt};

/// Names a connection to the end that chose it: 1 to 8 bytes at the head of every sealed packet
/// (`docs/spec/stt-wire.md` §3.1). Unused bytes are zero, so that equality is of value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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

    /// The id that the first `len` of these bytes are, or `None` unless they are 1 to 8.
    pub(super) fn cut(bytes: [u8; Self::MAX_LEN], len: usize) -> Option<Self> {
        if !(1..=Self::MAX_LEN).contains(&len) {
            return None;
        }
        let kept = u64::MAX << (64 - 8 * len);
        Some(Self {
            len: len as u8,
            bytes: (u64::from_be_bytes(bytes) & kept).to_be_bytes(),
        })
    }

    fn number(self) -> u64 {
        u64::from_be_bytes(self.bytes)
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

/// By length, then by bytes: compared as two numbers, since every packet is looked up by one.
impl Ord for WireId {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.len, self.number()).cmp(&(other.len, other.number()))
    }
}

impl PartialOrd for WireId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
            assert_eq!(WireId::cut(bytes, len), Some(id));
        }
        assert_ne!(WireId::new(&[1]), WireId::new(&[1, 0]));
        assert_eq!(WireId::cut([1; 8], 0), None);
        assert_eq!(WireId::cut([1; 8], 9), None);
    }
}
