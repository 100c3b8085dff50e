//! `cargo xtask bench`: speed and memory, each figure beside what it is held to.

mod codec;
mod core;
mod drybox;
mod measure;
mod node;
mod store;
mod table;

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
        Suite::Codec => return codec::run(project, options),
        Suite::Core => return core::run(project, options),
        Suite::Node => return node::run(project, options),
        Suite::Store => return store::run(project, options),
    };
    println!("\n{}", table::markdown(&figures));
    if options.save {
        table::save(project, name, &figures)?;
        println!("docs/performance.md now holds this table");
    }
    Ok(figures.iter().all(measure::Figure::holds))
}
