//! Key updates out of turn (`docs/spec/stt-session.md` §4).

use stt_core::{Code, Event};

use super::{Case, PING};

/// A packet in an epoch, as the rules want it but for when it comes.
fn tell_in(case: &mut Case, epoch: usize) {
    case.peer.epoch = epoch;
    case.tell(&[PING]);
}

#[test]
fn updates_by_the_peer_are_answered_in_the_new_epoch() {
    let mut case = Case::new();
    for epoch in 1..=50 {
        tell_in(&mut case, epoch);
        let answer = case.heard().pop().expect("an acknowledgement");
        assert_eq!(answer.epoch, epoch);
    }
    assert_eq!(case.stats().key_epoch, 50);
    case.assert_unharmed();
}

#[test]
fn a_second_update_before_the_answer_to_the_first_is_a_key_update_error() {
    let mut case = Case::new();
    tell_in(&mut case, 1);
    // Bob has had no chance to say anything under his new keys.
    tell_in(&mut case, 2);
    case.assert_closed(Code::KEY_UPDATE_ERROR);
}

#[test]
fn a_new_epoch_below_a_number_of_the_old_one_is_a_key_update_error() {
    let mut case = Case::new();
    let mut early = case.peer.header();
    tell_in(&mut case, 0);
    early.epoch = 1;
    early.phase = true;
    let packet = case.peer.seal_as(&early, &[PING]);
    case.bob.receive("mallory", &packet);
    case.assert_closed(Code::KEY_UPDATE_ERROR);
}

#[test]
fn the_old_epoch_above_a_number_of_the_new_one_does_not_open() {
    let mut case = Case::new();
    tell_in(&mut case, 1);
    case.heard();
    let failed = case.stats().failed_opens;
    tell_in(&mut case, 0);
    assert_eq!(case.stats().failed_opens, failed + 1);
    case.peer.epoch = 1;
    case.assert_unharmed();
}

#[test]
fn the_old_epoch_below_the_new_one_opens_for_three_probe_time_outs_and_then_no_more() {
    let mut case = Case::new();
    let early: [_; 3] = core::array::from_fn(|_| case.peer.header());
    tell_in(&mut case, 1);
    case.heard();
    let failed = case.stats().failed_opens;
    // No round trip is known yet: a PTO is 333 + 4 · 166.5 + 24 ms.
    for (header, (wait, refused)) in early.iter().zip([(0, 0), (3_060, 0), (20, 1)]) {
        case.bob.pass(wait);
        let packet = case.peer.seal_as(header, &[PING]);
        case.bob.receive("mallory", &packet);
        assert_eq!(case.stats().failed_opens, failed + refused, "{wait}");
    }
    case.assert_unharmed();
}

#[test]
fn a_new_epoch_below_an_old_one_that_came_late_is_a_key_update_error() {
    let mut case = Case::new();
    let [mut lower, higher] = [case.peer.header(), case.peer.header()];
    tell_in(&mut case, 1);
    let late = case.peer.seal_as(&higher, &[PING]);
    case.bob.receive("mallory", &late);
    case.assert_unharmed();
    (lower.epoch, lower.phase) = (1, true);
    let packet = case.peer.seal_as(&lower, &[PING]);
    case.bob.receive("mallory", &packet);
    case.assert_closed(Code::KEY_UPDATE_ERROR);
}

#[test]
fn an_update_before_anything_in_the_first_epoch_is_a_key_update_error() {
    let mut case = Case::answered_with(&[]);
    case.heard();
    tell_in(&mut case, 1);
    case.assert_closed(Code::KEY_UPDATE_ERROR);
}

#[test]
fn a_phase_bit_without_the_keys_of_its_phase_does_not_open() {
    let mut case = Case::new();
    for (epoch, phase) in [(0, true), (2, true), (1, false), (3, true), (2, false)] {
        let failed = case.stats().failed_opens;
        let mut header = case.peer.header();
        header.epoch = epoch;
        header.phase = phase;
        let packet = case.peer.seal_as(&header, &[PING]);
        case.bob.receive("mallory", &packet);
        assert_eq!(case.stats().failed_opens, failed + 1, "{epoch} {phase}");
    }
    case.assert_unharmed();
    assert_eq!(case.stats().key_epoch, 0);
}

#[test]
fn a_first_packet_in_another_phase_confirms_nothing() {
    let (mut bob, mut peer) = Case::half_open();
    let mut header = peer.header();
    header.phase = true;
    for epoch in [0, 1] {
        header.epoch = epoch;
        let packet = peer.seal_as(&header, &[PING]);
        bob.receive("mallory", &packet);
        assert_eq!((bob.endpoint.sessions(), bob.endpoint.half_open()), (0, 1));
        assert_eq!(bob.events(), []);
    }
    let packet = peer.seal(&[PING]);
    bob.receive("mallory", &packet);
    assert_eq!(bob.opened().len(), 1);
}

#[test]
fn an_update_that_is_asked_for_waits_for_an_acknowledgement_in_the_current_epoch() {
    let mut case = Case::new();
    let connection = case.connection();
    connection.rekey();
    let heard = case.heard();
    assert!(heard.iter().all(|packet| packet.epoch == 0), "{heard:?}");
    let largest = case.peer.largest.unwrap();
    case.acknowledge(largest);
    let heard = case.heard();
    assert!(heard.iter().any(|packet| packet.epoch == 1), "{heard:?}");
    // A second one waits until the first is answered and the old key is gone.
    let connection = case.connection();
    connection.rekey();
    case.tell(&[PING]);
    assert!(case.heard().iter().all(|packet| packet.epoch == 1));
    case.peer.epoch = 1;
    case.assert_unharmed();
    case.end();
    assert!(case.events.contains(&Event::KeysUpdated { epoch: 1 }));
}
