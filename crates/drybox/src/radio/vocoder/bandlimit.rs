//! What a codec lets through at all (`docs/spec/radio.md`, section 8.2).

use crate::math;
use crate::radio::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

/// State below this is inaudible for good and set to 0, lest arithmetic slows down on the tiny
/// numbers of a decaying filter.
const INAUDIBLE: f64 = 1e-9;

/// A high-pass of second order and a low-pass of fourth, both Butterworth.
#[derive(Debug)]
pub(super) struct BandLimit {
    high_pass: Biquad,
    low_pass: [Biquad; 2],
}

impl BandLimit {
    /// The band between the two −3 dB frequencies.
    pub(super) fn new(from_hz: f64, to_hz: f64) -> Self {
        let damping = |eighths: f64| 2.0 * math::cos(math::PI * eighths / 8.0);
        Self {
            high_pass: Biquad::high_pass(from_hz, damping(2.0)),
            low_pass: [
                Biquad::low_pass(to_hz, damping(1.0)),
                Biquad::low_pass(to_hz, damping(3.0)),
            ],
        }
    }

    /// Filters one block.
    pub(super) fn pass(&mut self, block: &Block, out: &mut [f32; BLOCK_SAMPLES]) {
        let [first, second] = &mut self.low_pass;
        // One loop: the three recursions overlap in the processor.
        for (y, &x) in out.iter_mut().zip(block) {
            let x = self.high_pass.step(f64::from(x));
            let x = first.step(x);
            *y = second.step(x) as f32;
        }
        self.high_pass.settle();
        first.settle();
        second.settle();
    }
}

/// A second-order section in transposed direct form II.
#[derive(Debug)]
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// By the bilinear transform; `damping` is 1/Q.
    fn low_pass(hz: f64, damping: f64) -> Self {
        let (k, norm) = Self::warp(hz, damping);
        let b = k * k * norm;
        Self::section([b, 2.0 * b, b], k, damping, norm)
    }

    fn high_pass(hz: f64, damping: f64) -> Self {
        let (k, norm) = Self::warp(hz, damping);
        Self::section([norm, -2.0 * norm, norm], k, damping, norm)
    }

    fn warp(hz: f64, damping: f64) -> (f64, f64) {
        let (s, c) = math::sin_cos(math::PI * hz / f64::from(SAMPLE_RATE));
        let k = s / c;
        (k, 1.0 / (1.0 + damping * k + k * k))
    }

    fn section(b: [f64; 3], k: f64, damping: f64, norm: f64) -> Self {
        Self {
            b,
            a: [
                2.0 * (k * k - 1.0) * norm,
                (1.0 - damping * k + k * k) * norm,
            ],
            state: [0.0; 2],
        }
    }

    #[inline]
    fn step(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = (self.b[1] * x + self.state[1]) - self.a[0] * y;
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    fn settle(&mut self) {
        if self.state.iter().all(|s| s.abs() < INAUDIBLE) {
            self.state = [0.0; 2];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain in dB at a frequency.
    fn gain(hz: f64) -> f64 {
        let mut band = BandLimit::new(80.0, 3400.0);
        let mut out = [0.0; BLOCK_SAMPLES];
        let (mut input, mut output) = (0.0, 0.0);
        for k in 0..100 {
            let block: Block = std::array::from_fn(|n| {
                let t = (k * BLOCK_SAMPLES + n) as f64 / 8000.0;
                (10_000.0 * math::sin(math::TAU * hz * t)) as i16
            });
            band.pass(&block, &mut out);
            if k >= 50 {
                input += block
                    .iter()
                    .map(|&x| f64::from(x) * f64::from(x))
                    .sum::<f64>();
                output += out
                    .iter()
                    .map(|&y| f64::from(y) * f64::from(y))
                    .sum::<f64>();
            }
        }
        math::db(output / input)
    }

    #[test]
    fn band_is_flat_inside_and_three_db_down_at_its_edges() {
        assert!((gain(80.0) + 3.01).abs() < 0.05, "{}", gain(80.0));
        assert!((gain(3400.0) + 3.01).abs() < 0.05, "{}", gain(3400.0));
        for hz in [300.0, 1000.0, 2000.0, 3000.0] {
            assert!(gain(hz).abs() < 0.35, "{hz}: {}", gain(hz));
        }
        assert!(gain(20.0) < -20.0 && gain(3800.0) < -25.0);
    }
}
