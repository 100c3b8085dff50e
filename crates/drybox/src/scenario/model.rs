//! A scenario as the engine reads it (`docs/spec/scenario.md`, section 3).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{acceptance::Acceptance, bearer::BearerParams, radio::RadioParams};

/// What crosses the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Mode A, ByteLink: opaque SDUs over a packet bearer.
    Byte,
    /// Mode B, AudioBlock: PCM blocks over a voice channel.
    Audio,
}

/// What a run simulates and what it must achieve; every default is filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The mode.
    pub mode: Mode,
    /// Logical length in ms, 1..=10⁹. The last tick is at or before it.
    pub duration_ms: u64,
    /// Logical time between ticks in ms, 1..=1,000.
    pub tick_ms: u64,
    /// The effective seed.
    pub seed: u64,
    /// SDUs that an adapter may hand over in one poll, 1..=65,536.
    pub budget: usize,
    /// The bearer, alike in both directions.
    pub network: BearerParams,
    /// The voice channel per direction, indexed by the sender's [`Side`](crate::Side); CFO and ppm
    /// are signed for the direction.
    pub radio: [RadioParams; 2],
    /// Carrier frequency offset from left to right in Hz, as written.
    pub cfo_hz: f64,
    /// Sampling clock offset from left to right in ppm, as written.
    pub ppm: f64,
    /// What belongs to one side, indexed by [`Side`](crate::Side).
    pub sides: [SideScenario; 2],
    /// Where the key material comes from.
    pub crypto: CryptoScenario,
    /// Text messages that each side is given to send, in the order of the file.
    pub messages: [Vec<TextMessage>; 2],
    /// When blocks are exchanged in Mode B.
    pub audio_cadence: AudioCadence,
    /// What is captured beyond the default.
    pub capture: CaptureOptions,
    /// What the run must achieve.
    pub acceptance: Acceptance,
}

/// One side of a scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SideScenario {
    /// The adapter's spec; from the command line where given there.
    pub adapter: Option<String>,
    /// Every other key of the side's block, in the order of the file: what `cfg` is filled with. In
    /// Mode B `gain` and `modem` are completed with their defaults.
    pub settings: Map<String, Value>,
}

/// The kind of key pairs handed to the adapters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Signing keys.
    #[default]
    Ed25519,
    /// Keys for Diffie–Hellman.
    X25519,
}

impl KeyKind {
    /// `ed25519` or `x25519`, as scenarios and outputs name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::X25519 => "x25519",
        }
    }
}

/// Where the key material comes from (`docs/spec/keys.md`, section 1).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CryptoScenario {
    /// The kind of both pairs.
    pub kind: KeyKind,
    /// The private key of each side, as written, where the scenario gives one.
    pub private: [Option<KeySource>; 2],
}

/// A private key as a scenario gives it. Its text is secret unless it is a path: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySource {
    /// What the text is.
    pub form: KeyForm,
    /// The text as written.
    pub text: zeroize::Zeroizing<String>,
    /// The scenario's name, for messages.
    pub file: String,
    /// Its line, likewise.
    pub line: usize,
}

/// How a private key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// `{hex: …}`
    Hex,
    /// `{b64: …}`
    Base64,
    /// `{path: …}`
    Path,
    /// A bare string: hex, base64 or a path, whichever fits first.
    Bare,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            form,
            text: _,
            file,
            line,
        } = self;
        f.debug_struct("KeySource")
            .field("form", form)
            .field("file", file)
            .field("line", line)
            .finish_non_exhaustive()
    }
}

/// A text message that an adapter is given to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextMessage {
    /// The message; handed over as UTF-8.
    pub text: String,
    /// Logical time to wait after both handshakes are complete, in ms.
    pub delay_ms: u64,
}

/// When blocks are exchanged in Mode B.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioCadence {
    /// One block every 20 ms of logical time.
    #[default]
    Block,
    /// One block a tick whatever its length, as some older runs had it.
    Tick,
}

/// What is captured beyond the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureOptions {
    /// Mode B: also write the audio as WAV files.
    pub pcm: bool,
}
