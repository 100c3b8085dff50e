//! Frames that can't be read, may not be sent, or count too far (`docs/spec/stt-wire.md` §5).

use stt_core::{
    Code, ConnectionError,
    testing::peer::{numbers, varint},
};

use super::{Case, PING};

const LAST: u64 = (1 << 62) - 1;

#[test]
fn reserved_bits_and_packets_without_frames_are_protocol_violations() {
    for reserved in 1..=3 {
        let mut case = Case::new();
        let mut header = case.peer.header();
        header.reserved = reserved;
        let packet = case.peer.seal_as(&header, &[PING]);
        case.bob.receive("mallory", &packet);
        case.assert_closed(Code::PROTOCOL_VIOLATION);
    }
    Case::refused(&[], Code::PROTOCOL_VIOLATION);
}

#[test]
fn the_reserved_frame_is_a_protocol_violation() {
    Case::refused(&[0x06], Code::PROTOCOL_VIOLATION);
    Case::refused(&[0x06, 0, 0], Code::PROTOCOL_VIOLATION);
}

#[test]
fn unknown_frame_types_end_the_session() {
    let known = [
        0x00..=0x05,
        0x06..=0x06,
        0x08..=0x13,
        0x18..=0x1d,
        0x30..=0x31,
    ];
    for kind in 0..=0xff_u8 {
        if known.iter().any(|known| known.contains(&kind)) {
            continue;
        }
        Case::refused(&[PING, kind, 0, 0, 0, 0], Code::FRAME_ENCODING_ERROR);
    }
}

/// One frame of each type with nothing left out, and how long it is.
fn samples() -> Vec<Vec<u8>> {
    let new_id = [&[0x18, 1, 0, 4][..], b"abcd", &[7; 16]].concat();
    vec![
        numbers(&[0x02, 0, 0, 0, 0]),
        numbers(&[0x03, 0, 0, 0, 0, 0, 0, 0]),
        numbers(&[0x04, 0, 7, 0]),
        numbers(&[0x05, 0, 7]),
        numbers(&[0x0e, 0, 3, 1, 0x55]),
        numbers(&[0x0f, 0, 300, 1, 0x55]),
        numbers(&[0x10, 1 << 20]),
        numbers(&[0x11, 0, 1 << 20]),
        numbers(&[0x12, 200]),
        numbers(&[0x13, 200]),
        new_id,
        numbers(&[0x19, 1]),
        vec![0x1a, 1, 2, 3, 4, 5, 6, 7, 8],
        vec![0x1b, 1, 2, 3, 4, 5, 6, 7, 8],
        numbers(&[0x1c, 3, 2, 0x6e, 0x6f]),
        numbers(&[0x1d, 300, 2, 0x6e, 0x6f]),
        numbers(&[0x31, 2, 1, 2]),
    ]
}

#[test]
fn frames_cut_short_at_every_length_end_the_session() {
    for frame in samples() {
        for len in 1..frame.len() {
            // Three bytes before it, so that no padding comes to its help.
            let cut = [&[PING, PING, PING][..], &frame[..len]].concat();
            Case::refused(&cut, Code::FRAME_ENCODING_ERROR);
        }
    }
}

#[test]
fn numbers_in_any_form_but_the_shortest_end_the_session() {
    for long in [&[0x10, 0x80, 0x00][..], &[0x10, 0xff, 0x80, 0x00]] {
        Case::refused(long, Code::FRAME_ENCODING_ERROR);
    }
}

#[test]
fn oversized_counters_end_the_session() {
    let over = [LAST + 1, 1 << 63, u64::MAX];
    for over in over {
        for frame in [
            numbers(&[0x02, over, 0, 0, 0]),
            numbers(&[0x02, 0, over, 0, 0]),
            numbers(&[0x04, over, 0, 0]),
            numbers(&[0x04, 0, over, 0]),
            numbers(&[0x04, 0, 0, over]),
            numbers(&[0x05, 0, over]),
            numbers(&[0x0e, 0, over, 0]),
            numbers(&[0x0a, 0, over]),
            numbers(&[0x10, over]),
            numbers(&[0x11, 0, over]),
            numbers(&[0x12, over]),
            numbers(&[0x18, over, 0]),
            numbers(&[0x19, over]),
            numbers(&[0x1c, over, 0]),
            numbers(&[0x31, over]),
        ] {
            Case::refused(&frame, Code::FRAME_ENCODING_ERROR);
        }
    }
    // Eleven bytes of a number.
    Case::refused(
        &[&[0x10][..], &[0xff; 10], &[1]].concat(),
        Code::FRAME_ENCODING_ERROR,
    );
    // Within a number's bound, beyond a field's.
    let beyond: [(&[u64], Code); 8] = [
        (&[0x12, (1 << 60) + 1], Code::FRAME_ENCODING_ERROR),
        (&[0x13, LAST], Code::FRAME_ENCODING_ERROR),
        (&[0x0e, 0, LAST, 1, 0x55], Code::FRAME_ENCODING_ERROR),
        (&[0x0e, 0, LAST, 0], Code::FLOW_CONTROL_ERROR),
        (&[0x02, LAST, 0, 0, 0], Code::PROTOCOL_VIOLATION),
        (&[0x19, LAST], Code::PROTOCOL_VIOLATION),
        (&[0x31, LAST], Code::FRAME_ENCODING_ERROR),
        (&[0x1d, 0, LAST], Code::FRAME_ENCODING_ERROR),
    ];
    for (frame, code) in beyond {
        Case::refused(&numbers(frame), code);
    }
}

#[test]
fn the_largest_counters_that_are_allowed_do_no_harm() {
    let mut case = Case::new();
    for frame in [
        numbers(&[0x10, LAST]),
        numbers(&[0x12, 1 << 60]),
        numbers(&[0x13, 1 << 60]),
        numbers(&[0x04, 0, LAST, 0]),
        [&[0x18][..], &varint(LAST), &[0, 8], &[9; 8], &[7; 16]].concat(),
    ] {
        case.tell(&frame);
    }
    case.assert_unharmed();
}

#[test]
fn a_close_tells_any_code_and_bytes_that_are_no_text() {
    let mut case = Case::new();
    let frame = [&[0x1c][..], &varint(LAST), &[3, 0xff, 0xfe, b'x']].concat();
    case.tell(&frame);
    let (code, reason) = (Code(LAST), "\u{fffd}\u{fffd}x".to_owned());
    assert_eq!(
        case.end(),
        Some(ConnectionError::ConnectionClosed { code, reason })
    );
    assert_eq!(case.heard(), [], "the peer's CLOSE is not answered");
}

#[test]
fn frames_before_a_bad_one_have_taken_effect_and_those_after_it_have_not() {
    let mut case = Case::new();
    let first = [&[0x0a, 0, 2][..], b"hi"].concat();
    let after = [&[0x0a, 4, 2][..], b"no"].concat();
    case.tell(&[&first[..], &[0x06], &after].concat());
    case.assert_closed(Code::PROTOCOL_VIOLATION);
    assert_eq!((case.read(0), case.read(4)), (b"hi".to_vec(), Vec::new()));
}
