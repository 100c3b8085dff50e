//! The analogue part of the path: gain to sampling clock (`docs/spec/radio.md`, section 2).

use super::awgn::Awgn;
use super::cfo::Rotation;
use super::fading::Fading;
use super::hilbert::Hilbert;
use super::pcm::{self, Signal};
use super::ppm::{Resampler, Slip};
use super::{BLOCK_SAMPLES, Block, ChannelKind, RadioParams};
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
        let gain = self.gain.unwrap_or(1.0);
        let energy = pcm::block_energy(block) * (gain * gain);
        let power = energy / BLOCK_SAMPLES as f64;
        if self.baseband.is_none() && self.resampler.is_none() {
            return self.pass_flat(k, block, [gain, energy], out);
        }
        let mut signal = block.map(|x| gain * f64::from(x));
        if let Some(baseband) = &mut self.baseband {
            signal = baseband.pass(k, &signal);
        }
        let mut snr_db = None;
        if let Some(awgn) = &mut self.awgn
            && let Some(noise) = awgn.draw(k, power, pcm::energy(&signal))
        {
            snr_db = noise.snr_db;
            for (sample, n) in signal.iter_mut().zip(noise.values) {
                *sample += noise.sigma * n;
            }
        }
        let slip = self
            .resampler
            .as_mut()
            .and_then(|resampler| resampler.pass(&mut signal));
        pcm::to_block(&signal, out);
        Passed { snr_db, slip }
    }

    /// The same where there is nothing but gain and noise: one loop over the block.
    fn pass_flat(
        &mut self,
        k: u64,
        block: &Block,
        [gain, energy]: [f64; 2],
        out: &mut Block,
    ) -> Passed {
        let power = energy / BLOCK_SAMPLES as f64;
        let noise = (self.awgn.as_mut()).and_then(|awgn| awgn.draw(k, power, energy));
        let Some(noise) = noise else {
            pcm::to_block(&block.map(|x| gain * f64::from(x)), out);
            return Passed::default();
        };
        for ((out, &x), n) in out.iter_mut().zip(block).zip(noise.values) {
            *out = pcm::to_sample(gain * f64::from(x) + noise.sigma * n);
        }
        Passed {
            snr_db: noise.snr_db,
            slip: None,
        }
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
