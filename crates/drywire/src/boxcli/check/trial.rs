//! One short run of the adapter against itself, in memory.

use std::{io, path::Path};

use drybox::{
    engine::{self, End, NoHooks, Setup},
    keys::{self, KeyFiles},
    output::{Recorder, RecorderOptions},
    scenario::{self, Mode, Overrides, Source},
};

use super::probe::{Notes, Probe};
use crate::boxcli::{BoxError, Host};

/// What a trial simulates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conditions {
    pub(super) mode: Mode,
    pub(super) duration_ms: u64,
    pub(super) seed: u64,
    pub(super) budget: usize,
    pub(super) reorder_rate: f64,
    pub(super) mtu_bytes: usize,
}

impl Conditions {
    /// An easy link for two seconds.
    pub(super) const fn new(mode: Mode) -> Self {
        Self {
            mode,
            duration_ms: 2000,
            seed: 0,
            budget: 64,
            reorder_rate: 0.0,
            mtu_bytes: 1200,
        }
    }

    fn yaml(&self) -> String {
        let Self {
            mode,
            duration_ms,
            seed,
            budget,
            reorder_rate,
            mtu_bytes,
        } = self;
        let mode = match mode {
            Mode::Byte => "byte",
            Mode::Audio => "audio",
        };
        format!(
            "mode: {mode}\nduration_ms: {duration_ms}\nseed: {seed}\nbudget: {budget}\n\
             network: {{bearer: ott_udp, latency_ms: 30, jitter_ms: 10, loss_rate: 0.02, \
             reorder_rate: {reorder_rate}, mtu_bytes: {mtu_bytes}}}\n"
        )
    }
}

/// How a trial went.
pub(super) struct Trial {
    pub(super) end: End,
    pub(super) warnings: Vec<String>,
    /// `metrics.csv`.
    pub(super) metrics: Vec<u8>,
    /// `events.jsonl`.
    pub(super) events: Vec<u8>,
    /// What passed to and from the adapters, which have ended; left first.
    pub(super) notes: [Notes; 2],
}

impl Trial {
    /// Runs the adapter against itself.
    pub(super) fn run(
        spec: &str,
        host: &mut dyn Host,
        conditions: &Conditions,
    ) -> Result<Self, BoxError> {
        let source = Source {
            name: "check".to_owned(),
            text: conditions.yaml(),
        };
        let overrides = Overrides {
            left: Some(spec.to_owned()),
            right: Some(spec.to_owned()),
            ..Overrides::default()
        };
        let plan = scenario::load(&source, &overrides)?;
        let Some(point) = plan.points.first() else {
            return Err(BoxError::NoPoint {
                name: String::new(),
            });
        };
        let scenario = &point.scenario;
        let specs = [spec.to_owned(), spec.to_owned()];
        let mut probes = host.adapters(&specs).map(Probe::new);
        let [left, right] = &mut probes;
        let mut recorder = Recorder::in_memory(RecorderOptions::default());
        let names = [spec, spec];
        let keys = keys::provision(scenario, names, scenario.seed, &NoFiles)?;
        let setup = Setup {
            specs,
            adapters: [left, right],
            configs: engine::configs(scenario, Some(keys.configs()), None),
        };
        let outcome = engine::run(scenario, setup, &mut recorder, &mut NoHooks);
        let (metrics, events) = recorder.into_rows_and_events();
        let notes = probes.map(Probe::into_notes);
        Ok(Self {
            end: outcome.end,
            warnings: outcome.warnings,
            metrics,
            events,
            notes,
        })
    }
}

/// A trial's keys are derived.
struct NoFiles;

impl KeyFiles for NoFiles {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}
