//! The transcendental functions that a run may use.
//!
//! Platform maths libraries differ in the last digit, so everything beyond `+ - * / sqrt` and
//! rounding goes through `libm`, which computes the same bits everywhere
//! (`docs/spec/determinism.md`, section 3). `clippy.toml` refuses the methods of `f64`.

pub use core::f64::consts::{PI, TAU};

/// `e^x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Logarithm to base ten.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// `x^y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Sine and cosine of `x` radians.
pub fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// Sine of `x` radians.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// Cosine of `x` radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// A power ratio in decibels.
pub fn db(power_ratio: f64) -> f64 {
    10.0 * log10(power_ratio)
}

/// The power ratio of `db` decibels.
pub fn from_db(db: f64) -> f64 {
    pow(10.0, db / 10.0)
}

/// `ms` rounded to whole milliseconds, ties to even, never below zero and never beyond 2⁵³
/// (`docs/spec/determinism.md`, section 2).
pub fn round_ms(ms: f64) -> u64 {
    const MAX: f64 = 9_007_199_254_740_992.0;
    ms.clamp(0.0, MAX).round_ties_even() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_round_ties_to_even_and_never_below_zero() {
        let cases = [
            (0.5, 0),
            (1.5, 2),
            (2.5, 2),
            (-3.0, 0),
            (60.49, 60),
            (f64::INFINITY, 1 << 53),
        ];
        for (ms, expected) in cases {
            assert_eq!(round_ms(ms), expected, "{ms}");
        }
        assert_eq!(round_ms(f64::NAN), 0);
    }

    #[test]
    fn decibels_invert() {
        assert!((db(from_db(13.7)) - 13.7).abs() < 1e-12);
    }
}
