//! How a run ended and what it measured.

use crate::{
    adapter::EndpointError, engine::Tallies, link::LinkStats, output::OutputError,
    radio::VoiceStats,
};

/// Why the tick loop is left early.
#[derive(Debug)]
pub(super) enum Halt {
    Endpoint(Box<EndpointError>),
    Output(OutputError),
    Interrupted,
}

impl From<OutputError> for Halt {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

/// How a run ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum End {
    /// Every tick was done.
    Completed,
    /// The user stopped it.
    Interrupted,
    /// An adapter failed.
    Endpoint(Box<EndpointError>),
    /// Outputs could not be written.
    Output(OutputError),
}

/// What the link measured, by direction.
#[derive(Debug)]
pub enum Measurements {
    /// Mode A.
    Byte([LinkStats; 2]),
    /// Mode B.
    Audio([VoiceStats; 2]),
}

/// The result of a run before it is judged.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// The last tick that was begun, in ms.
    pub ended_at_ms: u64,
    /// What the link measured; `None` when the run ended before its first tick.
    pub measurements: Option<Measurements>,
    /// What the adapters' events said.
    pub tallies: Tallies,
    /// Bits in the last, incomplete goodput window of each side.
    pub partial_window_bits: [u64; 2],
    /// Remarks for the user, in order, each once.
    pub warnings: Vec<String>,
}
