//! Interference on the way (`docs/spec/stt-session.md` §3): nothing but counters moves.

use core::time::Duration;
use std::collections::BTreeSet;

use super::{
    super::{luck::Luck, skip_distance},
    data::transfer,
    pair::{Pair, path},
};
use crate::{Event, Side, connection::ConnectionError, testing::LinkConfig};

fn last_of(pair: &Pair, side: Side) -> Vec<u8> {
    pair.log
        .iter()
        .rfind(|(from, _)| *from == side)
        .unwrap()
        .1
        .clone()
}

#[test]
fn replayed_packets_change_nothing() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    transfer(&mut pair, 20_000, Duration::from_secs(5));
    let all: Vec<_> = pair
        .log
        .iter()
        .filter(|(side, _)| *side == Side::Initiator)
        .map(|(_, d)| d.clone())
        .collect();
    let before = pair.end(Side::Responder).stats();
    for datagram in &all {
        pair.inject(Side::Responder, path(66), datagram.clone());
    }
    let after = pair.end(Side::Responder).stats();
    assert_eq!(after.duplicates - before.duplicates, all.len() as u64);
    assert_eq!(
        pair.end(Side::Responder).path(),
        path(0),
        "a replay moves no path"
    );
    transfer(&mut pair, 20_000, Duration::from_secs(5));
}

#[test]
fn a_flip_of_any_bit_is_refused() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    let datagram = pair.stolen_ping();
    for bit in 0..datagram.len() * 8 {
        let mut damaged = datagram.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let before = pair.end(Side::Responder).stats();
        pair.inject(Side::Responder, path(0), damaged);
        let after = pair.end(Side::Responder).stats();
        // The wire id is the endpoint's to check; all else stops the packet from opening.
        if !(8..5 * 8).contains(&bit) {
            assert_eq!(after.failed_opens - before.failed_opens, 1, "bit {bit}");
        }
    }
    for len in 0..datagram.len() {
        pair.inject(Side::Responder, path(0), datagram[..len].to_vec());
    }
    let before = pair.end(Side::Responder).stats().duplicates;
    pair.inject(Side::Responder, path(0), datagram);
    assert_eq!(
        pair.end(Side::Responder).stats().duplicates,
        before,
        "the genuine one is new"
    );
    transfer(&mut pair, 1_000, Duration::from_secs(5));
}

#[test]
fn a_reflected_packet_is_refused() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    let datagram = last_of(&pair, Side::Initiator);
    let before = pair.end(Side::Initiator).stats().failed_opens;
    pair.inject(Side::Initiator, path(1), datagram);
    assert_eq!(pair.end(Side::Initiator).stats().failed_opens, before + 1);
}

#[test]
fn a_reset_token_ends_the_session_and_a_near_miss_does_not() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(500));
    // The token of the responder's first id, as told to the initiator after confirmation.
    let mut reset = vec![0x9f; 5];
    reset.extend_from_slice(&[0xa1; 16]);
    let mut miss = reset.clone();
    *miss.last_mut().unwrap() ^= 1;
    pair.inject(Side::Initiator, path(1), miss);
    assert!(pair.end(Side::Initiator).is_open());
    let mut long = vec![0x9f; 30];
    long.extend_from_slice(&[0xa1; 16]);
    pair.inject(Side::Initiator, path(1), long);
    assert_eq!(
        pair.events(Side::Initiator).last(),
        Some(&Event::Closed(ConnectionError::Reset))
    );
}

/// Who could tell which number is left out next would acknowledge around it.
#[test]
fn numbers_are_skipped_at_distances_that_nobody_can_tell() {
    let mut luck = Luck::new([1; 32]);
    let distances: BTreeSet<u64> = (0..100).map(|_| skip_distance(&mut luck)).collect();
    assert!(distances.len() > 80);
    assert!(distances.iter().all(|distance| *distance >= 16));
}
