//! The `drywire` command.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use drywire::{
    boxcli::{self, BoxCommand},
    program::Program,
};

/// Protocols for bad links: try them out before they ship.
#[derive(Debug, Parser)]
#[command(name = "drywire", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// DryBox: run two adapters against each other over a simulated bad link
    #[command(name = "box")]
    DryBox {
        #[command(subcommand)]
        command: BoxCommand,
    },
}

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(Cli {
            command: Command::DryBox { command },
        }) => run(command),
        Err(error) => boxcli::usage(&error),
    };
    ExitCode::from(exit.code())
}

fn run(command: BoxCommand) -> drybox::ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    match Program::new() {
        Ok(mut program) => boxcli::command(command, &mut program, &mut out, &mut err),
        Err(error) => {
            // Where even that can't be written, the exit code must do.
            let _ = writeln!(err, "error: cannot take over the signals: {error}");
            drybox::ExitCode::OurFault
        }
    }
}
