//! Rayleigh fading (`docs/spec/radio.md`, section 4).

use super::hilbert::Analytic;
use super::{BLOCK_SAMPLES, SAMPLE_RATE};
use crate::{math, rng::Stream};

/// Sinusoids per tap: fewer miss the Rayleigh law.
const SINUSOIDS: usize = 32;
/// The tap gains are computed at least this often per period of the largest Doppler shift.
const OVERSAMPLING: f64 = 16.0;
/// Grid steps after which the oscillators are set anew, so that rounding does not add up.
const RESET_STEPS: u64 = 4096;
/// Points that a cubic needs beyond the first of its interval.
const LOOKAHEAD: usize = 3;

/// A tapped delay line whose gains fade independently.
pub(crate) struct Fading {
    taps: Vec<Tap>,
    /// Samples between computed gains; divides a block.
    step: usize,
    /// Weights of a cubic through four points, for each place between the middle two.
    weights: Vec<[f64; 4]>,
    /// The last samples of the analytic signal, then the block.
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Fading {
    /// `num_paths` taps (at least 1) over three times `delay_spread_ms`, exponentially weaker.
    ///
    /// Tap `l` takes its angles and phases from `stream` at serial `l`.
    pub(crate) fn new(
        mut stream: Stream,
        doppler_hz: f64,
        num_paths: usize,
        delay_spread_ms: f64,
    ) -> Self {
        let rate = f64::from(SAMPLE_RATE);
        let step = (1..=BLOCK_SAMPLES)
            .rev()
            .filter(|step| BLOCK_SAMPLES.is_multiple_of(*step))
            .find(|&step| rate / step as f64 >= OVERSAMPLING * doppler_hz)
            .unwrap_or(1);
        let profile = profile(num_paths.max(1), delay_spread_ms);
        let points = BLOCK_SAMPLES / step + LOOKAHEAD;
        let turn = math::TAU * doppler_hz * step as f64 / rate;
        let taps: Vec<Tap> = (0..)
            .zip(&profile)
            .map(|(serial, &(delay, power))| {
                let mut oscillators = Oscillators::new(&mut stream, serial, turn, power);
                // The first interval's cubic reaches one point back, before time 0.
                let mut gains = vec![[0.0; 2]; points];
                for gain in &mut gains[points - LOOKAHEAD..] {
                    *gain = oscillators.next();
                }
                Tap {
                    delay,
                    oscillators,
                    gains,
                }
            })
            .collect();
        let longest = profile.iter().map(|&(delay, _)| delay).max().unwrap_or(0);
        Self {
            taps,
            step,
            weights: (0..step).map(|i| cubic(i as f64 / step as f64)).collect(),
            re: vec![0.0; longest + BLOCK_SAMPLES],
            im: vec![0.0; longest + BLOCK_SAMPLES],
        }
    }

    /// Replaces the block by `Σ h_l(n) · x(n − d_l)`.
    pub(crate) fn apply(&mut self, z: &mut Analytic) {
        let history = self.re.len() - BLOCK_SAMPLES;
        self.re[history..].copy_from_slice(&z.re);
        self.im[history..].copy_from_slice(&z.im);
        z.re = [0.0; BLOCK_SAMPLES];
        z.im = [0.0; BLOCK_SAMPLES];
        for tap in &mut self.taps {
            tap.advance();
            let start = history - tap.delay;
            let (x_re, x_im) = (&self.re[start..], &self.im[start..]);
            for interval in 0..BLOCK_SAMPLES / self.step {
                let points = &tap.gains[interval..interval + 4];
                for (i, w) in self.weights.iter().enumerate() {
                    let n = interval * self.step + i;
                    let part = |c: usize| {
                        w[0] * points[0][c]
                            + w[1] * points[1][c]
                            + w[2] * points[2][c]
                            + w[3] * points[3][c]
                    };
                    let (re, im) = (part(0), part(1));
                    z.re[n] += re * x_re[n] - im * x_im[n];
                    z.im[n] += re * x_im[n] + im * x_re[n];
                }
            }
        }
        self.re.copy_within(BLOCK_SAMPLES.., 0);
        self.im.copy_within(BLOCK_SAMPLES.., 0);
    }
}

/// Delay in samples and mean power of each tap; the powers add to 1.
fn profile(num_paths: usize, delay_spread_ms: f64) -> Vec<(usize, f64)> {
    let span = num_paths.saturating_sub(1).max(1) as f64;
    let raw: Vec<(usize, f64)> = (0..num_paths)
        .map(|l| {
            // In units of the delay spread: 0 to 3.
            let delay = 3.0 * l as f64 / span;
            let samples = delay * delay_spread_ms * f64::from(SAMPLE_RATE) / 1000.0;
            (samples.round_ties_even() as usize, math::exp(-delay))
        })
        .collect();
    let total: f64 = raw.iter().map(|&(_, power)| power).sum();
    raw.into_iter().map(|(d, p)| (d, p / total)).collect()
}

/// Lagrange's cubic through the points −1, 0, 1, 2, at `x` between 0 and 1.
fn cubic(x: f64) -> [f64; 4] {
    [
        -x * (x - 1.0) * (x - 2.0) / 6.0,
        (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
        -(x + 1.0) * x * (x - 2.0) / 2.0,
        (x + 1.0) * x * (x - 1.0) / 6.0,
    ]
}

/// One tap: its place, and its gain at the block's grid points.
struct Tap {
    delay: usize,
    oscillators: Oscillators,
    /// From one point before the block to two points beyond it.
    gains: Vec<[f64; 2]>,
}

impl Tap {
    /// Moves on by one block.
    fn advance(&mut self) {
        let points = self.gains.len();
        self.gains.copy_within(points - LOOKAHEAD.., 0);
        for gain in &mut self.gains[LOOKAHEAD..] {
            *gain = self.oscillators.next();
        }
    }
}

/// A sum of complex exponentials with Doppler shifts `f_d · cos α`.
struct Oscillators {
    amplitude: f64,
    /// Phase at time 0 and phase per grid step, in radians.
    phase: [f64; SINUSOIDS],
    turn: [f64; SINUSOIDS],
    re: [f64; SINUSOIDS],
    im: [f64; SINUSOIDS],
    turn_re: [f64; SINUSOIDS],
    turn_im: [f64; SINUSOIDS],
    steps: u64,
}

impl Oscillators {
    /// `turn` is the phase that the largest Doppler shift gains in one grid step.
    fn new(stream: &mut Stream, serial: u64, turn: f64, power: f64) -> Self {
        let mut draws = stream.at(serial);
        let (mut phase, mut turns) = ([0.0; SINUSOIDS], [0.0; SINUSOIDS]);
        for i in 0..SINUSOIDS {
            // One angle in each equal sector: random, yet each realisation is close to isotropic.
            let angle = math::TAU * (i as f64 + draws.unit()) / SINUSOIDS as f64;
            phase[i] = math::TAU * draws.unit();
            turns[i] = turn * math::cos(angle);
        }
        Self {
            amplitude: (power / SINUSOIDS as f64).sqrt(),
            phase,
            turn: turns,
            re: [0.0; SINUSOIDS],
            im: [0.0; SINUSOIDS],
            turn_re: turns.map(math::cos),
            turn_im: turns.map(math::sin),
            steps: 0,
        }
    }

    /// The gain at the next grid point; the first call gives the one before time 0.
    fn next(&mut self) -> [f64; 2] {
        if self.steps.is_multiple_of(RESET_STEPS) {
            let time = self.steps as f64 - 1.0;
            for i in 0..SINUSOIDS {
                let (s, c) = math::sin_cos(self.phase[i] + self.turn[i] * time);
                (self.re[i], self.im[i]) = (c, s);
            }
        } else {
            for i in 0..SINUSOIDS {
                let re = self.re[i] * self.turn_re[i] - self.im[i] * self.turn_im[i];
                self.im[i] = self.re[i] * self.turn_im[i] + self.im[i] * self.turn_re[i];
                self.re[i] = re;
            }
        }
        self.steps += 1;
        [
            sum(&self.re) * self.amplitude,
            sum(&self.im) * self.amplitude,
        ]
    }
}

/// A sum in four lanes, in a fixed order.
fn sum(values: &[f64; SINUSOIDS]) -> f64 {
    let mut lanes = [0.0; 4];
    for chunk in values.as_chunks::<4>().0 {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

#[cfg(test)]
mod tests;
