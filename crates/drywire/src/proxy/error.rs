//! Why a proxy could not do its work.

use std::{io, net::SocketAddr, path::PathBuf};

use drybox::{ExitCode, output::OutputError};

/// What a proxy reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// An address can't be read or found.
    #[error(
        "cannot use {flag} {given}: {cause}; give an address and a port, such as 127.0.0.1:4000"
    )]
    Address {
        /// `--listen` or `--to`.
        flag: &'static str,
        /// What was given.
        given: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The address can't be listened on.
    #[error(
        "cannot listen on {address}: {cause}; name another with --listen (port 0 takes a free one)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Everything would come back.
    #[error("--to {0} is the proxy itself; name the program that it stands before")]
    Itself(SocketAddr),
    /// The scenario is for voice.
    #[error("the scenario has mode: audio, and a proxy carries packets; use mode: byte")]
    Audio,
    /// The scenario is a sweep.
    #[error(
        "the scenario is a sweep, and a proxy has one network; give one value in place of each list"
    )]
    Sweep,
    /// The control socket can't be made.
    #[error("cannot make the control socket {}: {cause}; name another with --control", path.display())]
    Control {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// There is no proxy behind a control socket.
    #[error("no proxy answers at {}: {cause}; is it running with --control {}?", path.display(), path.display())]
    NoProxy {
        /// The socket's path.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Waiting on sockets, or reading the one that listens, failed.
    #[error("the proxy's sockets failed: {0}")]
    Socket(#[source] io::Error),
    /// Outputs could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl ProxyError {
    /// The exit code that says so.
    pub const fn exit(&self) -> ExitCode {
        match self {
            Self::Address { .. }
            | Self::Listen { .. }
            | Self::Itself(_)
            | Self::Audio
            | Self::Sweep
            | Self::Control { .. } => ExitCode::Invalid,
            Self::NoProxy { .. } | Self::Socket(_) | Self::Output(_) => ExitCode::OurFault,
        }
    }
}
