//! Other paths, challenges, amplification (`docs/spec/stt-session.md` §7).

use core::time::Duration;
use std::collections::BTreeSet;

use stt_core::{
    Dir, PathId,
    testing::peer::numbers,
    wire::{Frame, Frames},
};

use super::{Case, PING};
use crate::support::path;

fn challenge(number: u64) -> Vec<u8> {
    [&[0x1a][..], &number.to_be_bytes()].concat()
}

fn new_id(sequence: u8) -> Vec<u8> {
    [&[0x18, sequence, 0, 4][..], &[sequence; 4], &[sequence; 16]].concat()
}

/// Bob gets frames from another address.
fn tell_from(case: &mut Case, from: &str, frames: &[u8]) -> usize {
    let packet = case.peer.seal(frames);
    case.bob.receive(from, &packet);
    packet.len()
}

fn responses(frames: &[u8]) -> usize {
    Frames::new(frames)
        .filter(|frame| matches!(frame, Ok(Frame::PathResponse(_))))
        .count()
}

/// The data of the challenges that Bob sends, with where they go.
fn challenges(case: &mut Case) -> Vec<(PathId, [u8; 8])> {
    let mut out = Vec::new();
    for (to, datagram) in case.bob.sent() {
        let packet = case.peer.open(&datagram).expect("Bob sealed it");
        for frame in Frames::new(&packet.frames) {
            if let Ok(Frame::PathChallenge(data)) = frame {
                out.push((to, data));
            }
        }
    }
    out
}

#[test]
fn a_flood_of_challenges_in_a_packet_has_one_answer() {
    let mut case = Case::new();
    let flood: Vec<u8> = (0..6_000).flat_map(challenge).collect();
    case.tell(&flood);
    let heard = case.heard();
    let count: usize = heard.iter().map(|packet| responses(&packet.frames)).sum();
    assert_eq!(count, 1);
    case.assert_unharmed();
}

#[test]
fn a_flood_of_challenges_from_everywhere_keeps_one_answer_and_costs_its_sender_as_much() {
    let mut case = Case::new();
    for number in 0..1_000 {
        tell_from(&mut case, &format!("path {number}"), &challenge(number));
    }
    let sent = case.bob.sent();
    let elsewhere = sent.iter().filter(|(to, _)| *to != path("mallory"));
    assert_eq!(elsewhere.count(), 1);
    // One at a time each has its answer, no larger than the question.
    for number in 0..1_000 {
        let from = format!("path {number}");
        let asked = tell_from(&mut case, &from, &challenge(number));
        for (to, answer) in case.bob.sent() {
            assert!(to != path(&from) || answer.len() <= asked + 4);
        }
    }
    assert_eq!(case.path(), path("mallory"), "a question moves nobody");
    case.assert_unharmed();
}

#[test]
fn at_most_three_times_what_came_from_an_unproven_address_goes_there() {
    let mut case = Case::new();
    for sequence in 1..4 {
        case.tell(&new_id(sequence));
    }
    let connection = case.connection();
    let id = connection.open(Dir::Uni).unwrap();
    connection.streams().write(id, &[0x55; 200_000]).unwrap();
    let mut received = 0;
    let mut sent = 0;
    // Mallory forwards her packets through the victim's address and says that she has read all.
    for _ in 0..20 {
        let largest = case.peer.largest.unwrap();
        received += tell_from(&mut case, "victim", &numbers(&[0x02, largest, 0, 0, 0]));
        received += tell_from(&mut case, "victim", &[PING]);
        for (_, (to, datagram)) in case.bob.pass(400) {
            case.peer.open(&datagram);
            if to == path("victim") {
                sent += datagram.len();
                assert!(sent <= 3 * received, "{sent} for {received}");
            }
        }
    }
    assert!(sent > 0);
}

/// A CLOSE goes out again and again, each time somebody knocks.
#[test]
fn closes_count_among_what_goes_to_an_unproven_address() {
    for reason in (16..=256).step_by(16) {
        let mut case = Case::new();
        let mut received = tell_from(&mut case, "victim", &[PING]);
        let now = case.bob.now;
        case.connection().close(now, 7, &"x".repeat(reason));
        let (mut sent, mut longest) = (0, 0);
        for _ in 0..130 {
            for (to, datagram) in case.bob.sent() {
                if to == path("victim") {
                    sent += datagram.len();
                    longest = longest.max(datagram.len());
                    assert!(sent <= 3 * received, "{sent} for {received}");
                }
            }
            received += tell_from(&mut case, "victim", &[PING]);
        }
        assert!(longest > reason, "the whole reason once it was earned");
    }
}

/// A larger packet than the path is known to take might be all that may go there.
#[test]
fn no_larger_packets_are_tried_on_an_unproven_path() {
    let mut case = Case::new();
    (1..4).for_each(|sequence| case.tell(&new_id(sequence)));
    tell_from(&mut case, "victim", &[PING]);
    let mut largest_sent = 0;
    for _ in 0..20 {
        let largest = case.peer.largest.unwrap();
        let ack = numbers(&[0x02, largest, 0, 0, 0]);
        tell_from(
            &mut case,
            "victim",
            &[&ack[..], &[PING], &[0; 1_000]].concat(),
        );
        for (_, (to, datagram)) in case.bob.pass(20) {
            case.peer.open(&datagram);
            if to == path("victim") {
                largest_sent = largest_sent.max(datagram.len());
            }
        }
    }
    assert_eq!(case.path(), path("victim"));
    assert_eq!(case.stats().rtt.as_millis(), 20, "measured");
    assert!((1..=1_200).contains(&largest_sent), "{largest_sent}");
}

#[test]
fn only_the_answer_to_a_challenge_proves_a_path() {
    let mut case = Case::new();
    let connection = case.connection();
    let id = connection.open(Dir::Uni).unwrap();
    connection.streams().write(id, &[0x55; 100_000]).unwrap();
    let mut received = tell_from(&mut case, "victim", &[PING]);
    let guesses: Vec<u8> = (0..100_u64)
        .flat_map(|guess| [&[0x1b][..], &guess.to_be_bytes()].concat())
        .collect();
    received += tell_from(&mut case, "victim", &guesses);
    let to_victim: usize = case
        .bob
        .pass(200)
        .iter()
        .filter(|(_, (to, _))| *to == path("victim"))
        .map(|(_, (_, datagram))| datagram.len())
        .sum();
    assert!(to_victim <= 3 * received, "{to_victim} for {received}");
}

#[test]
fn only_the_highest_number_with_something_else_than_probes_moves_the_session() {
    let mut case = Case::new();
    let late = case.peer.header();
    case.tell(&[PING]);
    case.heard();
    // A packet that was overtaken, and one that only probes.
    let packet = case.peer.seal_as(&late, &[PING]);
    case.bob.receive("elsewhere", &packet);
    assert_eq!(case.path(), path("mallory"));
    tell_from(
        &mut case,
        "elsewhere",
        &[challenge(1), vec![0; 20]].concat(),
    );
    assert_eq!(case.path(), path("mallory"));
    tell_from(&mut case, "elsewhere", &new_id(1));
    assert_eq!(case.path(), path("mallory"));
    let response = [&[0x1b][..], &[7; 8]].concat();
    tell_from(&mut case, "elsewhere", &response);
    assert_eq!(case.path(), path("mallory"));
    tell_from(&mut case, "elsewhere", &[PING]);
    assert_eq!(case.path(), path("elsewhere"));
}

#[test]
fn a_session_pulled_to_many_addresses_returns_to_the_one_that_was_proven() {
    // With spare ids, without any, and with one that comes in between.
    for spares in [[3, 0], [0, 0], [0, 1]] {
        let mut case = Case::new();
        (1..=spares[0]).for_each(|sequence| case.tell(&new_id(sequence)));
        case.heard();
        tell_from(&mut case, "first", &[PING]);
        case.bob.sent();
        for sequence in 1..=spares[1] {
            tell_from(&mut case, "first", &new_id(sequence));
        }
        for number in 0..20 {
            tell_from(&mut case, &format!("path {number}"), &[PING]);
            case.bob.sent();
        }
        assert_ne!(case.path(), path("mallory"));
        // Nobody answers the challenges there.
        case.bob.pass(6_000);
        assert_eq!(case.path(), path("mallory"), "{spares:?}");
        case.assert_unharmed();
    }
}

#[test]
fn a_path_that_fails_is_left_within_three_probe_time_outs() {
    let mut case = Case::new();
    tell_from(&mut case, "nowhere", &[PING]);
    assert_eq!(case.path(), path("nowhere"));
    let begun = case.bob.now;
    while case.path() == path("nowhere") {
        case.bob.pass(50);
        let waited = case.bob.now.saturating_since(begun);
        assert!(waited < Duration::from_secs(6), "{waited:?}");
    }
    assert_eq!(case.path(), path("mallory"));
    // It is not doubted, though nobody answers there either.
    case.bob.pass(10_000);
    case.assert_unharmed();
}

/// RFC 9000 §9.3.3: whoever is asked on the path that is used says something that is no probe, so that the session comes
/// back if somebody on the side has pulled it away.
#[test]
fn a_challenge_on_the_active_path_is_answered_with_an_acknowledgement_beside() {
    let mut case = Case::new();
    case.tell(&challenge(1));
    let [answer] = &case.heard()[..] else {
        panic!("one packet");
    };
    let frames: Vec<_> = Frames::new(&answer.frames).map(Result::unwrap).collect();
    assert!(matches!(
        frames[..],
        [Frame::PathResponse(_), Frame::Ack(_), ..]
    ));
}

#[test]
fn answers_elsewhere_wait_for_a_packet_on_the_active_path_at_last() {
    let mut case = Case::new();
    for sequence in 1..4 {
        case.tell(&new_id(sequence));
    }
    case.heard();
    // The victim's address has been sent all that may go there, so nothing goes out on the active path.
    tell_from(&mut case, "victim", &[PING]);
    case.bob.sent();
    let mut answers = 0;
    for number in 0..5_000 {
        tell_from(&mut case, "third", &challenge(number));
        let sent = case.bob.sent();
        answers += sent.iter().filter(|(to, _)| *to == path("third")).count();
    }
    assert!((500..=1_024).contains(&answers), "{answers}");
    case.bob.pass(6_000);
    assert_eq!(case.path(), path("mallory"));
    tell_from(&mut case, "third", &challenge(0));
    let sent = case.bob.sent();
    assert!(sent.iter().any(|(to, _)| *to == path("third")));
    case.assert_unharmed();
}

#[test]
fn no_two_challenges_are_alike() {
    let mut case = Case::new();
    let mut seen = BTreeSet::new();
    for number in 0..20 {
        tell_from(&mut case, &format!("path {number}"), &[PING]);
        for (_, data) in challenges(&mut case) {
            assert!(seen.insert(data), "{data:?} again");
        }
    }
    assert!(seen.len() >= 20);
}

#[test]
fn the_id_of_a_path_that_is_left_is_given_back() {
    let mut case = Case::new();
    case.tell(&new_id(1));
    case.heard();
    tell_from(&mut case, "elsewhere", &[PING]);
    let challenges = challenges(&mut case);
    let (_, data) = challenges
        .iter()
        .find(|(to, _)| *to == path("elsewhere"))
        .expect("it is challenged");
    tell_from(&mut case, "elsewhere", &[&[0x1b][..], data].concat());
    let given_back = case.heard().iter().any(|packet| {
        Frames::new(&packet.frames).any(|frame| frame == Ok(Frame::RetireId { sequence: 0 }))
    });
    assert!(given_back);
}

#[test]
fn a_path_keeps_the_id_that_its_first_answer_had() {
    let mut case = Case::new();
    (1..4).for_each(|sequence| case.tell(&new_id(sequence)));
    case.heard();
    let mut ids = BTreeSet::new();
    for frames in [challenge(1), vec![PING]] {
        tell_from(&mut case, "elsewhere", &frames);
        for (to, datagram) in case.bob.sent() {
            if to == path("elsewhere") {
                ids.insert(datagram[1..5].to_vec());
            }
        }
    }
    assert_eq!(case.path(), path("elsewhere"));
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[test]
fn the_round_trip_is_measured_anew_on_each_path() {
    let rtt = |case: &Case| case.stats().rtt.as_millis();
    let mut case = Case::new();
    case.bob.pass(50);
    let largest = case.peer.largest.unwrap();
    case.acknowledge(largest);
    assert_eq!(rtt(&case), 50);
    tell_from(&mut case, "nowhere", &[PING]);
    assert_eq!(rtt(&case), 333);
    case.heard();
    case.bob.pass(70);
    let largest = case.peer.largest.unwrap();
    tell_from(
        &mut case,
        "nowhere",
        &numbers(&[0x02, largest, 0, 0, largest]),
    );
    assert_eq!(rtt(&case), 70);
    // Nobody answers the challenges there.
    case.bob.pass(6_000);
    assert_eq!(case.path(), path("mallory"));
    assert_eq!(rtt(&case), 333);
}
