//! DryBox's figures: simulated seconds per wall second, start-up and memory.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use super::{
    Options,
    measure::{self, Bound, Figure},
};
use crate::{
    cargo::{self, cargo},
    project::Project,
    steps, venv,
};

/// Which of the installed commands runs.
#[derive(Clone, Copy)]
enum Program {
    /// The plain Rust binary; Python adapters are sidecars.
    Binary,
    /// The wheel's command; Python adapters are in its process.
    Wheel,
}

/// One measurement: a scenario and the command that runs it.
struct Measurement {
    name: &'static str,
    program: Program,
    /// Both sides' adapter.
    adapter: &'static str,
    /// The scenario without its duration.
    scenario: &'static str,
    /// How long the run is, in simulated seconds.
    seconds: f64,
    kind: Kind,
}

/// What is taken from a run.
#[derive(Clone, Copy)]
enum Kind {
    /// At least this many simulated seconds per wall second.
    Rate(f64),
    /// The same of the row of the engine's own benchmark that `adapter` names: there is no command
    /// with adapters that do nothing.
    EngineRate(f64),
    /// At most this many times the simulation for its outputs, in the row that `adapter` names.
    OutputShare(f64),
    /// At least this many Mbit/s in the row of the proxy's own benchmark that `adapter` names.
    ProxyRate(f64),
    /// At most so many ms late at the 99th percentile, in that row.
    ProxyLate(f64),
    /// At most this many ms of wall time.
    WallMs(f64),
    /// At most this many MB of memory.
    PeakMb(f64),
}

const NOOP: &str = "benches/drybox/noop.py";
const BYTE: &str = "mode: byte\nseed: 1\nnetwork: {bearer: ott_udp}\n";
const AUDIO_G711: &str = "mode: audio\nseed: 1\nnetwork: {bearer: pstn_g711}\n\
    left: {modem: &modem {vocoder: g711_alaw, channel_type: awgn, snr_db: 20}}\n\
    right: {modem: *modem}\n";
const AUDIO_AMR: &str = "mode: audio\nseed: 1\nnetwork: {bearer: cs_gsm}\n\
    left: {modem: &modem {vocoder: amr12k2_mock, channel_type: awgn, snr_db: 20}}\n\
    right: {modem: *modem}\n";

const MEASUREMENTS: [Measurement; 12] = [
    Measurement {
        name: "native no-op, byte mode",
        program: Program::Binary,
        adapter: "native no-op",
        scenario: BYTE,
        seconds: 200_000.0,
        kind: Kind::EngineRate(500_000.0),
    },
    Measurement {
        name: "Python no-op, byte mode",
        program: Program::Wheel,
        adapter: NOOP,
        scenario: BYTE,
        seconds: 100_000.0,
        kind: Kind::Rate(10_000.0),
    },
    Measurement {
        name: "sidecar no-op, byte mode",
        program: Program::Binary,
        adapter: NOOP,
        scenario: BYTE,
        seconds: 2_000.0,
        kind: Kind::Rate(300.0),
    },
    Measurement {
        name: "native audio, AWGN and G.711",
        program: Program::Binary,
        adapter: "native:tone",
        scenario: AUDIO_G711,
        seconds: 10_000.0,
        kind: Kind::Rate(5_000.0),
    },
    Measurement {
        name: "native audio, AWGN and AMR mock",
        program: Program::Binary,
        adapter: "native:tone",
        scenario: AUDIO_AMR,
        seconds: 5_000.0,
        kind: Kind::Rate(1_500.0),
    },
    Measurement {
        name: "Python audio, AWGN and AMR mock",
        program: Program::Wheel,
        adapter: NOOP,
        scenario: AUDIO_AMR,
        seconds: 3_000.0,
        kind: Kind::Rate(800.0),
    },
    Measurement {
        name: "outputs beside the simulation, byte mode",
        program: Program::Binary,
        adapter: "outputs of byte mode",
        scenario: BYTE,
        seconds: 400.0,
        kind: Kind::OutputShare(1.0),
    },
    Measurement {
        name: "outputs beside the simulation, audio",
        program: Program::Binary,
        adapter: "outputs of audio",
        scenario: AUDIO_G711,
        seconds: 400.0,
        kind: Kind::OutputShare(1.0),
    },
    Measurement {
        name: "proxy without impairments, 1,200 bytes a datagram",
        program: Program::Binary,
        adapter: "proxy without impairments, 1200 B",
        scenario: BYTE,
        seconds: 2.0,
        kind: Kind::ProxyRate(100.0),
    },
    Measurement {
        name: "proxy, lateness at the 99th percentile",
        program: Program::Binary,
        adapter: "proxy lateness at 1000 a second",
        scenario: BYTE,
        seconds: 2.0,
        kind: Kind::ProxyLate(1.0),
    },
    Measurement {
        name: "a 1 ms run, start to end",
        program: Program::Wheel,
        adapter: NOOP,
        scenario: BYTE,
        seconds: 0.001,
        kind: Kind::WallMs(150.0),
    },
    Measurement {
        name: "a 10-hour run with traffic, memory",
        program: Program::Binary,
        adapter: "native:traffic",
        scenario: BYTE,
        seconds: 36_000.0,
        kind: Kind::PeakMb(100.0),
    },
];

/// Builds what is measured, then measures in the order of the table.
pub(super) fn run(project: &Project, options: &Options) -> Result<Vec<Figure>> {
    steps::run(cargo(project).args(["build", "--release", "--locked", "--package", "drywire"]))?;
    venv::create(project)?;
    venv::install_package(project)?;
    let folder = cargo::target_dir(project)?.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;

    let mut figures = Vec::new();
    for measurement in &MEASUREMENTS {
        if let Some(part) = &options.only
            && !measurement.name.contains(part.as_str())
        {
            continue;
        }
        let bench = Bench {
            project,
            measurement,
            seconds: match measurement.kind {
                // A tenth still tells; start-up and growth are not shortened.
                Kind::Rate(_) if options.quick => measurement.seconds / 10.0,
                _ => measurement.seconds,
            },
            folder: folder.clone(),
        };
        let figure = bench.figure(if options.quick { 1 } else { 3 })?;
        println!("{}: {:.1} {}", figure.name, figure.value, figure.unit);
        figures.push(figure);
    }
    Ok(figures)
}

/// A measurement about to be made.
struct Bench<'a> {
    project: &'a Project,
    measurement: &'a Measurement,
    seconds: f64,
    folder: PathBuf,
}

impl Bench<'_> {
    fn figure(&self, runs: u32) -> Result<Figure> {
        let scenario = self.folder.join("scenario.yaml");
        let text = format!(
            "duration_ms: {:.0}\n{}",
            self.seconds * 1000.0,
            self.measurement.scenario
        );
        fs::write(&scenario, text).with_context(|| format!("writing {}", scenario.display()))?;

        let (value, unit, bound) = match self.measurement.kind {
            Kind::Rate(bound) => {
                let wall = measure::shortest(runs, || self.command())?.as_secs_f64();
                (self.seconds / wall, "s/s", Bound::AtLeast(bound))
            }
            Kind::EngineRate(bound) => {
                let rate = self.bench("drybox", "engine", "sim s/s")?;
                (rate, "s/s", Bound::AtLeast(bound))
            }
            Kind::OutputShare(bound) => {
                let share = self.bench("drybox", "engine", "× the simulation")?;
                (share, "×", Bound::AtMost(bound))
            }
            Kind::ProxyRate(bound) => {
                let rate = self.bench("drywire", "proxy", "Mbit/s")?;
                (rate, "Mbit/s", Bound::AtLeast(bound))
            }
            Kind::ProxyLate(bound) => {
                let late = self.bench("drywire", "proxy", "ms (p99)")?;
                (late, "ms", Bound::AtMost(bound))
            }
            Kind::WallMs(bound) => {
                // Short enough to be repeated until the file cache is warm.
                let wall = measure::shortest(10, || self.command())?.as_secs_f64();
                (wall * 1000.0, "ms", Bound::AtMost(bound))
            }
            Kind::PeakMb(bound) => (self.peak_mb()?, "MB", Bound::AtMost(bound)),
        };
        Ok(Figure {
            name: self.measurement.name,
            unit,
            value,
            bound,
        })
    }

    /// The number before `unit` in a row of a crate's own benchmark, which repeats its runs itself.
    fn bench(&self, package: &str, bench: &str, unit: &str) -> Result<f64> {
        let text = steps::capture(cargo(self.project).args([
            "bench",
            "--locked",
            &format!("--package={package}"),
            &format!("--bench={bench}"),
            "--",
            self.measurement.adapter,
        ]))?;
        let number = text
            .split(unit)
            .next()
            .and_then(|before| before.split_whitespace().last())
            .and_then(|number| number.parse().ok());
        number.with_context(|| format!("the benchmark printed {text:?}"))
    }

    /// The run, with all its outputs written.
    fn command(&self) -> Command {
        let mut command = match self.measurement.program {
            Program::Wheel => self.project.venv_command("drybox"),
            Program::Binary => {
                let binary = self
                    .folder
                    .with_file_name("release")
                    .join("drywire")
                    .with_extension(std::env::consts::EXE_EXTENSION);
                let mut command = self.project.command(binary);
                command.arg("box");
                command
            }
        };
        command
            .arg("run")
            .arg(self.folder.join("scenario.yaml"))
            .args(["--left", self.measurement.adapter])
            .args(["--right", self.measurement.adapter])
            .arg("--out")
            .arg(self.folder.join("out"))
            .arg("--no-progress");
        command
    }

    fn peak_mb(&self) -> Result<f64> {
        let measured = self.command();
        let mut command = self.project.venv_command("python");
        command
            .arg("benches/drybox/peak.py")
            .arg(measured.get_program())
            .args(measured.get_args());
        let text = steps::capture(&mut command)?;
        text.trim()
            .parse()
            .with_context(|| format!("peak.py printed {text:?}"))
    }
}
