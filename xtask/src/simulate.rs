//! `cargo xtask simulate`: random runs of two STT endpoints, each from a seed.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{
    cargo::{cargo, target_dir},
    project::Project,
    steps,
};

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
    /// Print what the seed's run does, line by line, and write every packet to this file, as qlog
    #[arg(long, value_name = "FILE", requires = "seed")]
    trace: Option<PathBuf>,
}

/// Where the traces of seeds that fail go, inside the target folder.
const TRACES: &str = "simulate";

/// Runs them with all assertions on; says whether every invariant held.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let mut command = cargo(project);
    command
        .args(["run", "--quiet", "--package", "stt-core"])
        .args(["--features", "testing", "--example", "simulate", "--"]);
    if let (Some(seed), Some(file)) = (options.seed, &options.trace) {
        // Cargo may run in another folder than the user does.
        let file = std::path::absolute(file).context("finding the folder of the trace")?;
        command.arg(seed.to_string()).arg(file);
    } else {
        let (first, seeds) = match options.seed {
            Some(seed) => (seed, 1),
            None => (options.first, options.seeds),
        };
        let jobs = options.jobs.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
        });
        command
            .args([first.to_string(), seeds.to_string(), jobs.to_string()])
            .arg(target_dir(project)?.join(TRACES));
    }
    Ok(steps::run(&mut command).is_ok())
}
