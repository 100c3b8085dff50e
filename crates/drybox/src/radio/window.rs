//! The Kaiser window, by which all FIR filters here are cut (`docs/spec/radio.md`, section 14).

/// The window's value at `x` in −1..=1 (0 at the middle); 0 outside.
pub(crate) fn kaiser(x: f64, beta: f64) -> f64 {
    let inside = 1.0 - x * x;
    if inside < 0.0 {
        return 0.0;
    }
    bessel_i0(beta * inside.sqrt()) / bessel_i0(beta)
}

/// The modified Bessel function of order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_matches_tabulated_values() {
        // Abramowitz and Stegun, table 9.8.
        for (x, i0) in [(0.0, 1.0), (1.0, 1.266_065_878), (5.0, 27.239_871_82)] {
            assert!((bessel_i0(x) / i0 - 1.0).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn window_is_one_in_the_middle_and_small_at_the_edge() {
        assert_eq!(kaiser(0.0, 8.0), 1.0);
        assert!(kaiser(1.0, 8.0) < 0.003);
        assert_eq!(kaiser(1.01, 8.0), 0.0);
        assert_eq!(kaiser(0.3, 8.0), kaiser(-0.3, 8.0));
    }
}
