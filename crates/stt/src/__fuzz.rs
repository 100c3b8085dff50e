//! The bodies of the fuzz targets in `fuzz/`. They live here so that every build compiles them,
//! and tests run each. They panic when a property does not hold.

use futures_util::FutureExt as _;
use stt_crypto::Stc;

use crate::{
    streaming::{BinaryStreamEncoder, DecodeError, Reassembly, ReassemblyLimits, StreamMode},
    transport::ws::fuzz as ws,
};

/// Any bytes as a request, a response and frames of either end's: an error or what the rules
/// allow, never more than came.
pub fn websocket(bytes: &[u8]) {
    ws::heads(bytes);
    for is_server in [false, true] {
        let messages = ws::messages(bytes, is_server, LIMIT)
            .now_or_never()
            .expect("a slice never waits");
        assert!(messages.iter().all(|&len| len <= LIMIT));
        assert!(messages.iter().sum::<usize>() <= bytes.len());
    }
}

/// Segments of a stream in the order that the input says, some of them changed or as another.
/// What is given is what was sent, from the start on and nothing else; limits hold.
pub fn segments(input: &[u8]) {
    let context = Stc::new(&[7; 32])
        .expect("not empty")
        .create_stream_context(b"session!", 1)
        .expect("short");
    let data: Vec<u8> = (0..COUNT * SIZE).map(|i| i as u8).collect();
    let segments = BinaryStreamEncoder::with_salt(&context, StreamMode::Bounded, SIZE, [3; 16])
        .expect("a possible size")
        .encode_all(&data)
        .expect("not ended");
    let limits = ReassemblyLimits {
        reorder_bytes: 4 * (SIZE + ReassemblyLimits::SEGMENT_COST),
        ready_bytes: 5 * SIZE,
    };
    let mut reassembly = Reassembly::new(&context, limits);
    let mut taken = Vec::new();
    for op in input.chunks_exact(3) {
        let &[which, number, change] = op else {
            break;
        };
        let (sequence, segment) = &segments[usize::from(which) % segments.len()];
        let mut segment = segment.clone();
        let is_as_sent = change % 4 != 0;
        if !is_as_sent {
            let place = usize::from(change / 4) * 7 % segment.len();
            segment[place] ^= number | 1;
        }
        let told = if change % 4 == 1 {
            u64::from(number)
        } else {
            *sequence
        };
        let before = reassembly.missing();
        match reassembly.receive(&segment, told) {
            Ok(_) | Err(DecodeError::ReadyFull { .. } | DecodeError::ReorderFull { .. }) => {}
            Err(error) => {
                assert!(!is_as_sent || told != *sequence, "{error}");
                assert_eq!(reassembly.missing(), before);
            }
        }
        if number % 3 == 0 {
            taken.extend(reassembly.take());
        }
        assert!(data.starts_with(&taken));
    }
    taken.extend(reassembly.take());
    assert!(data.starts_with(&taken));
    assert_eq!(reassembly.is_complete(), taken.len() == data.len());
}

/// The longest message taken.
const LIMIT: usize = 1_000;
/// Segments of the stream, and bytes of each.
const COUNT: usize = 12;
const SIZE: usize = 5;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    type Body = fn(&[u8]);

    /// Every target in `fuzz/fuzz_targets` that is this crate's.
    const BODIES: [(&str, Body); 2] = [("node_segments", segments), ("node_websocket", websocket)];

    #[test]
    fn the_corpus_of_every_target_holds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let targets: BTreeSet<String> = fs::read_dir(fuzz.join("fuzz_targets"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("node_"))
            .collect();
        let known = BODIES.iter().map(|(name, _)| format!("{name}.rs"));
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
        #[test]
        fn the_bodies_hold(bytes in prop::collection::vec(prop_oneof![0_u8..0x20, any::<u8>()], 0..160)) {
            for (_, body) in BODIES {
                body(&bytes);
            }
        }
    }
}
