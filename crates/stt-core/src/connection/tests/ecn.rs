//! ECN on paths that don't carry it (`docs/spec/stt-recovery.md` §8).

use core::time::Duration;

use stt_crypto::Aead;

use super::{
    data::transfer,
    pair::{Pair, path},
};
use crate::{
    Dir, Ecn, LinkProfile, SessionConfig, Side,
    testing::{EcnField, LinkConfig},
};

fn pair(ecn: EcnField) -> Pair {
    let link = LinkConfig {
        ecn,
        ..LinkConfig::bottleneck(5_000_000, Duration::from_millis(20))
    };
    let config = SessionConfig {
        ecn: true,
        ..SessionConfig::default()
    };
    Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm)
}

fn from_now_on(pair: &mut Pair, ecn: EcnField) {
    for link in &mut pair.links {
        link.config_mut().ecn = ecn;
    }
}

#[test]
fn a_link_that_begins_to_drop_what_is_marked_is_survived() {
    let mut pair = pair(EcnField::Kept);
    transfer(&mut pair, 100_000, Duration::from_secs(5));
    pair.run(Duration::from_millis(100));
    let marks = pair.end(Side::Responder).watch().marks.ect0;
    assert!(marks > 50, "{marks}");
    from_now_on(&mut pair, EcnField::Dropped);
    transfer(&mut pair, 100_000, Duration::from_secs(20));
    assert_eq!(pair.end(Side::Responder).watch().marks.ect0, marks);
}

/// A cut says nothing about marks.
#[test]
fn a_cut_leaves_ecn_on() {
    let mut pair = pair(EcnField::Kept);
    let id = pair.end(Side::Initiator).open(Dir::Uni).unwrap();
    let streams = pair.end(Side::Initiator).streams();
    streams.write(id, &[0; 100_000]).unwrap();
    pair.run(Duration::from_millis(110));
    for cut in [true, false] {
        for link in &mut pair.links {
            link.config_mut().cut = cut;
        }
        pair.run(Duration::from_secs(3));
    }
    assert!(pair.end(Side::Initiator).is_flushed());
    assert!(pair.end(Side::Initiator).stats().packets_lost > 10);
    assert!(!pair.end(Side::Initiator).watch().ecn_has_failed);
    let marks = pair.end(Side::Responder).watch().marks.ect0;
    transfer(&mut pair, 100_000, Duration::from_secs(5));
    assert!(pair.end(Side::Responder).watch().marks.ect0 > marks + 50);
}

/// Its challenges would be lost, one a second. They ride on data where what came allows for full packets.
#[test]
fn a_new_path_that_drops_what_is_marked_is_followed_at_once() {
    let mut pair = pair(EcnField::Kept);
    transfer(&mut pair, 100_000, Duration::from_secs(5));
    pair.run(Duration::from_millis(100));
    from_now_on(&mut pair, EcnField::Dropped);
    pair.addresses[0] = path(77);
    for (side, len) in [(Side::Initiator, 1_000), (Side::Responder, 100_000)] {
        let id = pair.end(side).open(Dir::Uni).unwrap();
        let streams = pair.end(side).streams();
        streams.write(id, &vec![0; len]).unwrap();
    }
    // The first comes with a probe that is not marked.
    pair.run_until(Duration::from_secs(1), |pair| {
        pair.end(Side::Responder).path() == path(77)
    });
    pair.run(Duration::from_millis(100));
    assert!(pair.end(Side::Responder).active.is_validated());
}

/// Half-open handshakes are forgotten after 20 s: whose first packets don't arrive may be too late.
#[test]
fn nothing_is_marked_before_the_peer_is_heard() {
    let mut pair = pair(EcnField::Dropped);
    let datagrams = pair.end(Side::Initiator).datagrams();
    datagrams.send(b"early").unwrap();
    pair.run(Duration::from_millis(30));
    assert_eq!(
        pair.end(Side::Responder).datagrams().recv().as_deref(),
        Some(&b"early"[..])
    );
}

/// Nobody misses an acknowledgement that is lost.
#[test]
fn acknowledgements_alone_bear_no_mark() {
    let mut pair = pair(EcnField::Kept);
    transfer(&mut pair, 100_000, Duration::from_secs(5));
    pair.run(Duration::from_secs(1));
    pair.end(Side::Initiator).datagrams().send(b"more").unwrap();
    let (now, mut buf) = (pair.now, [0; 2_000]);
    let mut next = |pair: &mut Pair, side: Side| {
        let sent = pair.end(side).poll_transmit(now, 1, &mut buf).unwrap();
        let bytes = buf[..sent.size].to_vec();
        pair.inject(!side, path(side as u8), bytes);
        sent.ecn
    };
    assert_eq!(next(&mut pair, Side::Initiator), Ecn::Ect0);
    pair.now += Duration::from_millis(25);
    let (now, mut buf) = (pair.now, [0; 2_000]);
    let answer = pair.end(Side::Responder).poll_transmit(now, 1, &mut buf);
    assert_eq!(answer.unwrap().ecn, Ecn::NotEct);
}
