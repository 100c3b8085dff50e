//! The settings of one direction of the voice channel (`docs/spec/radio.md`, section 1).

use serde::{Deserialize, Serialize};

/// What the radio channel does to the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Nothing.
    None,
    /// White Gaussian noise.
    Awgn,
    /// Rayleigh fading, then white Gaussian noise.
    Rayleigh,
}

/// The power against which the noise is set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NoiseRef {
    /// A fixed level in dB relative to full scale.
    Dbfs(f64),
    /// The running mean of the sender's active blocks.
    Signal,
}

/// The speech codec on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VocoderKind {
    /// None: PCM passes bit-exact.
    None,
    /// ITU-T G.711, A-law.
    G711Alaw,
    /// ITU-T G.711, µ-law.
    G711Ulaw,
    /// A model of AMR 12.2 kbit/s: 244 bits a frame.
    #[serde(rename = "amr12k2_mock")]
    Amr12k2Mock,
    /// A model of EVS 13.2 kbit/s: 264 bits a frame.
    #[serde(rename = "evs13k2_mock")]
    Evs13k2Mock,
    /// A model of narrow-band Opus at 16 kbit/s: 320 bits a frame.
    OpusNbMock,
}

/// The settings of one direction, named after its sender.
#[derive(Debug, Clone, PartialEq)]
pub struct RadioParams {
    /// Linear factor on the sender's samples.
    pub gain: f64,
    /// The channel.
    pub channel: ChannelKind,
    /// Signal-to-noise ratio over 0–4 kHz in dB; `None` for no noise.
    pub snr_db: Option<f64>,
    /// What the ratio refers to.
    pub noise_ref: NoiseRef,
    /// Maximum Doppler shift in Hz.
    pub doppler_hz: f64,
    /// Number of taps of the fading channel.
    pub num_paths: usize,
    /// RMS-like spread of the exponential power-delay profile in ms; 0 for flat fading.
    pub delay_spread_ms: f64,
    /// Carrier frequency offset in Hz, already signed for this direction.
    pub cfo_hz: f64,
    /// Sampling clock offset in parts per million, already signed for this direction.
    pub ppm: f64,
    /// The codec.
    pub vocoder: VocoderKind,
    /// Discontinuous transmission.
    pub vad_dtx: bool,
}

impl Default for RadioParams {
    fn default() -> Self {
        Self {
            gain: 1.0,
            channel: ChannelKind::None,
            snr_db: Some(20.0),
            noise_ref: NoiseRef::Signal,
            doppler_hz: 5.0,
            num_paths: 4,
            delay_spread_ms: 0.5,
            cfo_hz: 0.0,
            ppm: 0.0,
            vocoder: VocoderKind::None,
            vad_dtx: false,
        }
    }
}
