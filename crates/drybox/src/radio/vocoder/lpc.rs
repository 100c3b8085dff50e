//! Linear prediction of order ten (`docs/spec/radio.md`, section 8.3).

use std::sync::LazyLock;

use wide::f32x4;

use crate::math;

/// The predictor's order.
pub(super) const ORDER: usize = 10;
/// Samples analysed at once: the frame of 160 and 40 on each side.
pub(super) const WINDOW: usize = 240;
/// Bits of each reflection coefficient.
pub(super) const BITS: [u32; ORDER] = [5, 5, 4, 4, 4, 4, 4, 3, 3, 3];
/// Largest log-area ratio (as `atanh k`) of each reflection coefficient.
const RANGE: [f64; ORDER] = [2.65, 2.65, 1.6, 1.6, 1.2, 1.2, 1.0, 0.8, 0.7, 0.6];
/// Levels of the finest quantiser.
const MAX_LEVELS: usize = 32;
/// A noise floor of −40 dB under the spectrum, which keeps the recursion well conditioned.
const WHITE: f32 = 1.0001;

/// `a[i]` weighs the sample `i + 1` back in `A(z) = 1 + Σ a_i z^{-i-1}`.
pub(super) type Predictor = [f32; ORDER];

/// Window and quantisers, computed once.
struct Tables {
    window: [f32; WINDOW],
    /// Decision thresholds of each coefficient, rising; unused ones are infinite.
    thresholds: [[f32; MAX_LEVELS]; ORDER],
    levels: [[f32; MAX_LEVELS]; ORDER],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables {
        window: std::array::from_fn(|n| {
            let x = (n as f64 + 0.5) / WINDOW as f64;
            (0.54 - 0.46 * math::cos(math::TAU * x)) as f32
        }),
        thresholds: [[f32::INFINITY; MAX_LEVELS]; ORDER],
        levels: [[0.0; MAX_LEVELS]; ORDER],
    };
    for i in 0..ORDER {
        let count = 1 << BITS[i];
        let place = |half_steps: i32| RANGE[i] * f64::from(half_steps) / f64::from(count);
        for j in 0..count {
            tables.levels[i][j as usize] = tanh(place(2 * j + 1 - count)) as f32;
            if j + 1 < count {
                tables.thresholds[i][j as usize] = tanh(place(2 * j + 2 - count)) as f32;
            }
        }
    }
    tables
});

fn tanh(x: f64) -> f64 {
    let e = math::exp(2.0 * x);
    (e - 1.0) / (e + 1.0)
}

/// The quantised reflection coefficients of a stretch of signal, as indices.
pub(super) fn analyse(signal: &[f32; WINDOW]) -> [u8; ORDER] {
    let tables: &Tables = &TABLES;
    let reflection = reflections(&autocorrelation(signal, &tables.window));
    std::array::from_fn(|i| {
        let below = tables.thresholds[i].map(|t| u32::from(reflection[i] > t));
        below.iter().sum::<u32>() as u8
    })
}

/// The predictor that indices stand for; stable, whatever they are.
pub(super) fn predictor(indices: &[u8; ORDER]) -> Predictor {
    let tables: &Tables = &TABLES;
    let mut a = [0.0; ORDER];
    for (i, &index) in indices.iter().enumerate() {
        let k = tables.levels[i][usize::from(index) & ((1 << BITS[i]) - 1)];
        step_up(&mut a, i, k);
    }
    a
}

/// One step of the Levinson recursion, from order `i` to `i + 1`.
fn step_up(a: &mut Predictor, i: usize, k: f32) {
    let before = *a;
    for j in 0..i {
        a[j] = before[j] + k * before[i - 1 - j];
    }
    a[i] = k;
}

/// Lags 0 to 10 of the windowed signal.
fn autocorrelation(signal: &[f32; WINDOW], window: &[f32; WINDOW]) -> [f32; ORDER + 1] {
    const LANES: usize = 4;
    let mut x = [0.0; WINDOW + ORDER + 2];
    for n in 0..WINDOW {
        x[n] = signal[n] * window[n];
    }
    let mut sums = [f32x4::ZERO; ORDER + 1];
    for n in (0..WINDOW).step_by(LANES) {
        let here = four(&x, n);
        for (lag, sum) in sums.iter_mut().enumerate() {
            *sum += here * four(&x, n + lag);
        }
    }
    sums.map(|sum| {
        let [a, b, c, d] = sum.to_array();
        (a + b) + (c + d)
    })
}

/// The four values from `at` on, of which there must be as many.
#[inline]
pub(super) fn four(values: &[f32], at: usize) -> f32x4 {
    f32x4::new(*values[at..].first_chunk().expect("four values"))
}

/// Reflection coefficients by Levinson and Durbin; zero for silence.
fn reflections(r: &[f32; ORDER + 1]) -> [f32; ORDER] {
    let mut reflection = [0.0; ORDER];
    let mut a = [0.0; ORDER];
    let mut error = r[0] * WHITE;
    for i in 0..ORDER {
        if error <= r[0] * 1e-6 {
            break;
        }
        let mut sum = r[i + 1];
        for j in 0..i {
            sum += a[j] * r[i - j];
        }
        let k = -sum / error;
        reflection[i] = k;
        step_up(&mut a, i, k);
        error *= 1.0 - k * k;
    }
    reflection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_poles_of_an_autoregressive_signal() {
        // x(n) = 1.6 x(n−1) − 0.9 x(n−2) + impulse train.
        let mut x = [0.0; WINDOW];
        for n in 0..WINDOW {
            let before = |d: usize| if n >= d { x[n - d] } else { 0.0 };
            let kick = if n % 60 == 0 { 1000.0 } else { 0.0 };
            x[n] = 1.6 * before(1) - 0.9 * before(2) + kick;
        }
        let a = predictor(&analyse(&x));
        // k₂ = 0.9 and k₁ = −1.6/1.9, each to half a step of its quantiser.
        let k2 = 0.9;
        let k1 = -1.6 / 1.9;
        let found = reflections(&autocorrelation(&x, &TABLES.window));
        assert!((found[0] - k1).abs() < 0.05, "{found:?}");
        assert!((found[1] - k2).abs() < 0.05, "{found:?}");
        // Quantised, the prediction still takes away most of the energy.
        let (mut before, mut after) = (0.0, 0.0);
        for n in ORDER..WINDOW {
            let predicted: f32 = (0..ORDER).map(|i| a[i] * x[n - 1 - i]).sum();
            before += x[n] * x[n];
            after += (x[n] + predicted) * (x[n] + predicted);
        }
        assert!(before / after > 3.0, "{}", before / after);
    }

    #[test]
    fn silence_needs_no_prediction_beyond_half_a_step() {
        let a = predictor(&analyse(&[0.0; WINDOW]));
        assert!(a.iter().all(|x| x.abs() < 0.2), "{a:?}");
    }

    #[test]
    fn every_predictor_is_stable() {
        for fill in [0, 7, 15, 31, u8::MAX] {
            let a = predictor(&[fill; ORDER]);
            let mut y = [0.0_f32; 6000];
            y[ORDER] = 1.0;
            for n in ORDER + 1..y.len() {
                y[n] = -(0..ORDER).map(|i| a[i] * y[n - 1 - i]).sum::<f32>();
            }
            assert!(y[5900..].iter().all(|y| y.abs() < 1.0), "{fill}");
        }
    }
}
