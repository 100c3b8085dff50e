//! A codec of our own with the frame size of a real one (`docs/spec/radio.md`, section 8.2).

use std::sync::LazyLock;

use wide::f32x4;

use super::bandlimit::BandLimit;
use super::lpc::{self, ORDER, Predictor, WINDOW, four};
use super::{Codec, MAX_FRAME_BYTES};
use crate::math;
use crate::radio::{BLOCK_SAMPLES, Block};

/// Samples that share a gain.
const SUBFRAME: usize = 40;
const SUBFRAMES: usize = BLOCK_SAMPLES / SUBFRAME;
/// Samples that the analysis looks at beyond each end of the frame.
const MARGIN: usize = (WINDOW - BLOCK_SAMPLES) / 2;
const GAIN_BITS: u32 = 6;
const GAINS: usize = 1 << GAIN_BITS;
/// Coefficients and gains: 39 + 24 bits, the first bytes of a frame with one magnitude bit.
const HEADER_BITS: usize = 63;
const HEADER_BYTES: usize = 8;
const SIGN_BYTES: usize = BLOCK_SAMPLES / 8;
/// Lloyd's and Max's quantisers of a normal variable with one and two bits.
const ONE_BIT: f32 = 0.797_9;
const TWO_BIT: [f32; 2] = [0.452_8, 1.510];
const TWO_BIT_THRESHOLD: f32 = 0.981_6;
/// What quantisation leaves of the variance; 1 − this is what the gain must make up for.
const RESIDUE: f32 = 0.36;
/// The strongest noise feedback first; a frame takes the first that its predictor permits.
const SHAPES: [f32; 7] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.0];
/// The most that the fed-back noise may add, as the power of the feedback filter.
const MAX_FEEDBACK: f32 = 1.0;
/// Above this level the output bends towards full scale without reaching it.
const KNEE: f32 = 28_000.0;
const HEADROOM: f32 = 32_767.0 - KNEE;

/// The measures of a mock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) bits: usize,
    pub(super) lookahead: usize,
    pub(super) band_hz: (f64, f64),
}

/// AMR at 12.2 kbit/s: 244 bits, 5 ms.
pub(super) const AMR_12K2: Shape = Shape {
    bits: 244,
    lookahead: 40,
    band_hz: (80.0, 3400.0),
};
/// EVS at 13.2 kbit/s, narrow band: 264 bits, 12 ms.
pub(super) const EVS_13K2: Shape = Shape {
    bits: 264,
    lookahead: 96,
    band_hz: (50.0, 3700.0),
};
/// Opus at 16 kbit/s, narrow band: 320 bits, 6.5 ms.
pub(super) const OPUS_NB: Shape = Shape {
    bits: 320,
    lookahead: 52,
    band_hz: (60.0, 3800.0),
};

/// The longest look-ahead of the three.
const MAX_LOOKAHEAD: usize = 96;

/// Gains `g_i = 2^{i/4} / 2`, the lowest 0.
struct Gains {
    gains: [f32; GAINS],
    /// `borders[i]`: above this sum of magnitudes of a subframe, the gain is at least `i + 1`.
    borders: [f32; GAINS - 1],
}

static GAIN_TABLE: LazyLock<Gains> = LazyLock::new(|| {
    let gain = |i: f64| math::pow(2.0, i / 4.0) / 2.0;
    Gains {
        gains: std::array::from_fn(|i| if i == 0 { 0.0 } else { gain(i as f64) as f32 }),
        // The mean magnitude of a normal variable is ONE_BIT times its deviation.
        borders: std::array::from_fn(|i| {
            (gain(i as f64 + 0.5) * f64::from(ONE_BIT) * SUBFRAME as f64) as f32
        }),
    }
});

/// Encoder and decoder.
pub(super) struct Mock {
    shape: Shape,
    gains: &'static Gains,
    residual: Residual,
    band: BandLimit,
    /// Band-limited samples from `MARGIN` before the frame to the newest.
    work: [f32; MAX_LOOKAHEAD + MARGIN + BLOCK_SAMPLES],
    /// Quantisation noise of the last samples.
    noise: [f32; ORDER],
    /// The decoder's last output.
    output: [f32; ORDER],
}

/// For each sample, what its code can say, in units of the gain.
struct Residual {
    /// Which samples have a second bit, rising.
    extra: Vec<u8>,
    has_extra: [bool; BLOCK_SAMPLES],
    small: [f32; BLOCK_SAMPLES],
    large: [f32; BLOCK_SAMPLES],
    threshold: [f32; BLOCK_SAMPLES],
}

impl Residual {
    /// Spreads the bits that one a sample leaves evenly over the frame.
    fn new(bits: usize) -> Self {
        let spare = bits.saturating_sub(HEADER_BITS + BLOCK_SAMPLES);
        let has_extra = |n: usize| (n + 1) * spare / BLOCK_SAMPLES > n * spare / BLOCK_SAMPLES;
        let choose =
            |one: f32, two: f32| std::array::from_fn(|n| if has_extra(n) { two } else { one });
        Self {
            extra: (0..BLOCK_SAMPLES as u8)
                .filter(|&n| has_extra(n.into()))
                .collect(),
            has_extra: std::array::from_fn(has_extra),
            small: choose(ONE_BIT, TWO_BIT[0]),
            large: choose(ONE_BIT, TWO_BIT[1]),
            threshold: choose(f32::INFINITY, TWO_BIT_THRESHOLD),
        }
    }
}

/// The contents of a frame, unpacked.
struct Frame {
    coefficients: [u8; ORDER],
    gains: [u8; SUBFRAMES],
    /// Which samples are negative, and which take the larger magnitude.
    negative: [bool; BLOCK_SAMPLES],
    large: [bool; BLOCK_SAMPLES],
}

impl Mock {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            gains: &GAIN_TABLE,
            residual: Residual::new(shape.bits),
            band: BandLimit::new(shape.band_hz.0, shape.band_hz.1),
            work: [0.0; MAX_LOOKAHEAD + MARGIN + BLOCK_SAMPLES],
            noise: [0.0; ORDER],
            output: [0.0; ORDER],
        }
    }

    /// Takes a block into `work`, whose first sample is then `MARGIN` before the frame.
    fn take_in(&mut self, block: &Block) {
        let history = self.shape.lookahead + MARGIN;
        self.work
            .copy_within(BLOCK_SAMPLES..BLOCK_SAMPLES + history, 0);
        let mut limited = [0.0; BLOCK_SAMPLES];
        self.band.pass(block, &mut limited);
        self.work[history..history + BLOCK_SAMPLES].copy_from_slice(&limited);
    }

    /// Quantises the frame's residual with noise feedback.
    fn quantise(&mut self) -> Frame {
        let (window, _) = self
            .work
            .split_first_chunk::<WINDOW>()
            .expect("work is longer");
        let coefficients = lpc::analyse(window);
        let a = lpc::predictor(&coefficients);
        let mut frame = Frame {
            coefficients,
            gains: [0; SUBFRAMES],
            negative: [false; BLOCK_SAMPLES],
            large: [false; BLOCK_SAMPLES],
        };

        // What the decoder's filter must be fed to give the signal itself.
        let mut wanted = [0.0_f32; BLOCK_SAMPLES];
        wanted.copy_from_slice(&self.work[MARGIN..MARGIN + BLOCK_SAMPLES]);
        for (i, a) in a.iter().enumerate() {
            let earlier = &self.work[MARGIN - 1 - i..][..BLOCK_SAMPLES];
            for (w, x) in wanted.iter_mut().zip(earlier) {
                *w += a * x;
            }
        }

        let (feedback, power) = feedback(&a);
        let f = padded(&feedback);
        // The quantiser's input is the residual and the noise fed back.
        let louder = (1.0 / (1.0 - RESIDUE * power)).sqrt();
        let mut noise = [0.0_f32; ORDER + BLOCK_SAMPLES];
        noise[..ORDER].copy_from_slice(&self.noise);
        for s in 0..SUBFRAMES {
            let range = s * SUBFRAME..(s + 1) * SUBFRAME;
            // By magnitude, not by power: one bit says ± the mean magnitude at its best.
            let magnitude = magnitude(&wanted[range.clone()]) * louder;
            let index = self
                .gains
                .borders
                .partition_point(|&border| magnitude > border);
            frame.gains[s] = index as u8;
            let gain = self.gains.gains[index];
            if gain == 0.0 {
                // Nothing audible: the noise memory must not linger either.
                noise[ORDER + range.start..ORDER + range.end].fill(0.0);
                continue;
            }
            let scaled = |levels: &[f32; BLOCK_SAMPLES]| -> [f32; SUBFRAME] {
                std::array::from_fn(|i| gain * levels[range.start + i])
            };
            let small = scaled(&self.residual.small);
            let large = scaled(&self.residual.large);
            let threshold = scaled(&self.residual.threshold);
            // The noise is q = û − u, and the next sample waits for it. So f₀·q is taken apart: the
            // sign that chooses û is known at once, and f₀·u is ready as early.
            let (mut fed_back, mut u) = (0.0, -noise[range.start + ORDER - 1]);
            for first in range.step_by(STRIDE) {
                let recent = &mut noise[first..first + ORDER + STRIDE];
                let mut sums = four(&wanted, first);
                for back in (1..ORDER).rev() {
                    sums += four(&f, back) * f32x4::splat(recent[ORDER - 1 - back]);
                }
                for (j, mut sum) in sums.to_array().into_iter().enumerate() {
                    for back in (1..=j).rev() {
                        sum += f[back] * recent[ORDER - 1 + j - back];
                    }
                    u = (sum + fed_back) - f[0] * u;
                    let (n, i) = (first + j, first + j - s * SUBFRAME);
                    let is_large = self.residual.has_extra[n] && u.abs() > threshold[i];
                    let level = if is_large { large[i] } else { small[i] };
                    fed_back = with_sign_of(f[0] * level, u);
                    recent[ORDER + j] = level.copysign(u) - u;
                    frame.negative[n] = u.is_sign_negative();
                    frame.large[n] = is_large;
                }
            }
        }
        self.noise.copy_from_slice(&noise[BLOCK_SAMPLES..]);
        frame
    }

    /// The decoder: excitation, synthesis filter, soft limit.
    fn synthesise(&mut self, frame: &Frame, out: &mut Block) {
        let a = lpc::predictor(&frame.coefficients);
        let mut y = [0.0_f32; ORDER + BLOCK_SAMPLES];
        y[..ORDER].copy_from_slice(&self.output);
        for (s, &index) in frame.gains.iter().enumerate() {
            let gain = self.gains.gains[usize::from(index)];
            for n in s * SUBFRAME..(s + 1) * SUBFRAME {
                let levels = [self.residual.small[n], self.residual.large[n]];
                let level = gain * levels[usize::from(frame.large[n])];
                // Signs are as good as random: no processor would guess a branch on them.
                let sign = u32::from(frame.negative[n]) << 31;
                y[ORDER + n] = with_sign_of(level, f32::from_bits(sign));
            }
        }
        let a = padded(&a);
        for first in (0..BLOCK_SAMPLES).step_by(STRIDE) {
            let recent = &mut y[first..first + ORDER + STRIDE];
            let mut sums = four(recent, ORDER);
            for back in (1..ORDER).rev() {
                sums -= four(&a, back) * f32x4::splat(recent[ORDER - 1 - back]);
            }
            for (j, mut sum) in sums.to_array().into_iter().enumerate() {
                for back in (0..=j).rev() {
                    sum -= a[back] * recent[ORDER - 1 + j - back];
                }
                recent[ORDER + j] = sum;
            }
        }
        self.output.copy_from_slice(&y[BLOCK_SAMPLES..]);
        if self.output.iter().all(|y| y.abs() < 1e-3) {
            self.output = [0.0; ORDER];
        }
        for (sample, &y) in out.iter_mut().zip(&y[ORDER..]) {
            *sample = to_sample(soft_limit(y));
        }
    }

    /// Writes a frame: coefficients, gains and the first magnitude; signs; the other magnitudes.
    fn pack(&self, frame: &Frame, bytes: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        let (mut header, mut at) = (0_u64, 0);
        let mut put = |value: u8, bits: u32| {
            header |= u64::from(value) << at;
            at += bits;
        };
        for (&index, bits) in frame.coefficients.iter().zip(lpc::BITS) {
            put(index, bits);
        }
        for &index in &frame.gains {
            put(index, GAIN_BITS);
        }
        let len = self.shape.bits.div_ceil(8);
        bytes[HEADER_BYTES + SIGN_BYTES..len].fill(0);
        for (i, &n) in self.residual.extra.iter().enumerate() {
            let large = frame.large[usize::from(n)];
            match i.checked_sub(1) {
                None => put(large.into(), 1),
                Some(i) => bytes[HEADER_BYTES + SIGN_BYTES + i / 8] |= u8::from(large) << (i % 8),
            }
        }
        bytes[..HEADER_BYTES].copy_from_slice(&header.to_le_bytes());
        let signs = &mut bytes[HEADER_BYTES..HEADER_BYTES + SIGN_BYTES];
        for (byte, negative) in signs.iter_mut().zip(frame.negative.as_chunks::<8>().0) {
            *byte = 0;
            for (i, &negative) in negative.iter().enumerate() {
                *byte |= u8::from(negative) << i;
            }
        }
        len
    }

    /// Reads a frame; what is missing from a short one is zero.
    fn unpack(&self, frame: &[u8]) -> Frame {
        let mut bytes = [0; MAX_FRAME_BYTES];
        let len = frame.len().min(MAX_FRAME_BYTES);
        bytes[..len].copy_from_slice(&frame[..len]);
        let (head, rest) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .expect("320 bytes");
        let mut header = u64::from_le_bytes(*head);
        let mut get = |bits: u32| {
            let value = header & ((1 << bits) - 1);
            header >>= bits;
            value as u8
        };
        let coefficients = std::array::from_fn(|i| get(lpc::BITS[i]));
        let gains = std::array::from_fn(|_| get(GAIN_BITS));
        let mut large = [false; BLOCK_SAMPLES];
        for (i, &n) in self.residual.extra.iter().enumerate() {
            large[usize::from(n)] = match i.checked_sub(1) {
                None => get(1) != 0,
                Some(i) => rest[SIGN_BYTES + i / 8] >> (i % 8) & 1 != 0,
            };
        }
        Frame {
            coefficients,
            gains,
            negative: std::array::from_fn(|n| rest[n / 8] >> (n % 8) & 1 != 0),
            large,
        }
    }
}

impl Codec for Mock {
    fn encode(&mut self, block: &Block, frame: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        self.take_in(block);
        let quantised = self.quantise();
        self.pack(&quantised, frame)
    }

    fn decode(&mut self, frame: &[u8], out: &mut Block) {
        let frame = self.unpack(frame);
        self.synthesise(&frame, out);
    }
}

/// Samples that a filter takes at once. What they get from samples before them is computed side by
/// side, and only what they get from each other one after the other.
const STRIDE: usize = 4;

/// Coefficients followed by zeros, for the samples of a stride that reach back less far.
fn padded(coefficients: &Predictor) -> [f32; ORDER + STRIDE] {
    let mut padded = [0.0; ORDER + STRIDE];
    padded[..ORDER].copy_from_slice(coefficients);
    padded
}

/// `x`, negated where `sign` is negative.
fn with_sign_of(x: f32, sign: f32) -> f32 {
    f32::from_bits(x.to_bits() ^ (sign.to_bits() & 1 << 31))
}

/// The strongest permitted `A(z/γ) − 1`, and its power.
fn feedback(a: &Predictor) -> (Predictor, f32) {
    let mut best = ([0.0; ORDER], 0.0);
    for gamma in SHAPES {
        let (mut f, mut weight, mut power) = ([0.0; ORDER], 1.0, 0.0);
        for (f, a) in f.iter_mut().zip(a) {
            weight *= gamma;
            *f = weight * a;
            power += *f * *f;
        }
        best = (f, power);
        if power <= MAX_FEEDBACK {
            break;
        }
    }
    best
}

/// The sum of magnitudes of a subframe.
fn magnitude(samples: &[f32]) -> f32 {
    let mut lanes = [0.0; 4];
    for chunk in samples.as_chunks::<4>().0 {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x.abs();
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// Bends what goes beyond the knee, with slope 1 there and full scale as its limit.
fn soft_limit(y: f32) -> f32 {
    let over = (y.abs() - KNEE).max(0.0) / HEADROOM;
    let bent = KNEE + HEADROOM * over / (1.0 + over);
    if over > 0.0 { bent.copysign(y) } else { y }
}

/// Rounds to 16 bits, ties to even; the soft limit keeps the value within range.
fn to_sample(y: f32) -> i16 {
    const ROUND: f32 = 12_582_912.0;
    (y.clamp(-32_767.0, 32_767.0) + ROUND).to_bits() as i16
}

#[cfg(test)]
mod tests;
