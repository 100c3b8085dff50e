use std::{collections::BTreeSet, fs, path::Path};

use proptest::prelude::*;

use super::*;

type Body = fn(&[u8]);

/// Every target in `fuzz/fuzz_targets` that is this crate's.
const BODIES: [(&str, Body); 14] = [
    ("stt_core_cookie", cookie),
    ("stt_core_endpoint", endpoint),
    ("stt_core_frames", frames),
    ("stt_core_header", header),
    ("stt_core_hello", hello),
    ("stt_core_messages", messages),
    ("stt_core_params", params),
    ("stt_core_response", response),
    ("stt_core_stream_frames", stream_frames),
    ("stt_core_streams", streams),
    ("stt_core_sttframe", sttframe),
    ("stt_core_value", value),
    ("stt_core_varint", varint),
    ("stt_core_versions", versions),
];

#[test]
fn the_corpus_of_every_target_holds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let targets: BTreeSet<String> = fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("stt_core_"))
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
