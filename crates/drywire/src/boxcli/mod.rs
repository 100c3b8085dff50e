//! The DryBox commands, shared by the `drywire` binary and the Python package.

mod args;
mod check;
mod error;
mod host;
pub mod inspect;
mod pipe;
mod print;
mod progress;
mod proxy;
mod run;
mod sweep;

use std::{ffi::OsString, io::Write};

pub use args::{BoxCli, BoxCommand, CheckArgs, CommonRunArgs, DryboxRunCli, RunArgs};
use clap::Parser;
use drybox::{ExitCode, scenario};
pub use error::BoxError;
pub use host::Host;
pub use pipe::Pipe;
pub use progress::RunBar;
pub use proxy::{ControlArgs, ControlCommand, ProxyArgs, Way};

/// `drybox …`: parses the arguments (the program's name first) and runs the command.
///
/// Results go to `out`, messages to `err`; the exit code is returned.
pub fn main(
    args: impl IntoIterator<Item = OsString>,
    host: &mut dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match BoxCli::try_parse_from(args) {
        Ok(cli) => command(cli.command, host, out, err),
        Err(error) => usage(&error),
    }
}

/// `drybox-run …`, the form in use in the field.
pub fn drybox_run(
    args: impl IntoIterator<Item = OsString>,
    host: &mut dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match DryboxRunCli::try_parse_from(args) {
        Ok(cli) => command(BoxCommand::Run(cli.into()), host, out, err),
        Err(error) => usage(&error),
    }
}

/// Runs a parsed command and reports what prevented it.
pub fn command(
    command: BoxCommand,
    host: &mut dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let (out, err) = (&mut Pipe::new(out), &mut Pipe::new(err));
    let result = match command {
        BoxCommand::Run(args) => run::run(&args, host, out, err),
        BoxCommand::Check(args) => check::run(&args, host, out),
        BoxCommand::Schema => write!(out, "{}", scenario::SCHEMA)
            .map(|()| ExitCode::Passed)
            .map_err(BoxError::from),
        BoxCommand::Proxy(args) => proxy::run(&args, host, out, err),
        BoxCommand::ProxyControl(args) => proxy::control(&args, out, err),
        BoxCommand::Inspect(args) => inspect::run(&args, out)
            .map(|()| ExitCode::Passed)
            .map_err(BoxError::from),
    };
    let result = result.and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit,
        Err(error) => {
            // Where even that can't be written, the exit code must do.
            let _ = writeln!(err, "error: {error}");
            error.exit()
        }
    }
}

/// Prints help or a usage error; the latter is exit code 4, since 2 is an acceptance missed.
pub fn usage(error: &clap::Error) -> ExitCode {
    // A closed terminal is no reason for another exit code.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::Invalid
    } else {
        ExitCode::Passed
    }
}
