//! `drybox run`: one scenario, or all values of a sweep.

use std::{
    io::{IsTerminal as _, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use drybox::{
    ExitCode,
    engine::{End, Hooks, Progress},
    scenario::{self, Overrides, Plan, Point, Source},
};

use super::{args::RunArgs, error::BoxError, host::Host, print, progress::RunBar, sweep};
use crate::session::{self, Job};

/// Runs the command; messages go to `err`, results to `out`.
pub(super) fn run(
    args: &RunArgs,
    host: &mut dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<ExitCode, BoxError> {
    let source = read(&args.scenario)?;
    let overrides = Overrides {
        left: args.common.left.clone(),
        right: args.common.right.clone(),
        seed: args.common.seed,
        tick_ms: args.common.tick_ms,
    };
    let plan = scenario::load(&source, &overrides)?;
    let folder = args
        .common
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&args.scenario));
    if plan.is_sweep && args.point.is_none() {
        for warning in &plan.warnings {
            writeln!(err, "warning: {warning}")?;
        }
        return sweep::run(args, &plan, &folder, host, out, err);
    }
    let point = point(&plan, args.point.as_deref())?;
    let name = session::scenario_name(&args.scenario);
    let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    let specs = session::specs(&point.scenario)?;
    let job = Job {
        name: &name,
        scenario: &point.scenario,
        specs: &specs,
        base: args.scenario.parent().unwrap_or(Path::new("")),
        out: Some(&folder),
        warnings: &warnings,
    };

    let visible = !args.no_progress && std::io::stderr().is_terminal();
    let bar = RunBar::new(point.scenario.duration_ms, visible);
    let [mut left, mut right] = host.adapters(&specs);
    let mut watch = Watch { bar: &bar, host };
    let report = session::run(&job, [&mut *left, &mut *right], &mut watch);
    // Sidecars end before anything is said about them.
    drop((left, right));
    bar.clear();
    let report = report?;

    for warning in &report.summary.warnings {
        writeln!(err, "warning: {warning}")?;
    }
    match &report.end {
        End::Endpoint(error) => writeln!(err, "error: {error}")?,
        End::Output(error) => writeln!(err, "error: {error}")?,
        _ => {}
    }
    if args.json {
        print::json(out, &report)?;
    } else {
        print::human(out, &report, &folder)?;
    }
    Ok(report.exit)
}

/// Reads a scenario file, bounded.
pub(super) fn read(path: &Path) -> Result<Source, BoxError> {
    let text = session::read_text(path).map_err(|cause| BoxError::ScenarioFile {
        path: path.to_owned(),
        cause,
    })?;
    Ok(Source {
        name: path.display().to_string(),
        text,
    })
}

fn default_folder(scenario: &Path) -> PathBuf {
    Path::new("runs").join(session::scenario_name(scenario))
}

fn point<'p>(plan: &'p Plan, name: Option<&str>) -> Result<&'p Point, BoxError> {
    match name {
        None => plan.points.first().ok_or(BoxError::NoPoint {
            name: String::new(),
        }),
        Some(name) => plan
            .points
            .iter()
            .find(|point| point.folder.as_deref() == Some(name))
            .ok_or_else(|| BoxError::NoPoint {
                name: name.to_owned(),
            }),
    }
}

/// Draws the bar and asks the host whether to go on.
struct Watch<'a> {
    bar: &'a RunBar,
    host: &'a mut dyn Host,
}

impl Hooks for Watch<'_> {
    fn tick(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.bar.show(progress);
        if self.host.interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
