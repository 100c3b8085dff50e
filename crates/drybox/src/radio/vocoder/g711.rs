//! ITU-T G.711 by table, bit-exact (`docs/spec/radio.md`, section 8.1).

use std::sync::LazyLock;

use super::{Codec, MAX_FRAME_BYTES};
use crate::radio::{BLOCK_SAMPLES, Block};

/// A companding law as two tables. It ignores the low `SHIFT` bits of a sample, so it has
/// `CODES` = 2¹⁶ / 2^`SHIFT` of them; told at compile time, no look-up needs a check.
struct Law<const SHIFT: u32, const CODES: usize> {
    /// Code of each sample, shifted and taken without sign.
    codes: [u8; CODES],
    samples: [i16; 256],
}

/// 13 bits of a sample count.
type Alaw = Law<4, 4096>;
/// 14 bits of a sample count.
type Ulaw = Law<2, 16_384>;

static ALAW: LazyLock<Alaw> = LazyLock::new(|| Law::new(alaw_encode, alaw_decode));
static ULAW: LazyLock<Ulaw> = LazyLock::new(|| Law::new(ulaw_encode, ulaw_decode));

impl<const SHIFT: u32, const CODES: usize> Law<SHIFT, CODES> {
    fn new(encode: fn(i16) -> u8, decode: fn(u8) -> i16) -> Self {
        const { assert!(CODES << SHIFT == 1 << 16) };
        Self {
            codes: std::array::from_fn(|i| encode((i << SHIFT) as u16 as i16)),
            samples: std::array::from_fn(|code| decode(code as u8)),
        }
    }
}

/// 160 code words a frame, no state.
struct G711<const SHIFT: u32, const CODES: usize> {
    law: &'static Law<SHIFT, CODES>,
}

/// A-law.
pub(super) fn alaw() -> Box<dyn Codec> {
    Box::new(G711::<4, 4096> { law: &ALAW })
}

/// µ-law.
pub(super) fn ulaw() -> Box<dyn Codec> {
    Box::new(G711::<2, 16_384> { law: &ULAW })
}

impl<const SHIFT: u32, const CODES: usize> Codec for G711<SHIFT, CODES> {
    fn encode(&mut self, block: &Block, frame: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        for (code, &sample) in frame.iter_mut().zip(block) {
            *code = self.law.codes[usize::from(sample as u16 >> SHIFT)];
        }
        BLOCK_SAMPLES
    }

    fn decode(&mut self, frame: &[u8], out: &mut Block) {
        for (sample, &code) in out.iter_mut().zip(frame) {
            *sample = self.law.samples[usize::from(code)];
        }
    }
}

/// Every second bit of an A-law code word is inverted on the line.
const ALAW_TOGGLE: u8 = 0x55;

/// 13-bit A-law: sign, three bits of segment, four bits of interval.
fn alaw_encode(sample: i16) -> u8 {
    // Negative values count down from -1, so that both halves have the same shape.
    let (sign, magnitude) = if sample < 0 {
        (0, !sample)
    } else {
        (0x80, sample)
    };
    let magnitude = magnitude as u16 >> 4;
    // Segments 0 and 1 share a step; each further one doubles it.
    let segment = (12_u32.saturating_sub(magnitude.leading_zeros())) as u16;
    let interval = (magnitude >> segment.saturating_sub(1)) & 0xf;
    (sign | (segment << 4) as u8 | interval as u8) ^ ALAW_TOGGLE
}

/// The middle of the code word's interval.
fn alaw_decode(code: u8) -> i16 {
    let code = code ^ ALAW_TOGGLE;
    let (segment, interval) = (i16::from(code >> 4 & 7), i16::from(code & 0xf));
    let magnitude = match segment {
        0 => (interval << 4) + 8,
        _ => ((interval << 4) + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// Moves the segment borders of µ-law to powers of two, in 14-bit units.
const ULAW_BIAS: u16 = 33;

/// 14-bit µ-law: sign, three bits of segment, four bits of interval, all inverted.
fn ulaw_encode(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 {
        (0, !sample)
    } else {
        (0x80, sample)
    };
    let magnitude = ((magnitude as u16 >> 2) + ULAW_BIAS).min(0x1fff);
    // The bias puts the leading one at bit 5 or above.
    let segment = 10 - magnitude.leading_zeros() as u16;
    let interval = (magnitude >> (segment + 1)) & 0xf;
    sign | (!(segment << 4 | interval) & 0x7f) as u8
}

fn ulaw_decode(code: u8) -> i16 {
    let inverted = !code;
    let (segment, interval) = (i16::from(inverted >> 4 & 7), i16::from(inverted & 0xf));
    let magnitude = (((interval << 1) + 33) << segment) - 33;
    if code & 0x80 == 0 {
        -magnitude << 2
    } else {
        magnitude << 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_word_survives_decoding_and_encoding() {
        for code in 0..=u8::MAX {
            assert_eq!(alaw_encode(alaw_decode(code)), code);
            let again = ulaw_encode(ulaw_decode(code));
            // 0x7f is the negative zero of µ-law: both zeros decode to 0, which encodes as +0.
            assert_eq!(again, if code == 0x7f { 0xff } else { code });
        }
    }

    #[test]
    fn known_values_of_the_recommendation() {
        // (sample, A-law code, its value)
        let alaw = [
            (0, 0xd5, 8),
            (-1, 0x55, -8),
            (15, 0xd5, 8),
            (16, 0xd4, 24),
            (496, 0xca, 504),
            (512, 0xf5, 528),
            (1000, 0xfa, 1008),
            (-1000, 0x7a, -1008),
            (32_767, 0xaa, 32_256),
            (-32_768, 0x2a, -32_256),
        ];
        for (sample, code, value) in alaw {
            assert_eq!(alaw_encode(sample), code, "{sample}");
            assert_eq!(alaw_decode(code), value, "{code:#x}");
        }
        let ulaw = [
            (0, 0xff, 0),
            (-4, 0x7f, 0),
            (8, 0xfe, 8),
            (1000, 0xce, 988),
            (-1000, 0x4e, -988),
            (32_767, 0x80, 32_124),
            (-32_768, 0x00, -32_124),
        ];
        for (sample, code, value) in ulaw {
            assert_eq!(ulaw_encode(sample), code, "{sample}");
            assert_eq!(ulaw_decode(code), value, "{code:#x}");
        }
    }

    /// Encoding must pick a value whose interval holds the sample: half a step of its segment.
    #[test]
    fn error_stays_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let a = alaw_decode(alaw_encode(sample));
            let segment = (alaw_encode(sample) ^ ALAW_TOGGLE) >> 4 & 7;
            let half = 8 << segment.saturating_sub(1);
            let error = (i32::from(a) - i32::from(sample)).abs();
            assert!(error <= half, "A-law {sample}: {a}");

            let u = ulaw_decode(ulaw_encode(sample));
            let half = 4 << (!ulaw_encode(sample) >> 4 & 7);
            let error = (i32::from(u) - i32::from(sample)).abs();
            // Beyond the last interval the law saturates.
            assert!(error <= half || u.abs() == 32_124, "µ-law {sample}: {u}");
        }
    }

    #[test]
    fn tables_agree_with_the_closed_form() {
        for (mut codec, encode, decode) in [
            (
                alaw(),
                alaw_encode as fn(i16) -> u8,
                alaw_decode as fn(u8) -> i16,
            ),
            (ulaw(), ulaw_encode, ulaw_decode),
        ] {
            let (mut frame, mut out) = ([0; MAX_FRAME_BYTES], [0; BLOCK_SAMPLES]);
            for start in (i32::from(i16::MIN)..=i32::from(i16::MAX)).step_by(BLOCK_SAMPLES) {
                let block: Block = std::array::from_fn(|n| (start + n as i32) as i16);
                assert_eq!(codec.encode(&block, &mut frame), BLOCK_SAMPLES);
                codec.decode(&frame[..BLOCK_SAMPLES], &mut out);
                for n in 0..BLOCK_SAMPLES {
                    assert_eq!(frame[n], encode(block[n]));
                    assert_eq!(out[n], decode(frame[n]));
                }
            }
        }
    }
}
