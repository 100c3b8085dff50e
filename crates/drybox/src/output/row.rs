//! Rows of `metrics.csv` (`docs/spec/outputs.md`, section 1).

use super::{
    decimal::{put_fixed, put_u64},
    scrub::Scrubber,
};
use crate::side::Side;

/// The columns in order.
pub const COLUMNS: [&str; 18] = [
    "t_ms",
    "side",
    "layer",
    "event",
    "rtt_ms_est",
    "latency_ms",
    "jitter_ms",
    "loss_rate",
    "reorder_rate",
    "goodput_bps",
    "snr_db_est",
    "ber",
    "per",
    "cfo_hz_est",
    "lock_ratio",
    "hs_time_ms",
    "rekey_ms",
    "aead_fail_cnt",
];

/// The first line of the file, with its LF.
pub const HEADER: &str = "t_ms,side,layer,event,rtt_ms_est,latency_ms,jitter_ms,loss_rate,reorder_rate,goodput_bps,snr_db_est,ber,per,cfo_hz_est,lock_ratio,hs_time_ms,rekey_ms,aead_fail_cnt\n";

/// Where in the stack a row was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowLayer {
    /// Whole SDUs.
    Bytelink,
    /// PDUs, or coded frames in Mode B.
    Bearer,
    /// PCM blocks.
    Audio,
    /// What an adapter reported.
    Adapter,
}

impl RowLayer {
    /// As written in the `layer` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytelink => "bytelink",
            Self::Bearer => "bearer",
            Self::Audio => "audio",
            Self::Adapter => "adapter",
        }
    }
}

/// One row. Columns that are `None`, or not finite, stay empty.
///
/// Made with [`Row::new`] and struct update: `Row { latency_ms: Some(20.0), ..Row::new(…) }`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a> {
    /// The tick, in ms.
    pub t_ms: u64,
    /// The sender for tx, the receiver for rx, drop and goodput.
    pub side: Side,
    /// Where it was taken.
    pub layer: RowLayer,
    /// What happened: `tx`, `rx`, `drop`, `goodput` or the type of an adapter's event.
    pub event: &'a str,
    /// Estimated round-trip time, ms.
    pub rtt_ms_est: Option<f64>,
    /// Delivery tick − poll tick, ms.
    pub latency_ms: Option<f64>,
    /// Interarrival jitter after RFC 3550, ms.
    pub jitter_ms: Option<f64>,
    /// Cumulative loss of the direction, 0–1.
    pub loss_rate: Option<f64>,
    /// Cumulative reordering of the direction after RFC 4737, 0–1.
    pub reorder_rate: Option<f64>,
    /// SDU bits per second.
    pub goodput_bps: Option<f64>,
    /// Signal-to-noise ratio of a block, dB.
    pub snr_db_est: Option<f64>,
    /// Bit error rate, 0–1.
    pub ber: Option<f64>,
    /// Packet (frame) error rate, 0–1; 1 on drops.
    pub per: Option<f64>,
    /// Carrier frequency offset, Hz.
    pub cfo_hz_est: Option<f64>,
    /// Locked time / elapsed time, 0–1.
    pub lock_ratio: Option<f64>,
    /// Duration of the handshake, ms.
    pub hs_time_ms: Option<f64>,
    /// Duration of the rekeying, ms.
    pub rekey_ms: Option<f64>,
    /// Failed authentications so far.
    pub aead_fail_cnt: Option<f64>,
}

impl<'a> Row<'a> {
    /// A row whose optional columns are all empty.
    pub const fn new(t_ms: u64, side: Side, layer: RowLayer, event: &'a str) -> Self {
        Self {
            t_ms,
            side,
            layer,
            event,
            rtt_ms_est: None,
            latency_ms: None,
            jitter_ms: None,
            loss_rate: None,
            reorder_rate: None,
            goodput_bps: None,
            snr_db_est: None,
            ber: None,
            per: None,
            cfo_hz_est: None,
            lock_ratio: None,
            hs_time_ms: None,
            rekey_ms: None,
            aead_fail_cnt: None,
        }
    }

    /// Appends the row's line.
    pub(super) fn encode(&self, out: &mut Vec<u8>, scrubber: &Scrubber) {
        let event = scrubber.text(self.event);
        let start = out.len();
        let mut room = ORDINARY_ROW;
        // Numbers beyond 10¹³ and long types of events take more room; every row has an end.
        loop {
            out.resize(start + room, 0);
            if let Some(len) = self.write(&mut out[start..], &event) {
                out.truncate(start + len);
                return;
            }
            room *= 4;
        }
    }

    /// Writes the line at the head of `out`; its length, or `None` when there is no room.
    fn write(&self, out: &mut [u8], event: &str) -> Option<usize> {
        let mut line = Line {
            out,
            at: 0,
            separators: 0,
        };
        line.number(self.t_ms)?;
        line.fixed(match self.side {
            Side::Left => b",L,",
            Side::Right => b",R,",
        })?;
        match self.layer {
            RowLayer::Bytelink => line.fixed(b"bytelink,"),
            RowLayer::Bearer => line.fixed(b"bearer,"),
            RowLayer::Audio => line.fixed(b"audio,"),
            RowLayer::Adapter => line.fixed(b"adapter,"),
        }?;
        line.text(event)?;
        line.column::<3>(self.rtt_ms_est)?;
        line.column::<3>(self.latency_ms)?;
        line.column::<3>(self.jitter_ms)?;
        line.column::<6>(self.loss_rate)?;
        line.column::<6>(self.reorder_rate)?;
        line.column::<0>(self.goodput_bps)?;
        line.column::<3>(self.snr_db_est)?;
        line.column::<6>(self.ber)?;
        line.column::<6>(self.per)?;
        line.column::<3>(self.cfo_hz_est)?;
        line.column::<6>(self.lock_ratio)?;
        line.column::<3>(self.hs_time_ms)?;
        line.column::<3>(self.rekey_ms)?;
        line.column::<0>(self.aead_fail_cnt)?;
        line.separate()?;
        line.fixed(b"\n")?;
        Some(line.at)
    }
}

/// Bytes in which almost every row fits.
const ORDINARY_ROW: usize = 256;

/// A line that is being written into given room. Pieces have lengths known to the compiler wherever
/// possible: that is what makes it fast.
struct Line<'a> {
    out: &'a mut [u8],
    at: usize,
    /// Separators that are due: most columns are empty, so they come in runs.
    separators: usize,
}

impl Line<'_> {
    fn fixed<const N: usize>(&mut self, bytes: &[u8; N]) -> Option<()> {
        *self.out.get_mut(self.at..)?.first_chunk_mut()? = *bytes;
        self.at += N;
        Some(())
    }

    fn number(&mut self, n: u64) -> Option<()> {
        self.at += put_u64(self.out.get_mut(self.at..)?, n)?;
        Some(())
    }

    /// A separator, and the value if there is one: most columns are empty, so only that is inline.
    #[inline(always)]
    fn column<const D: usize>(&mut self, value: Option<f64>) -> Option<()> {
        self.separators += 1;
        match value {
            None => Some(()),
            Some(value) => self.value::<D>(value),
        }
    }

    #[inline(never)]
    fn value<const D: usize>(&mut self, value: f64) -> Option<()> {
        if value.is_finite() {
            self.separate()?;
            self.at += put_fixed::<D>(self.out.get_mut(self.at..)?, value)?;
        }
        Some(())
    }

    /// The separators due, in one copy; what is too much of it is overwritten by what follows.
    fn separate(&mut self) -> Option<()> {
        self.fixed(b",,,,,,,,,,,,,,,,")?;
        self.at -= 16 - self.separators;
        self.separators = 0;
        Some(())
    }

    /// A text field, quoted only if it must be (RFC 4180, section 2.5).
    fn text(&mut self, text: &str) -> Option<()> {
        let plain = |b: u8| !matches!(b, b',' | b'"' | b'\r' | b'\n');
        if text.bytes().all(plain) {
            let place = self.out.get_mut(self.at..self.at + text.len())?;
            place.copy_from_slice(text.as_bytes());
            self.at += text.len();
            return Some(());
        }
        self.fixed(b"\"")?;
        for byte in text.bytes() {
            if byte == b'"' {
                self.fixed(b"\"")?;
            }
            self.fixed(&[byte])?;
        }
        self.fixed(b"\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: &Row<'_>) -> String {
        let mut out = Vec::new();
        row.encode(&mut out, &Scrubber::default());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_header_names_the_columns() {
        assert_eq!(HEADER, format!("{}\n", COLUMNS.join(",")));
    }

    #[test]
    fn an_empty_row_has_all_separators() {
        let row = Row::new(0, Side::Left, RowLayer::Bearer, "tx");
        assert_eq!(line(&row), "0,L,bearer,tx,,,,,,,,,,,,,,\n");
    }

    #[test]
    fn every_column_stands_in_its_place_with_its_decimals() {
        let row = Row {
            rtt_ms_est: Some(1.0),
            latency_ms: Some(2.0),
            jitter_ms: Some(3.0),
            loss_rate: Some(0.4),
            reorder_rate: Some(0.5),
            goodput_bps: Some(6.5),
            snr_db_est: Some(-7.0),
            ber: Some(0.8),
            per: Some(0.9),
            cfo_hz_est: Some(10.0),
            lock_ratio: Some(0.11),
            hs_time_ms: Some(12.0),
            rekey_ms: Some(13.0),
            aead_fail_cnt: Some(14.0),
            ..Row::new(12_345, Side::Right, RowLayer::Bytelink, "rx")
        };
        assert_eq!(
            line(&row),
            "12345,R,bytelink,rx,1.000,2.000,3.000,0.400000,0.500000,6,-7.000,0.800000,0.900000,\
             10.000,0.110000,12.000,13.000,14\n"
        );
    }

    #[test]
    fn what_is_not_finite_is_empty() {
        let row = Row {
            latency_ms: Some(f64::NAN),
            snr_db_est: Some(f64::NEG_INFINITY),
            per: Some(-0.0),
            ..Row::new(1, Side::Left, RowLayer::Audio, "rx")
        };
        assert_eq!(line(&row), "1,L,audio,rx,,,,,,,,,0.000000,,,,,\n");
    }

    #[test]
    fn rows_of_any_length_are_written() {
        let event = "x".repeat(3000);
        let row = Row {
            latency_ms: Some(f64::MAX),
            goodput_bps: Some(f64::MIN),
            aead_fail_cnt: Some(1e22),
            ..Row::new(u64::MAX, Side::Left, RowLayer::Adapter, &event)
        };
        assert_eq!(
            line(&row),
            format!(
                "{},L,adapter,{event},,{:.3},,,,{:.0},,,,,,,,{}\n",
                u64::MAX,
                f64::MAX,
                f64::MIN,
                "10000000000000000000000"
            )
        );
    }

    #[test]
    fn an_event_type_cannot_break_the_line() {
        let row = Row::new(1, Side::Left, RowLayer::Adapter, "a,\"b\"\n");
        assert_eq!(line(&row), "1,L,adapter,\"a,\"\"b\"\"\n\",,,,,,,,,,,,,,\n");
    }
}
