//! Routed frames: whole, in pieces, and broken.

use proptest::prelude::*;
use st_protocol::{
    Address, AddressError, DecodeError, Decoder, Frame, HostIndex, InlineAddress, RouteError,
    Routed, RoutedDecoder, VerbError,
};

use crate::frames::frame;

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        Just(Address::Local),
        Just(Address::Broadcast),
        (1u8..=127).prop_map(|i| Address::Cached(HostIndex::new(i).expect("in range"))),
        "[a-zäö0-9:.-]{1,50}".prop_map(|text| Address::Inline(
            InlineAddress::new(&text).expect("no control characters")
        )),
    ]
}

type Outcome = (Vec<(Address, Frame)>, Result<(), RouteError>);

fn push(decoder: &mut RoutedDecoder, pieces: &[&[u8]]) -> Outcome {
    let mut got = Vec::new();
    for mut piece in pieces.iter().copied() {
        loop {
            match decoder.next_frame(&mut piece) {
                Ok(Some(routed)) => got.push((routed.address, routed.frame.to_frame())),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_frame(&mut piece), Err(error), "fused");
                    return (got, Err(error));
                }
            }
        }
    }
    let end = decoder.finish();
    (got, end)
}

proptest! {
    #[test]
    fn routed_frames_come_back_for_every_cut(all in prop::collection::vec((address(), frame()), 1..4), at in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        for (address, frame) in &all {
            let routed = Routed { address: *address, frame: frame.as_frame_ref() };
            let wire = routed.encode();
            prop_assert_eq!(Routed::decode(&wire), Ok(routed));
            for cut in 0..wire.len() {
                prop_assert!(Routed::decode(&wire[..cut]).unwrap_err().needs_more());
                prop_assert!(routed.encode_into(&mut vec![0; cut]).is_err());
            }
            bytes.extend(wire);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(push(&mut RoutedDecoder::new(), &single), (all.clone(), Ok(())));
        let at = at.index(bytes.len());
        let (got, end) = push(&mut RoutedDecoder::new(), &[&bytes[..at], &bytes[at..]]);
        prop_assert_eq!((got, end), (all, Ok(())));
    }

    #[test]
    fn pieces_of_arbitrary_bytes_give_what_the_whole_gives(
        bytes in prop::collection::vec(prop_oneof![Just(0x00), Just(0x1B), 0u8..0x24, 0x80u8..0x88, b'a'..b'e', any::<u8>()], 0..60),
    ) {
        let whole = push(&mut RoutedDecoder::new(), &[&bytes]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(push(&mut RoutedDecoder::new(), &single), whole);
    }
}

#[test]
fn what_is_wrong_says_whether_it_is_the_address_or_the_frame() {
    let cases: [(&[u8], RouteError); 6] = [
        (
            b"",
            RouteError::Address(AddressError::Incomplete { missing: 1 }),
        ),
        (
            b"\x00",
            RouteError::Frame(DecodeError::Incomplete { have: 0 }),
        ),
        (b"\x80\x05\x00", RouteError::Address(AddressError::Empty)),
        (
            b"\x82a\x00\x05\x00",
            RouteError::Address(AddressError::Control { at: 1 }),
        ),
        (
            b"\x07\x1b\x00",
            RouteError::Frame(DecodeError::Verb(VerbError::Escape)),
        ),
        (
            b"\xff\x05\x00\x00",
            RouteError::Frame(DecodeError::BareEnd { at: 1 }),
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(Routed::decode(bytes), Err(error), "{bytes:02x?}");
    }
    let mut decoder = RoutedDecoder::new();
    assert_eq!(
        push(&mut decoder, &[b"\x83ab"]).1,
        Err(RouteError::Address(AddressError::Incomplete { missing: 1 }))
    );
    assert_eq!(
        push(&mut decoder, &[b"c"]).1,
        Err(RouteError::Frame(DecodeError::Incomplete { have: 0 }))
    );
}

#[test]
fn the_limit_of_the_decoder_inside_holds() {
    let mut decoder = RoutedDecoder::with_decoder(Decoder::with_storage([0u8; 3]));
    let mut input = &b"\x00\x01abcd\x00"[..];
    let too_long = RouteError::Frame(DecodeError::PayloadTooLong { at: 4, limit: 3 });
    assert_eq!(decoder.next_frame(&mut input), Err(too_long));
}
