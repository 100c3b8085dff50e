//! `cargo xtask simulate`: random runs of two STT endpoints, each from a seed.

use anyhow::Result;

use crate::{cargo::cargo, project::Project, steps};

/// Which runs.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 1_000, conflicts_with = "seed")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Run this seed alone
    #[arg(long)]
    seed: Option<u64>,
    /// Runs at a time; as many as there are processors by default
    #[arg(long)]
    jobs: Option<usize>,
    /// Print what happens, line by line
    #[arg(long)]
    trace: bool,
}

/// Runs them with all assertions on; says whether every invariant held.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let (first, seeds) = match options.seed {
        Some(seed) => (seed, 1),
        None => (options.first, options.seeds),
    };
    let jobs = match (options.trace, options.jobs) {
        (true, _) => 1,
        (false, Some(jobs)) => jobs,
        (false, None) => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut command = cargo(project);
    command
        .args(["run", "--quiet", "--package", "stt-core"])
        .args(["--features", "testing", "--example", "simulate", "--"])
        .args([first.to_string(), seeds.to_string(), jobs.to_string()])
        .arg(u8::from(options.trace).to_string());
    Ok(steps::run(&mut command).is_ok())
}
