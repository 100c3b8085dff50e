//! Carrier frequency offset (`docs/spec/radio.md`, section 5).

use super::hilbert::Analytic;
use super::pcm::Signal;
use super::{BLOCK_SAMPLES, SAMPLE_RATE};
use crate::math;

/// The rotation `e^{jφ}`, φ running on through the blocks.
#[derive(Debug)]
pub(crate) struct Rotation {
    cycles_per_block: f64,
    /// `e^{jφ}` within a block that starts at φ = 0.
    cos: Signal,
    sin: Signal,
}

impl Rotation {
    pub(crate) fn new(cfo_hz: f64) -> Self {
        let cycles = cfo_hz / f64::from(SAMPLE_RATE);
        let angle = |n: usize| math::TAU * cycles * n as f64;
        Self {
            cycles_per_block: cycles * BLOCK_SAMPLES as f64,
            cos: std::array::from_fn(|n| math::cos(angle(n))),
            sin: std::array::from_fn(|n| math::sin(angle(n))),
        }
    }

    /// The real part of block `k` turned by φ.
    pub(crate) fn real(&self, k: u64, z: &Analytic) -> Signal {
        // Whole turns are taken off before the angle is formed, which keeps it exact for long runs.
        let cycles = self.cycles_per_block * k as f64;
        let (s, c) = math::sin_cos(math::TAU * (cycles - cycles.floor()));
        std::array::from_fn(|n| {
            let cos = c * self.cos[n] - s * self.sin[n];
            let sin = s * self.cos[n] + c * self.sin[n];
            z.re[n] * cos - z.im[n] * sin
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radio::hilbert::Hilbert;

    /// Moves a 1 kHz tone by `cfo` and returns where it went, from the phase that it gained
    /// against 1 kHz over a second.
    fn moved(cfo: f64) -> f64 {
        let rotation = Rotation::new(cfo);
        let mut hilbert = Hilbert::new();
        let mut phases = Vec::new();
        for k in 0..60_u64 {
            let at = |n: usize| (k * BLOCK_SAMPLES as u64) as f64 + n as f64;
            let omega = math::TAU / 8.0;
            let z = hilbert.analytic(&std::array::from_fn(|n| math::cos(omega * at(n))));
            let y = rotation.real(k, &z);
            let (mut re, mut im) = (0.0, 0.0);
            for (n, y) in y.iter().enumerate() {
                let (s, c) = math::sin_cos(omega * at(n));
                re += y * c;
                im -= y * s;
            }
            phases.push(libm::atan2(im, re));
        }
        let mut turned = 0.0;
        for pair in phases[5..56].windows(2) {
            let step = pair[1] - pair[0];
            turned += step - math::TAU * (step / math::TAU).round();
        }
        // 50 steps of 20 ms.
        turned / math::TAU
    }

    #[test]
    fn a_tone_moves_by_the_offset_and_back_in_the_other_direction() {
        for cfo in [-20.0, -3.0, 0.5, 3.0, 20.0] {
            let at = moved(cfo);
            assert!((at - cfo).abs() < 0.01, "{cfo}: {at}");
        }
    }

    #[test]
    fn phase_runs_on_through_block_borders() {
        let rotation = Rotation::new(7.3);
        let one = Analytic {
            re: [1.0; BLOCK_SAMPLES],
            im: [0.0; BLOCK_SAMPLES],
        };
        for k in [0, 1, 1_000_000] {
            let end = rotation.real(k, &one)[BLOCK_SAMPLES - 1];
            let start = rotation.real(k + 1, &one)[0];
            assert!((end - start).abs() < 0.01);
        }
    }
}
