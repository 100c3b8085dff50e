//! Scenarios: what a run simulates and what it must achieve (`docs/spec/scenario.md`).

use serde::{Deserialize, Serialize};

/// What crosses the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Mode A, ByteLink: opaque SDUs over a packet bearer.
    Byte,
    /// Mode B, AudioBlock: PCM blocks over a voice channel.
    Audio,
}
