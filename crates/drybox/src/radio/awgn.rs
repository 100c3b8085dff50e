//! White Gaussian noise at a ratio to the sender's level (`docs/spec/radio.md`, section 3).

use super::pcm::{self, ACTIVE_POWER, FULL_SCALE_POWER, Signal};
use super::{BLOCK_SAMPLES, NoiseRef};
use crate::{math, rng::Stream};

/// The noise of one direction.
#[derive(Debug)]
pub(crate) struct Awgn {
    stream: Stream,
    /// `10^(-SNR/10)`.
    noise_ratio: f64,
    reference: Reference,
    /// The current block's, standard normal.
    values: Signal,
}

/// The noise of one block: `sigma` times `values`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise<'a> {
    pub(crate) sigma: f64,
    /// Standard normal.
    pub(crate) values: &'a Signal,
    /// The SNR in dB that the block comes out with, `None` when the sender is silent.
    pub(crate) snr_db: Option<f64>,
}

#[derive(Debug)]
enum Reference {
    /// A fixed mean square.
    Fixed(f64),
    /// The mean of the active blocks' powers so far.
    Running { sum: f64, blocks: f64 },
}

impl Reference {
    /// The reference power with this block included; 0 before the first active one.
    fn update(&mut self, power: f64) -> f64 {
        match self {
            Self::Fixed(power) => *power,
            Self::Running { sum, blocks } => {
                if power > ACTIVE_POWER {
                    *sum += power;
                    *blocks += 1.0;
                }
                if *blocks > 0.0 { *sum / *blocks } else { 0.0 }
            }
        }
    }
}

impl Awgn {
    pub(crate) fn new(stream: Stream, snr_db: f64, noise_ref: NoiseRef) -> Self {
        let reference = match noise_ref {
            NoiseRef::Dbfs(level) => Reference::Fixed(FULL_SCALE_POWER * math::from_db(level)),
            NoiseRef::Signal => Reference::Running {
                sum: 0.0,
                blocks: 0.0,
            },
        };
        Self {
            stream,
            noise_ratio: math::from_db(-snr_db),
            reference,
            values: [0.0; BLOCK_SAMPLES],
        }
    }

    /// Draws the noise of block `k`. `power` is the mean square of the sender's block after gain,
    /// `clean_energy` the sum of squares of what the noise is added to.
    ///
    /// `None` as long as there is no noise.
    pub(crate) fn draw(&mut self, k: u64, power: f64, clean_energy: f64) -> Option<Noise<'_>> {
        let sigma = (self.reference.update(power) * self.noise_ratio).sqrt();
        if sigma == 0.0 {
            return None;
        }
        self.stream.at(k).fill_gaussian(&mut self.values);
        let snr_db = (power > ACTIVE_POWER).then(|| {
            let noise_energy = sigma * sigma * pcm::energy(&self.values);
            math::db(clean_energy / noise_energy)
        });
        Some(Noise {
            sigma,
            values: &self.values,
            snr_db: snr_db.filter(|db| db.is_finite()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;

    const N: f64 = BLOCK_SAMPLES as f64;

    fn awgn(snr_db: f64, noise_ref: NoiseRef) -> Awgn {
        Awgn::new(Streams::new(5).stream("L>R/awgn"), snr_db, noise_ref)
    }

    fn add(noise: &mut Awgn, k: u64, power: f64, signal: &mut Signal) -> Option<f64> {
        let noise = noise.draw(k, power, pcm::energy(signal))?;
        for (sample, n) in signal.iter_mut().zip(noise.values) {
            *sample += noise.sigma * n;
        }
        noise.snr_db
    }

    /// A tone of amplitude `a`, with a whole number of periods per block.
    fn tone(a: f64) -> Signal {
        std::array::from_fn(|n| a * math::sin(math::TAU * n as f64 / 8.0))
    }

    #[test]
    fn measured_snr_is_within_a_tenth_of_a_db() {
        for snr in [-5.0, 0.0, 10.0, 20.0, 40.0] {
            let mut noise = awgn(snr, NoiseRef::Signal);
            let clean = tone(8000.0);
            let power = pcm::energy(&clean) / N;
            let (mut signal_energy, mut noise_energy) = (0.0, 0.0);
            // 2,000 blocks: the noise power's standard error is sqrt(2/320,000) = 0.011 dB, so that
            // 0.1 dB is nine of them (p < 1e-18).
            for k in 0..2000 {
                let mut noisy = clean;
                add(&mut noise, k, power, &mut noisy).unwrap();
                signal_energy += pcm::energy(&clean);
                let difference: Signal = std::array::from_fn(|n| noisy[n] - clean[n]);
                noise_energy += pcm::energy(&difference);
            }
            let measured = math::db(signal_energy / noise_energy);
            assert!((measured - snr).abs() < 0.1, "{snr}: {measured}");
        }
    }

    #[test]
    fn estimates_average_to_the_set_ratio() {
        let mut noise = awgn(10.0, NoiseRef::Signal);
        let clean = tone(8000.0);
        let mut linear = 0.0;
        for k in 0..500 {
            let estimate = add(&mut noise, k, pcm::energy(&clean) / N, &mut clean.clone());
            linear += 1.0 / math::from_db(estimate.unwrap());
        }
        // Standard error 0.022 dB.
        assert!((math::db(500.0 / linear) - 10.0).abs() < 0.12);
    }

    #[test]
    fn no_noise_before_the_first_active_block_and_noise_through_pauses() {
        let mut noise = awgn(10.0, NoiseRef::Signal);
        let mut silent = [0.0; BLOCK_SAMPLES];
        assert_eq!(add(&mut noise, 0, 0.0, &mut silent), None);
        // Exactly -60 dBFS is not above it.
        assert_eq!(add(&mut noise, 1, ACTIVE_POWER, &mut silent), None);
        assert_eq!(silent, [0.0; BLOCK_SAMPLES]);
        let mut speech = tone(8000.0);
        let power = pcm::energy(&speech) / N;
        assert!(add(&mut noise, 2, power, &mut speech).is_some());
        assert_eq!(add(&mut noise, 3, 0.0, &mut silent), None);
        let ratio = power / (pcm::energy(&silent) / N);
        // One block: 160 samples, standard error 0.49 dB, four of them.
        assert!((math::db(ratio) - 10.0).abs() < 2.0, "{ratio}");
    }

    #[test]
    fn reference_is_the_mean_of_active_blocks_with_this_one_included() {
        let mut reference = Reference::Running {
            sum: 0.0,
            blocks: 0.0,
        };
        let step = 2.0 * ACTIVE_POWER;
        assert_eq!(reference.update(0.0), 0.0);
        assert_eq!(reference.update(step), step);
        assert_eq!(reference.update(3.0 * step), 2.0 * step);
        assert_eq!(reference.update(0.0), 2.0 * step);
    }

    #[test]
    fn fixed_reference_needs_no_signal() {
        let mut noise = awgn(10.0, NoiseRef::Dbfs(-20.0));
        let (mut total, blocks) = (0.0, 1000);
        for k in 0..blocks {
            let mut silent = [0.0; BLOCK_SAMPLES];
            assert_eq!(add(&mut noise, k, 0.0, &mut silent), None);
            total += pcm::energy(&silent);
        }
        let level = math::db(total / (blocks as f64 * N) / FULL_SCALE_POWER);
        // Standard error 0.015 dB.
        assert!((level + 30.0).abs() < 0.1, "{level}");
    }

    #[test]
    fn spectrum_is_white() {
        let mut noise = awgn(0.0, NoiseRef::Dbfs(-20.0));
        let mut samples = Vec::new();
        for k in 0..1000 {
            let mut silent = [0.0; BLOCK_SAMPLES];
            add(&mut noise, k, 0.0, &mut silent);
            samples.extend_from_slice(&silent);
        }
        let correlation = |lag: usize| -> f64 {
            samples
                .iter()
                .zip(&samples[lag..])
                .map(|(a, b)| a * b)
                .sum()
        };
        let power = correlation(0);
        // Block boundaries at 160 and 320 included. For white noise each is N(0, 1/160,000):
        // 4.5 standard errors, p < 7e-6 each.
        for lag in [1, 2, 3, 7, 80, 159, 160, 161, 320] {
            let rho = correlation(lag) / power;
            assert!(rho.abs() < 4.5 / 400.0, "lag {lag}: {rho}");
        }
    }
}
