/// A set of integers as sorted, disjoint ranges with a gap between each two.
///
/// Growth is the caller's to bound, by [`RangeSet::len`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RangeSet {
    spans: Vec<Span>,
}

/// The integers from `start` up to, without, `end`. Never empty inside a [`RangeSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl RangeSet {
    /// Adds `start..end`, joining what it overlaps or touches.
    pub(crate) fn insert(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        // Nearly every range is a new last one or lengthens it.
        if self.spans.last().is_none_or(|last| last.end < start) {
            self.spans.push(Span { start, end });
            return;
        }
        let first = self.spans.partition_point(|span| span.end < start);
        let after = self.spans.partition_point(|span| span.start <= end);
        if first == after {
            self.spans.insert(first, Span { start, end });
            return;
        }
        let joined = Span {
            start: start.min(self.spans[first].start),
            end: end.max(self.spans[after - 1].end),
        };
        self.spans[first] = joined;
        self.spans.drain(first + 1..after);
    }

    /// Takes `start..end` out.
    pub(crate) fn remove(&mut self, start: u64, end: u64) {
        let first = self.spans.partition_point(|span| span.end <= start);
        let after = self.spans.partition_point(|span| span.start < end);
        if start >= end || first >= after {
            return;
        }
        let before = Span {
            start: self.spans[first].start,
            end: start,
        };
        let behind = Span {
            start: end,
            end: self.spans[after - 1].end,
        };
        match (before.start < before.end, behind.start < behind.end) {
            (true, true) if first + 1 == after => {
                self.spans[first] = before;
                self.spans.insert(after, behind);
            }
            (true, true) => {
                self.spans[first] = before;
                self.spans[after - 1] = behind;
                self.spans.drain(first + 1..after - 1);
            }
            (true, false) => {
                self.spans[first] = before;
                self.spans.drain(first + 1..after);
            }
            (false, true) => {
                self.spans[after - 1] = behind;
                self.spans.drain(first..after - 1);
            }
            (false, false) => {
                self.spans.drain(first..after);
            }
        }
    }

    /// If the first range begins at or before `point`, takes it out and gives the larger of its end
    /// and `point`; otherwise `point`.
    pub(crate) fn absorb(&mut self, point: u64) -> u64 {
        let reached = self.spans.partition_point(|span| span.start <= point);
        let end = self.spans[..reached]
            .last()
            .map_or(point, |span| span.end.max(point));
        if reached > 0 {
            self.spans.drain(..reached);
        }
        end
    }

    /// Joins the first two ranges and what lies between them.
    pub(crate) fn join_first(&mut self) {
        if let [first, second, ..] = self.spans[..] {
            self.spans[1].start = first.start;
            debug_assert!(first.end < second.start);
            self.spans.remove(0);
        }
    }

    /// Forgets all, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
    }

    pub(crate) fn first(&self) -> Option<Span> {
        self.spans.first().copied()
    }

    /// Number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn contains(&self, point: u64) -> bool {
        let after = self.spans.partition_point(|span| span.start <= point);
        after > 0 && point < self.spans[after - 1].end
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The parts of `start..end` that are not in the set, in order.
    pub(crate) fn gaps(&self, start: u64, end: u64) -> impl Iterator<Item = Span> + '_ {
        let first = self.spans.partition_point(|span| span.end <= start);
        let mut rest = self.spans[first..].iter();
        let mut at = start;
        core::iter::from_fn(move || {
            while at < end {
                let Some(span) = rest.next() else {
                    let gap = Span { start: at, end };
                    at = end;
                    return Some(gap);
                };
                let gap = Span {
                    start: at,
                    end: span.start.min(end),
                };
                at = span.end;
                if gap.start < gap.end {
                    return Some(gap);
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u64, u64),
        Remove(u64, u64),
        Absorb(u64),
        JoinFirst,
    }

    fn op() -> impl Strategy<Value = Op> {
        let bound = 0..128_u64;
        prop_oneof![
            4 => (bound.clone(), bound.clone()).prop_map(|(a, b)| Op::Insert(a, b)),
            3 => (bound.clone(), bound.clone()).prop_map(|(a, b)| Op::Remove(a, b)),
            1 => bound.prop_map(Op::Absorb),
            1 => Just(Op::JoinFirst),
        ]
    }

    /// What the set should hold, the slow way.
    fn spans_of(bits: &[bool]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (at, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
            let at = at as u64;
            match spans.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => spans.push(Span {
                    start: at,
                    end: at + 1,
                }),
            }
        }
        spans
    }

    proptest! {
        #[test]
        fn holds_what_a_bitmap_would(ops in prop::collection::vec(op(), 0..40)) {
            let mut set = RangeSet::default();
            let mut bits = [false; 256];
            for op in ops {
                match op {
                    Op::Insert(a, b) => {
                        set.insert(a, b);
                        (a..b).for_each(|at| bits[at as usize] = true);
                    }
                    Op::Remove(a, b) => {
                        set.remove(a, b);
                        (a..b).for_each(|at| bits[at as usize] = false);
                    }
                    Op::Absorb(point) => {
                        let mut end = point;
                        for span in spans_of(&bits) {
                            if span.start <= point {
                                end = end.max(span.end);
                                bits[span.start as usize..span.end as usize].fill(false);
                            }
                        }
                        prop_assert_eq!(set.absorb(point), end);
                    }
                    Op::JoinFirst => {
                        if let [first, second, ..] = spans_of(&bits)[..] {
                            bits[first.end as usize..second.start as usize].fill(true);
                        }
                        set.join_first();
                    }
                }
                prop_assert_eq!(&set.spans, &spans_of(&bits));
                prop_assert_eq!(set.len(), spans_of(&bits).len());
                prop_assert_eq!(set.first(), spans_of(&bits).first().copied());
                let unset: Vec<bool> = bits.iter().map(|bit| !bit).collect();
                let mut gaps = vec![false; 256];
                for gap in set.gaps(20, 100) {
                    gaps[gap.start as usize..gap.end as usize].fill(true);
                }
                prop_assert_eq!(&gaps[20..100], &unset[20..100]);
                prop_assert!(!gaps[..20].contains(&true) && !gaps[100..].contains(&true));
            }
        }
    }
}
