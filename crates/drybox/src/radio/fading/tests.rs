//! Fading against theory. All seeds are fixed; each test states how sure it is.

use super::*;
use crate::rng::Streams;

/// The gain of a flat single-path channel at each sample of `blocks` blocks.
fn gains(seed: u64, doppler_hz: f64, blocks: usize) -> Vec<[f64; 2]> {
    let stream = Streams::new(seed).stream("L>R/fading");
    let mut fading = Fading::new(stream, doppler_hz, 1, 0.0);
    let mut out = Vec::new();
    for _ in 0..blocks {
        let mut z = Analytic {
            re: [1.0; BLOCK_SAMPLES],
            im: [0.0; BLOCK_SAMPLES],
        };
        fading.apply(&mut z);
        out.extend(z.re.into_iter().zip(z.im).map(|(re, im)| [re, im]));
    }
    out
}

#[test]
fn envelope_is_rayleigh() {
    // One value each of 4,000 independent channels: Kolmogorov–Smirnov at the 1 % level, where
    // the critical distance is 1.628/√n = 0.0257.
    let n = 4000;
    let mut envelopes: Vec<f64> = (0..n)
        .map(|seed| {
            let [re, im] = gains(seed, 5.0, 1)[80];
            (re * re + im * im).sqrt()
        })
        .collect();
    envelopes.sort_by(f64::total_cmp);
    let n = n as f64;
    let distance = (0..)
        .zip(&envelopes)
        .map(|(i, r)| {
            let cdf = 1.0 - math::exp(-r * r);
            let i = f64::from(i);
            (cdf - i / n).abs().max(((i + 1.0) / n - cdf).abs())
        })
        .fold(0.0, f64::max);
    assert!(distance < 1.628 / n.sqrt(), "{distance}");
}

#[test]
fn mean_power_is_one_for_every_number_of_paths() {
    for (paths, spread) in [(1, 0.0), (4, 0.0), (4, 0.5), (8, 2.0)] {
        let mut total = 0.0;
        let n = 4000;
        for seed in 0..n {
            let stream = Streams::new(seed).stream("power");
            let fading = Fading::new(stream, 5.0, paths, spread);
            for tap in &fading.taps {
                let [re, im] = tap.gains[tap.gains.len() - 1];
                total += re * re + im * im;
            }
        }
        // |h|² has variance at most 1: five standard errors.
        let mean = total / n as f64;
        assert!(
            (mean - 1.0).abs() < 5.0 / (n as f64).sqrt(),
            "{paths}: {mean}"
        );
    }
}

#[test]
fn autocorrelation_is_that_of_jakes() {
    for doppler in [5.0, 20.0, 100.0] {
        // 400 channels, each averaged over 1 s.
        let channels = 400;
        let lags: Vec<usize> = (0..12)
            .map(|i| (f64::from(i) * 0.1 * 8000.0 / doppler) as usize)
            .filter(|&lag| lag < 8000)
            .collect();
        let mut correlation = vec![0.0; lags.len()];
        for seed in 0..channels {
            let h = gains(1000 + seed, doppler, 100);
            for (sum, &lag) in correlation.iter_mut().zip(&lags) {
                let pairs = h.iter().zip(&h[lag..]).step_by(16);
                let count = pairs.len() as f64;
                let product: f64 = pairs.map(|(a, b)| a[0] * b[0] + a[1] * b[1]).sum();
                *sum += product / count;
            }
        }
        for (&lag, sum) in lags.iter().zip(&correlation) {
            let expected = libm::j0(math::TAU * doppler * lag as f64 / 8000.0);
            let measured = sum / channels as f64;
            // A channel's average has a standard deviation below 0.5 even at 5 Hz (a handful of
            // fades): 0.1 is four standard errors or more.
            assert!(
                (measured - expected).abs() < 0.1,
                "{doppler} Hz, lag {lag}: {measured}, expected {expected}"
            );
        }
    }
}

#[test]
fn interpolation_follows_the_exact_sum() {
    for doppler in [1.0, 7.0, 33.0, 120.0, 500.0] {
        let h = gains(3, doppler, 6);
        let exact = Oscillators::new(
            &mut Streams::new(3).stream("L>R/fading"),
            0,
            math::TAU * doppler / 8000.0,
            1.0,
        );
        for (n, [re, im]) in h.into_iter().enumerate() {
            let (mut x, mut y) = (0.0, 0.0);
            for i in 0..SINUSOIDS {
                let (s, c) = math::sin_cos(exact.phase[i] + exact.turn[i] * n as f64);
                x += c * exact.amplitude;
                y += s * exact.amplitude;
            }
            let error = (x - re) * (x - re) + (y - im) * (y - im);
            // −50 dB of the mean power; nowhere worse.
            assert!(error < 1e-5, "{doppler} Hz, sample {n}: {error:e}");
        }
    }
}

#[test]
fn oscillators_are_the_same_after_a_reset() {
    let mut stream = Streams::new(1).stream("reset");
    let mut oscillators = Oscillators::new(&mut stream, 0, 0.3, 1.0);
    let mut before = [0.0; 2];
    for _ in 0..=RESET_STEPS {
        before = oscillators.next();
    }
    // The last value came from a reset; the recurrence from the one before must agree.
    let mut other = Oscillators::new(&mut stream, 0, 0.3, 1.0);
    for _ in 0..RESET_STEPS {
        other.next();
    }
    other.steps += 1;
    let [re, im] = other.next();
    assert!((re - before[0]).abs() < 1e-9 && (im - before[1]).abs() < 1e-9);
}

#[test]
fn profile_is_exponential_over_three_spreads() {
    let taps = profile(4, 0.5);
    let delays: Vec<_> = taps.iter().map(|tap| tap.0).collect();
    assert_eq!(delays, [0, 4, 8, 12]);
    for pair in taps.windows(2) {
        assert!((pair[0].1 / pair[1].1 - math::exp(1.0)).abs() < 1e-12);
    }
    assert!((taps.iter().map(|tap| tap.1).sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(profile(1, 0.5), [(0, 1.0)]);
    assert!(profile(4, 0.0).iter().all(|tap| tap.0 == 0));
}

#[test]
fn without_doppler_the_channel_stands_still() {
    let h = gains(9, 0.0, 3);
    for value in &h {
        let (re, im) = (value[0] - h[0][0], value[1] - h[0][1]);
        assert!(re.abs() < 1e-12 && im.abs() < 1e-12);
    }
}
