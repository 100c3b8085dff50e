//! Migration (`docs/spec/stt-session.md` §7).

use core::time::Duration;

use super::{
    data::transfer,
    pair::{Pair, path},
};
use crate::{Ecn, Event, Side, connection::ConnectionError, testing::LinkConfig};

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

/// The size that was found on the path before says nothing about this one.
#[test]
fn packets_and_datagrams_are_small_again_on_a_new_path() {
    let mut pair = Pair::new(LinkConfig::bottleneck(5_000_000, Duration::from_millis(20)));
    transfer(&mut pair, 300_000, Duration::from_secs(20));
    pair.run(Duration::from_secs(2));
    let before = pair.end(Side::Initiator).max_datagram();
    assert!(pair.end(Side::Initiator).stats().mtu > 1_200);
    pair.end(Side::Initiator).migrate(path(88));
    pair.addresses[1] = path(88);
    pair.run_until(Duration::from_secs(3), |pair| {
        pair.end(Side::Initiator).path() == path(88)
    });
    let initiator = pair.end(Side::Initiator);
    assert_eq!(initiator.stats().mtu, 1_200);
    assert_eq!(initiator.datagrams().max_size(), initiator.max_datagram());
    assert!(initiator.datagrams().send(&vec![0; before]).is_err());
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
    // Somebody on the side is faster than the genuine copy, from another address.
    let stolen = pair.stolen_ping();
    pair.inject(Side::Responder, path(66), stolen);
    assert_eq!(pair.end(Side::Responder).path(), path(66));
    transfer(&mut pair, 50_000, Duration::from_secs(20));
    assert_eq!(pair.end(Side::Responder).path(), path(0));
}

/// It worked a moment ago. Without that, a session whose challenges are lost would end.
#[test]
fn the_former_path_is_taken_for_proven_on_return() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    let [first, second] = [(); 2].map(|()| pair.stolen_ping());
    for link in &mut pair.links {
        link.config_mut().cut = true;
    }
    pair.inject(Side::Responder, path(66), first);
    assert!(!pair.end(Side::Responder).active.is_validated());
    pair.inject(Side::Responder, path(0), second);
    assert_eq!(pair.end(Side::Responder).path(), path(0));
    assert!(pair.end(Side::Responder).active.is_validated());
    pair.run(Duration::from_secs(10));
    assert!(!pair.end(Side::Responder).is_closed());
}

/// Its driver sends nothing, for its socket is full.
#[test]
fn a_path_fails_also_where_no_challenge_can_be_sent() {
    for former in [true, false] {
        let mut pair = Pair::new(LinkConfig::PERFECT);
        pair.run(Duration::from_millis(100));
        let mut stolen = pair.stolen_ping();
        let now = pair.now;
        let responder = pair.end(Side::Responder);
        responder.handle_packet(now, path(66), Ecn::NotEct, &mut stolen);
        assert_eq!(responder.path(), path(66));
        if !former {
            responder.former = None;
        }
        let mut end = now;
        while responder.path() == path(66) && !responder.is_closed() {
            end = responder.poll_timeout().unwrap();
            responder.handle_timeout(end);
        }
        assert!(end.saturating_since(now) < Duration::from_secs(6));
        let events: Vec<Event> = core::iter::from_fn(|| responder.poll_event()).collect();
        if former {
            assert_eq!(responder.path(), path(0));
            assert!(events.contains(&Event::PathFailed(path(66))));
        } else {
            assert!(events.contains(&Event::Closed(ConnectionError::NoPath)));
        }
    }
}

/// Nobody has anything else to say, not even of an id that is given back: there is no other one.
#[test]
fn the_peer_of_an_end_that_moves_follows_at_once() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    while pair.end(Side::Initiator).peer_ids.take_spare().is_some() {}
    pair.ways = vec![[path(20), path(21)]];
    pair.end(Side::Initiator).migrate(path(20));
    // Before an acknowledgement of the answer is due, which could be lost.
    pair.run(Duration::from_millis(10));
    assert_eq!(pair.end(Side::Initiator).path(), path(20));
    assert_eq!(pair.end(Side::Responder).path(), path(21));
}

/// Nobody has anything to say: the challenge on the former path alone brings the session back, long before the other one
/// is given up.
#[test]
fn a_challenge_on_the_former_path_brings_an_idle_session_back() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    let stolen = pair.stolen_ping();
    // Its acknowledgement would be lost at the other address: no reason for the initiator to say anything.
    pair.inject(Side::Responder, path(66), stolen);
    assert_eq!(pair.end(Side::Responder).path(), path(66));
    pair.run(Duration::from_millis(10));
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

/// Both ends move at once, each to another path, and all paths work: each follows the other.
#[test]
fn ends_that_follow_each_other_meet() {
    let mut pair = Pair::new(LinkConfig::bottleneck(5_000_000, Duration::from_millis(20)));
    pair.run(Duration::from_millis(200));
    pair.ways = vec![[path(20), path(21)], [path(30), path(31)]];
    pair.end(Side::Initiator).migrate(path(20));
    pair.end(Side::Responder).migrate(path(31));
    for side in [Side::Initiator, Side::Responder] {
        let id = pair.end(side).open(crate::Dir::Uni).unwrap();
        pair.end(side).streams().write(id, &[0; 1 << 20]).unwrap();
    }
    pair.run(Duration::from_millis(500));
    let before = [Side::Initiator, Side::Responder].map(|side| pair.end(side).stats().path_changes);
    assert!(
        before.iter().all(|changes| (2..6).contains(changes)),
        "{before:?}"
    );
    pair.run(Duration::from_secs(1));
    let after = [Side::Initiator, Side::Responder].map(|side| pair.end(side).stats().path_changes);
    assert_eq!(before, after);
    let met = [Side::Initiator, Side::Responder].map(|side| pair.end(side).path());
    assert!(pair.ways.contains(&met), "{met:?}");
}

/// Two ends of which the responder has many gaps to tell of.
fn with_gaps(link: LinkConfig) -> Pair {
    let mut pair = Pair::new(link);
    pair.run(Duration::from_millis(100));
    for number in 0..60 {
        pair.links[0].config_mut().cut = number % 2 == 0;
        pair.end(Side::Initiator).ping();
        pair.run(Duration::from_millis(3));
    }
    pair.links[0].config_mut().cut = false;
    pair.run(Duration::from_millis(100));
    assert!(pair.end(Side::Responder).received.ranges().len() > 27);
    pair
}

/// Who moved says one thing in one small packet, and nothing else until it is answered: three times as many bytes are few,
/// and a receiver with many gaps to tell of could fill them with its ACK alone.
#[test]
fn a_path_is_challenged_however_much_there_is_to_acknowledge() {
    let mut pair = with_gaps(LinkConfig::PERFECT);
    pair.addresses[0] = path(77);
    pair.end(Side::Initiator).ping();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.end(Side::Responder).path(), path(77));
    assert!(pair.end(Side::Responder).active.is_validated());
}

/// The MTU falls under way to what every link carries, below what the session was made for.
#[test]
fn a_link_that_shrinks_to_64_bytes_is_survived() {
    let mut pair = Pair::new(LinkConfig::bottleneck(2_000_000, Duration::from_millis(20)));
    transfer(&mut pair, 100_000, Duration::from_secs(20));
    for link in &mut pair.links {
        link.config_mut().mtu = 64;
    }
    transfer(&mut pair, 50_000, Duration::from_secs(60));
    assert_eq!(pair.end(Side::Initiator).stats().mtu, 64);
    for link in &mut pair.links {
        link.config_mut().mtu = 1_500;
    }
    // Looked for again a minute after the search had ended.
    for _ in 0..8 {
        pair.run(Duration::from_secs(8));
        transfer(&mut pair, 50_000, Duration::from_secs(10));
    }
    assert!(pair.end(Side::Initiator).stats().mtu >= 1_200);
}

#[test]
fn an_ack_of_small_packets_alone_is_small_however_many_gaps_there_are() {
    let mut pair = with_gaps(LinkConfig::PERFECT);
    pair.log.clear();
    pair.end(Side::Initiator).ping();
    pair.run(Duration::from_millis(5));
    let mut acks = pair.log.iter().filter(|(side, _)| *side == Side::Responder);
    let (_, ack) = acks.next().unwrap();
    assert!((48..=64).contains(&ack.len()), "{}", ack.len());
    // What is larger shows that more passes.
    pair.log.clear();
    pair.end(Side::Initiator)
        .datagrams()
        .send(&[0; 500])
        .unwrap();
    pair.run(Duration::from_millis(50));
    let mut acks = pair.log.iter().filter(|(side, _)| *side == Side::Responder);
    assert!(acks.any(|(_, ack)| ack.len() > 64));
}

/// An ACK that tells of all gaps would not pass.
#[test]
fn a_link_that_shrinks_after_losses_is_survived() {
    let mut pair = with_gaps(LinkConfig::PERFECT);
    for link in &mut pair.links {
        link.config_mut().mtu = 64;
    }
    transfer(&mut pair, 20_000, Duration::from_secs(60));
}

/// A path that carries nothing says nothing about sizes.
#[test]
fn a_cut_changes_no_size() {
    let mut pair = Pair::new(LinkConfig::bottleneck(2_000_000, Duration::from_millis(20)));
    transfer(&mut pair, 300_000, Duration::from_secs(20));
    let mtu = pair.end(Side::Initiator).stats().mtu;
    let id = pair.end(Side::Initiator).open(crate::Dir::Uni).unwrap();
    pair.end(Side::Initiator)
        .streams()
        .write(id, &[0; 100_000])
        .unwrap();
    for cut in [true, false] {
        for link in &mut pair.links {
            link.config_mut().cut = cut;
        }
        pair.run(Duration::from_secs(8));
        assert!(pair.end(Side::Initiator).stats().mtu >= mtu.min(1_200));
    }
    assert!(pair.end(Side::Initiator).is_flushed());
}

/// CLOSE goes out as soon as an unproven path has earned it.
#[test]
fn a_close_on_an_unproven_path_waits_for_what_comes_there() {
    let mut pair = with_gaps(LinkConfig::PERFECT);
    pair.links[1].config_mut().cut = true;
    pair.addresses[0] = path(77);
    pair.end(Side::Initiator).ping();
    pair.run(Duration::from_millis(10));
    // The challenge and its ACK have used it up.
    assert!(pair.end(Side::Responder).active.allowance() < 26);
    let now = pair.now;
    pair.end(Side::Responder).close(now, 5, "why");
    pair.links[1].config_mut().cut = false;
    transfer_one_way(&mut pair);
    assert!(pair.end(Side::Initiator).is_closed());
}

/// Sends something that nobody will acknowledge.
fn transfer_one_way(pair: &mut Pair) {
    let id = pair.end(Side::Initiator).open(crate::Dir::Uni).unwrap();
    pair.end(Side::Initiator)
        .streams()
        .write(id, &[0; 5_000])
        .unwrap();
    pair.run(Duration::from_secs(2));
}
