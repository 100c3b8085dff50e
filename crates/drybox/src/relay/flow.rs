//! One flow: a link, its records and its clock marks.

use serde_json::Value;

use super::PER_MS;
use crate::{
    Direction, ExitCode, Side,
    bearer::BearerParams,
    engine::write_link_record,
    link::{LatencyHistogram, Link, LinkObserver, LinkRecord, LinkStats},
    output::{AdapterNames, Directions, OutputError, Recorder, Summary},
    report,
    rng::Streams,
    scenario::{Mode, Scenario},
};

/// Twice this is the 50 ms to which [`Link`] raises the round trip of its reassembly time-out.
const FLOOR_TICK_US: u64 = 25_000;

/// A client's flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) link: Link,
    pub(super) seed: u64,
    streams: Streams,
    recorder: Option<Recorder>,
    pub(super) opened_us: u64,
    /// When a datagram last entered or left.
    pub(super) active_us: u64,
    /// What it holds, as last counted.
    pub(super) held_bytes: usize,
    /// The due time under which the relay has it listed.
    pub(super) listed_us: Option<u64>,
    /// When the relay looks whether it is idle.
    pub(super) idle_us: u64,
}

/// Writes what the link reports, where it is recorded.
pub(super) struct Tap<'a>(pub(super) Option<&'a mut Recorder>);

impl LinkObserver for Tap<'_> {
    type Error = OutputError;

    fn observe(&mut self, record: &LinkRecord<'_>) -> Result<(), OutputError> {
        match &mut self.0 {
            Some(recorder) => write_link_record(recorder, record, PER_MS),
            None => Ok(()),
        }
    }
}

impl Flow {
    pub(super) fn new(
        scaled: &BearerParams,
        seed: u64,
        cut: [bool; 2],
        recorder: Option<Recorder>,
        now_us: u64,
    ) -> Self {
        let streams = Streams::new(seed);
        let mut link = Link::new(scaled, &streams, FLOOR_TICK_US);
        link.count_exactly_below(LatencyHistogram::LEAST_EXACT);
        for direction in Direction::BOTH {
            link.cut(direction, cut[direction.index()]);
        }
        Self {
            link,
            seed,
            streams,
            recorder,
            opened_us: now_us,
            active_us: now_us,
            held_bytes: 0,
            listed_us: None,
            idle_us: now_us,
        }
    }

    /// The link and where its records go.
    pub(super) fn parts(&mut self) -> (&mut Link, Tap<'_>) {
        (&mut self.link, Tap(self.recorder.as_mut()))
    }

    pub(super) fn retune(&mut self, scaled: &BearerParams) {
        self.link.retune(scaled, &self.streams);
    }

    /// Writes an event of the proxy's own.
    pub(super) fn event(
        &mut self,
        now_us: u64,
        kind: &str,
        payload: &Value,
    ) -> Result<(), OutputError> {
        match &mut self.recorder {
            Some(recorder) => recorder.event(now_us / u64::from(PER_MS), Side::Left, kind, payload),
            None => Ok(()),
        }
    }

    /// Ends the flow: its outputs are completed, its counts returned.
    pub(super) fn finish(
        self,
        name: &str,
        scenario: &Scenario,
        now_us: u64,
        interrupted: bool,
    ) -> Result<[LinkStats; 2], OutputError> {
        let elapsed_us = now_us - self.opened_us;
        let stats = self.link.finish();
        if let Some(recorder) = self.recorder {
            let scenario = Scenario {
                seed: self.seed,
                ..scenario.clone()
            };
            let [left_to_right, right_to_left] =
                [&stats[0], &stats[1]].map(|s| report::link_direction(s, elapsed_us, PER_MS));
            let elapsed_ms = elapsed_us / u64::from(PER_MS);
            let exit = if interrupted {
                ExitCode::Interrupted
            } else {
                ExitCode::Passed
            };
            let summary = Summary {
                format: Summary::FORMAT,
                drybox: Summary::VERSION.to_owned(),
                scenario: name.to_owned(),
                mode: Mode::Byte,
                seed: self.seed,
                tick_ms: 0,
                duration_ms: elapsed_ms,
                ended_at_ms: elapsed_ms,
                interrupted,
                adapters: AdapterNames {
                    left: "proxy:client".to_owned(),
                    right: "proxy:server".to_owned(),
                },
                directions: Directions {
                    left_to_right,
                    right_to_left,
                },
                events: recorder.event_counts().clone(),
                partial_window: None,
                verdict: Value::Null,
                warnings: Vec::new(),
                error: None,
                exit_code: exit.code(),
            };
            recorder.finish(&summary, &scenario.resolved_yaml(), &[])?;
        }
        Ok(stats)
    }
}
