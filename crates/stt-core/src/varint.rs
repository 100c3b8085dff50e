//! Variable-length integers: canonical unsigned LEB128 (`docs/spec/stt-wire.md` §2).

use crate::wire::Writer;

/// The largest value of an inner frame's field: 2^62 − 1, as in RFC 9000 §16.
pub const MAX: u64 = (1 << 62) - 1;
/// Bytes of the longest integer up to [`MAX`].
pub const MAX_LEN: usize = 9;
/// Bytes of the longest integer of 64 bits.
pub const MAX_LEN_U64: usize = 10;

/// Why bytes are no integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VarIntError {
    /// The bytes end before the integer does.
    #[error("truncated integer")]
    Truncated,
    /// The last byte is zero: there is a shorter form, which is the only valid one.
    #[error("integer not in its shortest form")]
    NotMinimal,
    /// Over 2^62 − 1 ([`read`]) or 2^64 − 1 ([`read_u64`]).
    #[error("integer too large")]
    TooLarge,
}

/// Bytes that [`write()`] takes for `value`: one for each 7 bits, at least one.
#[inline]
pub const fn encoded_len(value: u64) -> usize {
    // ceil(bits / 7) for bits in 1..=64, without a division: exact over that range.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    (bits * 9 + 64) / 64
}

/// Takes an integer of an inner frame, at most [`MAX`], off the front of `input`.
///
/// # Errors
/// [`VarIntError`]; `input` is then as it was.
#[inline]
pub fn read(input: &mut &[u8]) -> Result<u64, VarIntError> {
    // Most fields take one or two bytes.
    match **input {
        [first @ 0..=0x7f, ref rest @ ..] => {
            *input = rest;
            Ok(u64::from(first))
        }
        [first, second @ 1..=0x7f, ref rest @ ..] => {
            *input = rest;
            Ok(u64::from(first & 0x7f) | u64::from(second) << 7)
        }
        _ => {
            let before = *input;
            let value = read_u64(input)?;
            if value > MAX {
                *input = before;
                return Err(VarIntError::TooLarge);
            }
            Ok(value)
        }
    }
}

/// Takes an integer of up to 64 bits off the front of `input`.
///
/// # Errors
/// [`VarIntError`]; `input` is then as it was.
pub fn read_u64(input: &mut &[u8]) -> Result<u64, VarIntError> {
    let mut value = 0;
    for index in 0..MAX_LEN_U64 {
        let &byte = input.get(index).ok_or(VarIntError::Truncated)?;
        // Nine bytes hold 63 bits: the tenth has one bit left.
        if index == MAX_LEN_U64 - 1 && byte > 1 {
            return Err(VarIntError::TooLarge);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            if byte == 0 && index > 0 {
                return Err(VarIntError::NotMinimal);
            }
            *input = &input[index + 1..];
            return Ok(value);
        }
    }
    Err(VarIntError::TooLarge)
}

/// Writes `value` in its shortest form, [`encoded_len`] bytes.
///
/// # Panics
/// If the writer has no room for it.
#[inline]
pub fn write(value: u64, writer: &mut Writer<'_>) {
    let mut rest = value;
    while rest >= 0x80 {
        writer.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    writer.put_u8(rest as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: u64) -> Vec<u8> {
        let mut buffer = [0; MAX_LEN_U64];
        let mut writer = Writer::new(&mut buffer);
        write(value, &mut writer);
        writer.written().to_vec()
    }

    #[test]
    fn annotated() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (300, &[0xac, 0x02]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 0x01]),
            (MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]),
            (
                u64::MAX,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            ),
        ] {
            assert_eq!(written(value), bytes, "{value}");
            let mut input = bytes;
            assert_eq!(read_u64(&mut input), Ok(value));
            assert!(input.is_empty());
        }
    }

    #[test]
    fn each_error() {
        for (bytes, expected) in [
            (&[][..], VarIntError::Truncated),
            (&[0x80], VarIntError::Truncated),
            (&[0xff; 9], VarIntError::Truncated),
            (&[0x80, 0x00], VarIntError::NotMinimal),
            (&[0xff, 0x80, 0x00], VarIntError::NotMinimal),
            (
                // 2^62
                &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40],
                VarIntError::TooLarge,
            ),
            (&[0xff; 10], VarIntError::TooLarge),
        ] {
            let mut input = bytes;
            assert_eq!(read(&mut input), Err(expected), "{bytes:02x?}");
            assert_eq!(input, bytes, "the input is as it was");
        }
    }

    #[test]
    fn lengths_at_every_power_of_two() {
        for bit in 0..64 {
            for value in [1 << bit, (1 << bit) - 1, u64::MAX >> (63 - bit)] {
                assert_eq!(encoded_len(value), written(value).len(), "{value}");
            }
        }
    }

    proptest! {
        #[test]
        fn round_trip(value: u64, rest: Vec<u8>) {
            let mut bytes = written(value);
            prop_assert_eq!(bytes.len(), encoded_len(value));
            bytes.extend(&rest);
            let mut input = &bytes[..];
            prop_assert_eq!(read_u64(&mut input), Ok(value));
            prop_assert_eq!(input, &rest[..]);
        }

        #[test]
        fn what_is_read_is_the_only_form(bytes: Vec<u8>) {
            let mut input = &bytes[..];
            if let Ok(value) = read_u64(&mut input) {
                prop_assert_eq!(written(value), &bytes[..bytes.len() - input.len()]);
                let mut narrow = &bytes[..];
                prop_assert_eq!(read(&mut narrow).ok(), (value <= MAX).then_some(value));
            }
        }
    }
}
