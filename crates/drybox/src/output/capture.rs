//! Records of `capture.dbxcap` (`docs/spec/outputs.md`, section 3).

use super::{error::OutputError, scrub::Scrubber};
use crate::side::Direction;

/// The first four bytes.
pub const CAPTURE_MAGIC: [u8; 4] = *b"DBXC";
/// The fifth.
pub const CAPTURE_VERSION: u8 = 1;
/// The longest `data` of a record.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Where in the stack a unit was captured; the values are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CaptureLayer {
    /// Whole SDUs.
    Bytelink = 0,
    /// PDUs; in Mode B the coded frames.
    Bearer = 1,
}

impl CaptureLayer {
    /// Both, in the order of their values.
    pub const ALL: [Self; 2] = [Self::Bytelink, Self::Bearer];

    /// `"bytelink"` or `"bearer"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytelink => "bytelink",
            Self::Bearer => "bearer",
        }
    }
}

/// What happened to a captured unit; the values are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CaptureEvent {
    /// It was handed in.
    Tx = 0,
    /// It was delivered.
    Rx = 1,
    /// It was lost or given up.
    Drop = 2,
}

impl CaptureEvent {
    /// All, in the order of their values.
    pub const ALL: [Self; 3] = [Self::Tx, Self::Rx, Self::Drop];

    /// `"tx"`, `"rx"` or `"drop"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tx => "tx",
            Self::Rx => "rx",
            Self::Drop => "drop",
        }
    }
}

/// Appends the file's header.
pub(super) fn push_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&CAPTURE_MAGIC);
    out.push(CAPTURE_VERSION);
}

/// Appends a record, private keys in `data` overwritten; on error `out` is as before.
pub(super) fn push_record(
    out: &mut Vec<u8>,
    t_ms: u64,
    (direction, layer, event): (Direction, CaptureLayer, CaptureEvent),
    data: &[u8],
    scrubber: &Scrubber,
) -> Result<(), OutputError> {
    let bytes = data.len();
    let len = match u32::try_from(bytes) {
        Ok(len) if bytes <= MAX_RECORD_BYTES => len,
        _ => return Err(OutputError::RecordTooLarge { bytes }),
    };
    let mut head = [0; 15];
    head[..8].copy_from_slice(&t_ms.to_le_bytes());
    head[8] = direction.index() as u8;
    head[9] = layer as u8;
    head[10] = event as u8;
    head[11..].copy_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&head);
    let start = out.len();
    out.extend_from_slice(data);
    scrubber.data(&mut out[start..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_record_are_laid_out_as_specified() {
        let mut out = Vec::new();
        push_header(&mut out);
        push_record(
            &mut out,
            0x0102_0304_0506_0708,
            (
                Direction::RightToLeft,
                CaptureLayer::Bearer,
                CaptureEvent::Drop,
            ),
            b"\xaa\xbb\xcc",
            &Scrubber::default(),
        )
        .unwrap();
        assert_eq!(
            out,
            [
                b'D', b'B', b'X', b'C', 1, // magic, version
                8, 7, 6, 5, 4, 3, 2, 1, // t_ms
                1, 1, 2, // R→L, bearer, drop
                3, 0, 0, 0, // len
                0xaa, 0xbb, 0xcc,
            ]
        );
    }

    #[test]
    fn a_unit_above_the_limit_is_an_error() {
        let mut out = Vec::new();
        let kind = (
            Direction::LeftToRight,
            CaptureLayer::Bytelink,
            CaptureEvent::Tx,
        );
        let data = vec![0; MAX_RECORD_BYTES + 1];
        let most = &data[1..];
        push_record(&mut out, 0, kind, most, &Scrubber::default()).unwrap();
        let error = push_record(&mut out, 0, kind, &data, &Scrubber::default()).unwrap_err();
        assert!(error.is_adapter_fault(), "{error}");
        assert_eq!(out.len(), 15 + MAX_RECORD_BYTES);
    }
}
