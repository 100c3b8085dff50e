//! Migration (`docs/spec/stt-session.md` §7).

use core::time::Duration;

use super::{
    data::transfer,
    pair::{Pair, path},
};
use crate::{Event, Side, testing::LinkConfig};

#[test]
fn a_rebound_address_is_followed() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    pair.addresses[0] = path(77);
    transfer(&mut pair, 100_000, Duration::from_secs(20));
    assert_eq!(pair.end(Side::Responder).path(), path(77));
    assert!(
        pair.events(Side::Responder)
            .contains(&Event::PathChanged(path(77)))
    );
}

#[test]
fn an_end_moves_itself_after_validation() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    // The responder is reachable at 88 as well: datagrams to either arrive.
    pair.end(Side::Initiator).migrate(path(88));
    pair.addresses[1] = path(88);
    pair.run(Duration::from_secs(3));
    assert_eq!(pair.end(Side::Initiator).path(), path(88));
    transfer(&mut pair, 10_000, Duration::from_secs(5));
}

#[test]
fn a_path_that_does_not_answer_is_left() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    pair.end(Side::Initiator).migrate(path(99));
    pair.run(Duration::from_secs(10));
    assert_eq!(pair.end(Side::Initiator).path(), path(1));
    assert!(
        pair.events(Side::Initiator)
            .contains(&Event::PathFailed(path(99)))
    );
    transfer(&mut pair, 10_000, Duration::from_secs(5));
}

#[test]
fn a_packet_forwarded_from_the_side_pulls_nothing_away() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    pair.end(Side::Initiator).ping();
    // Somebody on the side is faster than the genuine copy, from another address.
    pair.links[0].config_mut().cut = true;
    pair.flush();
    pair.links[0].config_mut().cut = false;
    let (_, stolen) = pair
        .log
        .iter()
        .rfind(|(side, _)| *side == Side::Initiator)
        .unwrap()
        .clone();
    pair.inject(Side::Responder, path(66), stolen);
    assert_eq!(pair.end(Side::Responder).path(), path(66));
    transfer(&mut pair, 50_000, Duration::from_secs(20));
    assert_eq!(pair.end(Side::Responder).path(), path(0));
}

#[test]
fn at_most_three_times_what_came_goes_to_an_unproven_path() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    let id = pair.end(Side::Responder).open(crate::Dir::Uni).unwrap();
    pair.end(Side::Responder)
        .streams()
        .write(id, &[0; 100_000])
        .unwrap();
    pair.end(Side::Initiator).ping();
    pair.links[0].config_mut().cut = true;
    pair.links[1].config_mut().cut = true;
    let now = pair.now;
    let mut buf = [0; 2_000];
    let sent = pair.ends[0]
        .connection
        .poll_transmit(now, 1, &mut buf)
        .unwrap();
    pair.log.clear();
    pair.inject(Side::Responder, path(66), buf[..sent.size].to_vec());
    let before = pair.end(Side::Responder).path();
    assert_eq!(before, path(66));
    pair.run(Duration::from_millis(500));
    let to_victim: usize = pair
        .log
        .iter()
        .filter(|(side, _)| *side == Side::Responder)
        .map(|(_, d)| d.len())
        .sum();
    // Challenges to the former path are in there as well.
    assert!(
        to_victim <= 3 * sent.size + 3 * 60,
        "{to_victim} for {}",
        sent.size
    );
}
