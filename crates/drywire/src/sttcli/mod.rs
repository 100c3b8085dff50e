//! STT's commands: keys, pipes, transfers, storage (`docs/spec/stt-commands.md`).

mod bench;
mod complete;
mod error;
mod keygen;
mod line;
mod peer;
mod pipe;
mod seed;
mod store;
mod transfer;

use std::{convert::Infallible, io::Write};

pub use bench::BenchArgs;
use clap::Subcommand;
pub use complete::{CompletionArgs, ManArgs, completion, man};
pub use error::{Exit, SttCliError};
pub use keygen::KeygenArgs;
pub use pipe::{ConnectArgs, ListenArgs};
pub use seed::SeedError;
pub use store::StoreArgs;
pub use transfer::{RecvArgs, SendArgs};

/// STT's commands.
#[derive(Debug, Subcommand)]
pub enum SttCommand {
    /// Make a seed in a new file of its owner alone
    Keygen(KeygenArgs),
    /// Wait for a peer; standard input goes to it, what it sends to standard output
    Listen(ListenArgs),
    /// Open a session with a peer that listens; then as listen
    Connect(ConnectArgs),
    /// Send files and folders; an interrupted transfer goes on where it stopped
    Send(SendArgs),
    /// Receive files into a folder
    Recv(RecvArgs),
    /// Keep objects, encrypted, under the hash of their bytes
    Store(StoreArgs),
    /// Measure throughput and latency between two nodes
    Bench(BenchArgs),
}

/// Runs a command and reports what prevented it.
pub fn run(command: &SttCommand, out: &mut (dyn Write + Send), err: &mut dyn Write) -> Exit {
    let result = match command {
        SttCommand::Keygen(args) => keygen::run(args, out),
        other => in_runtime(other, out),
    };
    let flushed = out
        .flush()
        .map_err(SttCliError::io("writing standard output"));
    match result.and(flushed) {
        Ok(()) => Exit::Done,
        Err(error) => {
            // Where even that can't be written, the exit code must do.
            let _ = writeln!(err, "error: {}", line::printable(&error.to_string()));
            error.exit()
        }
    }
}

fn in_runtime(command: &SttCommand, out: &mut (dyn Write + Send)) -> Result<(), SttCliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(SttCliError::io("starting the runtime"))?;
    let result = runtime.block_on(work(command, out));
    // Standard input may never say anything again: its thread is left behind.
    runtime.shutdown_background();
    result
}

async fn work(command: &SttCommand, out: &mut (dyn Write + Send)) -> Result<(), SttCliError> {
    match command {
        SttCommand::Keygen(args) => keygen::run(args, out),
        SttCommand::Listen(args) => pipe::listen(args).await,
        SttCommand::Connect(args) => pipe::connect(args).await,
        SttCommand::Send(args) => transfer::send(args).await,
        SttCommand::Recv(args) => transfer::receive(args).await,
        SttCommand::Store(args) => or_interrupt(store::run(args, out)).await,
        SttCommand::Bench(args) => or_interrupt(bench::run(args, out)).await,
    }
}

/// The work, unless SIGINT or SIGTERM comes first.
async fn or_interrupt<T>(
    work: impl Future<Output = Result<T, SttCliError>>,
) -> Result<T, SttCliError> {
    tokio::select! {
        done = work => done,
        Err(interrupted) = interrupt() => Err(interrupted),
    }
}

/// Ends at SIGINT or SIGTERM.
async fn interrupt() -> Result<Infallible, SttCliError> {
    let failed = SttCliError::io("watching for signals");
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut int, mut term) = match signal(SignalKind::interrupt())
            .and_then(|int| Ok((int, signal(SignalKind::terminate())?)))
        {
            Ok(signals) => signals,
            Err(error) => return Err(failed(error)),
        };
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)?;
    Err(SttCliError::Interrupted)
}
