//! Where everything that a run produces is written down.

use serde_json::{Value, json};

use super::{
    outcome::Halt,
    seat::Seat,
    tallies::{Derived, Meaning, Tallies},
};
use crate::{
    Side,
    adapter::{AdapterFault, Callback, Emitted},
    link::{Layer, LinkEvent, LinkObserver, LinkRecord},
    output::{CaptureEvent, CaptureLayer, OutputError, Recorder, Row, RowLayer},
    radio::{Slip, VoiceEvent, VoiceObserver, VoiceRecord},
};

/// How many warnings are kept; the rest would say nothing new.
const MAX_WARNINGS: usize = 100;

/// The recorder, the tallies and the warnings of a run.
pub(super) struct Journal<'a> {
    pub(super) recorder: &'a mut Recorder,
    pub(super) tallies: Tallies,
    pub(super) warnings: Vec<String>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(recorder: &'a mut Recorder) -> Self {
        Self {
            recorder,
            tallies: Tallies::default(),
            warnings: Vec::new(),
        }
    }

    /// Remarks something once.
    pub(super) fn warn(&mut self, warning: String) {
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Writes what an adapter emitted in the callback that just returned.
    #[inline]
    pub(super) fn events_of(&mut self, seat: &mut Seat<'_>) -> Result<(), Halt> {
        if !seat.context.has_events() {
            return Ok(());
        }
        self.write_events(seat).map_err(|error| {
            if error.is_adapter_fault() {
                seat.halt(
                    Callback::EmitEvent,
                    AdapterFault::Contract(error.to_string()),
                )
            } else {
                Halt::Output(error)
            }
        })
    }

    #[cold]
    fn write_events(&mut self, seat: &mut Seat<'_>) -> Result<(), OutputError> {
        let (t_ms, side) = (seat.context.now_ms(), seat.side);
        for Emitted { kind, payload } in seat.context.take_events() {
            self.recorder.event(t_ms, side, &kind, &payload)?;
            match self.tallies.take(t_ms, side, &kind, &payload) {
                Meaning::None => {}
                Meaning::Row(derived) => {
                    self.recorder
                        .row(&derived_row(t_ms, side, &kind, derived))?;
                }
                Meaning::Malformed => self.warn(format!(
                    "{} adapter emits {kind} without the numbers that it needs \
                     (docs/spec/engine.md, section 5): it is not counted",
                    side.name()
                )),
            }
        }
        Ok(())
    }

    /// Writes an event of DryBox's own.
    pub(super) fn own_event(
        &mut self,
        t_ms: u64,
        side: Side,
        kind: &str,
        payload: &Value,
    ) -> Result<(), OutputError> {
        self.recorder.event(t_ms, side, kind, payload)
    }
}

fn derived_row<'e>(t_ms: u64, side: Side, kind: &'e str, derived: Derived) -> Row<'e> {
    let Derived {
        hs_time_ms,
        rekey_ms,
        aead_fail_cnt,
        lock_ratio,
        cfo_hz_est,
        ber,
    } = derived;
    Row {
        hs_time_ms,
        rekey_ms,
        aead_fail_cnt,
        lock_ratio,
        cfo_hz_est,
        ber,
        ..Row::new(t_ms, side, RowLayer::Adapter, kind)
    }
}

impl LinkObserver for Journal<'_> {
    type Error = OutputError;

    fn observe(&mut self, record: &LinkRecord<'_>) -> Result<(), OutputError> {
        write_link_record(self.recorder, record, 1)
    }
}

/// Writes what a link reports whose clock counts `per_ms` units in a ms.
pub(crate) fn write_link_record(
    recorder: &mut Recorder,
    record: &LinkRecord<'_>,
    per_ms: u32,
) -> Result<(), OutputError> {
    let direction = record.direction;
    let (side, event, capture) = match record.event {
        LinkEvent::Tx => (direction.sender(), "tx", CaptureEvent::Tx),
        LinkEvent::Rx => (direction.receiver(), "rx", CaptureEvent::Rx),
        LinkEvent::Drop => (direction.receiver(), "drop", CaptureEvent::Drop),
    };
    let (layer, capture_layer) = match record.layer {
        Layer::Bytelink => (RowLayer::Bytelink, CaptureLayer::Bytelink),
        Layer::Bearer => (RowLayer::Bearer, CaptureLayer::Bearer),
    };
    let t_ms = record.t_ms / u64::from(per_ms);
    recorder.capture(t_ms, direction, capture_layer, capture, record.data)?;
    if (record.layer, record.event) == (Layer::Bytelink, LinkEvent::Tx) {
        // An SDU that is sent has its PDUs' rows.
        return Ok(());
    }
    let per_ms = f64::from(per_ms);
    recorder.row(&Row {
        rtt_ms_est: record.rtt_ms_est.map(|units| units / per_ms),
        latency_ms: record.latency_ms.map(|units| units as f64 / per_ms),
        jitter_ms: record.jitter_ms.map(|units| units / per_ms),
        loss_rate: record.loss_rate,
        reorder_rate: record.reorder_rate,
        ..Row::new(t_ms, side, layer, event)
    })
}

impl VoiceObserver for Journal<'_> {
    type Error = OutputError;

    fn observe(&mut self, record: &VoiceRecord<'_>) -> Result<(), OutputError> {
        let (t_ms, direction) = (record.t_ms, record.direction);
        let (side, event, capture) = match record.event {
            VoiceEvent::Tx => (direction.sender(), "tx", CaptureEvent::Tx),
            VoiceEvent::Rx => (direction.receiver(), "rx", CaptureEvent::Rx),
            VoiceEvent::Drop => (direction.receiver(), "drop", CaptureEvent::Drop),
            VoiceEvent::Slip(slip) => {
                let slip = match slip {
                    Slip::Repeated => "repeated",
                    Slip::Dropped => "dropped",
                };
                let payload = json!({ "direction": direction.label(), "slip": slip });
                return self.own_event(t_ms, direction.sender(), "slip", &payload);
            }
        };
        let recorder = &mut *self.recorder;
        if !record.frame.is_empty() {
            recorder.capture(t_ms, direction, CaptureLayer::Bearer, capture, record.frame)?;
        }
        recorder.row(&Row {
            latency_ms: record.latency_ms,
            jitter_ms: record.jitter_ms,
            loss_rate: record.loss_rate,
            snr_db_est: record.snr_db,
            per: record.per,
            ..Row::new(t_ms, side, RowLayer::Audio, event)
        })
    }
}
