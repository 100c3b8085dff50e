//! The words of the DryBox commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{
    inspect::InspectArgs,
    proxy::{ControlArgs, ProxyArgs},
};

/// Run two adapters against each other over a simulated bad link.
#[derive(Debug, Parser)]
#[command(
    name = "drybox",
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 fine · 1 our own fault · 2 acceptance missed · 3 an adapter failed · \
                  4 invalid scenario or usage · 130 interrupted"
)]
pub struct BoxCli {
    /// What to do.
    #[command(subcommand)]
    pub command: BoxCommand,
}

/// The DryBox commands; `drywire box` and `drybox` have the same.
#[derive(Debug, Subcommand)]
pub enum BoxCommand {
    /// Run a scenario and judge it
    Run(RunArgs),
    /// Check an adapter against the interface, one line per item
    Check(CheckArgs),
    /// Print the JSON Schema of scenarios
    Schema,
    /// Look into a capture: list, filter, hex, statistics, export to pcapng
    Inspect(InspectArgs),
    /// Put a scenario's bad link between two real UDP programs, in real time
    Proxy(ProxyArgs),
    /// Change, cut, heal, question or stop a running proxy
    ProxyControl(ControlArgs),
}

/// `drybox run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Adapters: path/to/adapter.py:Class · package.module:Class · entrypoint:NAME · native:NAME · \
'cmd:program args'
Example:  drybox run scenarios/quickstart.yaml --left native:pingpong --right my.py:Adapter --out out/try")]
pub struct RunArgs {
    /// The scenario, a YAML file
    pub scenario: PathBuf,
    /// Adapters, outputs, seed and tick
    #[command(flatten)]
    pub common: CommonRunArgs,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Show no progress bar (there is none in a pipe anyway)
    #[arg(long)]
    pub no_progress: bool,
    /// How many values of a sweep to run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Run only this value of a sweep, into the output folder itself
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub point: Option<String>,
}

/// What `drybox run` and `drybox-run` have in common.
#[derive(Debug, Args)]
pub struct CommonRunArgs {
    /// The left adapter, instead of the scenario's
    #[arg(long, value_name = "SPEC")]
    pub left: Option<String>,
    /// The right adapter, instead of the scenario's
    #[arg(long, value_name = "SPEC")]
    pub right: Option<String>,
    /// Where outputs go [default: runs/ and the scenario's name]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Logical time between ticks, instead of the scenario's
    #[arg(long, value_name = "MS")]
    pub tick_ms: Option<u64>,
    /// The seed, instead of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
}

/// `drybox check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The adapter, as for `run`
    pub spec: String,
    /// How many seeds the stability run tries
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: u64,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `drybox-run`, the form in use in the field.
#[derive(Debug, Parser)]
#[command(
    name = "drybox-run",
    version,
    about = "Run a scenario (see also: drybox run --help)"
)]
pub struct DryboxRunCli {
    /// The scenario, a YAML file
    #[arg(long)]
    pub scenario: PathBuf,
    /// Adapters, outputs, seed and tick
    #[command(flatten)]
    pub common: CommonRunArgs,
    /// Show a progress bar on a terminal
    #[arg(long, overrides_with = "no_ui")]
    pub ui: bool,
    /// Show no progress bar
    #[arg(long)]
    pub no_ui: bool,
}

impl From<DryboxRunCli> for RunArgs {
    fn from(cli: DryboxRunCli) -> Self {
        let DryboxRunCli {
            scenario,
            common,
            ui: _,
            no_ui,
        } = cli;
        Self {
            scenario,
            common,
            json: false,
            no_progress: no_ui,
            jobs: 1,
            point: None,
        }
    }
}
