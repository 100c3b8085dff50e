//! Any bytes are frames or an error; how they were cut does not matter; frames decode to themselves.

#![no_main]

use libfuzzer_sys::fuzz_target;
use st_protocol::{DecodeError, Decoder, Frame};

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, bytes) = input;
    let cut = cut % (bytes.len() + 1);

    let whole = decode(&[bytes]);
    let (head, tail) = bytes.split_at(cut);
    assert_eq!(decode(&[head, tail]), whole);

    for frame in whole.0 {
        let wire = frame.encode();
        assert_eq!(wire.len(), frame.encoded_len());
        assert_eq!(Frame::decode(&wire), Ok(frame));
    }
});

/// The frames of a stream that comes in pieces, and how it ended.
fn decode(pieces: &[&[u8]]) -> (Vec<Frame>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    for mut piece in pieces.iter().copied() {
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
