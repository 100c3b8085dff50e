//! One run from a scenario's point to its report: what the commands and the Python package share.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use drybox::{
    ExitCode, Side,
    acceptance::Verdict,
    adapter::{Adapter, AdapterFault, CryptoConfig},
    engine::{self, End, Hooks, Setup},
    keys::{self, KeyFiles},
    output::{Recorded, Recorder, RecorderOptions, Scrubber, Summary},
    report::{self, Conclusion},
    scenario::{self, Scenario, Source},
};

use crate::boxcli::BoxError;

/// The largest key file that is read; a key takes 32 bytes, or 128 as hex of 64.
const MAX_KEY_BYTES: u64 = 4096;

/// The largest scenario file that is read.
const MAX_SCENARIO_BYTES: u64 = 1 << 20;

/// What is to be run.
#[derive(Debug)]
pub struct Job<'a> {
    /// The scenario's name, for the summary.
    pub name: &'a str,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The adapters as the user named them, left first.
    pub specs: &'a [String; 2],
    /// The folder to which key files are relative: the scenario's.
    pub base: &'a Path,
    /// Where outputs go; in memory when absent.
    pub out: Option<&'a Path>,
    /// Remarks made while the scenario was read.
    pub warnings: &'a [String],
}

/// How a run went.
#[derive(Debug)]
pub struct Report {
    /// How it ended; an adapter's failure with its traceback is in here.
    pub end: End,
    /// The verdict, where the run came to its end and thresholds are set.
    pub verdict: Option<Verdict>,
    /// The summary.
    pub summary: Summary,
    /// `summary.json` as written.
    pub summary_json: String,
    /// The exit code.
    pub exit: ExitCode,
    /// The outputs, when they went to memory.
    pub recorded: Option<Recorded>,
}

/// The adapters' specs of a scenario, left first.
pub fn specs(scenario: &Scenario) -> Result<[String; 2], BoxError> {
    let spec = |side: Side| {
        let adapter = scenario.sides[side.index()].adapter.clone();
        adapter.ok_or(BoxError::NoAdapter { side: side.name() })
    };
    Ok([spec(Side::Left)?, spec(Side::Right)?])
}

/// What a scenario is called: its file's stem.
pub fn scenario_name(path: &Path) -> String {
    path.file_stem().map_or_else(
        || "scenario".to_owned(),
        |stem| stem.to_string_lossy().into(),
    )
}

/// Runs a job to its end and finishes its outputs.
///
/// # Errors
/// Only what prevents the run or its outputs; how the adapters did is in the [`Report`].
pub fn run(
    job: &Job<'_>,
    adapters: [&mut dyn Adapter; 2],
    hooks: &mut dyn Hooks,
) -> Result<Report, BoxError> {
    let scenario = &with_messages(job)?;
    let specs = [job.specs[0].as_str(), job.specs[1].as_str()];
    let keys = keys::provision(scenario, specs, scenario.seed, &Files { base: job.base })?;
    let options = RecorderOptions {
        capture: job.out.is_some(),
        pcm: scenario.capture.pcm,
        secrets: keys.secrets(),
    };
    let mut recorder = match job.out {
        Some(folder) => Recorder::to_dir(folder, options)?,
        None => Recorder::in_memory(options),
    };
    let crypto: [CryptoConfig; 2] = keys.configs();
    let setup = Setup {
        specs: job.specs.clone(),
        adapters,
        configs: engine::configs(scenario, Some(crypto), job.out),
    };
    let outcome = engine::run(scenario, setup, &mut recorder, hooks);

    let mut report = report::conclude(
        job.name,
        scenario,
        specs,
        job.warnings,
        outcome,
        recorder.event_counts(),
    );
    remove_keys(&mut report, recorder.scrubber());
    let summary_json = report.summary.to_json(recorder.scrubber());
    let recorded = recorder.finish(
        &report.summary,
        &scenario.resolved_yaml(),
        &keys.public_keys(),
    )?;
    Ok(Report {
        end: report.end,
        verdict: report.verdict,
        summary: report.summary,
        summary_json,
        exit: report.exit,
        recorded,
    })
}

/// The job's scenario, with the texts of a `messages.yaml` in its output folder where it has none itself.
fn with_messages(job: &Job<'_>) -> Result<Scenario, BoxError> {
    let mut scenario = job.scenario.clone();
    if let Some(out) = job.out
        && scenario.messages.iter().all(Vec::is_empty)
    {
        let path = out.join("messages.yaml");
        match read_text(&path) {
            Ok(text) => {
                let name = path.display().to_string();
                scenario.messages = scenario::messages(&Source { name, text })?;
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            // What is wrong with the folder is said when the outputs are created there.
            Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {}
            Err(cause) => return Err(BoxError::ScenarioFile { path, cause }),
        }
    }
    Ok(scenario)
}

/// Reads a scenario's file, bounded: of one that is too long, enough that it is refused.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_SCENARIO_BYTES + 1)
        .read_to_end(&mut bytes)?;
    String::from_utf8(bytes).or_else(|error| {
        if error.as_bytes().len() as u64 > MAX_SCENARIO_BYTES {
            // Cut within a character, perhaps; its length is what is wrong with it.
            return Ok(String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        let what = format!("line {line} is not UTF-8; save the file as UTF-8 text");
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    })
}

/// What is said of a run holds no private key, as little as what is written (`docs/spec/outputs.md`, 7.1).
fn remove_keys(report: &mut Conclusion, scrubber: &Scrubber) {
    let clean = |text: &mut String| *text = scrubber.text(text).into_owned();
    report.summary.warnings.iter_mut().for_each(clean);
    report.summary.error.iter_mut().for_each(clean);
    if let End::Endpoint(error) = &mut report.end {
        match &mut error.fault {
            AdapterFault::Raised { message, traceback } => {
                clean(message);
                traceback.iter_mut().for_each(clean);
            }
            AdapterFault::Load(text)
            | AdapterFault::Contract(text)
            | AdapterFault::Process(text) => {
                clean(text);
            }
            _ => {}
        }
    }
}

/// Key files below the scenario's folder.
struct Files<'a> {
    base: &'a Path,
}

impl KeyFiles for Files<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.base.join(path))?
            .take(MAX_KEY_BYTES)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
