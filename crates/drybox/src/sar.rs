//! SAR-lite: SDUs in fragments that fit the bearer's MTU (`docs/spec/bearers.md`, section 8).

/// Bytes of a fragment's header: `frag_id`, `idx`, `last`.
pub const HEADER_BYTES: usize = 3;

/// The most fragments of one SDU, since `idx` is one byte.
pub const MAX_FRAGMENTS: usize = 256;

/// The largest SDU that can cross a bearer with this MTU (at least 4 bytes).
pub const fn max_sdu_bytes(mtu_bytes: usize) -> usize {
    MAX_FRAGMENTS * mtu_bytes.saturating_sub(HEADER_BYTES)
}

/// The header of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Which SDU, modulo 256.
    pub frag_id: u8,
    /// Which fragment of it, from 0.
    pub idx: u8,
    /// Whether it is the final one.
    pub last: bool,
}

impl Header {
    /// The three bytes on the wire.
    pub const fn encode(self) -> [u8; HEADER_BYTES] {
        [self.frag_id, self.idx, self.last as u8]
    }

    /// A PDU's header and payload; `None` when it is too short or `last` is neither 0 nor 1.
    pub fn decode(pdu: &[u8]) -> Option<(Self, &[u8])> {
        let (&[frag_id, idx, last], payload) = pdu.split_first_chunk()?;
        let last = match last {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some((Self { frag_id, idx, last }, payload))
    }
}

/// The fragments of an SDU of at most [`max_sdu_bytes`]: their headers and payloads of `unit`
/// bytes each, the last one shorter. An empty SDU is one empty fragment.
pub fn fragments(
    sdu: &[u8],
    unit: usize,
    frag_id: u8,
) -> impl ExactSizeIterator<Item = (Header, &[u8])> {
    let count = sdu.len().div_ceil(unit).clamp(1, MAX_FRAGMENTS);
    (0..count).map(move |i| {
        let header = Header {
            frag_id,
            idx: i as u8,
            last: i + 1 == count,
        };
        let end = ((i + 1) * unit).min(sdu.len());
        (header, &sdu[(i * unit).min(end)..end])
    })
}

/// What a fragment did to its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Others are missing.
    Incomplete,
    /// It was the last one missing.
    Complete,
    /// The set has that fragment already.
    Duplicate,
    /// It contradicts the set or the fragment size, and is ignored.
    Malformed,
}

/// The fragments of one SDU as they arrive, in any order. Memory: `unit` × the highest index.
#[derive(Debug, Clone, Default)]
pub struct Reassembly {
    bytes: Vec<u8>,
    have: [u64; MAX_FRAGMENTS / 64],
    received: usize,
    total: Option<usize>,
}

impl Reassembly {
    /// Forgets all fragments and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.have = [0; MAX_FRAGMENTS / 64];
        self.received = 0;
        self.total = None;
    }

    /// Takes one fragment of a set whose fragments hold `unit` bytes.
    pub fn accept(&mut self, unit: usize, header: Header, payload: &[u8]) -> Accepted {
        let idx = usize::from(header.idx);
        let fits = if header.last {
            payload.len() <= unit && self.highest().is_none_or(|highest| highest <= idx)
        } else {
            payload.len() == unit
        };
        let bounded = self.total.is_none_or(|total| idx < total);
        let one_last = !header.last || self.total.is_none_or(|total| idx + 1 == total);
        if !(fits && bounded && one_last) {
            return Accepted::Malformed;
        }
        if self.has(idx) {
            return Accepted::Duplicate;
        }
        self.have[idx / 64] |= 1 << (idx % 64);
        self.received += 1;
        let (start, end) = (idx * unit, idx * unit + payload.len());
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(payload);
        if header.last {
            self.total = Some(idx + 1);
        }
        if self.total == Some(self.received) {
            Accepted::Complete
        } else {
            Accepted::Incomplete
        }
    }

    /// The memory that it keeps, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The SDU, once complete.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What has arrived without a gap from the beginning of the SDU.
    pub fn prefix(&self, unit: usize) -> &[u8] {
        let whole = (0..MAX_FRAGMENTS).take_while(|&i| self.has(i)).count();
        &self.bytes[..(whole * unit).min(self.bytes.len())]
    }

    fn has(&self, idx: usize) -> bool {
        self.have[idx / 64] >> (idx % 64) & 1 == 1
    }

    fn highest(&self) -> Option<usize> {
        (0..MAX_FRAGMENTS).rev().find(|&i| self.has(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_are_three_bytes() {
        let header = Header {
            frag_id: 7,
            idx: 255,
            last: true,
        };
        assert_eq!(header.encode(), [7, 255, 1]);
        assert_eq!(Header::decode(&[7, 255, 1, 9]), Some((header, &[9][..])));
        assert_eq!(Header::decode(&[7, 255]), None);
        assert_eq!(Header::decode(&[7, 255, 2]), None);
    }

    #[test]
    fn an_sdu_of_the_largest_size_takes_256_fragments() {
        let sdu = vec![1; max_sdu_bytes(4)];
        let all: Vec<_> = fragments(&sdu, 1, 0).collect();
        assert_eq!((sdu.len(), all.len()), (256, 256));
        assert!(
            all.iter()
                .enumerate()
                .all(|(i, (h, _))| h.last == (i == 255))
        );
        assert_eq!(fragments(&[], 5, 0).len(), 1);
    }

    #[test]
    fn contradictions_are_refused() {
        let at = |idx, last| Header {
            frag_id: 0,
            idx,
            last,
        };
        let mut set = Reassembly::default();
        assert_eq!(set.accept(4, at(0, false), b"abc"), Accepted::Malformed);
        assert_eq!(set.accept(4, at(3, false), b"abcd"), Accepted::Incomplete);
        assert_eq!(set.accept(4, at(2, true), b"ab"), Accepted::Malformed);
        assert_eq!(set.accept(4, at(4, true), b"ab"), Accepted::Incomplete);
        assert_eq!(set.accept(4, at(5, false), b"abcd"), Accepted::Malformed);
        assert_eq!(set.accept(4, at(5, true), b"ab"), Accepted::Malformed);
        assert_eq!(set.accept(4, at(4, true), b"xx"), Accepted::Duplicate);
        assert_eq!(set.accept(4, at(0, false), b"wxyz"), Accepted::Incomplete);
        assert_eq!(set.prefix(4), b"wxyz");
    }

    proptest! {
        #[test]
        fn reassembly_in_any_order_restores_the_sdu(
            sdu in proptest::collection::vec(any::<u8>(), 0..600),
            unit in 3_usize..40,
            order in any::<u64>(),
        ) {
            let mut all: Vec<_> = fragments(&sdu, unit, 9).collect();
            let mut stream = crate::rng::Streams::new(order).stream("order");
            let mut draws = stream.at(0);
            for i in (1..all.len()).rev() {
                all.swap(i, draws.below(i as u64 + 1) as usize);
            }
            let mut set = Reassembly::default();
            for (i, (header, payload)) in all.iter().enumerate() {
                let expected = if i + 1 == all.len() {
                    Accepted::Complete
                } else {
                    Accepted::Incomplete
                };
                prop_assert_eq!(set.accept(unit, *header, payload), expected);
                prop_assert_eq!(set.accept(unit, *header, payload), Accepted::Duplicate);
            }
            prop_assert_eq!(set.bytes(), &sdu[..]);
        }

        #[test]
        fn arbitrary_fragments_never_panic(
            pdus in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..60),
            unit in 1_usize..10,
        ) {
            let mut set = Reassembly::default();
            for pdu in &pdus {
                if let Some((header, payload)) = Header::decode(pdu) {
                    set.accept(unit, header, payload);
                }
                prop_assert!(set.bytes().len() <= MAX_FRAGMENTS * unit);
                prop_assert!(set.prefix(unit).len() <= set.bytes().len());
            }
        }
    }
}
