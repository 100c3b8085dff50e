//! What a link reports as it happens.

use crate::Direction;

/// Where something was observed; the number is the capture's layer byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// SDUs as the adapters see them.
    Bytelink = 0,
    /// PDUs as the bearer sees them.
    Bearer = 1,
}

/// What was observed; the number is the capture's event byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkEvent {
    /// Handed to the layer by its sender.
    Tx = 0,
    /// Delivered to its receiver.
    Rx = 1,
    /// Given up.
    Drop = 2,
}

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkRecord<'a> {
    /// The tick, in ms.
    pub t_ms: u64,
    /// Which way.
    pub direction: Direction,
    /// Where.
    pub layer: Layer,
    /// What.
    pub event: LinkEvent,
    /// The SDU or PDU; of a purged SDU what had arrived without a gap from its beginning.
    pub data: &'a [u8],
    /// From the tick of sending to this one (rx only).
    pub latency_ms: Option<u64>,
    /// Interarrival jitter of this layer so far (rx only; RFC 3550, section 6.4.1).
    pub jitter_ms: Option<f64>,
    /// Share of the settled SDUs that were dropped (bytelink rx and drop only).
    pub loss_rate: Option<f64>,
    /// Share of the delivered SDUs that were reordered (bytelink rx only; RFC 4737, section 4).
    pub reorder_rate: Option<f64>,
    /// Estimated round trip without the floor that SAR applies (rx only).
    pub rtt_ms_est: Option<f64>,
}

impl<'a> LinkRecord<'a> {
    pub(super) const fn new(
        t_ms: u64,
        direction: Direction,
        layer: Layer,
        event: LinkEvent,
        data: &'a [u8],
    ) -> Self {
        Self {
            t_ms,
            direction,
            layer,
            event,
            data,
            latency_ms: None,
            jitter_ms: None,
            loss_rate: None,
            reorder_rate: None,
            rtt_ms_est: None,
        }
    }
}

/// Who is told of everything that happens on a link.
pub trait LinkObserver {
    /// Why an observation failed, for instance an output file that can't be written.
    type Error;

    /// Takes one observation; an error ends the call that made it, and the run.
    fn observe(&mut self, record: &LinkRecord<'_>) -> Result<(), Self::Error>;
}
