//! Why a DryBox command could not do its work, with its exit code.

use std::{io, path::PathBuf};

use super::inspect::InspectError;
use crate::proxy::ProxyError;
use drybox::{ExitCode, keys::KeyError, output::OutputError, scenario::ScenarioError};

/// What a command reports instead of a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoxError {
    /// The scenario file could not be read.
    #[error("cannot read the scenario {}: {cause}", path.display())]
    ScenarioFile {
        /// The file as the user named it.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The scenario is invalid.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A side has no adapter.
    #[error("no {side} adapter: name one with --{side} SPEC or as {side}.adapter in the scenario")]
    NoAdapter {
        /// `left` or `right`.
        side: &'static str,
    },
    /// A key could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// `--point` names no value of the sweep.
    #[error("the scenario has no sweep value {name:?}")]
    NoPoint {
        /// What was asked for.
        name: String,
    },
    /// Outputs could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A capture could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// A proxy could not do its work.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Standard output or error could not be written, or a process could not be started.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Something else that is ours.
    #[error("{0}")]
    Internal(String),
}

impl BoxError {
    /// The exit code that says so.
    pub const fn exit(&self) -> ExitCode {
        match self {
            Self::ScenarioFile { .. }
            | Self::Scenario(_)
            | Self::NoAdapter { .. }
            | Self::Key(_)
            | Self::NoPoint { .. } => ExitCode::Invalid,
            Self::Inspect(error) => error.exit(),
            Self::Proxy(error) => error.exit(),
            Self::Output(_) | Self::Io(_) | Self::Internal(_) => ExitCode::OurFault,
        }
    }
}
