//! The push decoder against whole-buffer reading, for every cut, and what it does after an error.

use proptest::prelude::*;
use st_protocol::{
    DecodeError, Decoder, Frame, FrameRef, MAX_PAYLOAD_LEN, Payload, Skipped, Storage, Verb,
    VerbError,
};

use crate::frames::frame;

/// Frames and the way it ended: the error, or what `finish` says.
type Outcome = (Vec<Frame>, Result<(), DecodeError>);

fn push<S: Storage>(decoder: &mut Decoder<S>, pieces: &[&[u8]]) -> Outcome {
    let mut frames = Vec::new();
    for mut piece in pieces.iter().copied() {
        loop {
            match decoder.next_frame(&mut piece) {
                Ok(Some(frame)) => {
                    assert!(
                        frame.payload().as_bytes().is_some(),
                        "plain, wherever it came from"
                    );
                    frames.push(frame.to_frame());
                }
                Ok(None) => break assert!(piece.is_empty()),
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    let end = decoder.finish();
    (frames, end)
}

/// The same by whole-buffer reading, frame after frame.
fn whole(mut stream: &[u8]) -> Outcome {
    let mut frames = Vec::new();
    while !stream.is_empty() {
        match FrameRef::decode_prefix(stream) {
            Ok((frame, len)) => {
                frames.push(frame.to_frame());
                stream = &stream[len..];
            }
            Err(error) => return (frames, Err(error)),
        }
    }
    (frames, Ok(()))
}

fn cut(stream: &[u8], mut places: Vec<usize>) -> Vec<&[u8]> {
    places
        .iter_mut()
        .for_each(|place| *place %= stream.len() + 1);
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for place in places.into_iter().chain([stream.len()]) {
        pieces.push(&stream[from..place]);
        from = place;
    }
    pieces
}

/// A stream of frames, one byte of it perhaps damaged.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let damage = prop::option::of((
        any::<prop::sample::Index>(),
        prop_oneof![Just(0x00), Just(0x1B), any::<u8>()],
    ));
    (prop::collection::vec(frame(), 0..5), damage).prop_map(|(frames, damage)| {
        let mut bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        if let (Some((at, byte)), false) = (damage, bytes.is_empty()) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn pieces_give_what_the_whole_gives(
        bytes in prop_oneof![
            stream(),
            prop::collection::vec(prop_oneof![Just(0x00), Just(0x1B), 0u8..0x24, any::<u8>()], 0..120),
        ],
        places in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let expected = whole(&bytes);
        prop_assert_eq!(push(&mut Decoder::new(), &cut(&bytes, places)), expected.clone());
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(push(&mut Decoder::new(), &single), expected.clone());
        prop_assert_eq!(push(&mut Decoder::with_storage([0; 400]), &single), expected);
    }

    #[test]
    fn a_limit_holds_for_every_cut(bytes in stream(), limit in 0usize..40, places in prop::collection::vec(any::<usize>(), 0..6)) {
        let expected = push(&mut Decoder::new().max_payload_len(limit), &[&bytes]);
        let pieces = cut(&bytes, places);
        prop_assert_eq!(push(&mut Decoder::new().max_payload_len(limit), &pieces), expected.clone());
        let mut room = vec![0; limit];
        prop_assert_eq!(push(&mut Decoder::with_storage(&mut room[..]), &pieces), expected);
    }

    #[test]
    fn resynchronising_finds_the_next_true_end_for_every_cut(
        before in prop::collection::vec(frame(), 0..3), broken in frame(), after in prop::collection::vec(frame(), 1..3),
        verb in 0x20u8.., places in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let mut bytes: Vec<u8> = before.iter().flat_map(Frame::encode).collect();
        let from = bytes.len();
        bytes.extend(broken.encode());
        let len = bytes.len() - from;
        bytes[from] = verb;
        bytes.extend(after.iter().flat_map(Frame::encode));

        let mut decoder = Decoder::new();
        let mut frames = Vec::new();
        for mut piece in cut(&bytes, places) {
            loop {
                match decoder.next_frame(&mut piece) {
                    Ok(Some(frame)) => frames.push(frame.to_frame()),
                    Ok(None) => break,
                    Err(error) => {
                        prop_assert_eq!(error, DecodeError::Verb(VerbError::Unknown { byte: verb }));
                        decoder.resync();
                    }
                }
            }
        }
        let cause = DecodeError::Verb(VerbError::Unknown { byte: verb });
        prop_assert_eq!(decoder.take_skipped(), Some(Skipped { from: from as u64, len: len as u64, cause }));
        prop_assert_eq!(decoder.take_skipped(), None);
        prop_assert_eq!(frames, [before, after].concat());
        prop_assert_eq!(decoder.finish(), Ok(()));
        prop_assert_eq!(decoder.position(), bytes.len() as u64);
    }
}

#[test]
fn every_cut_of_a_stream_with_all_shapes() {
    let frames = [
        Frame::ping(),
        Frame::new(
            Verb::Audio,
            Payload::from_bytes(&[0x00, 0x1B, 0x1B, 0x00, 7]),
        ),
        Frame::search("a"),
        Frame::new(Verb::User, Payload::from_bytes(&[0x1B])),
    ];
    let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
    for a in 0..=bytes.len() {
        for b in a..=bytes.len() {
            let (got, end) = push(
                &mut Decoder::new(),
                &[&bytes[..a], &bytes[a..b], &bytes[b..]],
            );
            assert_eq!((&got[..], end), (&frames[..], Ok(())), "cut at {a} and {b}");
        }
    }
}

#[test]
fn an_error_stays_until_it_is_dealt_with() {
    let mut decoder = Decoder::new();
    let mut input = &b"\x05\x00\x01a\x1bb\x00\x05\x00"[..];
    assert!(decoder.next_frame(&mut input).unwrap().is_some());
    let error = DecodeError::InvalidEscape { at: 3, byte: b'b' };
    for _ in 0..3 {
        assert_eq!(decoder.next_frame(&mut input), Err(error));
    }
    assert_eq!(
        input, b"\x00\x05\x00",
        "what follows the bad byte is not taken"
    );
    assert_eq!(decoder.finish(), Err(error));
    decoder.resync();
    assert_eq!(
        decoder.next_frame(&mut input).unwrap().unwrap().verb(),
        Verb::Ping
    );
    assert_eq!(
        decoder.take_skipped(),
        Some(Skipped {
            from: 2,
            len: 5,
            cause: error
        })
    );
    decoder.reset();
    assert_eq!((decoder.position(), decoder.finish()), (0, Ok(())));
}

#[test]
fn resynchronising_keeps_the_parity_of_escapes() {
    // (stream, verbs that come out, bytes skipped)
    let cases: [(&[u8], &[Verb], u64); 6] = [
        // ESC in the verb's place: what follows it is the second of a pair, not END.
        (b"\x1b\x00a\x00\x05\x00", &[Verb::Ping], 4),
        (b"\x1b\x1b\x00\x05\x00", &[Verb::Ping], 3),
        // END in the verb's place ends the broken frame at once.
        (b"\x00\x05\x00", &[Verb::Ping], 1),
        // A wrong second byte closes its escape.
        (b"\x01\x1ba\x00\x06\x00", &[Verb::Ok], 4),
        // An escaped zero in what is skipped is not END.
        (b"\x40a\x1b\x00\x06\x1b\x1b\x00\x05\x00", &[Verb::Ping], 8),
        // A command inside the broken frame does not run.
        (b"\x40\x1b\x00\x1d\x1b\x00\x00\x06\x00", &[Verb::Ok], 7),
    ];
    for (stream, verbs, skipped) in cases {
        for at in 0..=stream.len() {
            let mut decoder = Decoder::new();
            let mut got = Vec::new();
            for mut piece in [&stream[..at], &stream[at..]] {
                loop {
                    match decoder.next_frame(&mut piece) {
                        Ok(Some(frame)) => got.push(frame.verb()),
                        Ok(None) => break,
                        Err(_) => decoder.resync(),
                    }
                }
            }
            assert_eq!(got, verbs, "{stream:02x?} cut at {at}");
            assert_eq!(
                decoder.take_skipped().map(|s| s.len),
                Some(skipped),
                "{stream:02x?} cut at {at}"
            );
        }
    }
}

#[test]
fn a_payload_over_the_limit_is_skipped_with_its_parity() {
    // The first byte too many is an ESC: the zero behind it is no END.
    let stream = b"\x01abcd\x1b\x00e\x00\x05\x00";
    let mut decoder = Decoder::with_storage([0; 4]);
    let mut input = &stream[..];
    assert_eq!(
        decoder.next_frame(&mut input),
        Err(DecodeError::PayloadTooLong { at: 5, limit: 4 })
    );
    decoder.resync();
    assert_eq!(
        decoder.next_frame(&mut input).unwrap().unwrap().verb(),
        Verb::Ping
    );
    assert_eq!(decoder.take_skipped().unwrap().len, 9);
}

#[test]
fn a_frame_without_escapes_is_borrowed_from_the_input() {
    let wire = Frame::search("TODO").encode();
    let mut input = &wire[..];
    let mut decoder = Decoder::new();
    let frame = decoder.next_frame(&mut input).unwrap().unwrap();
    assert_eq!(
        frame.payload().as_bytes().unwrap().as_ptr(),
        wire[1..].as_ptr()
    );
}

#[test]
fn the_longest_payload_arrives_byte_by_byte() {
    for byte in [0x00, b'x'] {
        let frame = Frame::new(
            Verb::Audio,
            Payload::from_bytes(&vec![byte; MAX_PAYLOAD_LEN]),
        );
        let wire = frame.encode();
        let pieces: Vec<&[u8]> = wire.chunks(1).collect();
        assert_eq!(push(&mut Decoder::new(), &pieces), (vec![frame], Ok(())));
    }
}

#[test]
fn frames_may_be_dropped_at_any_time() {
    let wire = [
        Frame::ping().encode(),
        Frame::recall("notes", 27).encode(),
        Frame::search(&"x".repeat(100)).encode(),
    ]
    .concat()
    .repeat(30);
    for count in 0..=90 {
        let mut decoder = Decoder::new();
        let mut frames = decoder.frames(&wire);
        let mut taken = 0;
        for _ in 0..count {
            taken += frames.next_frame().unwrap().unwrap().encoded_len();
        }
        let rest = frames.rest();
        drop(frames);
        assert_eq!(wire.len() - rest.len(), taken);
        assert_eq!(decoder.position(), taken as u64, "{count} frames");
    }
}
