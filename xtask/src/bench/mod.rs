//! `cargo xtask bench`: speed and memory, each figure beside what it is held to.

mod cargo_bench;
mod drybox;
mod measure;
mod python;
mod table;

use std::process::Command;

use anyhow::Result;

use crate::project::Project;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The system to measure
    #[arg(value_enum)]
    suite: Suite,
    /// Shorter runs: figures that show a direction, not ones to publish
    #[arg(long)]
    quick: bool,
    /// Write the table into docs/performance.md
    #[arg(long, conflicts_with = "quick")]
    save: bool,
    /// Only the measurements whose name holds this
    #[arg(long, conflicts_with = "save")]
    only: Option<String>,
}

impl Options {
    /// Tells a benchmark's own program what to measure.
    fn pass_on(&self, command: &mut Command) {
        if self.quick {
            command.arg("--quick");
        }
        if let Some(part) = &self.only {
            command.arg(part);
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Suite {
    Drybox,
    /// st-protocol against its peers
    Codec,
    /// STT's state machine and its codecs
    Core,
    /// STT's node beside quinn
    Node,
    /// Storage at rest, against the same work by hand
    Store,
}

/// Measures a suite; says whether every figure reached what it is held to.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let (name, figures) = match options.suite {
        Suite::Drybox => ("drybox", drybox::run(project, options)?),
        Suite::Codec => return cargo_bench::run(project, options, &cargo_bench::CODEC),
        Suite::Core => return cargo_bench::run(project, options, &cargo_bench::CORE),
        Suite::Node => return cargo_bench::run(project, options, &cargo_bench::NODE),
        Suite::Store => return cargo_bench::run(project, options, &cargo_bench::STORE),
    };
    println!("\n{}", table::markdown(&figures));
    if options.save {
        table::save(project, name, &figures)?;
        println!("docs/performance.md now holds this table");
    }
    Ok(figures.iter().all(measure::Figure::holds))
}
