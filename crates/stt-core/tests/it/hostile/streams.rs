//! Stream ids, offsets and credit (`docs/spec/stt-streams.md` §3–§5, §9).

use stt_core::{
    Code, Dir,
    testing::peer::numbers,
    wire::{Frame, Frames},
};

use super::{Case, PING};

/// What the defaults grant (`stt-wire.md` §7.3).
const STREAM: u64 = 262_144;
const SESSION: u64 = 1_048_576;
const STREAMS: u64 = 96;

/// A STREAM frame of `len` bytes.
fn stream(id: u64, offset: u64, len: usize) -> Vec<u8> {
    [numbers(&[0x0e, id, offset, len as u64]), vec![0x55; len]].concat()
}

#[test]
fn frames_about_streams_of_the_wrong_kind_end_the_session() {
    // 1: Bob's bidirectional, 3: his unidirectional, 2: Mallory's unidirectional.
    let frames: [&[u64]; 11] = [
        &[0x0a, 3, 0],
        &[0x0a, 1, 0],
        &[0x04, 3, 0, 0],
        &[0x04, 1, 0, 0],
        &[0x05, 1, 0],
        &[0x05, 3, 0],
        &[0x05, 2, 0],
        &[0x11, 2, 5],
        &[0x11, 1, 5],
        &[0x11, 3, 5],
        &[0x0a, (1 << 62) - 1, 0],
    ];
    for frame in frames {
        Case::refused(&numbers(frame), Code::STREAM_STATE_ERROR);
    }
}

#[test]
fn streams_beyond_the_limit_end_the_session() {
    for kind in [0, 2] {
        let over = STREAMS << 2 | kind;
        Case::refused(&numbers(&[0x0a, over, 0]), Code::STREAM_LIMIT_ERROR);
        Case::refused(&numbers(&[0x04, over, 0, 0]), Code::STREAM_LIMIT_ERROR);
        let last = ((1 << 62) - 4) | kind;
        Case::refused(&numbers(&[0x0a, last, 0]), Code::STREAM_LIMIT_ERROR);
    }
}

#[test]
fn the_last_stream_that_is_allowed_opens_all_below_it_and_no_more() {
    let mut case = Case::new();
    case.tell(&numbers(&[0x0a, (STREAMS - 1) << 2, 0]));
    let connection = case.connection();
    let opened = core::iter::from_fn(|| connection.streams().accept(Dir::Bi)).count();
    assert_eq!(opened as u64, STREAMS);
    case.assert_unharmed();
}

#[test]
fn bytes_beyond_a_streams_credit_are_a_flow_control_error() {
    Case::refused(&stream(0, STREAM, 1), Code::FLOW_CONTROL_ERROR);
    Case::refused(&stream(2, STREAM - 1, 2), Code::FLOW_CONTROL_ERROR);
    Case::refused(
        &numbers(&[0x04, 0, 0, STREAM + 1]),
        Code::FLOW_CONTROL_ERROR,
    );
    let mut case = Case::new();
    case.tell(&stream(0, STREAM - 1, 1));
    case.assert_unharmed();
}

#[test]
fn bytes_beyond_the_sessions_credit_are_a_flow_control_error() {
    let mut case = Case::new();
    // The last byte of each is enough: what lies before counts.
    for number in 0..SESSION / STREAM {
        case.tell(&stream(number << 2, STREAM - 1, 1));
    }
    case.assert_unharmed();
    let used = SESSION / STREAM;
    case.tell(&stream(used << 2, 0, 1));
    case.assert_closed(Code::FLOW_CONTROL_ERROR);

    // A reset counts its final size; what it gives back holds once Bob has told so.
    for is_told in [true, false] {
        let mut case = Case::new();
        for number in 0..used {
            case.tell(&numbers(&[0x04, number << 2, 0, STREAM]));
        }
        if is_told {
            case.heard();
        }
        case.tell(&stream(used << 2, 0, 1));
        if is_told {
            case.assert_unharmed();
        } else {
            case.assert_closed(Code::FLOW_CONTROL_ERROR);
        }
    }
}

#[test]
fn credit_that_nobody_was_told_of_holds_nothing() {
    // Bob's application reads: the window moves, and he says so in a frame. Before it, the old
    // bound holds.
    let mut case = Case::new();
    case.tell(&stream(0, 0, 60_000));
    assert_eq!(case.read(0).len(), 60_000);
    case.tell(&stream(0, STREAM, 1));
    case.assert_closed(Code::FLOW_CONTROL_ERROR);
}

#[test]
fn sizes_that_change_end_the_session() {
    for second in [
        stream(0, 10, 1),
        numbers(&[0x0b, 0, 0]),
        numbers(&[0x0f, 0, 11, 0]),
        numbers(&[0x04, 0, 0, 9]),
        numbers(&[0x04, 0, 0, 11]),
    ] {
        let mut case = Case::new();
        case.tell(&[numbers(&[0x0f, 0, 8, 2]), vec![1, 2]].concat());
        case.tell(&second);
        case.assert_closed(Code::FINAL_SIZE_ERROR);
    }
}

#[test]
fn a_stop_is_answered_by_a_reset_with_its_code_and_the_bytes_that_were_sent() {
    let mut case = Case::new();
    let id = case.connection().open(Dir::Uni).unwrap();
    case.connection().streams().write(id, b"five!").unwrap();
    case.heard();
    // These bytes never go out.
    case.connection().streams().write(id, b"more").unwrap();
    case.tell(&numbers(&[0x05, id.as_u64(), 77]));
    let reset = case.heard().iter().any(|packet| {
        Frames::new(&packet.frames).any(|frame| {
            let (code, final_size) = (77, 5);
            frame
                == Ok(Frame::Reset {
                    id,
                    code,
                    final_size,
                })
        })
    });
    assert!(reset);
    case.assert_unharmed();
}

#[test]
fn a_flood_of_bytes_between_gaps_is_a_protocol_violation_within_bounded_memory() {
    let mut case = Case::new();
    let mut told = 0;
    while case.end().is_none() {
        assert!(told < 4_000, "{told} fragments are kept");
        let some: Vec<u8> = (told..told + 100)
            .flat_map(|number| stream(0, 2 * number + 1, 1))
            .collect();
        case.tell(&some);
        told += 100;
    }
    case.assert_closed(Code::PROTOCOL_VIOLATION);
}

#[test]
fn repeated_frames_take_effect_once() {
    let mut case = Case::new();
    let data = [&[0x0a, 0, 5][..], b"hello"].concat();
    let all: Vec<u8> = [
        data,
        numbers(&[0x05, 0, 7]),
        numbers(&[0x10, 5]),
        numbers(&[0x11, 0, 5]),
        numbers(&[0x12, 5]),
    ]
    .concat();
    for _ in 0..100 {
        case.tell(&all.repeat(40));
    }
    assert_eq!(case.read(0), b"hello");
    case.assert_unharmed();
    let heard = case.heard();
    assert!(heard.len() <= 2, "{heard:?}");
}

#[test]
fn a_peer_that_grants_nothing_gets_nothing_and_costs_a_bounded_buffer() {
    // Parameters: no bytes for streams, one stream of each kind.
    let mut case = Case::answering_with(&[0x03, 5, 0x66, 0, 0, 1, 1]);
    let connection = case.connection();
    let id = connection.open(Dir::Uni).expect("one is allowed");
    assert!(connection.open(Dir::Uni).is_none());
    let mut written = 0;
    while let Ok(count) = connection.streams().write(id, &[0x55; 10_000]) {
        written += count;
    }
    assert_eq!(written, 256 << 10, "what may wait unsent");
    case.tell(&[PING]);
    let sent: usize = case.heard().iter().map(|packet| packet.frames.len()).sum();
    assert!(sent < 100, "{sent}");
    assert_eq!(case.end(), None);
}
