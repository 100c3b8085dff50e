//! The same frames through the published crate: equal bytes, equal readings; and each input that it takes and we refuse
//! (section 9 of docs/spec/st-protocol.md).

use proptest::prelude::*;
use st_protocol::{
    AddressError, DecodeError, FieldError, FieldReader, Frame, FrameBuilder, Payload, Verb,
    decode_ref,
};

/// Longest wire form that the published reader takes.
const THEIR_LIMIT: usize = 65_539;

fn theirs(frame: &Frame) -> published::Frame {
    let verb = published::Verb::from_byte(frame.verb().as_byte()).expect("the maps are the same");
    published::Frame::new(
        verb,
        published::Payload::from_bytes(frame.payload().as_bytes()),
    )
}

fn frame() -> impl Strategy<Value = Frame> {
    let bytes = prop::collection::vec(
        prop_oneof![Just(0x00), Just(0x1B), any::<u8>(), any::<u8>()],
        0..600,
    );
    (prop::sample::select(Verb::ALL), bytes)
        .prop_map(|(verb, bytes)| Frame::new(verb, Payload::from_bytes(&bytes)))
}

proptest! {
    #[test]
    fn both_write_the_same_bytes_and_read_them(frame in frame()) {
        let wire = frame.encode();
        prop_assert_eq!(&theirs(&frame).encode(), &wire);
        let read = published::Frame::decode(&wire).expect("a valid frame");
        prop_assert_eq!(read.verb().as_byte(), frame.verb().as_byte());
        prop_assert_eq!(read.payload().as_bytes(), frame.payload().as_bytes());
        prop_assert_eq!(published::Frame::find_end(&wire), Some(wire.len()));
    }

    #[test]
    fn the_constructors_agree(a in ".{0,300}", b in ".{0,140}", c in ".{0,20}", n in any::<u8>(), x in -2.0f32..2.0, raw in prop::collection::vec(any::<u8>(), 0..40)) {
        use published::Frame as P;
        let pairs = [
            (Frame::scan(&a, n), P::scan(&a, n)),
            (Frame::search(&a), P::search(&a)),
            (Frame::search_path(&a, &b, n), P::search_path(&a, &b, n)),
            (Frame::format(&a), P::format(&a)),
            (Frame::format_path(&c, &b, n), P::format_path(&c, &b, n)),
            (Frame::remember(&a, &b, &c), P::remember(&a, &b, &c)),
            (Frame::recall(&a, n), P::recall(&a, n)),
            (Frame::forget(&c), P::forget(&c)),
            (Frame::error(&a), P::error(&a)),
            (Frame::audio(&raw), P::audio(&raw)),
            (Frame::audio_simple(&a, x, -x), P::audio_simple(&a, x, -x)),
            (Frame::ping(), P::ping()),
            (Frame::stats(), P::stats()),
            (Frame::ok(), P::ok()),
            (Frame::m8_wave(), P::m8_wave()),
        ];
        for (ours, theirs) in pairs {
            prop_assert_eq!(ours.encode(), theirs.encode(), "{:?}", ours.verb());
        }
        let ours = FrameBuilder::new(Verb::User).string(&c).bytes(&raw).byte(n).u16_le(700).u32_le(70_000).build();
        let theirs = published::FrameBuilder::new(published::Verb::User)
            .string(&c).bytes(&raw).byte(n).u16_le(700).u32_le(70_000).build();
        prop_assert_eq!(ours.encode(), theirs.encode());
    }

    /// What we read, they read; what they refuse and we read is over their limit on the wire.
    #[test]
    fn nothing_but_what_is_listed_is_judged_differently(
        bytes in prop::collection::vec(prop_oneof![Just(0x00), Just(0x1B), 0u8..0x24, any::<u8>()], 0..40),
    ) {
        let ours = decode_ref(&bytes);
        let theirs = published::Frame::decode(&bytes);
        match (&ours, &theirs) {
            (Ok(frame), Ok(published)) => prop_assert_eq!(&frame.payload().to_cow()[..], published.payload().as_bytes()),
            (Err(_), Err(_)) => {}
            (Err(error), Ok(_)) => prop_assert!(
                matches!(error, DecodeError::TrailingBytes { .. } | DecodeError::BareEnd { .. }), "{}", error),
            (Ok(_), Err(error)) => prop_assert!(false, "they refuse a valid frame: {:?}", error),
        }
    }

    /// Of a field, too, nothing but what section 9 lists: a prefix under 80, a short length in the long form.
    #[test]
    fn nothing_but_what_is_listed_is_judged_differently_in_fields(
        prefix in prop_oneof![0u8..0xFF, 0x7Eu8..0x86, Just(0xFF)],
        rest in prop::collection::vec(prop_oneof![0u8..4, 0x20u8..0x7F, any::<u8>()], 0..12),
        long in 0usize..400,
    ) {
        let bytes = [&[prefix][..], &rest, &vec![b'x'; long]].concat();
        let payload = published::Payload::from_bytes(&bytes);
        let text = (published::PayloadDecoder::new(&payload).string(), FieldReader::new(&bytes).lstr());
        let raw = (published::PayloadDecoder::new(&payload).bytes(), FieldReader::new(&bytes).lbytes());
        match text {
            (theirs, Ok(ours)) => prop_assert_eq!(theirs, Some(ours)),
            (Some(_), Err(error)) => prop_assert!(
                matches!(error, FieldError::BadPrefix { .. } | FieldError::NotMinimal { .. }), "{}", error),
            (None, Err(_)) => {}
        }
        match raw {
            (theirs, Ok(ours)) => prop_assert_eq!(theirs, Some(ours)),
            (Some(_), Err(error)) => prop_assert!(matches!(error, FieldError::NotMinimal { .. }), "{}", error),
            (None, Err(_)) => {}
        }
    }

    /// And of an address: an empty one, control characters.
    #[test]
    fn nothing_but_what_is_listed_is_judged_differently_in_addresses(
        prefix in prop_oneof![any::<u8>(), 0x7Fu8..0x8A],
        rest in prop::collection::vec(prop_oneof![4 => 0x20u8..0x7F, 1 => 0u8..0x20, 1 => 0x7Fu8..0xC8], 0..130),
    ) {
        let bytes = [&[prefix][..], &rest].concat();
        match (published::Address::decode(&bytes), st_protocol::Address::decode(&bytes)) {
            (Some((theirs, their_len)), Ok((ours, len))) => {
                let mut out = [0; st_protocol::Address::MAX_LEN];
                let written = ours.encode_into(&mut out).expect("room for any");
                prop_assert_eq!((&theirs.encode()[..], their_len), (&out[..written], len));
            }
            (Some(_), Err(error)) => prop_assert!(
                matches!(error, AddressError::Empty | AddressError::Control { .. }), "{}", error),
            (None, ours) => prop_assert!(ours.is_err(), "they refuse a valid address: {:?}", ours),
        }
    }

    #[test]
    fn inline_addresses_agree(text in "[a-z0-9.:-]{1,100}") {
        let address = st_protocol::Address::Inline(st_protocol::InlineAddress::new(&text).expect("plain text"));
        let mut out = [0; st_protocol::Address::MAX_LEN];
        let len = address.encode_into(&mut out).expect("room for any");
        let theirs = published::Address::Inline(published::AddressString::new(&text).expect("plain text"));
        prop_assert_eq!(&theirs.encode()[..], &out[..len]);
    }
}

/// Section 9, row by row.
#[test]
fn what_they_accept_and_we_refuse() {
    for (wire, payload) in [
        (&[5, 0, 5, 0][..], &[0, 5][..]),
        (&[1, 0x41, 0, 0x42, 0], &[0x41, 0, 0x42]),
    ] {
        assert_eq!(
            published::Frame::decode(wire)
                .expect("accepted")
                .payload()
                .as_bytes(),
            payload
        );
        assert!(decode_ref(wire).is_err());
    }
    for len in [65_536, 65_537] {
        let mut wire = vec![b'x'; len + 2];
        (wire[0], wire[len + 1]) = (1, 0);
        assert_eq!(
            published::Frame::decode(&wire)
                .expect("accepted")
                .payload()
                .len(),
            len
        );
        assert!(matches!(
            decode_ref(&wire),
            Err(DecodeError::PayloadTooLong { .. })
        ));
    }

    for (field, text, left) in [
        (&[0x41, 0x42, 0x0A][..], "AB", 1),
        (&[0x7F, 0x41], "", 2),
        (&[0x0A, 0x41], "", 2),
    ] {
        let payload = published::Payload::from_bytes(field);
        let mut theirs = published::PayloadDecoder::new(&payload);
        assert_eq!((theirs.string(), theirs.remaining()), (Some(text), left));
        let mut ours = FieldReader::new(field);
        assert_eq!(
            ours.lstr(),
            Err(FieldError::BadPrefix {
                at: 0,
                byte: field[0]
            })
        );
        assert_eq!(ours.remaining(), field.len());
    }
    let payload = published::Payload::from_bytes(&[0xFF, 1, 0, 0x41]);
    assert_eq!(published::PayloadDecoder::new(&payload).string(), Some("A"));
    assert_eq!(
        FieldReader::new(&[0xFF, 1, 0, 0x41]).lstr(),
        Err(FieldError::NotMinimal { at: 0, len: 1 })
    );

    assert!(published::Address::decode(&[0x80]).is_some());
    assert_eq!(
        st_protocol::Address::decode(&[0x80]),
        Err(AddressError::Empty)
    );
    assert!(published::Address::decode(&[0x82, 0x0A, 0x41]).is_some());
    assert_eq!(
        st_protocol::Address::decode(&[0x82, 0x0A, 0x41]),
        Err(AddressError::Control { at: 0 })
    );
}

/// And the other way round: what their reader refuses although their writer writes it.
#[test]
fn what_we_accept_and_they_refuse() {
    let frame = Frame::new(Verb::Audio, Payload::from_bytes(&[0; 40_000]));
    let wire = theirs(&frame).encode();
    assert!(wire.len() > THEIR_LIMIT);
    assert_eq!(wire, frame.encode());
    assert!(published::Frame::decode(&wire).is_err());
    assert_eq!(Frame::decode(&wire), Ok(frame));

    // A failed read moves their reader past the prefix; ours stays.
    let payload = published::Payload::from_bytes(&[0x83, 1]);
    let mut reader = published::PayloadDecoder::new(&payload);
    assert_eq!((reader.bytes(), reader.remaining()), (None, 1));
    let mut reader = FieldReader::new(&[0x83, 1]);
    assert!(reader.lbytes().is_err());
    assert_eq!(reader.remaining(), 2);
}
