//! A reusable list of SDUs in one allocation.

/// SDUs in order, stored end to end so that a steady run allocates nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SduBatch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl SduBatch {
    /// An empty batch.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Appends one SDU.
    pub fn push(&mut self, sdu: &[u8]) {
        self.bytes.extend_from_slice(sdu);
        self.ends.push(self.bytes.len());
    }

    /// Forgets all SDUs and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// The SDU at `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .map_or(0, |previous| self.ends[previous]);
        Some(&self.bytes[start..end])
    }

    /// The SDUs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |&end| &self.bytes[std::mem::replace(&mut start, end)..end])
    }

    /// How many SDUs there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no SDU.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_pushed_in_order() {
        let mut batch = SduBatch::new();
        for sdu in [&b"one"[..], b"", b"three"] {
            batch.push(sdu);
        }
        assert_eq!(
            batch.iter().collect::<Vec<_>>(),
            [&b"one"[..], b"", b"three"]
        );
        assert_eq!(
            (batch.get(1), batch.get(2), batch.get(3)),
            (Some(&b""[..]), Some(&b"three"[..]), None)
        );
        batch.clear();
        assert!(batch.is_empty());
    }
}
