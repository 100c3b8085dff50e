use core::{fmt, ops::RangeInclusive};

use super::{FrameErrorKind, Writer};
use crate::varint;

/// An acknowledgement: the packet numbers that arrived, from the largest down
/// (`docs/spec/stt-wire.md` §5.3, RFC 9000 §19.3). Checked whole when it was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ack<'a> {
    largest: u64,
    delay: u64,
    /// Packets in the first range beside the largest.
    first: u64,
    /// Gap and length of each further range, as on the wire.
    ranges: &'a [u8],
    ecn: Option<EcnCounts>,
}

/// How many packets arrived with each ECN mark, over the session (RFC 9000 §19.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct EcnCounts {
    /// Marked ECT(0).
    pub ect0: u64,
    /// Marked ECT(1).
    pub ect1: u64,
    /// Marked as having met congestion.
    pub ce: u64,
}

impl EcnCounts {
    fn encoded_len(&self) -> usize {
        [self.ect0, self.ect1, self.ce]
            .into_iter()
            .map(varint::encoded_len)
            .sum()
    }
}

impl<'a> Ack<'a> {
    /// The most ranges in one frame; a reader refuses more. The count beside the first range then
    /// takes one byte.
    pub const MAX_RANGES: usize = 128;

    /// Writes an ACK frame (type 02, or 03 with `ecn`) of the first of `ranges`: as many as fit
    /// the writer and `max_ranges`, at most [`Ack::MAX_RANGES`]. Returns how many that were; 0, and
    /// nothing written, if not even one fits or there is none.
    ///
    /// `ranges` come from the largest number down, each at least two below the one before (else
    /// they were one range); `delay_us` is the time since the largest arrived, in microseconds.
    pub fn write(
        writer: &mut Writer<'_>,
        ranges: impl Iterator<Item = RangeInclusive<u64>> + Clone,
        delay_us: u64,
        ecn: Option<EcnCounts>,
        max_ranges: usize,
    ) -> usize {
        let Some(first) = ranges.clone().next() else {
            return 0;
        };
        let delay = delay_us >> DELAY_SHIFT;
        let fixed = 2
            + varint::encoded_len(*first.end())
            + varint::encoded_len(delay)
            + varint::encoded_len(first.end() - first.start())
            + ecn.map_or(0, |counts| counts.encoded_len());
        if max_ranges == 0 || fixed > writer.remaining() {
            return 0;
        }

        // The count stands before the ranges: find out how many fit, then write them.
        let max = max_ranges.min(Self::MAX_RANGES);
        let mut room = writer.remaining() - fixed;
        let mut count = 1;
        for (gap, len) in steps(ranges.clone()).take(max - 1) {
            let size = varint::encoded_len(gap) + varint::encoded_len(len);
            if size > room {
                break;
            }
            room -= size;
            count += 1;
        }

        writer.put_u8(if ecn.is_some() { 0x03 } else { 0x02 });
        writer.put_varint(*first.end());
        writer.put_varint(delay);
        writer.put_varint(count as u64 - 1);
        writer.put_varint(first.end() - first.start());
        for (gap, len) in steps(ranges).take(count - 1) {
            writer.put_varint(gap);
            writer.put_varint(len);
        }
        if let Some(EcnCounts { ect0, ect1, ce }) = ecn {
            for counter in [ect0, ect1, ce] {
                writer.put_varint(counter);
            }
        }
        count
    }

    /// Reads what follows the type byte. Every range is checked here, once, so that going through
    /// them can't fail.
    pub(super) fn read(input: &mut &'a [u8], with_ecn: bool) -> Result<Self, FrameErrorKind> {
        let largest = varint::read(input)?;
        let delay = varint::read(input)?;
        let further = varint::read(input)?;
        if further >= Self::MAX_RANGES as u64 {
            return Err(FrameErrorKind::TooManyRanges(further.saturating_add(1)));
        }
        let first = varint::read(input)?;
        let mut smallest = largest
            .checked_sub(first)
            .ok_or(FrameErrorKind::RangeBelowZero)?;
        let begin = *input;
        for _ in 0..further {
            let gap = varint::read(input)?;
            let len = varint::read(input)?;
            // Each at most 2^62, so the sum doesn't overflow.
            smallest = smallest
                .checked_sub(gap + 2 + len)
                .ok_or(FrameErrorKind::RangeBelowZero)?;
        }
        let ranges = &begin[..begin.len() - input.len()];
        let ecn = if with_ecn {
            Some(EcnCounts {
                ect0: varint::read(input)?,
                ect1: varint::read(input)?,
                ce: varint::read(input)?,
            })
        } else {
            None
        };
        Ok(Self {
            largest,
            delay,
            first,
            ranges,
            ecn,
        })
    }

    /// The largest packet number acknowledged.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// How long the receiver held the largest before it sent this, in microseconds, a multiple of
    /// 8; [`u64::MAX`] if it claims more than that.
    pub fn delay_us(&self) -> u64 {
        self.delay.saturating_mul(1 << DELAY_SHIFT)
    }

    /// The ranges, from the largest down; never empty, never touching, at most
    /// [`Ack::MAX_RANGES`].
    pub fn ranges(&self) -> AckRanges<'a> {
        AckRanges {
            next: Some(self.largest - self.first..=self.largest),
            rest: self.ranges,
        }
    }

    pub(super) const fn has_ecn(&self) -> bool {
        self.ecn.is_some()
    }

    /// The counts of ECN marks, if the receiver sees them.
    pub fn ecn(&self) -> Option<EcnCounts> {
        self.ecn
    }

    /// Bytes of the frame, with its type.
    pub fn encoded_len(&self) -> usize {
        1 + varint::encoded_len(self.largest)
            + varint::encoded_len(self.delay)
            + 1
            + varint::encoded_len(self.first)
            + self.ranges.len()
            + self.ecn.map_or(0, |counts| counts.encoded_len())
    }

    pub(super) fn write_again(&self, writer: &mut Writer<'_>) {
        writer.put_u8(if self.ecn.is_some() { 0x03 } else { 0x02 });
        writer.put_varint(self.largest);
        writer.put_varint(self.delay);
        writer.put_varint(self.ranges().skip(1).count() as u64);
        writer.put_varint(self.first);
        writer.put_slice(self.ranges);
        if let Some(EcnCounts { ect0, ect1, ce }) = self.ecn {
            for counter in [ect0, ect1, ce] {
                writer.put_varint(counter);
            }
        }
    }
}

impl fmt::Debug for Ack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            largest: _,
            delay: _,
            first: _,
            ranges: _,
            ecn,
        } = self;
        f.debug_struct("Ack")
            .field("ranges", &format_args!("{:?}", self.ranges()))
            .field("delay_us", &self.delay_us())
            .field("ecn", ecn)
            .finish()
    }
}

/// Goes through the ranges of an [`Ack`], from the largest number down.
#[derive(Clone)]
pub struct AckRanges<'a> {
    next: Option<RangeInclusive<u64>>,
    rest: &'a [u8],
}

impl Iterator for AckRanges<'_> {
    type Item = RangeInclusive<u64>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let range = self.next.take()?;
        // Reading fails at the end only: the bytes were checked when the frame was read.
        if let (Ok(gap), Ok(len)) = (varint::read(&mut self.rest), varint::read(&mut self.rest)) {
            let end = range.start() - gap - 2;
            self.next = Some(end - len..=end);
        }
        Some(range)
    }
}

impl fmt::Debug for AckRanges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// Gap and length, as on the wire, of each range after the first.
fn steps(
    ranges: impl Iterator<Item = RangeInclusive<u64>> + Clone,
) -> impl Iterator<Item = (u64, u64)> {
    let after = ranges.clone().skip(1);
    ranges.zip(after).map(|(above, range)| {
        debug_assert!(range.end() + 2 <= *above.start(), "ranges touch");
        (above.start() - range.end() - 2, range.end() - range.start())
    })
}

/// The delay on the wire counts 8 µs: fine enough for any link, and a byte shorter for most.
const DELAY_SHIFT: u32 = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Frame, Frames};

    fn parse(bytes: &[u8]) -> Result<Ack<'_>, FrameErrorKind> {
        match Frames::new(bytes).next().unwrap() {
            Ok(Frame::Ack(ack)) => Ok(ack),
            Ok(frame) => panic!("{frame:?}"),
            Err(error) => Err(error.kind),
        }
    }

    #[test]
    fn annotated() {
        let bytes = [
            0x03, // ACK with ECN
            0x64, // largest 100
            0xac, 0x02, // delay 300 × 8 µs
            0x02, // two further ranges
            0x04, // 4 below the largest: 96..=100
            0x01, 0x02, // 2 missing, then 3: 91..=93
            0x00, 0x00, // 1 missing, then 1: 89
            0x07, 0x00, 0x80, 0x01, // ECT(0) 7, ECT(1) 0, CE 128
        ];
        let ack = parse(&bytes).unwrap();
        assert_eq!((ack.largest(), ack.delay_us()), (100, 2_400));
        assert!(ack.ranges().eq([96..=100, 91..=93, 89..=89]));
        let ecn = EcnCounts {
            ect0: 7,
            ect1: 0,
            ce: 128,
        };
        assert_eq!(ack.ecn(), Some(ecn));
        assert_eq!(ack.encoded_len(), bytes.len());

        let mut buffer = [0; 32];
        let mut writer = Writer::new(&mut buffer);
        let ranges = [96..=100, 91..=93, 89..=89].into_iter();
        assert_eq!(Ack::write(&mut writer, ranges, 2_407, Some(ecn), 64), 3);
        assert_eq!(writer.written(), bytes);
    }

    #[test]
    fn ranges_below_zero_are_refused_at_once() {
        for bytes in [
            &[0x02, 0x04, 0x00, 0x00, 0x05][..],
            &[0x02, 0x04, 0x00, 0x01, 0x00, 0x02, 0x01],
            &[0x02, 0x04, 0x00, 0x01, 0x04, 0x00, 0x00],
        ] {
            assert_eq!(parse(bytes), Err(FrameErrorKind::RangeBelowZero));
        }
        let lowest = [0x02, 0x04, 0x00, 0x01, 0x01, 0x00, 0x01];
        assert!(parse(&lowest).unwrap().ranges().eq([3..=4, 0..=1]));
    }

    #[test]
    fn more_ranges_than_allowed_are_refused() {
        let mut bytes = vec![0x02, 0xff, 0x7f, 0x00, 0x7f, 0x00];
        bytes.resize(bytes.len() + 2 * 127, 0);
        assert_eq!(parse(&bytes).unwrap().ranges().count(), Ack::MAX_RANGES);
        bytes.splice(4..5, [0x80, 0x01]);
        bytes.extend([0, 0]);
        assert_eq!(parse(&bytes), Err(FrameErrorKind::TooManyRanges(129)));
    }

    #[test]
    fn what_has_no_room_is_left_out() {
        let ranges = || [1_000..=1_000, 500..=600, 0..=10].into_iter();
        for room in 0..20 {
            let mut buffer = [0; 20];
            let mut writer = Writer::new(&mut buffer[..room]);
            let count = Ack::write(&mut writer, ranges(), 0, None, 64);
            assert!(writer.len() <= room);
            // Type, largest (2), delay, count, first: 6. Then 2 + 1 (gap 398), and 2 + 1 (488).
            let expected = match room {
                0..6 => 0,
                6..9 => 1,
                9..12 => 2,
                _ => 3,
            };
            assert_eq!(count, expected, "{room}");
            if count > 0 {
                assert!(
                    parse(writer.written())
                        .unwrap()
                        .ranges()
                        .eq(ranges().take(count))
                );
            }
        }
        let mut buffer = [0; 20];
        assert_eq!(
            Ack::write(&mut Writer::new(&mut buffer), ranges(), 0, None, 2),
            2
        );
        assert_eq!(
            Ack::write(&mut Writer::new(&mut buffer), ranges(), 0, None, 0),
            0
        );
        let none = core::iter::empty();
        assert_eq!(
            Ack::write(&mut Writer::new(&mut buffer), none, 0, None, 9),
            0
        );
    }

    proptest! {
        #[test]
        fn round_trip(
            top in 0_u64..1 << 40,
            steps in proptest::collection::vec((0_u64..1 << 20, 0_u64..1 << 20), 0..200),
            delay_us in 0_u64..1 << 40,
            ecn in proptest::option::of((0_u64..1 << 40, 0_u64..1 << 40, 0_u64..1 << 40)),
        ) {
            let top = top + (1 << 30);
            let mut ranges = vec![top - 5..=top];
            for (gap, len) in steps {
                let end = ranges.last().unwrap().start() - gap - 2;
                ranges.push(end - len..=end);
            }
            let ecn = ecn.map(|(ect0, ect1, ce)| EcnCounts { ect0, ect1, ce });
            let mut buffer = [0; 1_200];
            let mut writer = Writer::new(&mut buffer);
            let count = Ack::write(&mut writer, ranges.iter().cloned(), delay_us, ecn, usize::MAX);
            prop_assert!(count <= Ack::MAX_RANGES);
            let ack = parse(writer.written()).unwrap();
            prop_assert_eq!(ack.encoded_len(), writer.len());
            prop_assert!(ack.ranges().eq(ranges.into_iter().take(count)));
            prop_assert_eq!(ack.delay_us(), delay_us & !7);
            prop_assert_eq!(ack.ecn(), ecn);
        }
    }
}
