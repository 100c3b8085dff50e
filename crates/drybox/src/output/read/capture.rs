//! Reading `capture.dbxcap` (`docs/spec/outputs.md`, section 3).

use std::io::{self, Read};

use super::super::capture::{
    CAPTURE_MAGIC, CAPTURE_VERSION, CaptureEvent, CaptureLayer, MAX_RECORD_BYTES, push_header,
    push_record,
};
use crate::{output::Scrubber, side::Direction};

const HEADER_BYTES: usize = 5;
const RECORD_HEAD_BYTES: usize = 15;

/// Why a capture, or the rest of one, cannot be read. Offsets count bytes from the file's start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The first four bytes are not `DBXC`.
    #[error("not a DryBox capture: it begins with {found:02x?}, not \"DBXC\"")]
    Magic {
        /// What they are.
        found: [u8; 4],
    },
    /// A version that this reader does not know.
    #[error("capture version {found}, this reader knows {CAPTURE_VERSION}")]
    Version {
        /// The fifth byte.
        found: u8,
    },
    /// The file ends inside the header or a record.
    #[error("the capture ends inside {} at offset {offset}", if *.offset == 0 { "the header" } else { "the record" })]
    Truncated {
        /// Where the header (0) or the record begins.
        offset: u64,
    },
    /// A field of a record holds a value outside its table.
    #[error("the record at offset {offset} has {field} {value}")]
    Field {
        /// Where the record begins.
        offset: u64,
        /// `side`, `layer` or `event`.
        field: &'static str,
        /// What it holds.
        value: u8,
    },
    /// A record above [`MAX_RECORD_BYTES`].
    #[error("the record at offset {offset} announces {len} bytes, the limit is {MAX_RECORD_BYTES}")]
    Length {
        /// Where the record begins.
        offset: u64,
        /// Its `len`.
        len: u32,
    },
    /// The source failed.
    #[error("cannot read the capture at offset {offset}: {cause}")]
    Io {
        /// Where the header (0) or the record begins.
        offset: u64,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// One record of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it begins in the file.
    pub offset: u64,
    /// The tick, ms.
    pub t_ms: u64,
    /// The direction in which the unit travels.
    pub direction: Direction,
    /// Where it was captured.
    pub layer: CaptureLayer,
    /// What happened to it.
    pub event: CaptureEvent,
    /// The unit.
    pub data: &'a [u8],
}

/// Reads a capture record by record, in memory bounded by the longest record.
///
/// Give it a buffered source: it reads in small pieces. After an error, or the end, there is nothing
/// more.
#[derive(Debug)]
pub struct CaptureReader<R> {
    source: R,
    offset: u64,
    data: Vec<u8>,
    done: bool,
}

impl<R: Read> CaptureReader<R> {
    /// Reads and checks the header.
    pub fn new(mut source: R) -> Result<Self, CaptureError> {
        let mut header = [0; HEADER_BYTES];
        let n = fill(&mut source, &mut header)
            .map_err(|cause| CaptureError::Io { offset: 0, cause })?;
        let magic = [header[0], header[1], header[2], header[3]];
        if n >= magic.len() && magic != CAPTURE_MAGIC {
            return Err(CaptureError::Magic { found: magic });
        }
        if n < HEADER_BYTES {
            return Err(CaptureError::Truncated { offset: 0 });
        }
        if header[4] != CAPTURE_VERSION {
            return Err(CaptureError::Version { found: header[4] });
        }
        Ok(Self {
            source,
            offset: HEADER_BYTES as u64,
            data: Vec::new(),
            done: false,
        })
    }

    /// The next record; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        if self.done {
            return Ok(None);
        }
        // Until the record is whole there is nothing to go on from.
        self.done = true;
        let offset = self.offset;
        let io = |cause| CaptureError::Io { offset, cause };
        let mut head = [0; RECORD_HEAD_BYTES];
        match fill(&mut self.source, &mut head).map_err(io)? {
            0 => return Ok(None),
            RECORD_HEAD_BYTES => {}
            _ => return Err(CaptureError::Truncated { offset }),
        }
        let [
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            t6,
            t7,
            side,
            layer,
            event,
            l0,
            l1,
            l2,
            l3,
        ] = head;
        let field = |field, value| CaptureError::Field {
            offset,
            field,
            value,
        };
        let direction = *Direction::BOTH
            .get(usize::from(side))
            .ok_or_else(|| field("side", side))?;
        let layer = *CaptureLayer::ALL
            .get(usize::from(layer))
            .ok_or_else(|| field("layer", layer))?;
        let event = *CaptureEvent::ALL
            .get(usize::from(event))
            .ok_or_else(|| field("event", event))?;
        let len = u32::from_le_bytes([l0, l1, l2, l3]);
        if len as usize > MAX_RECORD_BYTES {
            return Err(CaptureError::Length { offset, len });
        }
        self.data.clear();
        // Grows with what arrives, not with what is announced.
        let read = (&mut self.source)
            .take(u64::from(len))
            .read_to_end(&mut self.data)
            .map_err(io)?;
        if read < len as usize {
            return Err(CaptureError::Truncated { offset });
        }
        self.offset += (RECORD_HEAD_BYTES + read) as u64;
        self.done = false;
        Ok(Some(Record {
            offset,
            t_ms: u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            direction,
            layer,
            event,
            data: &self.data,
        }))
    }

    /// Where the next record begins; after an error, where the bad one does.
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// Fills `buffer` as far as the source goes.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// The body of the fuzz target: whatever is read, written again, gives the bytes that were read.
///
/// # Panics
///
/// When it does not.
#[doc(hidden)]
pub fn fuzz_capture(bytes: &[u8]) {
    let Ok(mut reader) = CaptureReader::new(bytes) else {
        return;
    };
    let mut again = Vec::new();
    push_header(&mut again);
    let mut records = 0_usize;
    while let Ok(Some(record)) = reader.next_record() {
        assert_eq!(record.offset, again.len() as u64);
        let what = (record.direction, record.layer, record.event);
        push_record(
            &mut again,
            record.t_ms,
            what,
            record.data,
            &Scrubber::default(),
        )
        .expect("what was read is within the limit");
        records += 1;
    }
    assert_eq!(again, bytes[..again.len()]);
    assert_eq!(reader.offset(), again.len() as u64);
    assert!(records <= bytes.len() / RECORD_HEAD_BYTES);
    assert!(matches!(reader.next_record(), Ok(None)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn two_records() -> Vec<u8> {
        let mut bytes = Vec::new();
        push_header(&mut bytes);
        let scrubber = Scrubber::default();
        let first = (
            Direction::LeftToRight,
            CaptureLayer::Bytelink,
            CaptureEvent::Tx,
        );
        push_record(&mut bytes, 10, first, b"", &scrubber).unwrap();
        let second = (
            Direction::RightToLeft,
            CaptureLayer::Bearer,
            CaptureEvent::Drop,
        );
        push_record(&mut bytes, 20, second, b"abc", &scrubber).unwrap();
        bytes
    }

    /// How many records can be read, and what then happens.
    fn read(bytes: &[u8]) -> (usize, Result<(), String>) {
        let mut reader = match CaptureReader::new(bytes) {
            Ok(reader) => reader,
            Err(error) => return (0, Err(error.to_string())),
        };
        let mut n = 0;
        loop {
            match reader.next_record() {
                Ok(Some(_)) => n += 1,
                Ok(None) => return (n, Ok(())),
                Err(error) => return (n, Err(error.to_string())),
            }
        }
    }

    #[test]
    fn records_come_back_as_written() {
        let bytes = two_records();
        let mut reader = CaptureReader::new(&*bytes).unwrap();
        let first = reader.next_record().unwrap().unwrap();
        assert_eq!((first.offset, first.t_ms, first.data), (5, 10, &b""[..]));
        let second = reader.next_record().unwrap().unwrap();
        assert_eq!(
            second,
            Record {
                offset: 20,
                t_ms: 20,
                direction: Direction::RightToLeft,
                layer: CaptureLayer::Bearer,
                event: CaptureEvent::Drop,
                data: b"abc",
            }
        );
        assert_eq!(reader.next_record().unwrap(), None);
    }

    #[test]
    fn every_truncation_is_told_from_an_end() {
        let bytes = two_records();
        for len in 0..bytes.len() {
            let (records, end) = read(&bytes[..len]);
            match len {
                0..5 => assert_eq!(
                    end,
                    Err("the capture ends inside the header at offset 0".into())
                ),
                5 | 20 => assert_eq!(end, Ok(())),
                6..20 => assert_eq!(
                    end,
                    Err("the capture ends inside the record at offset 5".into())
                ),
                _ => assert_eq!(
                    end,
                    Err("the capture ends inside the record at offset 20".into())
                ),
            }
            assert_eq!(records, usize::from(len >= 20));
        }
    }

    #[test]
    fn errors_name_the_field_and_the_offset() {
        let broken = |at: usize, value: u8| {
            let mut bytes = two_records();
            bytes[at] = value;
            read(&bytes).1.unwrap_err()
        };
        assert_eq!(
            broken(0, b'X'),
            "not a DryBox capture: it begins with [58, 42, 58, 43], not \"DBXC\""
        );
        assert_eq!(broken(4, 2), "capture version 2, this reader knows 1");
        assert_eq!(broken(28, 2), "the record at offset 20 has side 2");
        assert_eq!(broken(29, 7), "the record at offset 20 has layer 7");
        assert_eq!(broken(30, 3), "the record at offset 20 has event 3");
        assert_eq!(
            broken(34, 0x80),
            "the record at offset 20 announces 2147483651 bytes, the limit is 16777216"
        );
    }

    #[test]
    fn an_announced_length_alone_allocates_nothing() {
        let mut bytes = two_records();
        // Below the limit, far beyond the file.
        bytes[31..35].copy_from_slice(&(MAX_RECORD_BYTES as u32).to_le_bytes());
        let mut reader = CaptureReader::new(&*bytes).unwrap();
        reader.next_record().unwrap();
        assert!(reader.next_record().is_err());
        assert!(reader.data.capacity() < 1024, "{}", reader.data.capacity());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            fuzz_capture(&bytes);
            let mut headed = b"DBXC\x01".to_vec();
            headed.extend_from_slice(&bytes);
            fuzz_capture(&headed);
        }

        #[test]
        fn flipped_bits_are_read_without_panic(
            datas in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0..8_u8), 0..4),
        ) {
            let mut bytes = Vec::new();
            push_header(&mut bytes);
            for (i, data) in datas.iter().enumerate() {
                let what = (
                    Direction::BOTH[i % 2],
                    CaptureLayer::ALL[i / 2 % 2],
                    CaptureEvent::ALL[i % 3],
                );
                push_record(&mut bytes, i as u64, what, data, &Scrubber::default()).unwrap();
            }
            prop_assert_eq!(read(&bytes), (datas.len(), Ok(())));
            for (at, bit) in flips {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            fuzz_capture(&bytes);
        }
    }
}
