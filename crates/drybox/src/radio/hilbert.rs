//! The analytic signal of a real one (`docs/spec/radio.md`, section 4).

use super::pcm::Signal;
use super::{BLOCK_SAMPLES, window};
use crate::math;

/// Taps on each side of the middle one: 129 in all.
pub(crate) const HALF: usize = 64;
/// The even taps of a Hilbert transformer are zero and its odd ones antisymmetric.
const COEFFICIENTS: usize = HALF / 2;
/// Gives an image below −50 dB in 300–3,700 Hz.
const BETA: f64 = 8.0;
/// Outputs computed together, so that their sums stay in registers.
const LANES: usize = 8;

/// Real and imaginary part of the analytic signal, delayed by [`HALF`] samples.
#[derive(Debug, Clone)]
pub(crate) struct Analytic {
    pub(crate) re: Signal,
    pub(crate) im: Signal,
}

/// A Hilbert FIR filter with its history.
#[derive(Debug)]
pub(crate) struct Hilbert {
    coefficients: [f64; COEFFICIENTS],
    /// The last `2 · HALF` inputs, then the block.
    work: [f64; 2 * HALF + BLOCK_SAMPLES],
}

impl Hilbert {
    pub(crate) fn new() -> Self {
        let coefficients = std::array::from_fn(|i| {
            let m = (2 * i + 1) as f64;
            2.0 / (math::PI * m) * window::kaiser(m / HALF as f64, BETA)
        });
        Self {
            coefficients,
            work: [0.0; 2 * HALF + BLOCK_SAMPLES],
        }
    }

    pub(crate) fn analytic(&mut self, signal: &Signal) -> Analytic {
        self.work[2 * HALF..].copy_from_slice(signal);
        let mut out = Analytic {
            re: [0.0; BLOCK_SAMPLES],
            im: [0.0; BLOCK_SAMPLES],
        };
        out.re
            .copy_from_slice(&self.work[HALF..HALF + BLOCK_SAMPLES]);
        for (chunk, im) in out.im.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            // work[middle] is the delayed sample of the chunk's first output.
            let middle = HALF + LANES * chunk;
            for (i, c) in self.coefficients.iter().enumerate() {
                let m = 2 * i + 1;
                let before = &self.work[middle - m..][..LANES];
                let after = &self.work[middle + m..][..LANES];
                for n in 0..LANES {
                    im[n] += c * (before[n] - after[n]);
                }
            }
        }
        self.work.copy_within(BLOCK_SAMPLES.., 0);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The image is what the filter leaves at −f of a tone at +f.
    #[test]
    fn image_is_below_minus_50_db_in_the_voice_band() {
        for f in (300..=3700).step_by(50) {
            let omega = math::TAU * f64::from(f) / 8000.0;
            let mut hilbert = Hilbert::new();
            let (mut wanted, mut image) = ([0.0; 2], [0.0; 2]);
            for block in 0..12 {
                let at = |n: usize| (block * BLOCK_SAMPLES + n) as f64;
                let z = hilbert.analytic(&std::array::from_fn(|n| math::cos(omega * at(n))));
                if block < 2 {
                    continue;
                }
                for n in 0..BLOCK_SAMPLES {
                    let (s, c) = math::sin_cos(omega * at(n));
                    // z · e^{-jωn} and z · e^{+jωn}, summed over whole periods (f is a multiple of 5).
                    wanted[0] += z.re[n] * c + z.im[n] * s;
                    wanted[1] += z.im[n] * c - z.re[n] * s;
                    image[0] += z.re[n] * c - z.im[n] * s;
                    image[1] += z.im[n] * c + z.re[n] * s;
                }
            }
            let power = |z: [f64; 2]| z[0] * z[0] + z[1] * z[1];
            let ratio = math::db(power(image) / power(wanted));
            assert!(ratio < -50.0, "{f} Hz: {ratio}");
        }
    }

    #[test]
    fn real_part_is_the_input_64_samples_later() {
        let mut hilbert = Hilbert::new();
        let ramp: Signal = std::array::from_fn(|n| n as f64 + 1.0);
        let z = hilbert.analytic(&ramp);
        assert_eq!(z.re[..HALF], [0.0; HALF]);
        assert_eq!(z.re[HALF..], ramp[..BLOCK_SAMPLES - HALF]);
        let z = hilbert.analytic(&ramp);
        assert_eq!(z.re[..HALF], ramp[BLOCK_SAMPLES - HALF..]);
    }
}
