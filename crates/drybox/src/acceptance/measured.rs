//! What a run measured, as far as acceptance asks.

use crate::output::EventCounts;

/// The latencies of one direction's delivered SDUs (frames).
pub trait Latencies {
    /// The latency in ms at a percentile in `(0, 100]`, by nearest rank; `None` without any.
    fn percentile(&self, percentile: f64) -> Option<f64>;
}

/// What a run measured. Arrays are indexed by [`Direction`](crate::Direction) or
/// [`Side`](crate::Side).
#[derive(Clone, Default)]
pub struct Measured<'a> {
    /// Per direction; `None` where nothing was sent: no SDU in Mode A, no block that is not silent
    /// in Mode B. Such a direction is not judged.
    pub directions: [Option<DirectionMeasured<'a>>; 2],
    /// Per side: its first completed handshake.
    pub handshakes: [Option<HandshakeMeasured>; 2],
    /// Per receiving side: the sums of its `ber` events.
    pub bit_errors: [Option<BitErrors>; 2],
    /// Per side: authentication failures that it reported.
    pub aead_failures: [u64; 2],
    /// Per receiving side: the share of the run in which its modem was locked; `None` where it
    /// never said.
    pub lock_ratios: [Option<f64>; 2],
    /// How often each type of event occurred.
    pub events: EventCounts,
}

/// What happened in one direction.
#[derive(Clone, Copy)]
pub struct DirectionMeasured<'a> {
    /// SDUs (frames) of which it is known whether they arrived.
    pub settled: u64,
    /// Of those, the lost ones.
    pub lost: u64,
    /// SDU bits delivered over the run's duration; in Mode B 16 bits a sample that arrived.
    pub goodput_bps: f64,
    /// Latencies of what was delivered.
    pub latencies: &'a dyn Latencies,
    /// PDUs (frames) of which it is known whether they arrived in time.
    pub units: u64,
    /// Of those, the dropped, lost or late ones.
    pub bad_units: u64,
}

/// A completed handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeMeasured {
    /// When, in ms.
    pub t_ms: u64,
    /// Its event's `auth`.
    pub auth: Option<String>,
}

/// Sums over `ber` events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BitErrors {
    /// Wrong bits.
    pub errors: u64,
    /// Bits compared.
    pub bits: u64,
}
