//! Outputs as a whole: golden bytes, folders, and the search for private keys.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    radio::SILENCE,
    scenario::Mode,
    side::{Direction, Side},
};

pub(super) fn summary() -> Summary {
    Summary {
        format: Summary::FORMAT,
        drybox: "1.2.3".to_owned(),
        scenario: "quick".to_owned(),
        mode: Mode::Byte,
        seed: 7,
        tick_ms: 10,
        duration_ms: 2500,
        ended_at_ms: 2500,
        interrupted: false,
        adapters: AdapterNames {
            left: "a.py:Adapter".to_owned(),
            right: "native:pingpong".to_owned(),
        },
        directions: Directions {
            left_to_right: DirectionStats {
                sdus: UnitStats {
                    sent: 3,
                    delivered: 1,
                    dropped: 1,
                    in_flight: 1,
                    bytes_sent: 30,
                    bytes_delivered: 10,
                },
                loss_rate: Some(0.5),
                reorder_rate: Some(-0.0),
                jitter_ms: Some(f64::NAN),
                ..DirectionStats::default()
            },
            right_to_left: DirectionStats::default(),
        },
        events: EventCounts::default(),
        partial_window: Some(PartialWindow {
            from_ms: 2000,
            to_ms: 2510,
            goodput_bps: PerSide {
                left: None,
                right: Some(80.0),
            },
        }),
        verdict: Value::Null,
        warnings: vec!["careful".to_owned()],
        error: None,
        exit_code: 0,
    }
}

/// Ends a run in memory.
pub(super) fn finish(recorder: Recorder) -> Recorded {
    recorder
        .finish(&summary(), "mode: byte\n", &[])
        .unwrap()
        .unwrap()
}

fn public_key() -> PublicKey {
    PublicKey {
        side: Side::Left,
        algorithm: "ed25519",
        public: [0xab; 32],
        key_id: "01234567".to_owned(),
    }
}

/// A little of everything.
fn fill(recorder: &mut Recorder) {
    recorder
        .row(&Row {
            latency_ms: Some(20.0),
            ..Row::new(10, Side::Right, RowLayer::Bearer, "rx")
        })
        .unwrap();
    recorder
        .event(20, Side::Left, "hs_done", &json!({"auth": "ok"}))
        .unwrap();
    let (l2r, layer) = (Direction::LeftToRight, CaptureLayer::Bytelink);
    recorder
        .capture(30, l2r, layer, CaptureEvent::Rx, b"sdu")
        .unwrap();
    recorder.pcm(Side::Right, PcmTap::Rx, &SILENCE).unwrap();
}

fn all() -> RecorderOptions {
    RecorderOptions {
        capture: true,
        pcm: true,
        secrets: Secrets::default(),
    }
}

#[test]
fn the_files_of_a_run_are_these_bytes() {
    let mut recorder = Recorder::in_memory(all());
    fill(&mut recorder);
    let recorded = recorder
        .finish(&summary(), "mode: byte\n", &[public_key()])
        .unwrap()
        .unwrap();
    assert_eq!(
        recorded.metrics,
        format!("{HEADER}10,R,bearer,rx,,20.000,,,,,,,,,,,,\n").as_bytes()
    );
    assert_eq!(
        recorded.events,
        b"{\"t_ms\":20,\"side\":\"L\",\"type\":\"hs_done\",\"payload\":{\"auth\":\"ok\"}}\n"
    );
    assert_eq!(
        recorded.capture.unwrap(),
        b"DBXC\x01\x1e\0\0\0\0\0\0\0\0\0\x01\x03\0\0\0sdu"
    );
    let pcm = recorded.pcm.unwrap();
    assert_eq!(pcm.each_ref().map(Vec::len), [44, 44, 44, 44 + 320]);
    assert_eq!(
        recorded.pubkeys,
        format!(
            "# side algorithm public_key key_id\nL ed25519 {} 01234567\n",
            "ab".repeat(32)
        )
    );
    assert_eq!(recorded.summary, include_str!("tests/summary.json"));
}

#[test]
fn a_folder_holds_the_same_bytes_as_memory() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("deep/er");
    let mut to_dir = Recorder::to_dir(dir, all()).unwrap();
    fill(&mut to_dir);
    let none = to_dir
        .finish(&summary(), "mode: byte\n", &[public_key()])
        .unwrap();
    assert_eq!(none, None);
    let mut in_memory = Recorder::in_memory(all());
    fill(&mut in_memory);
    let memory = in_memory
        .finish(&summary(), "mode: byte\n", &[public_key()])
        .unwrap()
        .unwrap();
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    assert_eq!(read("metrics.csv"), memory.metrics);
    assert_eq!(read("events.jsonl"), memory.events);
    assert_eq!(read("capture.dbxcap"), memory.capture.unwrap());
    assert_eq!(read("summary.json"), memory.summary.as_bytes());
    assert_eq!(read("scenario.resolved.yaml"), b"mode: byte\n");
    assert_eq!(read("pubkeys.txt"), memory.pubkeys.as_bytes());
    let pcm = memory.pcm.unwrap();
    for (name, bytes) in ["left_tx", "left_rx", "right_tx", "right_rx"]
        .iter()
        .zip(&pcm)
    {
        assert_eq!(&read(&format!("{name}.wav")), bytes, "{name}");
    }
    assert_eq!(names(dir).len(), 10);
}

/// The names in a folder, sorted.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_holds_the_files_of_one_run_and_keeps_what_is_not_ours() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("messages.yaml"), "left: []").unwrap();
    let mut first = Recorder::to_dir(dir.path(), all()).unwrap();
    fill(&mut first);
    first.finish(&summary(), "", &[]).unwrap();
    let second = Recorder::to_dir(dir.path(), RecorderOptions::default()).unwrap();
    assert_eq!(
        names(dir.path()),
        ["events.jsonl", "messages.yaml", "metrics.csv"]
    );
    // The header is on disk from the start, and the rest once the run is given up.
    assert_eq!(
        fs::read_to_string(dir.path().join("metrics.csv")).unwrap(),
        HEADER
    );
    drop(second);
    assert_eq!(
        fs::read_to_string(dir.path().join("messages.yaml")).unwrap(),
        "left: []"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_the_cause() {
    let dir = tempfile::tempdir().unwrap();
    // A file in the way: permissions would not stop root.
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Recorder::to_dir(&file.join("out"), all()).unwrap_err();
    assert!(!error.is_adapter_fault());
    let text = error.to_string();
    assert!(
        text.starts_with("cannot create the output folder "),
        "{text}"
    );
    assert!(text.contains("out: "), "{text}");

    let out = dir.path().join("out");
    fs::create_dir_all(out.join("metrics.csv")).unwrap();
    let error = Recorder::to_dir(&out, all()).unwrap_err();
    assert!(matches!(error, OutputError::Create { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_found_when_the_run_begins() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join("metrics.csv")).unwrap();
    let error = Recorder::to_dir(dir.path(), all()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("cannot write "), "{text}");
    assert!(
        text.contains("metrics.csv: No space left on device"),
        "{text}"
    );
}

// ---- private keys ----

/// A key with every kind of byte in it.
const KEY: [u8; 32] = [
    0x00, 0xff, b'\'', b'"', b'\\', b'\n', b'\t', b'\r', 0x80, 0x7f, b'a', b'Z', 0x1b, 0xc3, 0xa9,
    0x20, 0x2c, 0x0d, 0xde, 0xad, 0xbe, 0xef, 0x01, 0x02, 0x10, 0x64, 0xc8, 0xfe, 0x7e, 0x2f, 0x3d,
    0x9c,
];

fn hex(separator: &str, upper: bool) -> String {
    let digits = KEY.map(|b| {
        if upper {
            format!("{b:02X}")
        } else {
            format!("{b:02x}")
        }
    });
    digits.join(separator)
}

/// The spellings that a reader of the outputs would look for, made without the code under test.
fn spelled() -> Vec<String> {
    let mut all = Vec::new();
    for separator in ["", ":", " ", "-"] {
        all.push(hex(separator, false));
        all.push(hex(separator, true));
    }
    all.push(
        hex("", false)
            .chars()
            .enumerate()
            .map(|(i, c)| {
                if i % 3 == 0 {
                    c.to_ascii_uppercase()
                } else {
                    c
                }
            })
            .collect(),
    );
    all.push(KEY.map(|b| format!("\\x{b:02x}")).concat());
    all.push(KEY.map(|b| format!("0x{b:02X}")).join(", "));
    all.push(KEY.map(|b| format!("0x{b:02x}")).join(","));
    for engine in [
        &general_purpose::STANDARD,
        &general_purpose::URL_SAFE,
        &general_purpose::STANDARD_NO_PAD,
        &general_purpose::URL_SAFE_NO_PAD,
    ] {
        all.push(engine.encode(KEY));
    }
    for separator in [",", ", ", " "] {
        all.push(KEY.map(|b| b.to_string()).join(separator));
        all.push(KEY.map(|b| (b as i8).to_string()).join(separator));
    }
    all.push(KEY.iter().map(|&b| char::from(b)).collect());
    // What Python prints for `bytes`, with and without another kind of quote in them.
    let repr = r#"\x00\xff'"\\\n\t\r\x80\x7faZ\x1b\xc3\xa9 ,\r\xde\xad\xbe\xef\x01\x02\x10d\xc8\xfe~/=\x9c"#;
    all.push(repr.to_owned());
    all.push(repr.replace('\'', "\\'"));
    all
}

fn scrubber() -> Scrubber {
    Scrubber::new(Secrets::new([[0x55; 32], KEY]))
}

#[test]
fn every_spelling_is_removed_from_text_wherever_it_stands() {
    for spelling in spelled() {
        for lead in 0..70 {
            let lead = "(".repeat(lead);
            let text = format!("{lead}{spelling}) and {spelling}");
            assert_eq!(
                scrubber().text(&text),
                format!("{lead}{REMOVED}) and {REMOVED}"),
                "{spelling}"
            );
        }
    }
}

#[test]
fn base64_of_data_around_a_key_is_removed_at_every_alignment() {
    for lead in 0..9 {
        for trail in 0..4 {
            let data = [&vec![0xa5; lead][..], &KEY, &vec![0x5a; trail]].concat();
            for engine in [&general_purpose::STANDARD, &general_purpose::URL_SAFE] {
                let text = engine.encode(&data);
                let clean = scrubber().text(&text).into_owned();
                assert!(clean.contains(REMOVED), "{lead} {trail}: {text}");
                let left = clean.replace(REMOVED, "").len();
                assert!(
                    left <= (lead + trail) * 4 / 3 + 4,
                    "{lead} {trail}: {clean}"
                );
            }
        }
    }
}

#[test]
fn data_keeps_its_length_and_loses_the_key() {
    let mut spellings: Vec<Vec<u8>> = spelled().into_iter().map(Into::into).collect();
    spellings.push(KEY.to_vec());
    for spelling in spellings {
        for lead in 0..40 {
            let mut data = [&vec![b'#'; lead][..], &spelling, b"#tail"].concat();
            let len = data.len();
            scrubber().data(&mut data);
            let expected = [&vec![b'#'; lead][..], &vec![0; spelling.len()], b"#tail"].concat();
            assert_eq!(data, expected);
            assert_eq!(data.len(), len);
        }
    }
}

#[test]
fn no_output_holds_a_key_whoever_writes_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = RecorderOptions {
        secrets: Secrets::new([KEY]),
        ..all()
    };
    let mut recorder = Recorder::to_dir(dir.path(), options).unwrap();
    let mut summary = summary();
    let mut yaml = String::new();
    for (i, spelling) in spelled().iter().enumerate() {
        let payload = json!({"deep": [{"in": format!("x{spelling}")}], spelling: 1});
        recorder
            .event(0, Side::Left, &format!("t{i}"), &payload)
            .unwrap();
        recorder
            .event(0, Side::Left, spelling, &Value::Null)
            .unwrap();
        recorder
            .row(&Row::new(0, Side::Left, RowLayer::Adapter, spelling))
            .unwrap();
        let what = (Direction::LeftToRight, CaptureLayer::Bytelink);
        recorder
            .capture(0, what.0, what.1, CaptureEvent::Tx, spelling.as_bytes())
            .unwrap();
        summary.warnings.push(spelling.clone());
        yaml.push_str(spelling);
        yaml.push('\n');
    }
    recorder
        .capture(
            0,
            Direction::LeftToRight,
            CaptureLayer::Bearer,
            CaptureEvent::Tx,
            &KEY,
        )
        .unwrap();
    let mut block = SILENCE;
    for (sample, pair) in block[7..].iter_mut().zip(KEY.as_chunks::<2>().0) {
        *sample = i16::from_le_bytes(*pair);
    }
    recorder.pcm(Side::Left, PcmTap::Tx, &block).unwrap();
    let ints = json!({"bytes": KEY.as_slice(), "signed": KEY.map(|b| b as i8).as_slice()});
    let around = [&[1_u8, 2][..], &KEY, &[3]].concat();
    recorder.event(0, Side::Right, "ints", &ints).unwrap();
    recorder
        .event(0, Side::Right, "around", &json!(around))
        .unwrap();
    summary.verdict = ints;
    recorder.finish(&summary, &yaml, &[]).unwrap();

    let mut needles: Vec<Vec<u8>> = spelled().into_iter().map(Into::into).collect();
    needles.push(KEY.to_vec());
    // As JSON would escape them.
    for spelling in spelled() {
        needles.push(
            json!(spelling)
                .to_string()
                .trim_matches('"')
                .as_bytes()
                .to_vec(),
        );
    }
    for name in names(dir.path()) {
        let bytes = fs::read(dir.path().join(&name)).unwrap();
        for needle in &needles {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{name} holds {}", String::from_utf8_lossy(needle));
        }
    }
    let events = fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
    assert!(
        events.contains("\"payload\":[1,2,\"[private key removed]\",3]}"),
        "{events}"
    );
    assert!(events.contains(
        "{\"bytes\":[\"[private key removed]\"],\"signed\":[\"[private key removed]\"]}"
    ));
    // The files can still be read.
    assert!(read::events(events.as_bytes()).all(|event| event.is_ok()));
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        summary["verdict"],
        json!({"bytes": [REMOVED], "signed": [REMOVED]})
    );
    read::Columns::parse(&fs::read(dir.path().join("metrics.csv")).unwrap()).unwrap();
}

#[test]
fn nothing_is_told_by_debug() {
    let text = format!("{:?} {:?}", Secrets::new([KEY]), scrubber());
    assert_eq!(text, "Secrets(1 keys) Scrubber(Secrets(2 keys))");
}

proptest! {
    #[test]
    fn what_holds_no_key_stays_as_it_is(text in any::<String>(), mut data: Vec<u8>) {
        prop_assert_eq!(scrubber().text(&text), &*text);
        let before = data.clone();
        scrubber().data(&mut data);
        prop_assert_eq!(data, before);
    }

    #[test]
    fn any_key_is_found_in_any_data(
        key: [u8; 32],
        lead: Vec<u8>,
        trail in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let scrubber = Scrubber::new(Secrets::new([key]));
        let mut data = [&lead[..], &key, &trail].concat();
        scrubber.data(&mut data);
        prop_assert!(data.windows(32).all(|window| window != key) || key == [0; 32]);
        prop_assert_eq!(&data[..lead.len()], &lead[..]);
        let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
        let text = format!("{}{hex}{}", "~".repeat(lead.len()), "~".repeat(trail.len()));
        let clean = text.replace(&hex, REMOVED);
        prop_assert_eq!(scrubber.text(&text).into_owned(), clean);
    }
}
