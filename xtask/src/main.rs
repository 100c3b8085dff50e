//! The one entry for every development task: `cargo xtask <task>`.
//!
//! What CI runs is what a developer runs: `.ci/run` installs the tools and calls these tasks.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program: its output is its purpose"
)]

mod bench;
mod cargo;
mod demo;
mod deps;
mod fuzz;
mod lint;
mod nostd;
mod project;
mod simulate;
mod steps;
mod test;
mod venv;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// Drywire's development tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build and install the Python package into .venv, then run STT over a bad VoLTE bearer, and the quickstart
    Demo,
    /// Run every test: Rust, documentation examples, Python
    Test(test::Options),
    /// Check formatting, lints, types, documentation and the project's own rules
    Lint,
    /// Check dependencies: bans, licences, sources and, when reachable, advisories
    CheckDeps,
    /// Measure speed and memory against what is promised
    Bench(bench::Options),
    /// Fuzz targets for a bounded time each, or replay what one of them failed on
    Fuzz(fuzz::Options),
    /// Run two STT endpoints over random links and faults, and watch the invariants
    Simulate(simulate::Options),
    /// What CI runs: test, lint, check-deps
    Ci,
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    match run(task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a task; `false` means that it ran and found something wrong, which it has told.
fn run(task: Task) -> anyhow::Result<bool> {
    let project = Project::locate()?;
    match task {
        Task::Demo => demo::run(&project),
        Task::Test(options) => test::run(&project, options),
        Task::Lint => lint::run(&project),
        Task::CheckDeps => deps::run(&project),
        Task::Bench(options) => bench::run(&project, &options),
        Task::Fuzz(options) => fuzz::run(&project, &options),
        Task::Simulate(options) => simulate::run(&project, &options),
        Task::Ci => {
            // All of them, whatever the earlier ones say: one round trip shows everything.
            let tests = test::run(&project, test::Options::default())?;
            let lints = lint::run(&project)?;
            let deps = deps::run(&project)?;
            Ok(tests && lints && deps)
        }
    }
}
