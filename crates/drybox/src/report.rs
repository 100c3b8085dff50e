//! From a run's outcome to its verdict, summary and exit code.

use serde_json::{Value, json};

use crate::{
    Direction, ExitCode, Side,
    acceptance::{BitErrors, DirectionMeasured, HandshakeMeasured, Latencies, Measured, Verdict},
    adapter::EndpointError,
    engine::{End, Measurements, Outcome, Tallies},
    keys,
    link::{LatencyHistogram, LinkStats},
    output::{
        AdapterNames, DirectionStats, Directions, EventCounts, LatencyStats, PartialWindow,
        PerSide, Summary, UnitStats,
    },
    radio::{BLOCK_SAMPLES, VoiceStats},
    scenario::{AudioCadence, Mode, Scenario},
};

/// Bits of PCM in a frame.
const FRAME_BITS: u64 = 16 * BLOCK_SAMPLES as u64;
/// Bytes of PCM in a frame.
const FRAME_BYTES: u64 = FRAME_BITS / 8;

/// A judged run.
#[derive(Debug)]
pub struct Conclusion {
    /// How the run ended.
    pub end: End,
    /// The verdict, where the run came to its end and the scenario sets thresholds.
    pub verdict: Option<Verdict>,
    /// What `summary.json` holds.
    pub summary: Summary,
    /// The exit code.
    pub exit: ExitCode,
}

/// Judges a run and sums it up.
///
/// `name` is the scenario's, `specs` are the adapters as the user named them, `warnings` what was
/// remarked before the run, `events` the counts of its recorder.
pub fn conclude(
    name: &str,
    scenario: &Scenario,
    specs: [&str; 2],
    warnings: &[String],
    outcome: Outcome,
    events: &EventCounts,
) -> Conclusion {
    let completed = matches!(outcome.end, End::Completed);
    let verdict = (completed && !scenario.acceptance.is_empty()).then(|| {
        scenario
            .acceptance
            .judge(&measured(scenario, &outcome, events))
    });
    let exit = match (&outcome.end, &verdict) {
        (End::Completed, Some(verdict)) if !verdict.passed => ExitCode::AcceptanceMissed,
        (End::Completed, _) => ExitCode::Passed,
        (End::Interrupted, _) => ExitCode::Interrupted,
        (End::Endpoint(_), _) => ExitCode::Endpoint,
        (End::Output(_), _) => ExitCode::OurFault,
    };
    let error = match &outcome.end {
        End::Completed | End::Interrupted => None,
        End::Endpoint(error) => Some(portable(error)),
        End::Output(error) => Some(error.to_string()),
    };
    let mut all_warnings = warnings.to_vec();
    if scenario.mode == Mode::Audio && scenario.audio_cadence == AudioCadence::Tick {
        all_warnings.push(format!(
            "audio_cadence: tick: one block of 20 ms in each tick of {} ms",
            scenario.tick_ms
        ));
    }
    all_warnings.extend(outcome.warnings.iter().cloned());
    let [left, right] = specs.map(keys::normal_form);
    let [left_to_right, right_to_left] = directions(scenario, &outcome);
    let summary = Summary {
        format: Summary::FORMAT,
        drybox: Summary::VERSION.to_owned(),
        scenario: name.to_owned(),
        mode: scenario.mode,
        seed: scenario.seed,
        tick_ms: scenario.tick_ms,
        duration_ms: scenario.duration_ms,
        ended_at_ms: outcome.ended_at_ms,
        interrupted: matches!(outcome.end, End::Interrupted),
        adapters: AdapterNames { left, right },
        directions: Directions {
            left_to_right,
            right_to_left,
        },
        events: events.clone(),
        partial_window: partial_window(scenario, &outcome),
        verdict: verdict
            .as_ref()
            .map_or(Value::Null, |verdict| json!(verdict)),
        warnings: all_warnings,
        error,
        exit_code: exit.code(),
    };
    Conclusion {
        end: outcome.end,
        verdict,
        summary,
        exit,
    }
}

/// An adapter's failure without what differs between machines: no traceback, whose lines hold paths,
/// and no folder of the adapter's. Who runs the command is told the whole of it.
fn portable(error: &EndpointError) -> String {
    let EndpointError {
        side,
        spec,
        callback,
        t_ms,
        fault,
    } = error;
    let mut text = fault.to_string();
    if let Some((folder, _)) = spec.rsplit_once('/') {
        text = text.replace(&format!("{folder}/"), "");
    }
    let (side, spec) = (side.name(), keys::normal_form(spec));
    format!("{side} adapter ({spec}) failed in {callback} at t={t_ms} ms: {text}")
}

impl Latencies for LatencyHistogram {
    fn percentile(&self, percentile: f64) -> Option<f64> {
        self.percentile_ms(percentile).map(|ms| ms as f64)
    }
}

/// What acceptance asks for.
fn measured<'o>(scenario: &Scenario, outcome: &'o Outcome, events: &EventCounts) -> Measured<'o> {
    let Outcome {
        tallies,
        measurements,
        ended_at_ms,
        ..
    } = outcome;
    Measured {
        directions: match measurements {
            None => [None, None],
            Some(Measurements::Byte(stats)) => {
                [&stats[0], &stats[1]].map(|stats| byte_measured(scenario, stats))
            }
            Some(Measurements::Audio(stats)) => {
                [&stats[0], &stats[1]].map(|stats| audio_measured(scenario, stats))
            }
        },
        handshakes: handshakes(tallies),
        bit_errors: Side::BOTH.map(|side| {
            let tally = tallies.side(side);
            (tally.bits > 0).then_some(BitErrors {
                errors: tally.bit_errors,
                bits: tally.bits,
            })
        }),
        aead_failures: Side::BOTH.map(|side| tallies.side(side).aead_failures),
        lock_ratios: Side::BOTH.map(|side| tallies.side(side).lock.ratio(*ended_at_ms)),
        events: events.clone(),
    }
}

fn handshakes(tallies: &Tallies) -> [Option<HandshakeMeasured>; 2] {
    Side::BOTH.map(|side| {
        let handshake = tallies.side(side).handshake.as_ref()?;
        Some(HandshakeMeasured {
            t_ms: handshake.t_ms,
            auth: handshake.auth.clone(),
        })
    })
}

fn byte_measured<'o>(scenario: &Scenario, stats: &'o LinkStats) -> Option<DirectionMeasured<'o>> {
    (stats.sdus_sent > 0).then(|| DirectionMeasured {
        settled: stats.sdus_delivered + stats.sdus_dropped,
        lost: stats.sdus_dropped,
        goodput_bps: per_second(stats.sdu_bits_delivered(), scenario),
        latencies: &stats.latency,
        units: stats.pdus_received + stats.pdus_dropped(),
        bad_units: stats.pdus_dropped(),
    })
}

fn audio_measured<'o>(scenario: &Scenario, stats: &'o VoiceStats) -> Option<DirectionMeasured<'o>> {
    (stats.active > 0).then(|| DirectionMeasured {
        settled: stats.settled(),
        lost: stats.lost + stats.late,
        goodput_bps: per_second(stats.delivered * FRAME_BITS, scenario),
        latencies: &stats.latency,
        units: stats.settled(),
        bad_units: stats.lost + stats.late,
    })
}

/// Bits over the run's duration.
fn per_second(bits: u64, scenario: &Scenario) -> f64 {
    bits as f64 * 1000.0 / scenario.duration_ms as f64
}

fn directions(scenario: &Scenario, outcome: &Outcome) -> [DirectionStats; 2] {
    match &outcome.measurements {
        None => [DirectionStats::default(); 2],
        Some(Measurements::Byte(stats)) => Direction::BOTH
            .map(|direction| link_direction(&stats[direction.index()], scenario.duration_ms, 1)),
        Some(Measurements::Audio(stats)) => Direction::BOTH.map(|direction| {
            let stats = &stats[direction.index()];
            let frames = UnitStats {
                sent: stats.sent,
                delivered: stats.delivered,
                dropped: stats.lost + stats.late,
                in_flight: stats.in_flight(),
                bytes_sent: stats.sent * FRAME_BYTES,
                bytes_delivered: stats.delivered * FRAME_BYTES,
            };
            DirectionStats {
                // One frame is one PDU.
                sdus: frames,
                pdus: frames,
                loss_rate: stats.loss_rate(),
                reorder_rate: None,
                jitter_ms: stats.jitter.ms(),
                latency_ms: latency(&stats.latency, 1),
                goodput_bps: Some(per_second(stats.delivered * FRAME_BITS, scenario)),
            }
        }),
    }
}

/// One direction of a link over `duration` units of its clock, of which `per_ms` make a ms.
pub(crate) fn link_direction(stats: &LinkStats, duration: u64, per_ms: u32) -> DirectionStats {
    // One division, so that a run's figure is the nearest number.
    let units = 1000.0 * f64::from(per_ms);
    DirectionStats {
        sdus: UnitStats {
            sent: stats.sdus_sent,
            delivered: stats.sdus_delivered,
            dropped: stats.sdus_dropped,
            in_flight: stats.sdus_in_flight(),
            bytes_sent: stats.sdu_bytes_sent,
            bytes_delivered: stats.sdu_bytes_delivered,
        },
        pdus: UnitStats {
            sent: stats.pdus_sent,
            delivered: stats.pdus_received,
            dropped: stats.pdus_dropped(),
            in_flight: stats.pdus_in_flight(),
            bytes_sent: stats.pdu_bytes_sent,
            bytes_delivered: stats.pdu_bytes_received,
        },
        loss_rate: stats.loss_rate(),
        reorder_rate: stats.reorder_rate(),
        jitter_ms: stats.jitter.ms().map(|units| units / f64::from(per_ms)),
        latency_ms: latency(&stats.latency, per_ms),
        goodput_bps: Some(stats.sdu_bits_delivered() as f64 * units / duration as f64),
    }
}

/// Percentiles in ms of values of which `per_ms` make a ms.
pub(crate) fn latency(histogram: &LatencyHistogram, per_ms: u32) -> LatencyStats {
    let ms = |units: f64| units / f64::from(per_ms);
    LatencyStats {
        p50: histogram.percentile(50.0).map(ms),
        p95: histogram.percentile(95.0).map(ms),
        p99: histogram.percentile(99.0).map(ms),
        max: histogram.max_ms().map(|units| ms(units as f64)),
    }
}

/// The goodput window that the end cut short, in Mode A.
fn partial_window(scenario: &Scenario, outcome: &Outcome) -> Option<PartialWindow> {
    if scenario.mode != Mode::Byte {
        return None;
    }
    let from_ms = outcome.ended_at_ms - outcome.ended_at_ms % 1000;
    let to_ms = (outcome.ended_at_ms + scenario.tick_ms).min(from_ms + 1000);
    let [left, right] = outcome
        .partial_window_bits
        .map(|bits| Some(bits as f64 * 1000.0 / (to_ms - from_ms) as f64));
    Some(PartialWindow {
        from_ms,
        to_ms,
        goodput_bps: PerSide { left, right },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{AdapterFault, Callback};

    #[test]
    fn a_failure_in_the_summary_names_no_folder() {
        let error = |fault| EndpointError {
            side: Side::Left,
            spec: "/home/me/k.py:K".to_owned(),
            callback: Callback::Load,
            t_ms: 0,
            fault,
        };
        let raised = AdapterFault::Raised {
            message: "ValueError: no".to_owned(),
            traceback: Some("File \"/home/me/k.py\", line 3".to_owned()),
        };
        let text = portable(&error(raised));
        assert_eq!(
            text,
            "left adapter (k.py:K) failed in load at t=0 ms: ValueError: no"
        );
        let text = portable(&error(AdapterFault::Load(
            "cannot read /home/me/k.py".to_owned(),
        )));
        assert_eq!(
            text,
            "left adapter (k.py:K) failed in load at t=0 ms: cannot read k.py"
        );
    }
}
