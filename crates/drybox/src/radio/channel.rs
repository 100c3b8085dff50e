//! The analogue part of the path: gain to sampling clock (`docs/spec/radio.md`, section 2).

use super::awgn::Awgn;
use super::cfo::Rotation;
use super::fading::Fading;
use super::hilbert::Hilbert;
use super::pcm::{self, Signal};
use super::ppm::{Resampler, Slip};
use super::{Block, ChannelKind, RadioParams};
use crate::{Direction, rng::Streams};

/// What the channel made of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Passed {
    /// The SNR that it came out with.
    pub(crate) snr_db: Option<f64>,
    /// Whether the sampling clocks slipped.
    pub(crate) slip: Option<Slip>,
}

/// Gain, fading, frequency offset, noise and clock offset; each is absent when it is off.
pub(crate) struct Channel {
    gain: Option<f64>,
    baseband: Option<Baseband>,
    awgn: Option<Awgn>,
    resampler: Option<Resampler>,
}

/// What acts on the analytic signal.
struct Baseband {
    hilbert: Hilbert,
    fading: Option<Fading>,
    rotation: Option<Rotation>,
}

impl Channel {
    pub(crate) fn new(params: &RadioParams, direction: Direction, streams: &Streams) -> Self {
        let stream = |consumer: &str| streams.stream(&format!("{}/{consumer}", direction.label()));
        let snr_db = params
            .snr_db
            .filter(|_| params.channel != ChannelKind::None);
        let fading = (params.channel == ChannelKind::Rayleigh).then(|| {
            Fading::new(
                stream("fading"),
                params.doppler_hz,
                params.num_paths,
                params.delay_spread_ms,
            )
        });
        let rotation = (params.cfo_hz != 0.0).then(|| Rotation::new(params.cfo_hz));
        Self {
            gain: (params.gain != 1.0).then_some(params.gain),
            baseband: (fading.is_some() || rotation.is_some()).then(|| Baseband {
                hilbert: Hilbert::new(),
                fading,
                rotation,
            }),
            awgn: snr_db.map(|snr| Awgn::new(stream("awgn"), snr, params.noise_ref)),
            resampler: (params.ppm != 0.0).then(|| Resampler::new(params.ppm, direction)),
        }
    }

    /// Whether every stage is off.
    const fn is_transparent(&self) -> bool {
        self.gain.is_none()
            && self.baseband.is_none()
            && self.awgn.is_none()
            && self.resampler.is_none()
    }

    /// Takes the sender's block `k` and fills `out` with what the encoder hears.
    pub(crate) fn pass(&mut self, k: u64, block: &Block, out: &mut Block) -> Passed {
        if self.is_transparent() {
            *out = *block;
            return Passed::default();
        }
        let mut signal = pcm::to_signal(block);
        let mut power = pcm::block_power(block);
        if let Some(gain) = self.gain {
            signal = signal.map(|x| gain * x);
            power *= gain * gain;
        }
        if let Some(baseband) = &mut self.baseband {
            signal = baseband.pass(k, &signal);
        }
        let snr_db = self
            .awgn
            .as_mut()
            .and_then(|awgn| awgn.add(k, power, &mut signal));
        let slip = self
            .resampler
            .as_mut()
            .and_then(|resampler| resampler.pass(&mut signal));
        pcm::to_block(&signal, out);
        Passed { snr_db, slip }
    }
}

impl Baseband {
    fn pass(&mut self, k: u64, signal: &Signal) -> Signal {
        let mut z = self.hilbert.analytic(signal);
        if let Some(fading) = &mut self.fading {
            fading.apply(&mut z);
        }
        match &self.rotation {
            Some(rotation) => rotation.real(k, &z),
            None => z.re,
        }
    }
}
