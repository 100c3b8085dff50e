//! Samples, power and the one conversion back to 16 bits (`docs/spec/radio.md`, section 2).

use super::{BLOCK_SAMPLES, Block};

/// One block inside the channel: sample values on the 16-bit scale, not yet rounded.
pub type Signal = [f64; BLOCK_SAMPLES];

/// The mean square of 0 dBFS: a square wave at full scale.
pub(crate) const FULL_SCALE_POWER: f64 = 32_768.0 * 32_768.0;

/// A block above this mean square (−60 dBFS) counts as active.
pub(crate) const ACTIVE_POWER: f64 = FULL_SCALE_POWER * 1e-6;

/// Adding and subtracting this rounds to a whole number, ties to even, and leaves it in the low
/// mantissa bits; unlike `round_ties_even` it needs no library call on older processors.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Independent partial sums, so that a sum is vectorised without depending on the compiler's
/// freedom to reorder (it has none).
const LANES: usize = 8;

/// Rounds to 16 bits, ties to even, saturating.
pub fn to_block(signal: &Signal, block: &mut Block) {
    for (sample, &value) in block.iter_mut().zip(signal) {
        *sample = to_sample(value);
    }
}

/// One sample, as [`to_block`].
pub(crate) fn to_sample(value: f64) -> i16 {
    let rounded = value.clamp(-32_768.0, 32_767.0) + ROUND;
    rounded.to_bits() as i16
}

/// The sum of squares of a block: exact, since 160 of them fit in 38 bits.
pub(crate) fn block_energy(block: &Block) -> f64 {
    let mut sum = 0_u64;
    // Four squares of 2³⁰ at most fit in 32 bits, which keeps the inner sum narrow.
    for chunk in block.chunks_exact(2) {
        let pair: u32 = chunk
            .iter()
            .map(|&s| (i32::from(s) * i32::from(s)) as u32)
            .sum();
        sum += u64::from(pair);
    }
    sum as f64
}

/// The mean square of a block.
pub(crate) fn block_power(block: &Block) -> f64 {
    block_energy(block) / BLOCK_SAMPLES as f64
}

/// The sum of squares.
pub(crate) fn energy(signal: &Signal) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in signal.chunks_exact(LANES) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_ties_to_even_and_saturates() {
        let cases = [
            (0.5, 0),
            (1.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (-2.500_1, -3),
            (32_766.5, 32_766),
            (1e9, i16::MAX),
            (-1e9, i16::MIN),
        ];
        for (value, expected) in cases {
            assert_eq!(to_sample(value), expected, "{value}");
        }
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(to_sample(f64::from(sample)), sample);
        }
    }

    #[test]
    fn power_of_full_scale_is_zero_dbfs() {
        let block = [i16::MIN; BLOCK_SAMPLES];
        assert_eq!(block_power(&block), FULL_SCALE_POWER);
        assert_eq!(
            energy(&block.map(f64::from)),
            FULL_SCALE_POWER * BLOCK_SAMPLES as f64
        );
        let mut ramp = [0; BLOCK_SAMPLES];
        for (i, sample) in ramp.iter_mut().enumerate() {
            *sample = 200 * i as i16 - 16_000;
        }
        let exact: f64 = ramp.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
        assert_eq!(block_power(&ramp) * BLOCK_SAMPLES as f64, exact);
    }
}
