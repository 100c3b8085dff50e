//! The loops against a byte-by-byte reference, on inputs that make them change strategy.

use super::*;
use crate::unescape::unescape_into;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// [`scan`], written as the spec says it.
fn scan_reference(body: &[u8]) -> Scan {
    let (mut at, mut escapes) = (0, 0);
    while at < body.len() {
        match body[at] {
            END => return Scan::End { at, escapes },
            ESC => match body.get(at + 1) {
                None => {
                    return Scan::More {
                        escapes,
                        in_escape: true,
                    };
                }
                Some(&(END | ESC)) => {
                    escapes += 1;
                    at += 2;
                }
                Some(_) => {
                    return Scan::Bad { at: at + 1 };
                }
            },
            _ => at += 1,
        }
    }
    Scan::More {
        escapes,
        in_escape: false,
    }
}

fn escape_reference(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in plain {
        if byte == END || byte == ESC {
            out.push(ESC);
        }
        out.push(byte);
    }
    out
}

/// Bytes in stretches of differing density, so that both strategies and the changes between them are met.
fn stretches() -> impl Strategy<Value = Vec<u8>> {
    let byte = |specials: u32| {
        prop_oneof![
            specials => prop_oneof![Just(END), Just(ESC)],
            10 => any::<u8>(),
            1 => Just(b'a'),
        ]
    };
    let stretch = prop_oneof![
        prop::collection::vec(byte(0), 0..200),
        prop::collection::vec(byte(3), 0..200),
        prop::collection::vec(byte(100), 0..300),
        prop::collection::vec(Just(ESC), 0..200),
        prop::collection::vec(Just(END), 0..200),
    ];
    prop::collection::vec(stretch, 0..6).prop_map(|all| all.concat())
}

#[test]
fn nothing_behind_the_wire_form_is_touched() {
    // An ordinary byte last, after special ones, for every length of every strategy.
    for len in 1..300 {
        let mut plain = vec![ESC; len];
        plain[len - 1] = b'a';
        let wire = escape_reference(&plain);
        for room in 0..70 {
            let mut out = vec![0xEE; wire.len() + room];
            assert_eq!(escape_into(&plain, &mut out), Some(wire.len()));
            assert_eq!(out[..wire.len()], wire, "{len} bytes");
            assert!(
                out[wire.len()..].iter().all(|byte| *byte == 0xEE),
                "{len} bytes, {room} more"
            );
        }
    }
}

proptest! {
    #[test]
    fn escaping_equals_the_reference_and_comes_back(plain in stretches()) {
        let expected = escape_reference(&plain);
        prop_assert_eq!(escaped_len(&plain), expected.len());
        let mut out = vec![0xEE; expected.len() + 3];
        prop_assert_eq!(escape_into(&plain, &mut out), Some(expected.len()));
        prop_assert_eq!(&out[..expected.len()], &expected[..]);
        prop_assert_eq!(&out[expected.len()..], &[0xEE; 3][..], "nothing beyond the wire form is touched");

        let escapes = expected.len() - plain.len();
        prop_assert_eq!(scan(&expected), Scan::More { escapes, in_escape: false });
        let mut back = vec![0; plain.len()];
        prop_assert_eq!(unescape_into(&expected, &mut back), Some(plain.len()));
        prop_assert_eq!(&back, &plain);
    }

    #[test]
    fn a_buffer_one_byte_short_is_refused(plain in stretches()) {
        let wire = escape_reference(&plain);
        if !plain.is_empty() {
            prop_assert_eq!(escape_into(&plain, &mut vec![0; wire.len() - 1]), None);
            prop_assert_eq!(unescape_into(&wire, &mut vec![0; plain.len() - 1]), None);
        }
    }

    #[test]
    fn scanning_arbitrary_bytes_equals_the_reference(body in stretches()) {
        prop_assert_eq!(scan(&body), scan_reference(&body));
    }

    #[test]
    fn scanning_a_damaged_wire_form_equals_the_reference(
        plain in stretches(), at in any::<prop::sample::Index>(), byte in prop_oneof![Just(END), Just(ESC), any::<u8>()],
    ) {
        let mut wire = escape_reference(&plain);
        wire.push(END);
        let at = at.index(wire.len());
        wire[at] = byte;
        prop_assert_eq!(scan(&wire), scan_reference(&wire));
    }

    #[test]
    fn masks_have_a_bit_per_equal_byte(block in prop::array::uniform32(prop_oneof![Just(END), Just(ESC), any::<u8>()])) {
        let mut whole = [0x80; BLOCK];
        whole[..32].copy_from_slice(&block);
        for needle in [END, ESC, 0x80, 0x1A, 0x1C, 0x01] {
            let expected = whole.iter().enumerate().fold(0, |m, (i, &b)| m | u64::from(b == needle) << i);
            prop_assert_eq!(mask_of(&whole, needle), expected);
        }
    }
}
