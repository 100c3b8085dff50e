//! The specification's own examples: what section 5 of the page says is what the crate does.

use st_protocol::{DecodeError, Frame, Verb, VerbError, decode_ref};

const PAGE: &str = include_str!("../../../../docs/spec/st-protocol.md");

/// The list of section 5: wire bytes and words of each line.
fn listed() -> Vec<(Vec<u8>, &'static str)> {
    let (_, rest) = PAGE.split_once("```frames\n").expect("the list is there");
    let (list, _) = rest.split_once("```").expect("and ends");
    list.lines()
        .map(|line| {
            let (hex, words) = line.split_once('|').expect("a bar in each line");
            (
                hex.split_whitespace()
                    .map(|h| u8::from_str_radix(h, 16).expect("hex"))
                    .collect(),
                words.trim(),
            )
        })
        .collect()
}

#[test]
fn every_verb_is_listed_and_every_line_is_a_frame() {
    let listed = listed();
    let mut seen = Vec::new();
    for (wire, words) in &listed {
        let frame = decode_ref(wire).unwrap_or_else(|e| panic!("{words}: {e}"));
        assert!(words.starts_with(frame.verb().name()), "{words}");
        assert_eq!(&frame.to_frame().encode(), wire, "{words}");
        seen.push(frame.verb());
    }
    seen.dedup();
    assert_eq!(seen, Verb::ALL, "each verb once or more, in order");
}

#[test]
fn the_constructors_write_what_is_listed() {
    let built = [
        Frame::scan("/home/hue", 3),
        Frame::format("ai"),
        Frame::format_path("ls", "b", 7),
        Frame::search("TODO"),
        Frame::search_path("/src", "fn", 50),
        Frame::ping(),
        Frame::ok(),
        Frame::stats(),
        Frame::audio_simple("hi", 0.5, -1.0),
        Frame::error("no"),
        Frame::m8_wave(),
        Frame::remember("ab", "c", "d"),
        Frame::recall("ab", 27),
        Frame::forget("m1"),
    ];
    let listed = listed();
    for frame in built {
        let wire = frame.encode();
        assert!(
            listed.iter().any(|(bytes, _)| *bytes == wire),
            "{frame:?} is not listed"
        );
    }
}

#[test]
fn the_levels_are_those_of_the_table() {
    let mut rows = 0;
    for line in PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line.split('|').count() == 7)
    {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Ok(byte) = u8::from_str_radix(cells[1], 16) else {
            continue;
        };
        rows += 1;
        match Verb::try_from(byte) {
            Ok(verb) => {
                let (local, remote) = (verb.level().as_byte(), verb.remote_level().as_byte());
                let level = if local == remote {
                    format!("{local}")
                } else {
                    format!("{local}, remote {remote}")
                };
                assert_eq!(
                    [verb.mnemonic(), verb.name(), &level],
                    cells[2..5],
                    "{line}"
                );
            }
            Err(error) => assert_eq!((byte, error), (0x1B, VerbError::Escape)),
        }
    }
    assert_eq!(rows, 31);
}

/// Section 9: inputs that the published crate takes and we refuse.
#[test]
fn what_is_refused_is_refused_for_the_reason_given() {
    let cases: [(&[u8], DecodeError); 2] = [
        (
            &[5, 0, 5, 0],
            DecodeError::TrailingBytes { at: 2, extra: 2 },
        ),
        (&[1, 0x41, 0, 0x42, 0], DecodeError::BareEnd { at: 2 }),
    ];
    for (wire, error) in cases {
        assert_eq!(decode_ref(wire), Err(error));
    }
    let mut wire = vec![b'x'; 65_536 + 2];
    wire[0] = 1;
    wire[65_537] = 0;
    assert_eq!(
        decode_ref(&wire),
        Err(DecodeError::PayloadTooLong {
            at: 65_536,
            limit: 65_535
        })
    );
}
