//! The `drywire` command.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};
use drywire::{
    boxcli::{self, BoxCommand, Pipe},
    framecli::{self, FrameArgs, FrameCliError},
    program::Program,
    sttcli::{self, CompletionArgs, ManArgs, SttCommand},
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
    #[command(flatten)]
    Stt(SttCommand),
    /// Write a completion script for a shell
    Completion(CompletionArgs),
    /// Write a manual page
    Man(ManArgs),
}

fn main() -> ExitCode {
    let code = match Cli::try_parse() {
        Ok(Cli { command }) => match command {
            Command::DryBox { command } => run(command).code(),
            Command::Frame(args) => frame(&args).code(),
            Command::Stt(command) => stt(&command).code(),
            Command::Completion(args) => pages(|out| {
                sttcli::completion(&args, Cli::command(), out);
                Ok(())
            })
            .code(),
            Command::Man(args) => pages(|out| sttcli::man(&args, Cli::command(), out)).code(),
        },
        Err(error) => boxcli::usage(&error).code(),
    };
    ExitCode::from(code)
}

fn stt(command: &SttCommand) -> sttcli::Exit {
    sttcli::run(command, &mut Pipe::new(io::stdout()), &mut io::stderr())
}

/// Writes a text to standard output.
fn pages(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> sttcli::Exit {
    let mut text = Vec::new();
    let mut out = Pipe::new(io::stdout().lock());
    let result = write(&mut text).and_then(|()| out.write_all(&text));
    match result.and_then(|()| out.flush()) {
        Ok(()) => sttcli::Exit::Done,
        Err(error) => {
            // Where even that can't be written, the exit code must do.
            let _ = writeln!(io::stderr(), "error: {error}");
            match error.kind() {
                io::ErrorKind::NotFound => sttcli::Exit::Usage,
                _ => sttcli::Exit::Machine,
            }
        }
    }
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
