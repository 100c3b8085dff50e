//! The `drywire` command.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use drywire::{
    boxcli::{self, BoxCommand, Pipe},
    framecli::{self, FrameArgs, FrameCliError},
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
    #[command(name = "box", version)]
    DryBox {
        #[command(subcommand)]
        command: BoxCommand,
    },
    /// st-protocol: read and write frames of the control wire
    Frame(FrameArgs),
}

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(Cli {
            command: Command::DryBox { command },
        }) => run(command),
        Ok(Cli {
            command: Command::Frame(args),
        }) => frame(&args),
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

fn frame(args: &FrameArgs) -> drybox::ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let mut out = Pipe::new(&mut out);
    let result = framecli::run(args, &mut io::stdin().lock(), &mut out);
    match result.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => drybox::ExitCode::Passed,
        Err(error) => {
            // Where even that can't be written, the exit code must do.
            let _ = writeln!(err, "error: {error}");
            match error {
                FrameCliError::Output(_) => drybox::ExitCode::OurFault,
                _ => drybox::ExitCode::Invalid,
            }
        }
    }
}
