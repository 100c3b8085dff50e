//! Why an STT command could not do its work, with its exit code (`docs/spec/stt-commands.md` 2).

use std::{io, path::PathBuf};

use stt::{
    CloseReason, ConnectError, NodeError, ReadError, ReadToEndError, WriteError,
    core::endpoint::OpenError,
    store::{AddressError, StoreError},
};

use super::seed::SeedError;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: this machine.
    Machine,
    /// 2: the peer.
    Peer,
    /// 3: the data.
    Data,
    /// 4: the command line, or a seed that can't be used.
    Usage,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Machine => 1,
            Self::Peer => 2,
            Self::Data => 3,
            Self::Usage => 4,
            Self::Interrupted => 130,
        }
    }
}

/// What a command reports instead of a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SttCliError {
    /// A seed can't be had.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// An option doesn't say what it should.
    #[error("{0}")]
    Usage(String),
    /// A file, by its name.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Standard input or output, or the runtime.
    #[error("{what}: {cause}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// The node can't start.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The session can't be opened.
    #[error("{peer}: {cause}")]
    Connect {
        /// Who was called.
        peer: String,
        /// Why not.
        cause: ConnectError,
    },
    /// The session ended too early.
    #[error("the session was lost: {0}")]
    Session(#[from] CloseReason),
    /// The peer said something that it may not.
    #[error("the peer breaks the protocol of transfers: {0}")]
    Protocol(String),
    /// The peer takes no more of a stream, or sends no more of it.
    #[error("the peer gave the stream up with code {0}")]
    Stopped(u64),
    /// The sender of a file doesn't send the rest.
    #[error("{name}: the sender gave it up; what has come is kept")]
    GivenUp {
        /// Which file.
        name: String,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not an address.
    #[error("{text:?} is no address: {cause}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        cause: AddressError,
    },
    /// Some of several things failed; each was told.
    #[error("{failed} of {all} failed")]
    Some {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// The worst of their codes.
        exit: Exit,
    },
    /// The receiver doesn't want a file.
    #[error("{name}: refused by the receiver: {why}")]
    Refused {
        /// Which file.
        name: String,
        /// What the receiver said.
        why: String,
    },
    /// What arrived is not what was sent.
    #[error("{name}: the hash at the receiver differs, twice: is the file being written to?")]
    Mismatch {
        /// Which file.
        name: String,
    },
    /// A file became another one meanwhile.
    #[error("{name}: changed while it was sent: send it again")]
    Changed {
        /// Which file.
        name: String,
    },
    /// SIGINT or SIGTERM.
    #[error("interrupted; what was begun can be resumed by the same command")]
    Interrupted,
}

impl SttCliError {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Seed(error) => error.exit(),
            Self::Usage(_) | Self::Address { .. } => Exit::Usage,
            Self::File { .. } | Self::Io { .. } | Self::Node(_) => Exit::Machine,
            Self::Connect { cause, .. } => match cause {
                ConnectError::Open(OpenError::Cancelled) => Exit::Interrupted,
                ConnectError::Open(_) | ConnectError::WebSocket(_) => Exit::Peer,
                _ => Exit::Machine,
            },
            Self::Session(_) | Self::Protocol(_) | Self::Stopped(_) | Self::GivenUp { .. } => {
                Exit::Peer
            }
            Self::Store(error) => store_exit(error),
            Self::Some { exit, .. } => *exit,
            Self::Refused { .. } | Self::Mismatch { .. } | Self::Changed { .. } => Exit::Data,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// An error of this file.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { path, cause }
    }

    /// An error of standard input, output or the like.
    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { what, cause }
    }
}

impl From<WriteError> for SttCliError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Session(reason) => Self::Session(reason),
            WriteError::Stopped(code) => Self::Stopped(code),
            error => Self::Protocol(error.to_string()),
        }
    }
}

impl From<ReadError> for SttCliError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Session(reason) => Self::Session(reason),
            ReadError::Reset(code) => Self::Stopped(code),
            error => Self::Protocol(error.to_string()),
        }
    }
}

impl From<ReadToEndError> for SttCliError {
    fn from(error: ReadToEndError) -> Self {
        match error {
            ReadToEndError::Read(error) => error.into(),
            error => Self::Protocol(error.to_string()),
        }
    }
}

/// What is wrong with the data is told from what is wrong with the machine.
fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::NotFound { .. } | StoreError::Damaged { .. } => Exit::Data,
        StoreError::OtherSeed { .. } => Exit::Usage,
        _ => Exit::Machine,
    }
}
