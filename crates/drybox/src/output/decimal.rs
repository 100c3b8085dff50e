//! Fixed-point decimals, correctly rounded (`docs/spec/outputs.md`, section 1.4).
//!
//! A binary64 is m·2ᵉ, so m·10ᵈ is an exact integer below 2⁷³ and rounding is one shift: no
//! floating-point arithmetic is involved, and none of `core::fmt`'s cost.

use std::io::Write as _;

/// Two decimal digits for each value below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};
/// Digits of 2⁶⁴.
const MAX_DIGITS: usize = 20;

/// Writes `x` with `D` decimals (0, 3 or 6) at the head of `out`, half to even, never −0; its length,
/// or `None` when there is no room.
///
/// `x` is finite: what is not has no digits, and the caller leaves its column empty.
pub(super) fn put_fixed<const D: usize>(out: &mut [u8], x: f64) -> Option<usize> {
    debug_assert!(x.is_finite());
    const { assert!(matches!(D, 0 | 3 | 6)) };
    let power = const { 10_u64.pow(D as u32) };
    let Some(scaled) = scale::<D>(x) else {
        return put_huge::<D>(out, x);
    };
    let sign = usize::from(x.is_sign_negative() && scaled != 0);
    // Overwritten by the first digit where there is no sign.
    *out.first_mut()? = b'-';
    let whole = if D == 0 { scaled } else { scaled / power };
    let at = sign + put_u64(out.get_mut(sign..)?, whole)?;
    let rest = (scaled % power) as usize;
    match D {
        3 => {
            let [tens, ones] = PAIRS[rest % 100];
            let digits = [b'.', b'0' + (rest / 100) as u8, tens, ones];
            *out.get_mut(at..)?.first_chunk_mut()? = digits;
        }
        6 => {
            let ([a, b], [c, d]) = (PAIRS[rest / 10_000], PAIRS[rest / 100 % 100]);
            let [e, f] = PAIRS[rest % 100];
            *out.get_mut(at..)?.first_chunk_mut()? = [b'.', a, b, c, d, e, f];
        }
        _ => return Some(at),
    }
    Some(at + 1 + D)
}

/// Beyond 2⁶⁴ units: rare enough for the general formatter, which rounds the same way.
#[cold]
fn put_huge<const D: usize>(mut out: &mut [u8], x: f64) -> Option<usize> {
    let room = out.len();
    write!(out, "{x:.D$}").ok()?;
    Some(room - out.len())
}

/// Writes a decimal integer at the head of `out`; its length, or `None` when there is no room.
pub(super) fn put_u64(out: &mut [u8], mut n: u64) -> Option<usize> {
    if n < 10 {
        *out.first_mut()? = b'0' + n as u8;
        return Some(1);
    }
    let len = n.ilog10() as usize + 1;
    let out = out.get_mut(..len)?;
    let mut pairs = out.rchunks_exact_mut(2);
    for pair in pairs.by_ref() {
        pair.copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
    if let [first] = pairs.into_remainder() {
        *first = b'0' + n as u8;
    }
    Some(len)
}

/// Appends a decimal integer.
pub(super) fn push_u64(out: &mut Vec<u8>, n: u64) {
    let mut digits = [0; MAX_DIGITS];
    let len = put_u64(&mut digits, n).expect("20 digits hold any u64");
    out.extend_from_slice(&digits[..len]);
}

/// |x|·10ᴰ to the nearest integer, ties to even; `None` when that takes more than 64 bits.
fn scale<const D: usize>(x: f64) -> Option<u64> {
    let power = const { 10_u64.pow(D as u32) };
    let bits = x.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = match biased {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, biased - 1075),
    };
    if exponent >= 0 {
        let shift = exponent as u32;
        let product = u128::from(mantissa) * u128::from(power);
        return (shift < product.leading_zeros())
            .then(|| product << shift)
            .and_then(|q| u64::try_from(q).ok());
    }
    let shift = exponent.unsigned_abs();
    if D <= 3 {
        // The product is below 2⁶³, which is half of 2⁶⁴.
        if shift > 63 {
            return Some(0);
        }
        let product = mantissa * power;
        let rest = product & ((1 << shift) - 1);
        let half = 1 << (shift - 1);
        let quotient = product >> shift;
        let up = rest > half || (rest == half && quotient & 1 == 1);
        return Some(quotient + u64::from(up));
    }
    if shift > 74 {
        // The product is below 2⁷³, less than half of 2⁷⁵.
        return Some(0);
    }
    let product = u128::from(mantissa) * u128::from(power);
    let rest = product & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let quotient = product >> shift;
    let up = rest > half || (rest == half && quotient & 1 == 1);
    u64::try_from(quotient + u128::from(up)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fixed<const D: usize>(x: f64) -> String {
        let mut out = [0; 400];
        let len = put_fixed::<D>(&mut out, x).unwrap();
        let text = str::from_utf8(&out[..len]).unwrap().to_owned();
        // One byte less is refused, not overrun.
        assert_eq!(put_fixed::<D>(&mut out[..len - 1], x), None);
        text
    }

    /// What the standard formatter gives, without its −0.
    fn standard(x: f64, decimals: usize) -> String {
        let text = format!("{x:.decimals$}");
        match text.strip_prefix('-') {
            Some(digits) if digits.bytes().all(|b| b == b'0' || b == b'.') => digits.to_owned(),
            _ => text,
        }
    }

    fn check(x: f64) {
        assert_eq!(fixed::<0>(x), standard(x, 0), "{x:e}");
        assert_eq!(fixed::<3>(x), standard(x, 3), "{x:e}");
        assert_eq!(fixed::<6>(x), standard(x, 6), "{x:e}");
    }

    #[test]
    fn ties_go_to_even_and_zero_has_no_sign() {
        assert_eq!(fixed::<0>(0.5), "0");
        assert_eq!(fixed::<0>(1.5), "2");
        assert_eq!(fixed::<0>(2.5), "2");
        assert_eq!(fixed::<3>(0.0625), "0.062");
        assert_eq!(fixed::<3>(0.1875), "0.188");
        assert_eq!(fixed::<3>(-0.0), "0.000");
        assert_eq!(fixed::<3>(-0.0004), "0.000");
        assert_eq!(fixed::<3>(-0.0006), "-0.001");
        assert_eq!(fixed::<6>(1.0), "1.000000");
    }

    #[test]
    fn edges_of_the_number_line_agree_with_the_standard_formatter() {
        for x in [
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            f64::MAX,
            f64::MIN,
            f64::EPSILON,
            9_007_199_254_740_993.0,
            18_446_744_073_709_551_615.0,
            18_446_744_073_709_549_568.0,
            18_446_744_073_709_551.0,
            18_446_744_073_710.0,
            0.0005,
            0.0015,
            0.999_999_5,
            999.9995,
        ] {
            check(x);
            check(-x);
        }
        // Every power of two, and its neighbours.
        for biased in 1..0x7fe_u64 {
            let x = f64::from_bits(biased << 52);
            for x in [x, x.next_down(), x.next_up()] {
                check(x);
            }
        }
    }

    proptest! {
        #[test]
        fn any_number_agrees_with_the_standard_formatter(bits: u64) {
            let x = f64::from_bits(bits);
            prop_assume!(x.is_finite());
            check(x);
        }

        #[test]
        fn everyday_numbers_agree_with_the_standard_formatter(
            thousandths in -10_000_000_000_i64..10_000_000_000,
            halves in 0..4_u8,
        ) {
            check(thousandths as f64 / 1000.0);
            // Exact ties, and values next to what is a tie in decimal only.
            check(thousandths as f64 / 16.0 + f64::from(halves) / 128.0);
            check((thousandths as f64 + 0.5) / 1000.0);
        }

        #[test]
        fn integers_agree_with_the_standard_formatter(n: u64, shift in 0..64_u32) {
            let mut out = Vec::new();
            push_u64(&mut out, n >> shift);
            prop_assert_eq!(String::from_utf8(out).unwrap(), (n >> shift).to_string());
        }
    }
}
