//! Mode B: the simulated voice channel (`docs/spec/radio.md`).

mod awgn;
mod cfo;
mod channel;
mod fading;
mod hilbert;
mod observer;
mod params;
mod path;
mod pcm;
mod playout;
mod plc;
mod ppm;
mod stats;
mod vocoder;
mod window;

pub use observer::{VoiceEvent, VoiceObserver, VoiceRecord};
pub use params::{ChannelKind, NoiseRef, RadioParams, VocoderKind};
pub use path::VoicePath;
pub use pcm::{Signal, to_block};
pub use ppm::Slip;
pub use stats::VoiceStats;

/// Samples per second.
pub const SAMPLE_RATE: u32 = 8000;
/// Samples per block.
pub const BLOCK_SAMPLES: usize = 160;
/// The time that a block lasts, in ms.
pub const BLOCK_MS: u64 = 20;

/// 20 ms of mono PCM at 8 kHz.
pub type Block = [i16; BLOCK_SAMPLES];

/// Silence.
pub const SILENCE: Block = [0; BLOCK_SAMPLES];
