//! `drybox proxy` and `drybox proxy-control`.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, Subcommand, ValueEnum};
use drybox::{
    Direction, ExitCode,
    relay::{RelayLimits, RelaySummary},
    scenario::{self, Overrides},
};
use serde_json::{Map, Value};

use super::{error::BoxError, host::Host, print::short, run::read};
use crate::{
    proxy::{self, Proxy, ProxyEnd, ProxyError, ProxyHost, ProxyOptions, control::Request},
    session,
};

/// `drybox proxy`.
#[derive(Debug, Args)]
#[command(after_help = "\
The scenario's network and seed act; its adapters, duration and acceptance do not. Each client \
address is a flow with a link of its own. Ctrl-C ends with outputs flushed and a summary.
Example:  drybox proxy --listen 127.0.0.1:4000 --to 127.0.0.1:5000 --scenario bad.yaml
Exit codes: 0 stopped by control or its time is over · 1 our own fault · 4 invalid scenario or usage · \
130 interrupted")]
pub struct ProxyArgs {
    /// Where clients send to; port 0 takes a free one, which is printed
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: String,
    /// The program behind the link
    #[arg(long, value_name = "ADDR:PORT")]
    pub to: String,
    /// The scenario, a YAML file of mode: byte
    #[arg(long, value_name = "FILE")]
    pub scenario: PathBuf,
    /// Where outputs go, a folder for each flow [default: none are written]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The seed, instead of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
    /// Make a Unix socket here through which `drybox proxy-control` speaks to this proxy
    #[arg(long, value_name = "SOCKET")]
    pub control: Option<PathBuf>,
    /// End by itself after this time [default: run until stopped]
    #[arg(long, value_name = "MS")]
    pub duration_ms: Option<u64>,
    /// Close a flow after this time without a datagram
    #[arg(long, value_name = "MS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub idle_ms: u64,
    /// How many flows there may be at a time; datagrams of further clients are refused
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_flows: u32,
    /// How much may be held on the way, all flows together; more is refused
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_held_mb: u32,
    /// How many flows have outputs, the first ones
    #[arg(long, value_name = "N", default_value_t = 64, requires = "out")]
    pub record_flows: u64,
    /// Write metrics, but no datagrams
    #[arg(long, requires = "out")]
    pub no_capture: bool,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// `drybox proxy-control`.
#[derive(Debug, Args)]
#[command(after_help = "\
Prints the proxy's answer as JSON. Exit codes: 0 fine · 1 no proxy answers · 4 the proxy refuses, or usage")]
pub struct ControlArgs {
    /// The proxy's --control
    pub socket: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub command: ControlCommand,
}

/// What a proxy can be told.
#[derive(Debug, Subcommand)]
pub enum ControlCommand {
    /// Change settings of the network, as the scenario names them; all or none
    #[command(after_help = "\
Example:  set network.loss_rate=0.1 network.latency_ms=80
          set network.impairments.rate_limit='{\"rate_bps\": 64000, \"queue_bytes\": 16000}'
          set network.impairments.rate_limit=null")]
    Set {
        /// A dotted key and its value
        #[arg(value_name = "KEY=VALUE", required = true, value_parser = setting)]
        settings: Vec<(String, Value)>,
    },
    /// Print the settings as they are
    Get,
    /// Cut the link: what comes in from now on is lost
    Cut {
        /// Only this direction [default: both]
        #[arg(long, value_enum)]
        direction: Option<Way>,
    },
    /// End a cut
    Heal {
        /// Only this direction [default: both]
        #[arg(long, value_enum)]
        direction: Option<Way>,
    },
    /// Print what was counted so far
    Stats,
    /// End the proxy, its outputs flushed
    Stop,
}

/// A direction on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// From clients to the server
    #[value(name = "L>R", alias = "to-server")]
    ToServer,
    /// From the server to clients
    #[value(name = "R>L", alias = "to-client")]
    ToClient,
}

/// `key=value`; the value is JSON, or else the text that stands there.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "write KEY=VALUE, such as network.loss_rate=0.1".to_owned())?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((key.to_owned(), value))
}

/// Runs the proxy; says on `err` where it listens, and on `out` what it counted.
pub(super) fn run(
    args: &ProxyArgs,
    host: &mut dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<ExitCode, BoxError> {
    let (options, warnings) = options(args)?;
    for warning in &warnings {
        writeln!(err, "warning: {warning}")?;
    }
    let proxy = Proxy::bind(options)?;
    let listening = proxy.listen_addr()?;
    writeln!(err, "listening on {listening}, forwarding to {}", args.to)?;
    err.flush()?;
    let report = proxy.run(&mut Console { host, err })?;
    if args.json {
        out.write_all(report.summary.to_json().as_bytes())?;
    } else {
        human(out, &report.summary, report.end)?;
        if let Some(folder) = &args.out {
            writeln!(out, "outputs in {}", folder.display())?;
        }
    }
    Ok(report.end.exit())
}

/// The user, for a running proxy.
struct Console<'a> {
    host: &'a mut dyn Host,
    err: &'a mut dyn Write,
}

impl ProxyHost for Console<'_> {
    fn interrupted(&mut self) -> bool {
        self.host.interrupted()
    }

    fn warn(&mut self, message: &str) {
        // Who has closed standard error doesn't want to know; the proxy goes on.
        let _ = writeln!(self.err, "warning: {message}").and_then(|()| self.err.flush());
    }
}

fn options(args: &ProxyArgs) -> Result<(ProxyOptions, Vec<String>), BoxError> {
    let listen = proxy::resolve("--listen", &args.listen)?;
    let to = proxy::resolve("--to", &args.to)?;
    let overrides = Overrides {
        seed: args.seed,
        ..Overrides::default()
    };
    let mut plan = scenario::load(&read(&args.scenario)?, &overrides)?;
    if plan.is_sweep || plan.points.len() != 1 {
        return Err(ProxyError::Sweep.into());
    }
    let warnings = plan.warnings.iter().map(ToString::to_string).collect();
    let limits = RelayLimits {
        flows: args.max_flows as usize,
        held_bytes: args.max_held_mb as usize * 1_000_000,
        idle_us: args.idle_ms * 1000,
    };
    let options = ProxyOptions {
        listen,
        to,
        name: session::scenario_name(&args.scenario),
        scenario: plan.points.remove(0).scenario,
        limits,
        out: args.out.clone(),
        record_flows: args.record_flows,
        capture: !args.no_capture,
        control: args.control.clone(),
        duration: args.duration_ms.map(Duration::from_millis),
    };
    Ok((options, warnings))
}

/// The numbers that people look for.
fn human(out: &mut dyn Write, summary: &RelaySummary, end: ProxyEnd) -> io::Result<()> {
    let directions = &summary.directions;
    for (label, direction) in [
        ("L>R", &directions.left_to_right),
        ("R>L", &directions.right_to_left),
    ] {
        let units = &direction.stats.sdus;
        write!(
            out,
            "{label}  sent {}  delivered {}  dropped {}  in flight {}",
            units.sent, units.delivered, units.dropped, units.in_flight
        )?;
        for (name, value, unit) in [
            (
                "loss",
                direction.stats.loss_rate.map(|rate| 100.0 * rate),
                " %",
            ),
            ("p95", direction.stats.latency_ms.p95, " ms"),
            ("goodput", direction.stats.goodput_bps, " bit/s"),
        ] {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                write!(out, "  {name} {}{unit}", short(value))?;
            }
        }
        writeln!(out)?;
    }
    write!(
        out,
        "{} flows in {} s",
        summary.flows.opened,
        short(summary.elapsed_ms as f64 / 1000.0)
    )?;
    if let Some(late) = summary.lateness_ms.p99 {
        write!(out, ", late by {late:.3} ms (p99)")?;
    }
    let refused = summary.refused.flows + summary.refused.held;
    let descriptors = summary.refused.descriptors;
    let unsent = summary.unsent.to_client + summary.unsent.to_server;
    for (count, what) in [
        (refused, "refused"),
        (descriptors, "refused for want of file descriptors"),
        (unsent, "not taken by the system"),
    ] {
        if count > 0 {
            write!(out, ", {count} datagrams {what}")?;
        }
    }
    writeln!(out)?;
    let end = match end {
        ProxyEnd::Stopped => "stopped",
        ProxyEnd::Interrupted => "interrupted",
    };
    writeln!(out, "{end}")
}

/// Sends one request to a running proxy and prints its answer.
pub(super) fn control(
    args: &ControlArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<ExitCode, BoxError> {
    let ways = |direction: Option<Way>| match direction {
        None => Direction::BOTH.to_vec(),
        Some(Way::ToServer) => vec![Direction::LeftToRight],
        Some(Way::ToClient) => vec![Direction::RightToLeft],
    };
    let request = match &args.command {
        ControlCommand::Set { settings } => {
            Request::Set(settings.iter().cloned().collect::<Map<String, Value>>())
        }
        ControlCommand::Get => Request::Get,
        ControlCommand::Cut { direction } => Request::Cut(ways(*direction)),
        ControlCommand::Heal { direction } => Request::Heal(ways(*direction)),
        ControlCommand::Stats => Request::Stats,
        ControlCommand::Stop => Request::Stop,
    };
    let answer = proxy::request(&args.socket, &request)?;
    if answer["ok"] == true {
        writeln!(out, "{answer:#}")?;
        return Ok(ExitCode::Passed);
    }
    let said = answer["error"]
        .as_str()
        .unwrap_or("the proxy gave no reason");
    writeln!(err, "error: {said}")?;
    Ok(ExitCode::Invalid)
}
