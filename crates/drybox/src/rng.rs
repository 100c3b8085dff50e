//! Named random streams (`docs/spec/determinism.md`, section 1).
//!
//! Every consumer of randomness owns a stream with a name. Its key is
//! `SHA-256("drybox rng v1\0" ‖ seed u64le ‖ name)`, its generator ChaCha8, and the ChaCha stream
//! number is the serial of the PDU or block that is being decided. What one impairment draws for
//! one PDU therefore depends on nothing but the seed, its own name and that PDU's serial: turning
//! another setting on or off reshuffles nothing.

use std::sync::LazyLock;

use chacha20::ChaCha8Rng;
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
#[derive(Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The draws that belong to the PDU, block or slot with this serial, from their beginning.
    pub fn at(&mut self, serial: u64) -> Draws<'_> {
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

    /// Standard normal values drawn together, in groups of `GROUP`.
    ///
    /// A group's first draws, one word for each value, decide almost all of them; the others follow
    /// in turn (`docs/spec/determinism.md`, 1.5).
    pub fn fill_gaussian(&mut self, out: &mut [f64]) {
        let zig: &Ziggurat = &ZIGGURAT;
        for values in out.chunks_mut(GROUP) {
            let mut bytes = [0; 4 * GROUP];
            let bytes = &mut bytes[..4 * values.len()];
            self.rng.fill_bytes(bytes);
            let mut edges = [(0_u8, 0_u8); GROUP];
            let mut count = 0;
            let words = bytes.as_chunks().0;
            for (n, (value, word)) in values.iter_mut().zip(words).enumerate() {
                let Candidate { layer, x, inside } = zig.candidate(u32::from_le_bytes(*word));
                *value = x;
                if !inside {
                    edges[count] = (n as u8, layer as u8);
                    count += 1;
                }
            }
            for &(n, layer) in &edges[..count] {
                let value = &mut values[usize::from(n)];
                *value = zig.settle(self, usize::from(layer), *value);
            }
        }
    }

    /// 32 uniform bits.
    fn word(&mut self) -> u32 {
        self.rng.next_u32()
    }
}

/// Normal values that are drawn together: those of one audio block.
const GROUP: usize = 160;

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
fn tail(draws: &mut Draws<'_>, negative: bool) -> f64 {
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

/// The layers, of equal area.
struct Ziggurat {
    /// Each layer's width in units of 2⁻²⁴.
    scale: [f64; Self::LAYERS],
    /// Below this many of those units a position lies under the density whatever its height.
    inside: [u32; Self::LAYERS],
    /// The density at each edge.
    f: [f64; Self::LAYERS + 1],
}

impl Ziggurat {
    const LAYERS: usize = 256;
    /// Where the tail begins for 256 layers of equal area.
    const R: f64 = 3.654_152_885_361_009;
    /// The area of each layer.
    const V: f64 = 0.004_928_673_233_992_336;
    /// Positions in a layer, from its middle to its edge.
    const POSITIONS: f64 = 16_777_216.0;

    fn new() -> Self {
        let mut x = [0.0; Self::LAYERS + 1];
        x[0] = Self::V / density(Self::R);
        x[1] = Self::R;
        for i in 2..Self::LAYERS {
            let previous: f64 = x[i - 1];
            x[i] = (-2.0 * math::ln(Self::V / previous + density(previous))).sqrt();
        }
        Self {
            scale: std::array::from_fn(|i| x[i] / Self::POSITIONS),
            inside: std::array::from_fn(|i| (x[i + 1] / x[i] * Self::POSITIONS) as u32),
            f: x.map(density),
        }
    }

    /// What one word says: eight bits of layer, and above them an odd position in (−2²⁴, 2²⁴), so
    /// that both signs are alike.
    #[inline]
    fn candidate(&self, word: u32) -> Candidate {
        let layer = (word & 0xff) as usize;
        let position = (word as i32 >> 7) | 1;
        Candidate {
            layer,
            x: f64::from(position) * self.scale[layer],
            inside: position.unsigned_abs() < self.inside[layer],
        }
    }

    /// The value of a candidate that is not inside.
    #[cold]
    fn settle(&self, draws: &mut Draws<'_>, mut layer: usize, mut x: f64) -> f64 {
        loop {
            if layer == 0 {
                return tail(draws, x < 0.0);
            }
            let (upper, lower) = (self.f[layer], self.f[layer + 1]);
            if lower + (upper - lower) * draws.unit() < density(x) {
                return x;
            }
            let next = self.candidate(draws.word());
            if next.inside {
                return next.x;
            }
            (layer, x) = (next.layer, next.x);
        }
    }
}

/// A value in a layer.
struct Candidate {
    layer: usize,
    x: f64,
    /// Whether it is under the density without a look at its height.
    inside: bool,
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
        let [mut a, mut b] = [(); 2].map(|()| Streams::new(7).stream("x"));
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
    fn a_group_is_a_word_each_and_then_what_its_edges_need() {
        let [mut stream, mut other] = [(); 2].map(|()| Streams::new(3).stream("group"));
        let mut edges = 0;
        // 2,000 edges in the mean, 41 of them in the tail.
        for serial in 0..1000 {
            let mut group = [0.0; GROUP];
            let (mut a, mut b) = (stream.at(serial), other.at(serial));
            a.fill_gaussian(&mut group);
            let words: Vec<u32> = (0..GROUP).map(|_| b.word()).collect();
            for (value, word) in group.into_iter().zip(words) {
                let first = ZIGGURAT.candidate(word);
                let expected = if first.inside {
                    first.x
                } else {
                    edges += 1;
                    ZIGGURAT.settle(&mut b, first.layer, first.x)
                };
                assert_eq!(value, expected);
            }
            assert_eq!(a.bits(), b.bits(), "both stand at the same place");
        }
        assert!((1500..2500).contains(&edges), "{edges}");
    }

    #[test]
    fn more_than_a_group_is_several() {
        let [mut stream, mut other] = [(); 2].map(|()| Streams::new(3).stream("groups"));
        let mut all = [0.0; 2 * GROUP + 7];
        let (mut a, mut b) = (stream.at(0), other.at(0));
        a.fill_gaussian(&mut all);
        for group in all.chunks(GROUP) {
            let mut alone = vec![0.0; group.len()];
            b.fill_gaussian(&mut alone);
            assert_eq!(group, alone);
        }
        assert_eq!(a.bits(), b.bits());
    }

    #[test]
    fn below_stays_below() {
        let mut stream = Streams::new(1).stream("below");
        let mut draws = stream.at(0);
        assert!((0..1000).all(|_| draws.below(7) < 7));
        assert_eq!(draws.below(0), 0);
    }
}
