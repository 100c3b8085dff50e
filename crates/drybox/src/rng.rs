//! Named random streams (`docs/spec/determinism.md`, section 1).
//!
//! Every consumer of randomness owns a stream with a name. Its key is
//! `SHA-256("drybox rng v1\0" ‖ seed u64le ‖ name)`, its generator ChaCha8, and the ChaCha stream
//! number is the serial of the PDU or block that is being decided. What one impairment draws for
//! one PDU therefore depends on nothing but the seed, its own name and that PDU's serial: turning
//! another setting on or off reshuffles nothing.

use std::sync::LazyLock;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::math;

/// Domain separation of every stream key.
const LABEL: &[u8] = b"drybox rng v1\0";

/// The source of all randomness in a run: a seed from which streams are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// Streams of a run with this effective seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The 32-byte key of the stream called `name`.
    pub fn key(&self, name: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(LABEL)
            .chain_update(self.seed.to_le_bytes())
            .chain_update(name.as_bytes())
            .finalize()
            .into()
    }

    /// The stream called `name`, by convention `"<direction>/<consumer>"` such as `"L>R/loss"`.
    pub fn stream(&self, name: &str) -> Stream {
        Stream {
            rng: ChaCha8Rng::from_seed(self.key(name)),
        }
    }
}

/// One consumer's random stream.
#[derive(Debug, Clone)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The draws that belong to the PDU, block or slot with this serial, from their beginning.
    pub fn at(&mut self, serial: u64) -> Draws<'_> {
        // In this order neither call computes a block: at position 0 nothing is to be kept.
        self.rng.set_word_pos(0);
        self.rng.set_stream(serial);
        Draws { rng: &mut self.rng }
    }
}

/// Draws from one stream at one serial.
#[derive(Debug)]
pub struct Draws<'a> {
    rng: &'a mut ChaCha8Rng,
}

impl Draws<'_> {
    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        to_unit(self.bits())
    }

    /// Uniform in `0..n`; 0 when `n` is 0. The bias is below `n / 2⁶⁴`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// Standard normal, by the ziggurat of Marsaglia and Tsang (2000) in Doornik's form (2005):
    /// index and position come from disjoint bits.
    pub fn gaussian(&mut self) -> f64 {
        let mut value = [0.0];
        self.fill_gaussian(&mut value);
        value[0]
    }

    /// As many standard normal values as fit: what [`gaussian`](Self::gaussian) gives one by one.
    pub fn fill_gaussian(&mut self, out: &mut [f64]) {
        let zig: &Ziggurat = &ZIGGURAT;
        for values in out.chunks_mut(AHEAD) {
            // Each value takes one draw at least, so none is drawn too many.
            let mut ahead = Ahead::of(self, values.len());
            for value in values {
                *value = match zig.inside(ahead.bits()) {
                    Ok(x) => x,
                    Err(edge) => zig.settle(&mut ahead, edge),
                };
            }
        }
    }
}

/// As many draws as the generator computes at once.
const AHEAD: usize = 32;

/// Draws taken from the generator in bulk.
struct Ahead<'a, 'b> {
    draws: &'a mut Draws<'b>,
    words: [u64; AHEAD],
    /// The next of `words`, which are filled up to their end.
    at: usize,
}

impl<'a, 'b> Ahead<'a, 'b> {
    /// The next `wanted` draws, at most `AHEAD`.
    fn of(draws: &'a mut Draws<'b>, wanted: usize) -> Self {
        let at = AHEAD.saturating_sub(wanted);
        let mut bytes = [0; 8 * AHEAD];
        draws.rng.fill_bytes(&mut bytes[8 * at..]);
        let mut words = [0; AHEAD];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self { draws, words, at }
    }

    /// The next of them, and then whatever the generator gives.
    #[inline]
    fn bits(&mut self) -> u64 {
        match self.words.get(self.at) {
            Some(&bits) => {
                self.at += 1;
                bits
            }
            None => self.draws.bits(),
        }
    }

    fn unit(&mut self) -> f64 {
        to_unit(self.bits())
    }
}

/// The top 53 bits as a number in `[0, 1)`.
fn to_unit(bits: u64) -> f64 {
    // By way of i64, for which processors have an instruction.
    (bits >> 11) as i64 as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// The unnormalised normal density.
fn density(x: f64) -> f64 {
    math::exp(-0.5 * x * x)
}

/// Beyond the base strip: Marsaglia's exponential rejection.
fn tail(draws: &mut Ahead<'_, '_>, negative: bool) -> f64 {
    loop {
        // 1 - unit() lies in (0, 1], where the logarithm is finite.
        let x = -math::ln(1.0 - draws.unit()) / Ziggurat::R;
        let y = -math::ln(1.0 - draws.unit());
        if 2.0 * y >= x * x {
            let value = Ziggurat::R + x;
            return if negative { -value } else { value };
        }
    }
}

static ZIGGURAT: LazyLock<Ziggurat> = LazyLock::new(Ziggurat::new);

/// Layer edges `x` (falling) and the density `f` at each.
struct Ziggurat {
    x: [f64; Self::LAYERS + 1],
    f: [f64; Self::LAYERS + 1],
}

impl Ziggurat {
    const LAYERS: usize = 256;
    /// Where the tail begins for 256 layers of equal area.
    const R: f64 = 3.654_152_885_361_009;
    /// The area of each layer.
    const V: f64 = 0.004_928_673_233_992_336;

    fn new() -> Self {
        let mut x = [0.0; Self::LAYERS + 1];
        x[0] = Self::V / density(Self::R);
        x[1] = Self::R;
        for i in 2..Self::LAYERS {
            let previous: f64 = x[i - 1];
            x[i] = (-2.0 * math::ln(Self::V / previous + density(previous))).sqrt();
        }
        Self {
            x,
            f: x.map(density),
        }
    }

    /// The value, if this draw decides it alone.
    #[inline]
    fn inside(&self, bits: u64) -> Result<f64, Edge> {
        let layer = (bits & 0xff) as usize;
        // 53 bits above the layer's eight, in [-1, 1).
        let u = 2.0 * to_unit(bits) - 1.0;
        let x = u * self.x[layer];
        if x.abs() < self.x[layer + 1] {
            Ok(x)
        } else {
            Err(Edge { layer, x })
        }
    }

    /// The value of a draw that does not decide it alone.
    #[cold]
    fn settle(&self, draws: &mut Ahead<'_, '_>, mut edge: Edge) -> f64 {
        loop {
            let Edge { layer, x } = edge;
            if layer == 0 {
                return tail(draws, x < 0.0);
            }
            let (upper, lower) = (self.f[layer], self.f[layer + 1]);
            if lower + (upper - lower) * draws.unit() < density(x) {
                return x;
            }
            match self.inside(draws.bits()) {
                Ok(x) => return x,
                Err(next) => edge = next,
            }
        }
    }
}

/// A place in the part of a layer through which the density runs.
struct Edge {
    layer: usize,
    x: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_apart_by_name_seed_and_serial() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in [0, 1] {
            for name in ["L>R/loss", "R>L/loss", "L>R/jitter"] {
                for serial in [0, 1, u64::MAX] {
                    assert!(seen.insert(Streams::new(seed).stream(name).at(serial).bits()));
                }
            }
        }
    }

    #[test]
    fn a_serials_draws_do_not_depend_on_what_was_drawn_before() {
        let mut a = Streams::new(7).stream("x");
        let mut b = a.clone();
        for _ in 0..1000 {
            a.at(3).gaussian();
        }
        let first: Vec<u64> = std::iter::repeat_n((), 9)
            .scan(a.at(4), |d, ()| Some(d.bits()))
            .collect();
        let second: Vec<u64> = std::iter::repeat_n((), 9)
            .scan(b.at(4), |d, ()| Some(d.bits()))
            .collect();
        assert_eq!(first, second);
    }

    #[test]
    fn gaussian_has_the_moments_and_tail_of_the_normal_law() {
        let mut stream = Streams::new(1).stream("moments");
        let n = 1_000_000;
        let (mut sum, mut square, mut fourth, mut beyond_r, mut beyond_1) = (0.0, 0.0, 0.0, 0, 0);
        let mut draws = stream.at(0);
        for _ in 0..n {
            let x = draws.gaussian();
            sum += x;
            square += x * x;
            fourth += x * x * x * x;
            beyond_r += usize::from(x.abs() > Ziggurat::R);
            beyond_1 += usize::from(x.abs() > 1.0);
        }
        let n = f64::from(n);
        // Five standard errors of each estimator.
        assert!((sum / n).abs() < 5e-3, "mean {}", sum / n);
        assert!(
            (square / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt(),
            "variance {}",
            square / n
        );
        assert!(
            (fourth / n - 3.0).abs() < 5.0 * (96.0 / n).sqrt(),
            "kurtosis {}",
            fourth / n
        );
        assert!((f64::from(beyond_1 as u32) / n - 0.317_310_5).abs() < 5.0 * (0.2166 / n).sqrt());
        // 2·(1 - Φ(R)) = 2.580e-4.
        assert!((200..320).contains(&beyond_r), "tail {beyond_r}");
    }

    #[test]
    fn values_in_bulk_are_those_drawn_one_by_one() {
        let mut stream = Streams::new(3).stream("bulk");
        let mut single = stream.clone();
        // Some hundred values in each length come from the edges, 26 from the tail.
        for (serial, len) in [0, 1, 7, 31, 32, 33, 160, 100_000].into_iter().enumerate() {
            let mut bulk = vec![0.0; len];
            let (mut a, mut b) = (stream.at(serial as u64), single.at(serial as u64));
            a.fill_gaussian(&mut bulk);
            assert!(bulk.iter().all(|&x| x == b.gaussian()));
            assert_eq!(a.bits(), b.bits(), "both stand at the same place");
        }
    }

    #[test]
    fn below_stays_below() {
        let mut stream = Streams::new(1).stream("below");
        let mut draws = stream.at(0);
        assert!((0..1000).all(|_| draws.below(7) < 7));
        assert_eq!(draws.below(0), 0);
    }
}
