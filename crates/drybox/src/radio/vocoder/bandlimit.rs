//! What a codec lets through at all (`docs/spec/radio.md`, section 8.2).

use wide::f64x2;

use crate::math;
use crate::radio::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

/// State below this is inaudible for good and set to 0, lest arithmetic slows down on the tiny
/// numbers of a decaying filter.
const INAUDIBLE: f64 = 1e-9;

/// Samples before the present one that the zeros of the three sections reach back to.
const ZEROS: usize = 6;

/// A high-pass of second order and a low-pass of fourth, both Butterworth.
///
/// All zeros of the three sections lie at 0 Hz and half the sampling rate: together they are
/// `(1 − z⁻²)²(1 + z⁻¹)²`, which whole numbers compute exactly and without waiting for each other.
/// The poles, which do wait, follow one section after the other.
#[derive(Debug)]
pub(super) struct BandLimit {
    /// The last samples of the block before, oldest first.
    before: [i16; ZEROS],
    /// The product of the sections' own.
    gain: f64,
    sections: [Poles; 3],
}

impl BandLimit {
    /// The band between the two −3 dB frequencies.
    pub(super) fn new(from_hz: f64, to_hz: f64) -> Self {
        let damping = |eighths: f64| 2.0 * math::cos(math::PI * eighths / 8.0);
        let high = Section::new(from_hz, damping(2.0));
        let low = [1.0, 3.0].map(|eighths| Section::new(to_hz, damping(eighths)));
        Self {
            before: [0; ZEROS],
            gain: high.norm * low[0].low_gain() * low[1].low_gain(),
            sections: [high, low[0], low[1]].map(|section| section.poles()),
        }
    }

    /// Filters one block.
    pub(super) fn pass(&mut self, block: &Block, out: &mut [f32; BLOCK_SAMPLES]) {
        let mut x = [0_i32; ZEROS + BLOCK_SAMPLES];
        let (head, tail) = x.split_at_mut(ZEROS);
        widen(&self.before, head);
        widen(block, tail);
        self.before.copy_from_slice(&block[BLOCK_SAMPLES - ZEROS..]);
        let mut zeros = [0_i32; BLOCK_SAMPLES];
        for (n, zeros) in zeros.iter_mut().enumerate() {
            let ends = x[n] + x[n + 6] + 2 * (x[n + 1] + x[n + 5]);
            *zeros = ends - x[n + 2] - x[n + 4] - 4 * x[n + 3];
        }
        let mut y = [0.0; BLOCK_SAMPLES];
        // Copies, which stay in registers. One loop: the three recursions overlap in the processor.
        let mut sections = self.sections;
        for (y, &[a, b]) in y.as_chunks_mut().0.iter_mut().zip(zeros.as_chunks().0) {
            let x = f64x2::splat(self.gain) * f64x2::new([a.into(), b.into()]);
            *y = sections
                .iter_mut()
                .fold(x, |x, section| section.step(x))
                .to_array();
        }
        self.sections = sections;
        self.sections.iter_mut().for_each(Poles::settle);
        for (out, y) in out.iter_mut().zip(y) {
            *out = y as f32;
        }
    }
}

fn widen(samples: &[i16], out: &mut [i32]) {
    for (out, &sample) in out.iter_mut().zip(samples) {
        *out = sample.into();
    }
}

/// A second-order section by the bilinear transform.
#[derive(Debug, Clone, Copy)]
struct Section {
    /// The frequency, warped.
    k: f64,
    /// 1/Q.
    damping: f64,
    norm: f64,
}

impl Section {
    fn new(hz: f64, damping: f64) -> Self {
        let (s, c) = math::sin_cos(math::PI * hz / f64::from(SAMPLE_RATE));
        let k = s / c;
        Self {
            k,
            damping,
            norm: 1.0 / (1.0 + damping * k + k * k),
        }
    }

    /// The gain of a low-pass; a high-pass has `norm`.
    const fn low_gain(&self) -> f64 {
        self.k * self.k * self.norm
    }

    fn poles(&self) -> Poles {
        let Self { k, damping, norm } = *self;
        let a = [
            2.0 * (k * k - 1.0) * norm,
            (1.0 - damping * k + k * k) * norm,
        ];
        Poles {
            input: f64x2::new([0.0, -a[0]]),
            last: f64x2::new([-a[0], a[0] * a[0] - a[1]]),
            before: f64x2::new([-a[1], a[0] * a[1]]),
            y: f64x2::ZERO,
        }
    }
}

/// The recursive half of a section, `y(n) = x(n) − a₀·y(n−1) − a₁·y(n−2)`, two samples at a time:
/// the first is put into the equation of the second.
#[derive(Debug, Clone, Copy)]
struct Poles {
    /// Weights of the first of two inputs, of the last output and of the one before it.
    input: f64x2,
    last: f64x2,
    before: f64x2,
    /// The last two outputs.
    y: f64x2,
}

impl Poles {
    #[inline]
    fn step(&mut self, x: f64x2) -> f64x2 {
        let both = |y: f64| f64x2::splat(y);
        let [before, last] = self.y.to_array();
        let x = x + self.input * both(x.to_array()[0]);
        self.y = (x + self.before * both(before)) + self.last * both(last);
        self.y
    }

    fn settle(&mut self) {
        if self.y.to_array().iter().all(|y| y.abs() < INAUDIBLE) {
            self.y = f64x2::ZERO;
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
