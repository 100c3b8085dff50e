//! Wire ids (`docs/spec/stt-session.md` §6).

use std::collections::BTreeSet;

use stt_core::{
    Code, LinkProfile,
    testing::peer::{Opened, PEER_ID, numbers, varint},
    wire::{Frame, Frames},
};

use super::{Case, PING};
use crate::support::{Node, config_on, path};

fn new_id(sequence: u64, retire_prior_to: u64, id: &[u8]) -> Vec<u8> {
    [
        &[0x18][..],
        &varint(sequence),
        &varint(retire_prior_to),
        &[id.len() as u8],
        id,
        &[sequence as u8; 16],
    ]
    .concat()
}

/// Sequence and bytes of the ids that Bob gives in these packets.
fn ids_in(packets: &[Opened]) -> Vec<(u64, Vec<u8>)> {
    let mut out = Vec::new();
    for packet in packets {
        for frame in Frames::new(&packet.frames) {
            if let Ok(Frame::NewId(new)) = frame {
                out.push((new.sequence, new.id.as_bytes().to_vec()));
            }
        }
    }
    out
}

/// Sequence and bytes of the ids that Bob has given since he was last heard.
fn given(case: &mut Case) -> Vec<(u64, Vec<u8>)> {
    ids_in(&case.heard())
}

/// Whether Bob gives an id back.
fn gives_back(packets: &[Opened], sequence: u64) -> bool {
    packets.iter().any(|packet| {
        Frames::new(&packet.frames).any(|frame| frame == Ok(Frame::RetireId { sequence }))
    })
}

#[test]
fn more_than_eight_ids_are_an_id_limit_error() {
    let mut case = Case::new();
    for sequence in 1..8 {
        case.tell(&new_id(sequence, 0, &[sequence as u8; 4]));
    }
    case.assert_unharmed();
    case.tell(&new_id(8, 0, &[8; 4]));
    case.assert_closed(Code::ID_LIMIT_ERROR);
}

#[test]
fn ids_that_replace_others_do_not_count_against_the_limit() {
    let mut case = Case::new();
    for sequence in 1..8 {
        case.tell(&new_id(sequence, 0, &[sequence as u8; 4]));
    }
    // All before it go: RFC 9000 §5.1.1 counts what is left after that.
    case.tell(&new_id(8, 8, &[8; 4]));
    case.assert_unharmed();
}

#[test]
fn ids_that_change_are_protocol_violations() {
    for (first, second) in [
        (new_id(1, 0, b"abcd"), new_id(1, 0, b"abce")),
        (new_id(1, 0, b"abcd"), new_id(2, 0, b"abcd")),
        (new_id(0, 0, b"abcd"), vec![PING]),
        (
            new_id(1, 0, b"abcd"),
            [&[0x18, 1, 0, 4][..], b"abcd", &[9; 16]].concat(),
        ),
    ] {
        let mut case = Case::new();
        case.tell(&first);
        case.tell(&second);
        case.assert_closed(Code::PROTOCOL_VIOLATION);
    }
    let mut case = Case::new();
    for _ in 0..3 {
        case.tell(&new_id(1, 0, b"abcd"));
        case.tell(&new_id(0, 0, &PEER_ID));
    }
    case.assert_unharmed();
}

#[test]
fn ids_of_no_length_or_that_retire_themselves_end_the_session() {
    Case::refused(&new_id(1, 2, b"abcd"), Code::FRAME_ENCODING_ERROR);
    for len in [0, 9, 20, 255] {
        let frame = [&[0x18, 1, 0, len][..], &[7; 300]].concat();
        Case::refused(&frame, Code::FRAME_ENCODING_ERROR);
    }
}

#[test]
fn retiring_what_was_never_given_or_the_packets_own_id_is_a_protocol_violation() {
    Case::refused(&numbers(&[0x19, 40]), Code::PROTOCOL_VIOLATION);
    Case::refused(&numbers(&[0x19, 0]), Code::PROTOCOL_VIOLATION);
}

#[test]
fn a_peer_that_retires_without_end_gets_one_for_one_and_no_table_grows() {
    let mut case = Case::new();
    case.tell(&[PING]);
    let mut ids = given(&mut case);
    for _ in 0..500 {
        let spare: Vec<u64> = ids.drain(..).map(|(sequence, _)| sequence).collect();
        for sequence in spare.into_iter().filter(|sequence| *sequence > 0) {
            // Told often, done once.
            case.tell(&numbers(&[0x19, sequence]).repeat(20));
        }
        let largest = case.peer.largest.unwrap();
        case.acknowledge(largest);
        ids = given(&mut case);
        assert!(ids.len() <= 4, "{ids:?}");
    }
    case.assert_unharmed();
}

#[test]
fn a_flood_of_ids_that_retire_each_other_is_a_protocol_violation_at_last() {
    let mut case = Case::new();
    let flood: Vec<u8> = (1..200)
        .flat_map(|sequence| new_id(sequence, sequence, &(sequence as u32).to_be_bytes()))
        .collect();
    case.tell(&flood);
    case.assert_closed(Code::PROTOCOL_VIOLATION);
}

#[test]
fn an_id_that_the_peer_wants_back_is_left_for_a_spare_one() {
    let mut case = Case::new();
    case.tell(&new_id(1, 1, b"next"));
    case.tell(&[PING]);
    let sent = case.bob.sent();
    assert!(!sent.is_empty());
    for (_, datagram) in &sent {
        assert_eq!(&datagram[1..5], b"next");
    }
    let open = |(_, datagram): &(_, Vec<u8>)| case.peer.open(datagram).expect("Bob sealed it");
    let packets: Vec<Opened> = sent.iter().map(open).collect();
    assert!(gives_back(&packets, 0));
    // Nobody acknowledges it: it is told again.
    assert!(gives_back(&case.pass(3_000), 0));
}

#[test]
fn an_id_that_comes_after_it_was_asked_back_is_given_back_at_once() {
    let mut case = Case::new();
    case.tell(&new_id(2, 2, b"next"));
    case.heard();
    case.tell(&new_id(1, 0, b"late"));
    assert!(gives_back(&case.heard(), 1));
    case.assert_unharmed();
}

/// Packets may be copied and late: what was given back is no spare id.
#[test]
fn a_new_id_that_comes_again_after_the_id_was_given_back_gives_none() {
    let mut case = Case::new();
    case.tell(&new_id(1, 0, b"next"));
    case.heard();
    let tell_from = |case: &mut Case, from: &str, frames: &[u8]| {
        let packet = case.peer.seal(frames);
        case.bob.receive(from, &packet);
    };
    tell_from(&mut case, "elsewhere", &[PING]);
    for packet in case.heard() {
        for frame in Frames::new(&packet.frames) {
            if let Ok(Frame::PathChallenge(data)) = frame {
                tell_from(&mut case, "elsewhere", &[&[0x1b][..], &data].concat());
            }
        }
    }
    assert!(gives_back(&case.heard(), 0));
    tell_from(&mut case, "elsewhere", &new_id(0, 0, &PEER_ID));
    tell_from(&mut case, "third", &[PING]);
    let sent = case.bob.sent();
    assert!(sent.iter().any(|(to, _)| *to == path("third")));
    for (_, datagram) in &sent {
        assert_eq!(&datagram[1..5], b"next");
    }
}

#[test]
fn ids_that_nobody_acknowledges_are_given_again_three_beside_the_first_one_on_narrow_links() {
    let narrow = LinkProfile {
        mtu: 256,
        rate_hint: Some(9_600),
        ..LinkProfile::default()
    };
    for (profile, last) in [(LinkProfile::default(), 3), (narrow, 1)] {
        let mut case = Case::with(Node::with(config_on("bob", profile), "bob"));
        let again = ids_in(&case.pass(20_000));
        let sequences: BTreeSet<u64> = again.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(sequences, (0..=last).collect());
    }
}

#[test]
fn the_initiator_gives_ids_once_it_has_heard_a_packet() {
    let mut case = Case::answered_with(&[]);
    let first = case.pass(1_000);
    assert!(!first.is_empty());
    assert_eq!(ids_in(&first), []);
    case.tell(&[PING]);
    assert_eq!(given(&mut case).len(), 4);
}

#[test]
fn an_id_that_is_given_back_leads_nowhere_and_is_replaced() {
    let mut case = Case::answered_with(&[]);
    case.tell(&[PING]);
    let ids = given(&mut case);
    let (sequence, id) = ids.last().expect("four are given").clone();
    let before = core::mem::replace(&mut case.peer.to, id.clone());
    case.assert_unharmed();
    case.peer.to = before;
    case.tell(&numbers(&[0x19, sequence]));
    let next: Vec<u64> = given(&mut case).iter().map(|(next, _)| *next).collect();
    assert_eq!(next, [sequence + 1]);
    let received = case.stats().packets_received;
    case.peer.to = id;
    case.tell(&[PING]);
    assert_eq!(case.stats().packets_received, received);
}

#[test]
fn ids_that_cannot_be_given_back_yet_do_not_pile_up() {
    let mut case = Case::new();
    // Bob's window is full, and Mallory acknowledges nothing: no RETIRE_ID goes out.
    let connection = case.connection();
    let id = connection.open(stt_core::Dir::Uni).unwrap();
    connection.streams().write(id, &[0x55; 200_000]).unwrap();
    case.bob.sent();
    for sequence in 1..100_u64 {
        case.tell(&new_id(sequence, 0, &(sequence as u32).to_be_bytes()));
        let packet = case.peer.seal(&[PING]);
        let from = format!("path {sequence}");
        case.bob.receive(&from, &packet);
    }
    assert!(matches!(
        case.end(),
        None | Some(stt_core::ConnectionError::Transport(_))
    ));
}
