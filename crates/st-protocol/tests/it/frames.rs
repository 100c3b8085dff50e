//! Whole frames: there and back, the limits, and what is wrong with broken ones.

use std::collections::HashSet;

use proptest::prelude::*;
use st_protocol::{
    DecodeError, EncodeError, Frame, FrameRef, MAX_FRAME_LEN, MAX_PAYLOAD_LEN, Payload, Verb,
    VerbError, decode_ref,
};

pub(crate) fn verb() -> impl Strategy<Value = Verb> {
    prop::sample::select(Verb::ALL)
}

/// Payloads in which the two special bytes are as common as all others together.
pub(crate) fn payload(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(
        prop_oneof![Just(0x00), Just(0x1B), any::<u8>(), any::<u8>()],
        0..len,
    )
}

pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    (verb(), payload(400)).prop_map(|(verb, bytes)| Frame::new(verb, Payload::from_bytes(&bytes)))
}

/// What a reader must say of `bytes`, written from the spec's words alone.
fn reference(bytes: &[u8]) -> Result<(Verb, Vec<u8>), DecodeError> {
    let have = bytes.len();
    let Some(&first) = bytes.first() else {
        return Err(DecodeError::Incomplete { have: 0 });
    };
    let verb = Verb::try_from(first)?;
    let (mut payload, mut in_escape) = (Vec::new(), false);
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        match (in_escape, byte) {
            (true, 0x00 | 0x1B) => {
                payload.push(byte);
                in_escape = false;
            }
            (true, _) => return Err(DecodeError::InvalidEscape { at, byte }),
            (false, 0x00) if at + 1 == have => return Ok((verb, payload)),
            (false, 0x00) => {
                let next_is_verb = Verb::from_byte(bytes[at + 1]).is_some();
                return Err(if bytes[have - 1] == 0 && !next_is_verb {
                    DecodeError::BareEnd { at }
                } else {
                    DecodeError::TrailingBytes {
                        at: at + 1,
                        extra: have - at - 1,
                    }
                });
            }
            (false, _) if payload.len() == MAX_PAYLOAD_LEN => {
                return Err(DecodeError::PayloadTooLong {
                    at,
                    limit: MAX_PAYLOAD_LEN,
                });
            }
            (false, 0x1B) => in_escape = true,
            (false, _) => payload.push(byte),
        }
    }
    Err(if in_escape {
        DecodeError::TruncatedEscape { have }
    } else {
        DecodeError::Incomplete { have }
    })
}

proptest! {
    #[test]
    fn every_frame_comes_back(frame in frame()) {
        let wire = frame.encode();
        prop_assert_eq!(wire.len(), frame.encoded_len());
        prop_assert_eq!(Frame::decode(&wire).unwrap(), frame.clone());

        let borrowed = decode_ref(&wire).unwrap();
        prop_assert_eq!(borrowed.verb(), frame.verb());
        prop_assert_eq!(borrowed.payload().len(), frame.payload().len());
        prop_assert_eq!(borrowed.payload().iter().collect::<Vec<_>>(), frame.payload().as_bytes());
        prop_assert_eq!(&borrowed.payload().to_cow()[..], frame.payload().as_bytes());
        let mut room = vec![0; frame.payload().len()];
        prop_assert_eq!(borrowed.payload().copy_to(&mut room).unwrap(), frame.payload().as_bytes());
        prop_assert_eq!(borrowed, frame.as_frame_ref());
        let clean = frame.payload().as_bytes().iter().all(|b| !matches!(b, 0 | 0x1B));
        prop_assert_eq!(borrowed.payload().as_bytes().is_some(), clean);

        // A frame that was read is written as it came.
        let mut again = vec![0; wire.len()];
        prop_assert_eq!(borrowed.encode_into(&mut again), Ok(wire.len()));
        prop_assert_eq!(again, wire);
    }

    #[test]
    fn a_payload_comes_back_without_its_frame(bytes in payload(400)) {
        let payload = Payload::from_bytes(&bytes);
        prop_assert_eq!(Payload::decode(&payload.encode()), Ok(payload));
    }

    #[test]
    fn a_buffer_of_any_size_is_filled_or_refused(frame in frame(), room in 0usize..900) {
        let wire = frame.encode();
        let mut out = vec![0; room];
        let result = frame.encode_into(&mut out);
        if room < wire.len() {
            prop_assert_eq!(result, Err(EncodeError::BufferTooSmall { needed: wire.len(), have: room }));
        } else {
            prop_assert_eq!(&out[..result.unwrap()], &wire[..]);
        }
    }

    #[test]
    fn arbitrary_bytes_are_judged_as_the_spec_says(
        bytes in prop::collection::vec(prop_oneof![Just(0x00), Just(0x1B), 0u8..0x24, any::<u8>()], 0..200),
    ) {
        let got = decode_ref(&bytes).map(|f| (f.verb(), f.payload().iter().collect::<Vec<_>>()));
        prop_assert_eq!(got, reference(&bytes));
    }

    #[test]
    fn damaged_frames_are_judged_as_the_spec_says(
        frame in frame(), at in any::<prop::sample::Index>(), byte in prop_oneof![Just(0x00), Just(0x1B), any::<u8>()],
        cut in any::<prop::sample::Index>(),
    ) {
        let mut wire = frame.encode();
        let at = at.index(wire.len());
        wire[at] = byte;
        for bytes in [&wire[..], &wire[..cut.index(wire.len() + 1)]] {
            let got = decode_ref(bytes).map(|f| (f.verb(), f.payload().iter().collect::<Vec<_>>()));
            prop_assert_eq!(got, reference(bytes));
        }
    }

    #[test]
    fn a_proper_prefix_needs_more_and_nothing_else_does(frame in frame(), cut in any::<prop::sample::Index>()) {
        let wire = frame.encode();
        let error = decode_ref(&wire[..cut.index(wire.len())]).unwrap_err();
        prop_assert!(error.needs_more(), "{}", error);
    }
}

#[test]
fn short_payloads_all_have_their_own_wire_form() {
    let alphabet = [0x00, 0x1B, 0x01, b'a'];
    let mut seen = HashSet::new();
    let mut count = 0;
    for verb in [Verb::Scan, Verb::User] {
        for len in 0..=6u32 {
            for n in 0..4usize.pow(len) {
                let bytes: Vec<u8> = (0..len).map(|i| alphabet[n >> (2 * i) & 3]).collect();
                seen.insert(Frame::new(verb, Payload::from_bytes(&bytes)).encode());
                count += 1;
            }
        }
    }
    assert_eq!(seen.len(), count, "encode is injective");
}

#[test]
fn the_longest_frames_are_read_and_one_byte_more_is_not() {
    for byte in [0x00, 0x1B, b'x'] {
        let longest = Frame::new(
            Verb::Audio,
            Payload::from_bytes(&vec![byte; MAX_PAYLOAD_LEN]),
        );
        let wire = longest.encode();
        assert!(wire.len() <= MAX_FRAME_LEN);
        assert_eq!(Frame::decode(&wire), Ok(longest));

        let mut over = wire.clone();
        over.insert(wire.len() - 1, b'x');
        let at = wire.len() - 1;
        let too_long = DecodeError::PayloadTooLong {
            at,
            limit: MAX_PAYLOAD_LEN,
        };
        assert_eq!(Frame::decode(&over), Err(too_long));
        over.pop();
        assert_eq!(
            Frame::decode(&over),
            Err(too_long),
            "waiting for END would not help"
        );
        over.extend([b'x'; 100_000]);
        assert_eq!(Frame::decode(&over), Err(too_long));
    }
    assert_eq!(
        Frame::new(Verb::Scan, Payload::from_bytes(&[0; MAX_PAYLOAD_LEN])).encoded_len(),
        MAX_FRAME_LEN
    );
    assert_eq!(
        Payload::try_from_bytes(&[0; 65_536]),
        Err(EncodeError::PayloadTooLong { len: 65_536 })
    );
    assert!(FrameRef::new(Verb::Scan, &[0; 65_536]).is_err());
}

#[test]
fn each_kind_of_wrong_has_its_own_error() {
    use DecodeError as E;
    let cases: [(&[u8], DecodeError); 13] = [
        (b"", E::Incomplete { have: 0 }),
        (b"\x05", E::Incomplete { have: 1 }),
        (b"\x01ab\x1b\x00", E::Incomplete { have: 5 }),
        (b"\x01ab\x1b", E::TruncatedEscape { have: 4 }),
        (b"\x00", E::Verb(VerbError::Missing)),
        (b"\x1b\x00", E::Verb(VerbError::Escape)),
        (b"\x20\x00", E::Verb(VerbError::Unknown { byte: 0x20 })),
        (b"\xff", E::Verb(VerbError::Unknown { byte: 0xFF })),
        (b"\x01a\x1bb\x00", E::InvalidEscape { at: 3, byte: b'b' }),
        (b"\x01a\x00b\x00", E::BareEnd { at: 2 }),
        (b"\x05\x00\x05\x00", E::TrailingBytes { at: 2, extra: 2 }),
        (b"\x05\x00abc", E::TrailingBytes { at: 2, extra: 3 }),
        (b"\x05\x00\x00", E::BareEnd { at: 1 }),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode_ref(bytes), Err(error), "{bytes:02x?}");
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(Payload::decode(b"a\x00b"), Err(E::BareEnd { at: 1 }));
    assert_eq!(
        Payload::decode(b"a\x1b"),
        Err(E::TruncatedEscape { have: 2 })
    );
    assert_eq!(
        Payload::decode(b"a\x1bb"),
        Err(E::InvalidEscape { at: 2, byte: b'b' })
    );
}

#[test]
fn constructors_panic_where_their_twins_return_an_error() {
    let long = "x".repeat(65_533);
    assert_eq!(
        Frame::try_scan(&long, 1),
        Err(EncodeError::PayloadTooLong { len: 65_537 })
    );
    assert_eq!(
        Frame::try_scan(&"x".repeat(65_536), 1),
        Err(EncodeError::FieldTooLong { len: 65_536 })
    );
    assert!(
        Frame::try_scan(&long[1..], 1)
            .is_err_and(|e| matches!(e, EncodeError::PayloadTooLong { .. }))
    );
    assert!(Frame::try_scan(&long[2..], 1).is_ok());
    assert!(std::panic::catch_unwind(|| Frame::scan(&long, 1)).is_err());
    assert!(Frame::try_error(&"x".repeat(65_535)).is_ok());
}

#[test]
fn a_prefix_is_read_and_what_follows_left_alone() {
    let (frame, len) = FrameRef::decode_prefix(b"\x05\x00\x1b garbage").unwrap();
    assert_eq!((frame.verb(), len), (Verb::Ping, 2));
}
