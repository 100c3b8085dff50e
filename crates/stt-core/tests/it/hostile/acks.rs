//! Acknowledgements that lie, floods of them, and numbers that jump (`docs/spec/stt-session.md` §2,
//! §3, §5).

use std::collections::BTreeSet;

use stt_core::{
    Code, Dir, StreamId,
    testing::peer::{Opened, numbers, varint},
    wire::{Frame, Frames},
};

use super::{Case, PING};

#[test]
fn an_optimistic_ack_of_packets_never_sent_is_a_protocol_violation() {
    let mut case = Case::new();
    let next = case.peer.largest.unwrap() + 1;
    case.acknowledge(next - 1);
    case.assert_unharmed();
    for ahead in [20, 1_000, 1 << 40, (1 << 62) - 1] {
        let mut case = Case::new();
        case.tell(&numbers(&[0x02, ahead, 0, 0, 0]));
        case.assert_closed(Code::PROTOCOL_VIOLATION);
    }
}

#[test]
fn an_optimistic_ack_of_a_skipped_number_is_a_protocol_violation() {
    let mut case = Case::new();
    let mut seen = BTreeSet::new();
    let skipped = (0..5_000)
        .find_map(|_| {
            case.tell(&[PING]);
            seen.extend(case.heard().iter().map(|packet| packet.number));
            let last = *seen.last()?;
            let first = *seen.first()?;
            (first..last).find(|number| !seen.contains(number))
        })
        .expect("a number is skipped now and then");
    let last = *seen.last().unwrap();
    // Who acknowledges what came goes on; who guesses is found.
    let below = last - skipped - 1;
    case.tell(&numbers(&[0x02, last, 0, 1, below, 0, skipped - 1]));
    case.assert_unharmed();
    case.tell(&numbers(&[0x02, skipped, 0, 0, 0]));
    case.assert_closed(Code::PROTOCOL_VIOLATION);
}

#[test]
fn ack_ranges_below_zero_or_too_many_end_the_session() {
    Case::refused(&numbers(&[0x02, 0, 0, 0, 1]), Code::FRAME_ENCODING_ERROR);
    Case::refused(
        &numbers(&[0x02, 5, 0, 1, 0, 4, 0]),
        Code::FRAME_ENCODING_ERROR,
    );
    let many = |count: u64| -> Vec<u8> {
        let mut frame = numbers(&[0x02, 1_000, 0, count, 0]);
        frame.extend((0..count).flat_map(|_| [0, 0]));
        frame
    };
    Case::refused(&many(128), Code::FRAME_ENCODING_ERROR);
    let endless = [numbers(&[0x02, 1_000, 0, 1 << 40, 0]), vec![0; 1_000]].concat();
    Case::refused(&endless, Code::FRAME_ENCODING_ERROR);
    // As many as are allowed: the numbers were never sent.
    Case::refused(&many(127), Code::PROTOCOL_VIOLATION);
}

/// `largest`, then 127 ranges of one number each, every second one.
fn all_ranges(largest: u64) -> Vec<u8> {
    let mut frame = numbers(&[0x02, largest, 0, 127, 0]);
    frame.extend((0..127).flat_map(|_| [0, 0]));
    frame
}

#[test]
fn a_flood_of_ack_ranges_changes_nothing_but_what_they_say() {
    let mut case = Case::new();
    for _ in 0..600 {
        case.tell(&[PING]);
        case.heard();
    }
    let largest = case.peer.largest.unwrap();
    let frame = all_ranges(largest);
    let packet = frame.repeat(60_000 / frame.len());
    let mut answers = 0;
    for _ in 0..200 {
        case.tell(&packet);
        answers += case.heard().len();
    }
    // None of them asks for one. What was left out is lost, and told again once.
    assert!(answers <= 2, "{answers}");
    case.assert_unharmed();
}

#[test]
fn a_peer_that_leaves_gaps_everywhere_is_told_32_ranges_at_most() {
    let mut case = Case::new();
    for _ in 0..9_000 {
        case.peer.next += 1; // one number is never used
        case.tell(&[PING]);
        for packet in case.heard() {
            for frame in Frames::new(&packet.frames) {
                if let Ok(Frame::Ack(ack)) = frame {
                    assert!(ack.ranges().count() <= 32);
                }
            }
        }
    }
    case.assert_unharmed();
}

#[test]
fn the_replay_window_holds_8192_numbers_and_nothing_opens_twice() {
    let mut case = Case::new();
    let begin = case.peer.next;
    case.peer.next = begin + 8_192;
    case.tell(&[PING]);
    let mut header = case.peer.header();
    let duplicates = case.stats().duplicates;
    let mut tell = |case: &mut Case, number| {
        header.number = number;
        let packet = case.peer.seal_as(&header, &[PING]);
        case.bob.receive("mallory", &packet);
        case.stats().duplicates - duplicates
    };
    assert_eq!(tell(&mut case, begin + 1), 0, "the oldest inside");
    assert_eq!(tell(&mut case, begin + 1), 1, "a second time");
    assert_eq!(tell(&mut case, begin), 2, "the youngest outside");
    case.assert_unharmed();
}

#[test]
fn numbers_may_jump_by_as_much_as_their_bytes_tell_and_old_ones_stay_old() {
    let mut case = Case::new();
    for _ in 0..50 {
        case.peer.next += 1 << 31;
        case.peer.next -= 8;
        case.tell(&[PING]);
    }
    let largest = case.peer.next - 1;
    let heard = case.heard();
    let told = heard.iter().any(|packet| {
        Frames::new(&packet.frames)
            .any(|frame| matches!(frame, Ok(Frame::Ack(ack)) if ack.largest() == largest))
    });
    assert!(told, "{heard:?}");
    case.assert_unharmed();
}

/// Offsets and bytes of a stream in these packets.
fn pieces(packets: &[Opened], id: StreamId) -> Vec<(u64, Vec<u8>)> {
    let mut out = Vec::new();
    for packet in packets {
        for frame in Frames::new(&packet.frames) {
            if let Ok(Frame::Stream(stream)) = frame
                && stream.id == id
            {
                out.push((stream.offset, stream.data.to_vec()));
            }
        }
    }
    out
}

/// Bob has these bytes to send, and nothing that he said before waits for an acknowledgement.
fn with_bytes(mut case: Case, bytes: &[u8]) -> (Case, StreamId) {
    let largest = case.peer.largest.expect("Bob has said something");
    case.acknowledge(largest);
    let connection = case.connection();
    let id = connection.open(Dir::Uni).expect("there is credit");
    assert_eq!(connection.streams().write(id, bytes), Ok(bytes.len()));
    (case, id)
}

/// The ACKs in these packets: the lowest number, the delay in µs.
fn acks(packets: &[Opened]) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    for packet in packets {
        for frame in Frames::new(&packet.frames) {
            if let Ok(Frame::Ack(ack)) = frame {
                let lowest = ack.ranges().last().expect("one at least");
                out.push((*lowest.start(), ack.delay_us()));
            }
        }
    }
    out
}

#[test]
fn the_delay_of_an_ack_counts_from_the_arrival_of_the_largest_number() {
    let mut case = Case::new();
    let late = case.peer.header();
    case.tell(&[PING]);
    case.heard();
    case.bob.pass(10);
    let packet = case.peer.seal_as(&late, &[PING]);
    case.bob.receive("mallory", &packet);
    let delays: Vec<u64> = acks(&case.heard())
        .iter()
        .map(|(_, delay)| *delay)
        .collect();
    assert_eq!(delays, [10_000]);
}

#[test]
fn what_an_acknowledged_ack_told_is_told_no_more() {
    let mut case = Case::new();
    case.tell(&[PING]);
    case.heard();
    let next = case.peer.next;
    let largest = case.peer.largest.unwrap();
    case.acknowledge(largest);
    case.tell(&[PING]);
    assert_eq!(acks(&case.heard()), [(next, 0)]);
}

#[test]
fn an_ack_is_held_back_for_the_time_of_its_sender_not_of_its_receiver() {
    // Limits: all as by default, but Mallory may take 2,048 ms.
    let limits = [0x03, 7, 0x66, 0x90, 0x80, 0x24, 0x24, 0x70, 0x48];
    let mut case = Case::answering_with(&limits);
    case.tell(&[&[0x0a, 1, 5][..], b"hello"].concat());
    assert_eq!(acks(&case.pass(20)), []);
    assert_eq!(acks(&case.pass(10)).len(), 1);
}

#[test]
fn a_probe_repeats_what_nobody_acknowledged() {
    let (mut case, id) = with_bytes(Case::new(), b"again");
    for _ in 0..2 {
        let piece = (0, b"again".to_vec());
        assert!(pieces(&case.pass(1_000), id).contains(&piece));
    }
}

#[test]
fn a_probe_waits_for_as_long_as_the_peer_may_hold_an_acknowledgement_back() {
    // Limits: all as by default, but 2,048 ms as the seventh.
    let limits = [0x03, 7, 0x66, 0x90, 0x80, 0x24, 0x24, 0x70, 0x48];
    let (mut case, id) = with_bytes(Case::answering_with(&limits), b"patience");
    assert_eq!(pieces(&case.heard(), id).len(), 1);
    assert_eq!(pieces(&case.pass(2_040), id), []);
    assert_ne!(pieces(&case.pass(20), id), []);
}

#[test]
fn ecn_counts_that_lie_only_switch_ecn_off() {
    let mut case = Case::new();
    let largest = case.peer.largest.unwrap();
    for counts in [[1 << 61, 0, 0], [0, 0, 1 << 61], [0, 5, 0], [0, 0, 0]] {
        let frame = [
            numbers(&[0x03, largest, 0, 0, 0]),
            counts.into_iter().flat_map(varint).collect(),
        ]
        .concat();
        case.tell(&frame);
    }
    case.assert_unharmed();
}

#[test]
fn a_peer_that_acknowledges_nothing_costs_bounded_buffers_and_ends_by_the_idle_time_out() {
    let mut case = Case::new();
    let connection = case.connection();
    let id = connection.open(Dir::Uni).unwrap();
    while connection.streams().write(id, &[0x55; 10_000]).is_ok() {}
    let sent = case.bob.pass(60_000);
    // The window of the beginning, then probes that grow rare.
    assert!(sent.len() < 60, "{}", sent.len());
    assert!(case.end().is_some());
    assert_eq!(case.bob.endpoint.sessions(), 0);
}
