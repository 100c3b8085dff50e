//! The bodies of the fuzz targets in `fuzz/`. They live here so that every build compiles them, and one test runs each.
//! They panic when a property does not hold.

use std::vec;
use std::vec::Vec;

use crate::{
    Address, AuthBlock, DecodeError, Decoder, FieldReader, FieldWriter, Frame, FrameRef, HostCache,
    Message, Payload, Routed, RoutedDecoder, Storage,
};

/// Any bytes are one frame or an error; a frame is written as it was read, and a payload without its frame likewise.
pub fn decode(bytes: &[u8]) {
    match FrameRef::decode(bytes) {
        Ok(frame) => {
            let owned = frame.to_frame();
            assert_eq!(owned.encode(), bytes);
            assert_eq!(owned.as_frame_ref(), frame);
            assert_eq!(frame.payload().len(), frame.payload().iter().count());
            let payload = &bytes[1..bytes.len() - 1];
            assert_eq!(Payload::decode(payload).as_ref(), Ok(owned.payload()));
        }
        Err(error) => assert_eq!(error.needs_more(), completes(bytes), "{error}"),
    }
    if let Ok(payload) = Payload::decode(bytes) {
        assert_eq!(payload.encode(), bytes);
    }
}

/// Whether one of the few possible ends makes `bytes` a frame.
fn completes(bytes: &[u8]) -> bool {
    // A verb and END; END; the second byte of an escape and END.
    let ends: [&[u8]; 3] = [b"\x05\x00", b"\x00", b"\x1b\x00"];
    ends.iter()
        .any(|end| FrameRef::decode(&[bytes, end].concat()).is_ok())
}

/// However a stream is cut, the decoder gives the frames and the error that whole-buffer reading gives; and resynchronising
/// always ends, with every byte accounted for. The first byte chooses the cuts.
pub fn decoder(bytes: &[u8]) {
    let Some((&step, stream)) = bytes.split_first() else {
        return;
    };
    let step = usize::from(step).max(1);

    let mut expected: Vec<Frame> = Vec::new();
    let mut rest = stream;
    let mut end = Ok(());
    while !rest.is_empty() {
        match FrameRef::decode_prefix(rest) {
            Ok((frame, len)) => {
                expected.push(frame.to_frame());
                rest = &rest[len..];
            }
            Err(error) => {
                end = Err(error);
                break;
            }
        }
    }
    assert_eq!(push(stream, step), (expected, end));

    // A limit within a block, just under one, of one, and none, over memory that grows and memory that does not.
    for limit in [20, 79, 80, crate::MAX_PAYLOAD_LEN] {
        let new = || Decoder::new().max_payload_len(limit);
        same_in_batches(new(), new(), stream, step);
        same_in_batches(new(), new(), stream, stream.len().max(1));
    }
    let array = Decoder::with_storage([0; 90]);
    same_in_batches(array.clone(), array, stream, step);

    let mut decoder = Decoder::new();
    let mut skipped = 0;
    let mut framed = 0;
    for mut piece in stream.chunks(step) {
        loop {
            match decoder.next_frame(&mut piece) {
                Ok(Some(frame)) => framed += frame.encoded_len() as u64,
                Ok(None) => break,
                Err(_) => decoder.resync(),
            }
            skipped += decoder.take_skipped().map_or(0, |skipped| skipped.len);
        }
        skipped += decoder.take_skipped().map_or(0, |skipped| skipped.len);
    }
    assert_eq!(decoder.position(), stream.len() as u64);
    if decoder.finish().is_ok() {
        assert_eq!(framed + skipped, stream.len() as u64);
    }
}

/// [`Decoder::frames`] is [`Decoder::next_frame`] in every respect, errors and what is left of the input included.
fn same_in_batches<S: Storage>(
    mut single: Decoder<S>,
    mut batch: Decoder<S>,
    stream: &[u8],
    step: usize,
) {
    for piece in stream.chunks(step) {
        let mut input = piece;
        // Dropped now and then, so that what a batch leaves behind is seen too.
        let mut rest = piece;
        'piece: loop {
            let mut frames = batch.frames(rest);
            for _ in 0..step {
                let expected = single.next_frame(&mut input);
                let frame = frames.next_frame();
                assert_eq!(frame, expected);
                assert_eq!(frames.rest(), input);
                if !matches!(expected, Ok(Some(_))) {
                    // The same answer comes again, whatever follows the error in its block.
                    assert_eq!(frames.next_frame(), expected);
                    assert_eq!(frames.rest(), input);
                    break 'piece;
                }
            }
            rest = frames.rest();
            drop(frames);
            assert_eq!(batch.position(), single.position());
        }
        assert_eq!(batch.position(), single.position());
        assert_eq!(batch.finish(), single.finish());
        assert_eq!(batch.is_inside_frame(), single.is_inside_frame());
    }
}

fn push(stream: &[u8], step: usize) -> (Vec<Frame>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    for mut piece in stream.chunks(step) {
        loop {
            match decoder.next_frame(&mut piece) {
                Ok(Some(frame)) => frames.push(frame.to_frame()),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    (frames, decoder.finish())
}

/// Fields that read are the only form of what they say; a read that fails moves nothing; meanings are read without panic.
pub fn payload(bytes: &[u8]) {
    let Some((&verb, payload)) = bytes.split_first() else {
        return;
    };
    if let Ok(verb) = crate::Verb::try_from(verb) {
        let _ = Message::parse(verb, payload);
    }
    let mut reader = FieldReader::new(payload);
    let mut written = vec![0; payload.len()];
    let mut writer = FieldWriter::new(&mut written);
    loop {
        let before = reader.clone();
        let done = match reader.position() % 3 {
            0 => reader
                .lbytes()
                .is_ok_and(|field| writer.lbytes(field).is_ok()),
            1 => reader.lstr().is_ok_and(|field| writer.lstr(field).is_ok()),
            _ => reader
                .u16_le()
                .is_ok_and(|value| writer.u16_le(value).is_ok()),
        };
        if !done {
            assert_eq!(reader.position(), before.position());
            break;
        }
    }
    let written = writer.finish();
    assert_eq!(written, &payload[..written.len()]);
    assert_eq!(written.len(), reader.position());
}

/// Addresses, routed frames and saved host caches that read are written as they were read, whole or byte by byte.
pub fn address(bytes: &[u8]) {
    if let Ok((address, len)) = Address::decode(bytes) {
        let mut out = [0; Address::MAX_LEN];
        assert_eq!(address.encode_into(&mut out), Ok(len));
        assert_eq!(out[..len], bytes[..len]);
    }
    if let Ok(routed) = Routed::decode(bytes) {
        assert_eq!(routed.encode(), bytes);
        let mut decoder = RoutedDecoder::new();
        let mut found = 0;
        for mut piece in bytes.chunks(1) {
            if let Ok(Some(again)) = decoder.next_frame(&mut piece) {
                assert_eq!(again, routed);
                found += 1;
            }
        }
        assert_eq!(found, 1);
    }
    if let Ok(cache) = HostCache::from_bytes(bytes) {
        assert_eq!(cache.to_bytes(), bytes);
    }
}

/// An auth block that reads is written as it was read, and its signing input holds all but the signature.
pub fn auth_block(bytes: &[u8]) {
    let Ok(block) = AuthBlock::parse(bytes) else {
        return;
    };
    let payload = block.to_frame().into_payload();
    assert_eq!(payload.as_bytes(), bytes);
    let input = block.signing_input(&[0; 32]);
    assert_eq!(
        input.len(),
        AuthBlock::SIGNING_HEAD_LEN + block.payload().len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::string::String;
    use std::{fs, println};

    type Body = fn(&[u8]);

    /// Every target in `fuzz/fuzz_targets` that is this crate's.
    const BODIES: [(&str, Body); 5] = [
        ("st_protocol_address", address),
        ("st_protocol_auth", auth_block),
        ("st_protocol_decode", decode),
        ("st_protocol_decoder", decoder),
        ("st_protocol_payload", payload),
    ];

    #[test]
    fn the_corpus_of_every_target_holds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let targets: BTreeSet<String> = fs::read_dir(fuzz.join("fuzz_targets"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("st_protocol_"))
            .collect();
        let known = BODIES.iter().map(|(name, _)| std::format!("{name}.rs"));
        assert_eq!(known.collect::<BTreeSet<_>>(), targets);
        for (name, body) in BODIES {
            let mut seeds = 0;
            for entry in fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
                let path = entry.unwrap().path();
                // Shown if the body panics.
                println!("{}", path.display());
                body(&fs::read(&path).unwrap());
                seeds += 1;
            }
            assert!(seeds > 0, "{name} has no corpus");
        }
    }

    proptest! {
        /// Streams long enough for many blocks, mostly of frames, with now and then something wrong.
        #[test]
        fn many_small_frames_come_as_one_by_one(
            pieces in prop::collection::vec(
                prop_oneof![
                    4 => Just(b"\x05\x00".to_vec()),
                    4 => (1u8..0x1B, prop::collection::vec(1u8..0x1B, 0..20)).prop_map(|(verb, mut rest)| {
                        rest.insert(0, verb);
                        rest.push(0);
                        rest
                    }),
                    4 => (1u8..0x1B, prop::collection::vec(prop_oneof![
                        Just(&b"\x1b\x1b"[..]), Just(&b"\x1b\x00"[..]), Just(&b"abcdefg"[..]), Just(&b"a"[..]),
                    ], 0..24)).prop_map(|(verb, parts)| [&[verb][..], &parts.concat(), b"\x00"].concat()),
                    1 => prop::collection::vec(prop_oneof![Just(0x00), Just(0x1B), any::<u8>()], 0..3),
                ],
                0..60,
            ),
            step in any::<u8>(),
        ) {
            decoder(&[&[step][..], &pieces.concat()].concat());
        }

        #[test]
        fn the_bodies_hold(
            bytes in prop::collection::vec(prop_oneof![Just(0x00), Just(0x1B), 0u8..0x24, 0x80u8..0x84, any::<u8>()], 0..160),
        ) {
            decode(&bytes);
            decoder(&bytes);
            payload(&bytes);
            address(&bytes);
            auth_block(&bytes);
        }
    }
}
