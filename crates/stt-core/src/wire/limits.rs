use core::{fmt, time::Duration};

use crate::Dir;

/// What one end allows the other, told in the handshake (`docs/spec/stt-wire.md` §7.3).
///
/// Each limit is kept as the byte that tells it, three significant bits and an exponent: what is
/// asked for is rounded down to the next such value, at both ends alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    bytes: [u8; Self::COUNT],
}

impl Limits {
    /// How many limits there are.
    pub const COUNT: usize = 7;
    /// The smallest value of [`Limits::max_datagram`]: every link carries 64 bytes.
    pub const MIN_DATAGRAM: u16 = 64;
    /// The most streams of a kind that can be told at once, some 2^34.
    pub const MAX: u64 = minifloat(u8::MAX);

    /// With the time after which an idle session ends, `None` for never. In whole milliseconds,
    /// at least one; default 30 s (28.672 s on the wire).
    pub fn with_idle_timeout(self, timeout: Option<Duration>) -> Self {
        let millis = timeout.map_or(0, |timeout| millis(timeout).max(1));
        self.with(IDLE_TIMEOUT, to_minifloat(millis))
    }

    /// With the bytes of all streams together that the peer may send before it gets more credit;
    /// default 1 MiB.
    pub fn with_max_data(self, bytes: u64) -> Self {
        self.with(MAX_DATA, to_minifloat(bytes))
    }

    /// With the bytes of each stream that the peer may send before it gets more credit; default
    /// 256 KiB.
    pub fn with_max_stream_data(self, bytes: u64) -> Self {
        self.with(MAX_STREAM_DATA, to_minifloat(bytes))
    }

    /// With the number of streams of a kind that the peer may open before it gets more credit;
    /// default 100 (96 on the wire).
    pub fn with_max_streams(self, dir: Dir, count: u64) -> Self {
        self.with(MAX_STREAMS + dir as usize, to_minifloat(count))
    }

    /// With the largest packet that this end takes, bytes, at least [`Limits::MIN_DATAGRAM`];
    /// default 65,535.
    pub fn with_max_datagram(self, bytes: u16) -> Self {
        let byte = match bytes {
            u16::MAX => DEFAULT[MAX_DATAGRAM],
            bytes => to_minifloat(u64::from(bytes.max(Self::MIN_DATAGRAM))),
        };
        self.with(MAX_DATAGRAM, byte)
    }

    /// With how long this end may hold an acknowledgement back, in whole milliseconds, under
    /// 2^14; default 25 ms (24 on the wire).
    pub fn with_max_ack_delay(self, delay: Duration) -> Self {
        let millis = millis(delay).min(ACK_DELAY_END - 1);
        self.with(MAX_ACK_DELAY, to_minifloat(millis))
    }

    /// The time after which an idle session ends, `None` for never.
    pub fn idle_timeout(&self) -> Option<Duration> {
        match self.value(IDLE_TIMEOUT) {
            0 => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }

    /// Bytes of all streams together that the peer may send at first.
    pub fn max_data(&self) -> u64 {
        self.value(MAX_DATA)
    }

    /// Bytes of each stream that the peer may send at first.
    pub fn max_stream_data(&self) -> u64 {
        self.value(MAX_STREAM_DATA)
    }

    /// Streams of a kind that the peer may open at first.
    pub fn max_streams(&self, dir: Dir) -> u64 {
        self.value(MAX_STREAMS + dir as usize)
    }

    /// The largest packet that this end takes, bytes.
    pub fn max_datagram(&self) -> u16 {
        u16::try_from(self.value(MAX_DATAGRAM)).unwrap_or(u16::MAX)
    }

    /// How long this end may hold an acknowledgement back.
    pub fn max_ack_delay(&self) -> Duration {
        Duration::from_millis(self.value(MAX_ACK_DELAY))
    }

    /// The bytes to send: without the last ones that are as by default.
    pub(super) fn as_wire(&self) -> &[u8] {
        let len = (0..Self::COUNT)
            .rev()
            .find(|&index| self.bytes[index] != DEFAULT[index])
            .map_or(0, |last| last + 1);
        &self.bytes[..len]
    }

    /// From the bytes sent: at most [`Limits::COUNT`], those left out as by default. `None` if
    /// there are more, the largest packet is too small, or acknowledgements would come too late.
    pub(super) fn from_wire(bytes: &[u8]) -> Option<Self> {
        let mut limits = Self::default();
        limits.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let is_allowed = limits.max_datagram() >= Self::MIN_DATAGRAM
            && limits.value(MAX_ACK_DELAY) < ACK_DELAY_END;
        is_allowed.then_some(limits)
    }

    fn with(mut self, index: usize, byte: u8) -> Self {
        self.bytes[index] = byte;
        self
    }

    fn value(&self, index: usize) -> u64 {
        minifloat(self.bytes[index])
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: DEFAULT }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("idle_timeout", &self.idle_timeout())
            .field("max_data", &self.max_data())
            .field("max_stream_data", &self.max_stream_data())
            .field("max_streams_bi", &self.max_streams(Dir::Bi))
            .field("max_streams_uni", &self.max_streams(Dir::Uni))
            .field("max_datagram", &self.max_datagram())
            .field("max_ack_delay", &self.max_ack_delay())
            .finish()
    }
}

/// The value of a byte: `m` for e = 0, else (8 + m) · 2^(e − 1), with e its five high bits and m
/// its three low ones. Grows with the byte, without gaps up to 16, then in steps of an eighth.
const fn minifloat(byte: u8) -> u64 {
    let (exponent, mantissa) = (byte >> 3, (byte & 7) as u64);
    if exponent == 0 {
        mantissa
    } else {
        (8 + mantissa) << (exponent - 1)
    }
}

/// The byte of the largest value that is not over `value`.
const fn to_minifloat(value: u64) -> u8 {
    if value < 8 {
        return value as u8;
    }
    // Four significant bits: the first is implied.
    let shift = 60 - value.leading_zeros() as u64;
    if shift > 30 {
        return u8::MAX;
    }
    ((shift + 1) << 3) as u8 | ((value >> shift) as u8 & 7)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

// The order on the wire.
const IDLE_TIMEOUT: usize = 0;
const MAX_DATA: usize = 1;
const MAX_STREAM_DATA: usize = 2;
const MAX_STREAMS: usize = 3;
const MAX_DATAGRAM: usize = 5;
const MAX_ACK_DELAY: usize = 6;

/// Milliseconds from which on no end may hold acknowledgements back (RFC 9000 §18.2): the time-outs that
/// keep a session, closed ones too, follow from it.
const ACK_DELAY_END: u64 = 1 << 14;

const DEFAULT: [u8; Limits::COUNT] = [
    to_minifloat(30_000),
    to_minifloat(1 << 20),
    to_minifloat(256 << 10),
    to_minifloat(100),
    to_minifloat(100),
    // Told as 65,536, read as 65,535: nothing on the grid lies nearer.
    to_minifloat(1 << 16),
    to_minifloat(25),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn defaults_and_their_bytes() {
        let limits = Limits::default();
        assert_eq!(DEFAULT, [0x66, 0x90, 0x80, 0x24, 0x24, 0x70, 0x14]);
        assert_eq!(limits.idle_timeout(), Some(Duration::from_millis(28_672)));
        assert_eq!(limits.max_data(), 1_048_576);
        assert_eq!(limits.max_stream_data(), 262_144);
        assert_eq!(limits.max_streams(Dir::Bi), 96);
        assert_eq!(limits.max_streams(Dir::Uni), 96);
        assert_eq!(limits.max_datagram(), 65_535);
        assert_eq!(limits.max_ack_delay(), Duration::from_millis(24));
        assert!(limits.as_wire().is_empty());
        assert_eq!(Limits::from_wire(&[]), Some(limits));
    }

    #[test]
    fn what_is_set_is_what_is_read() {
        let limits = Limits::default()
            .with_idle_timeout(None)
            .with_max_data(80_000)
            .with_max_stream_data(0)
            .with_max_streams(Dir::Bi, 1)
            .with_max_streams(Dir::Uni, u64::MAX)
            .with_max_datagram(1_200)
            .with_max_ack_delay(Duration::MAX);
        assert_eq!(limits.idle_timeout(), None);
        assert_eq!(limits.max_data(), 73_728);
        assert_eq!(limits.max_stream_data(), 0);
        assert_eq!(limits.max_streams(Dir::Bi), 1);
        assert_eq!(limits.max_streams(Dir::Uni), Limits::MAX);
        assert_eq!(limits.max_datagram(), 1_152);
        assert_eq!(limits.max_ack_delay(), Duration::from_millis(15_360));
        assert_eq!(Limits::from_wire(limits.as_wire()), Some(limits));

        let limits = Limits::default().with_max_datagram(0);
        assert_eq!(limits.max_datagram(), Limits::MIN_DATAGRAM);
        assert_eq!(limits.as_wire().len(), 6, "the ack delay is as by default");
        let limits = limits.with_max_datagram(u16::MAX);
        assert_eq!(limits, Limits::default());
        let limits = limits.with_idle_timeout(Some(Duration::ZERO));
        assert_eq!(limits.idle_timeout(), Some(Duration::from_millis(1)));
    }

    #[test]
    fn what_no_end_may_send() {
        assert_eq!(Limits::from_wire(&[0; 8]), None);
        let mut bytes = DEFAULT;
        bytes[MAX_DATAGRAM] = to_minifloat(63);
        assert_eq!(Limits::from_wire(&bytes), None);
        bytes[MAX_DATAGRAM] = to_minifloat(64);
        assert!(Limits::from_wire(&bytes).is_some());
        bytes[MAX_ACK_DELAY] = to_minifloat(ACK_DELAY_END);
        assert_eq!(Limits::from_wire(&bytes), None);
        bytes[MAX_ACK_DELAY] -= 1;
        assert!(Limits::from_wire(&bytes).is_some());
    }

    #[test]
    fn every_byte_comes_back_and_values_grow() {
        for byte in 0..=u8::MAX {
            assert_eq!(to_minifloat(minifloat(byte)), byte);
            assert!(byte == 0 || minifloat(byte) > minifloat(byte - 1));
        }
    }

    proptest! {
        #[test]
        fn rounds_down_by_less_than_an_eighth(value in 0..=Limits::MAX) {
            let rounded = minifloat(to_minifloat(value));
            prop_assert!(rounded <= value);
            prop_assert!((value - rounded) * 8 <= value);
        }
    }
}
