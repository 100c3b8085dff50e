//! The known answers in `vectors/st-protocol`, which other implementations read too.

use serde_json::Value;
use st_protocol::{
    Address, AddressError, AuthBlock, AuthLevel, Decoder, Frame, Payload, SessionId, Verb,
    decode_ref,
};

/// The cases of a file, as many as it says.
fn cases(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).expect("JSON");
    let cases = file["cases"].as_array().expect("cases").clone();
    assert_eq!(Some(cases.len() as u64), file["count"].as_u64());
    assert!(!cases.is_empty());
    cases
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hexadecimal text");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn verb(value: &Value) -> Verb {
    Verb::from_byte(value.as_u64().expect("a number") as u8).expect("a verb")
}

#[test]
fn frames() {
    for case in cases(include_str!("../../../../vectors/st-protocol/frames.json")) {
        let frame = Frame::new(
            verb(&case["verb"]),
            Payload::from_bytes(&hex(&case["payload"])),
        );
        assert_eq!(frame.encode(), hex(&case["wire"]), "{case}");
        assert_eq!(
            Frame::decode(&hex(&case["wire"])),
            Ok(frame.clone()),
            "{case}"
        );
        if let Some(call) = case["call"].as_array() {
            assert_eq!(constructed(call), frame, "{case}");
        }
    }
}

fn constructed(call: &[Value]) -> Frame {
    let text = |at: usize| call[at].as_str().expect("text");
    let byte = |at: usize| call[at].as_u64().expect("a number") as u8;
    let float = |at: usize| call[at].as_f64().expect("a number") as f32;
    match text(0) {
        "ping" => Frame::ping(),
        "stats" => Frame::stats(),
        "ok" => Frame::ok(),
        "m8_wave" => Frame::m8_wave(),
        "scan" => Frame::scan(text(1), byte(2)),
        "search" => Frame::search(text(1)),
        "search_path" => Frame::search_path(text(1), text(2), byte(3)),
        "format" => Frame::format(text(1)),
        "format_path" => Frame::format_path(text(1), text(2), byte(3)),
        "remember" => Frame::remember(text(1), text(2), text(3)),
        "recall" => Frame::recall(text(1), byte(2)),
        "forget" => Frame::forget(text(1)),
        "error" => Frame::error(text(1)),
        "audio" => Frame::audio(&hex(&call[1])),
        "audio_simple" => Frame::audio_simple(text(1), float(2), float(3)),
        other => panic!("no constructor {other}"),
    }
}

#[test]
fn errors() {
    for case in cases(include_str!("../../../../vectors/st-protocol/errors.json")) {
        let error = decode_ref(&hex(&case["wire"])).expect_err("no frame");
        assert_eq!(
            error.kind(),
            case["kind"].as_str().expect("a kind"),
            "{case}"
        );
        // The numbers, by the names that the variants give them.
        let shown = format!("{error:?}");
        for key in ["have", "at", "byte", "extra"] {
            if let Some(number) = case[key].as_u64() {
                assert!(
                    shown.contains(&format!("{key}: {number}")),
                    "{case}: {shown}"
                );
            }
        }
    }
}

#[test]
fn streams() {
    for case in cases(include_str!("../../../../vectors/st-protocol/streams.json")) {
        let stream = hex(&case["stream"]);
        for cut in 0..=stream.len() {
            let (frames, end, _) = push(&stream, cut, false);
            assert_eq!(frames, hexes(&case["frames"]), "{case} cut at {cut}");
            assert_eq!(
                end,
                case["end"].as_str().expect("an end"),
                "{case} cut at {cut}"
            );
            if let Some(resync) = case.get("resync") {
                let (frames, _, skipped) = push(&stream, cut, true);
                assert_eq!(frames, hexes(&resync["frames"]), "{case} cut at {cut}");
                assert_eq!(
                    serde_json::json!(skipped),
                    resync["skipped"],
                    "{case} cut at {cut}"
                );
            }
        }
    }
}

fn hexes(value: &Value) -> Vec<Vec<u8>> {
    value.as_array().expect("a list").iter().map(hex).collect()
}

fn push(stream: &[u8], cut: usize, resync: bool) -> (Vec<Vec<u8>>, &'static str, Vec<[u64; 2]>) {
    let (mut decoder, mut frames, mut skipped) = (Decoder::new(), Vec::new(), Vec::new());
    for mut piece in [&stream[..cut], &stream[cut..]] {
        loop {
            let error = match decoder.next_frame(&mut piece) {
                Ok(Some(frame)) => {
                    frames.push(frame.to_frame().encode());
                    None
                }
                Ok(None) => break,
                Err(error) => Some(error),
            };
            skipped.extend(decoder.take_skipped().map(|s| [s.from, s.len]));
            match error {
                Some(_) if resync => decoder.resync(),
                Some(error) => return (frames, error.kind(), skipped),
                None => {}
            }
        }
    }
    (
        frames,
        decoder.finish().err().map_or("ok", |error| error.kind()),
        skipped,
    )
}

#[test]
fn addresses() {
    for case in cases(include_str!(
        "../../../../vectors/st-protocol/addresses.json"
    )) {
        let wire = hex(&case["wire"]);
        let got = match Address::decode(&wire) {
            Ok((address, len)) => {
                assert_eq!(len, wire.len(), "{case}");
                match address {
                    Address::Local => serde_json::json!({"address": "local"}),
                    Address::Cached(index) => {
                        serde_json::json!({"address": "cached", "index": index.get()})
                    }
                    Address::Inline(inline) => {
                        serde_json::json!({"address": "inline", "text": inline.as_str()})
                    }
                    Address::Broadcast => serde_json::json!({"address": "broadcast"}),
                }
            }
            Err(AddressError::Incomplete { .. }) => serde_json::json!({"error": "incomplete"}),
            Err(AddressError::Empty) => serde_json::json!({"error": "empty"}),
            Err(AddressError::Control { .. }) => serde_json::json!({"error": "control"}),
            Err(AddressError::NotUtf8) => serde_json::json!({"error": "not_utf8"}),
            Err(error) => panic!("{case}: {error}"),
        };
        let mut expected = case.clone();
        expected.as_object_mut().expect("an object").remove("wire");
        assert_eq!(got, expected, "{case}");
    }
}

#[test]
fn auth_blocks() {
    for case in cases(include_str!("../../../../vectors/st-protocol/auth.json")) {
        let level =
            AuthLevel::from_byte(case["level"].as_u64().expect("a level") as u8).expect("a level");
        let session = SessionId::new(hex(&case["session"]).try_into().expect("16 bytes"));
        let counter = case["counter"]
            .as_str()
            .expect("text")
            .parse()
            .expect("a number");
        let inner = hex(&case["payload"]);
        let block = AuthBlock::new(level, session, counter, verb(&case["verb"]), &inner)
            .expect("a block")
            .signed(hex(&case["signature"]).try_into().expect("64 bytes"));
        assert_eq!(
            block.to_frame().payload().as_bytes(),
            hex(&case["block"]),
            "{case}"
        );
        assert_eq!(block.to_frame().encode(), hex(&case["wire"]), "{case}");
        assert_eq!(AuthBlock::parse(&hex(&case["block"])), Ok(block), "{case}");
        let node_id = hex(&case["node_id"]).try_into().expect("32 bytes");
        assert_eq!(
            block.signing_input(&node_id),
            hex(&case["signing_input"]),
            "{case}"
        );
    }
}
