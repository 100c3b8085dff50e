//! Sampling clocks that disagree (`docs/spec/radio.md`, section 6).

use std::sync::LazyLock;

use super::pcm::Signal;
use super::{BLOCK_SAMPLES, window};
use crate::{Direction, math};

/// What happened when the clocks had drifted one block apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// The buffer was empty: the last block was repeated.
    Repeated,
    /// The buffer held two blocks: one was dropped.
    Dropped,
}

/// Taps of the interpolating filter.
const TAPS: usize = 32;
/// Filters between two samples; between filters the output is interpolated linearly.
const PHASES: usize = 256;
/// Side lobes below −80 dB, flat to 3.5 kHz.
const BETA: f64 = 8.0;
/// The most that the buffer ever holds: two blocks, a new one, and the odd sample.
const CAPACITY: usize = 4 * BLOCK_SAMPLES;

/// `FILTERS[p][j]`: weight of sample `j` for an output `p / PHASES` beyond sample `TAPS/2 − 1`.
static FILTERS: LazyLock<Vec<[f64; TAPS]>> = LazyLock::new(|| {
    let half = TAPS as f64 / 2.0;
    (0..=PHASES)
        .map(|p| {
            let place = half - 1.0 + p as f64 / PHASES as f64;
            let mut taps: [f64; TAPS] = std::array::from_fn(|j| {
                let x = j as f64 - place;
                let sinc = if x == 0.0 {
                    1.0
                } else {
                    math::sin(math::PI * x) / (math::PI * x)
                };
                sinc * window::kaiser(x / half, BETA)
            });
            // Every phase must pass a constant alike.
            let sum: f64 = taps.iter().sum();
            taps = taps.map(|tap| tap / sum);
            taps
        })
        .collect()
});

/// A windowed-sinc resampler and the buffer between the two clocks.
pub(crate) struct Resampler {
    filters: &'static [[f64; TAPS]],
    /// Input samples per output sample.
    ratio: f64,
    /// Where the next output begins in `work`.
    place: f64,
    /// The last `TAPS` inputs, then the block.
    work: [f64; TAPS + BLOCK_SAMPLES],
    fifo: [f64; CAPACITY],
    level: usize,
}

impl Resampler {
    /// `ppm` is signed for the direction: R→L, given −ppm, has exactly the inverse ratio of L→R.
    pub(crate) fn new(ppm: f64, direction: Direction) -> Self {
        Self {
            filters: &FILTERS,
            ratio: match direction {
                Direction::LeftToRight => 1.0 + ppm * 1e-6,
                Direction::RightToLeft => 1.0 / (1.0 - ppm * 1e-6),
            },
            place: 0.0,
            work: [0.0; TAPS + BLOCK_SAMPLES],
            fifo: [0.0; CAPACITY],
            level: BLOCK_SAMPLES,
        }
    }

    /// Replaces the sender's block by the receiver's.
    pub(crate) fn pass(&mut self, signal: &mut Signal) -> Option<Slip> {
        self.work[TAPS..].copy_from_slice(signal);
        while self.place < BLOCK_SAMPLES as f64 {
            // Beyond any clock that is out of step by less than half, the buffer has room.
            if self.level < CAPACITY {
                self.fifo[self.level] = self.sample();
                self.level += 1;
            }
            self.place += self.ratio;
        }
        self.place -= BLOCK_SAMPLES as f64;
        self.work.copy_within(BLOCK_SAMPLES.., 0);

        let before = self.refill();
        signal.copy_from_slice(&self.fifo[..BLOCK_SAMPLES]);
        if self.level == BLOCK_SAMPLES {
            // Empty after this block: it is kept to be played once more.
            return Some(Slip::Repeated);
        }
        self.discard();
        if self.level >= 2 * BLOCK_SAMPLES {
            self.discard();
            return Some(Slip::Dropped);
        }
        before
    }

    /// Only clocks further apart than any real ones can leave less than a block: repeats what is
    /// there.
    fn refill(&mut self) -> Option<Slip> {
        let missing = BLOCK_SAMPLES.checked_sub(self.level).filter(|&m| m > 0)?;
        self.fifo.copy_within(..BLOCK_SAMPLES - missing, missing);
        self.level = BLOCK_SAMPLES;
        Some(Slip::Repeated)
    }

    /// Takes one block out of the buffer.
    fn discard(&mut self) {
        self.fifo.copy_within(BLOCK_SAMPLES..self.level, 0);
        self.level -= BLOCK_SAMPLES;
    }

    /// The output at `place`.
    fn sample(&self) -> f64 {
        let whole = self.place as usize;
        let phase = (self.place - whole as f64) * PHASES as f64;
        let index = (phase as usize).min(PHASES - 1);
        let part = phase - index as f64;
        let inputs = &self.work[whole..whole + TAPS];
        let (near, far) = (&self.filters[index], &self.filters[index + 1]);
        let mut lanes = [[0.0; 4]; 2];
        for j in (0..TAPS).step_by(4) {
            for lane in 0..4 {
                lanes[0][lane] += near[j + lane] * inputs[j + lane];
                lanes[1][lane] += far[j + lane] * inputs[j + lane];
            }
        }
        let [near, far] = lanes.map(|l| (l[0] + l[1]) + (l[2] + l[3]));
        near + part * (far - near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: f64 = 1000.0;

    /// Runs a tone through and returns the output with the slots in which it slipped.
    fn run(ppm: f64, direction: Direction, blocks: usize) -> (Vec<f64>, Vec<(usize, Slip)>) {
        let mut resampler = Resampler::new(ppm, direction);
        let (mut out, mut slips) = (Vec::new(), Vec::new());
        for k in 0..blocks {
            let mut signal: Signal = std::array::from_fn(|n| {
                math::sin(math::TAU * F * (k * BLOCK_SAMPLES + n) as f64 / 8000.0)
            });
            if let Some(slip) = resampler.pass(&mut signal) {
                slips.push((k, slip));
            }
            out.extend_from_slice(&signal);
        }
        (out, slips)
    }

    /// The tone's frequency, from the phase that it gained over the stretch against `F`.
    fn frequency(samples: &[f64]) -> f64 {
        let phase = |from: usize| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in samples.iter().enumerate().skip(from).take(800) {
                let (s, c) = math::sin_cos(math::TAU * F * n as f64 / 8000.0);
                re += x * c;
                im -= x * s;
            }
            libm::atan2(im, re)
        };
        let span = samples.len() - 800;
        let turned = phase(span) - phase(0);
        let turned = turned - math::TAU * (turned / math::TAU).round();
        F + turned / math::TAU * 8000.0 / span as f64
    }

    #[test]
    fn a_tone_moves_by_the_ratio_and_by_its_inverse_in_the_other_direction() {
        for ppm in [-200.0, -50.0, 20.0, 200.0] {
            let (out, _) = run(ppm, Direction::LeftToRight, 60);
            let up = frequency(&out[640..]) / F;
            assert!((up - (1.0 + ppm * 1e-6)).abs() < 2e-7, "{ppm}: {up}");
            let (out, _) = run(-ppm, Direction::RightToLeft, 60);
            let down = frequency(&out[640..]) / F;
            assert!((up * down - 1.0).abs() < 3e-7, "{ppm}: {down}");
        }
    }

    #[test]
    fn the_output_is_the_input_at_the_stretched_times() {
        let ppm = 100.0;
        let (out, _) = run(ppm, Direction::LeftToRight, 40);
        // Output m is at input time m·ratio less the filter's middle and the buffer.
        for (m, y) in out.iter().enumerate().skip(400) {
            let m = (m - BLOCK_SAMPLES) as f64;
            let time = m * (1.0 + ppm * 1e-6) - TAPS as f64 + TAPS as f64 / 2.0 - 1.0;
            let expected = math::sin(math::TAU * F * time / 8000.0);
            assert!((y - expected).abs() < 1e-4, "{m}: {y} {expected}");
        }
    }

    #[test]
    fn a_fast_sender_clock_repeats_and_a_slow_one_drops_a_block() {
        // 1,000 ppm drain or fill 0.16 samples a block: 160 of them take 1,000 blocks.
        let (_, slips) = run(1000.0, Direction::LeftToRight, 2500);
        assert_eq!(slips.len(), 2, "{slips:?}");
        for (i, (k, slip)) in slips.iter().enumerate() {
            assert_eq!(*slip, Slip::Repeated);
            assert!(k.abs_diff(1000 * (i + 1)) < 20, "{k}");
        }
        let (_, slips) = run(-1000.0, Direction::LeftToRight, 2500);
        assert_eq!(slips.len(), 2, "{slips:?}");
        for (i, (k, slip)) in slips.iter().enumerate() {
            assert_eq!(*slip, Slip::Dropped);
            assert!(k.abs_diff(1000 * (i + 1)) < 20, "{k}");
        }
    }

    #[test]
    fn the_repeated_block_is_the_last_one() {
        let (out, slips) = run(1000.0, Direction::LeftToRight, 1200);
        let k = slips[0].0;
        let block = |k: usize| &out[k * BLOCK_SAMPLES..(k + 1) * BLOCK_SAMPLES];
        assert_eq!(block(k), block(k + 1));
        assert_ne!(block(k - 1), block(k));
    }

    #[test]
    fn absurd_clocks_do_not_break_the_buffer() {
        for ppm in [900_000.0, -900_000.0] {
            let (out, slips) = run(ppm, Direction::LeftToRight, 100);
            assert_eq!(out.len(), 100 * BLOCK_SAMPLES);
            assert!(!slips.is_empty());
        }
    }
}
