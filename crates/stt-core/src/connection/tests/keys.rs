//! Key updates (`docs/spec/stt-session.md` §4).

use core::time::Duration;

use stt_crypto::Aead;

use super::{
    data::transfer,
    pair::{Pair, path},
};
use crate::{
    Code, ConnectionError, Event, LinkProfile, SessionConfig, Side, connection::RekeyLimits,
    testing::LinkConfig,
};

fn updates(pair: &Pair, side: Side) -> usize {
    pair.events(side)
        .iter()
        .filter(|event| matches!(event, Event::KeysUpdated { .. }))
        .count()
}

#[test]
fn keys_change_on_request_at_both_ends() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(10));
    for epoch in 1..=3 {
        pair.end(Side::Responder).rekey();
        pair.run(Duration::from_secs(2));
        for side in [Side::Initiator, Side::Responder] {
            assert_eq!(pair.end(side).stats().key_epoch, epoch);
            assert_eq!(updates(&pair, side), epoch as usize);
        }
    }
}

/// It has sent nothing but acknowledgements under the keys that the other end asked for.
#[test]
fn an_end_that_only_answered_an_update_may_ask_for_the_next() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(10));
    for (side, epoch) in [(Side::Initiator, 1), (Side::Responder, 2)] {
        pair.end(side).rekey();
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.end(side).stats().key_epoch, epoch);
    }
}

#[test]
fn both_ends_may_ask_at_once() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(10));
    pair.end(Side::Initiator).rekey();
    pair.end(Side::Responder).rekey();
    pair.run(Duration::from_secs(5));
    let epochs = [Side::Initiator, Side::Responder].map(|side| pair.end(side).stats().key_epoch);
    assert_eq!(epochs[0], epochs[1]);
    transfer(&mut pair, 10_000, Duration::from_secs(5));
}

#[test]
fn updates_lose_nothing_in_flight() {
    let config = SessionConfig {
        rekey: RekeyLimits {
            packets: 50,
            ..RekeyLimits::default()
        },
        ..SessionConfig::default()
    };
    let link = LinkConfig {
        jitter: Duration::from_millis(30),
        loss: 20_000,
        ..LinkConfig::bottleneck(5_000_000, Duration::from_millis(20))
    };
    let mut pair = Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm);
    transfer(&mut pair, 1_000_000, Duration::from_secs(120));
    assert!(pair.end(Side::Initiator).stats().key_epoch > 2);
    assert_eq!(pair.end(Side::Responder).stats().failed_opens, 0);
}

#[test]
fn keys_change_after_so_many_bytes() {
    let config = SessionConfig {
        rekey: RekeyLimits {
            bytes: 100_000,
            ..RekeyLimits::default()
        },
        ..SessionConfig::default()
    };
    let link = LinkConfig::PERFECT;
    let mut pair = Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm);
    for (bytes, epoch) in [(50_000, 0), (60_000, 1), (110_000, 2)] {
        transfer(&mut pair, bytes, Duration::from_secs(5));
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.end(Side::Initiator).stats().key_epoch, epoch);
    }
}

#[test]
fn keys_change_with_age() {
    let config = SessionConfig {
        rekey: RekeyLimits {
            age: Some(Duration::from_secs(60)),
            ..RekeyLimits::default()
        },
        keep_alive: Some(Duration::from_secs(10)),
        ..SessionConfig::default()
    };
    let mut pair = Pair::with(
        LinkConfig::PERFECT,
        LinkProfile::default(),
        config,
        Aead::ChaCha20Poly1305,
    );
    pair.run(Duration::from_secs(200));
    assert_eq!(pair.end(Side::Initiator).stats().key_epoch, 3);
    assert!(pair.end(Side::Initiator).is_open());
}

fn closed_by(pair: &Pair, side: Side) -> Option<Code> {
    match pair.events(side).last()? {
        Event::Closed(ConnectionError::Transport(error)) => Some(error.code),
        _ => None,
    }
}

#[test]
fn a_key_that_cannot_be_replaced_before_its_limit_closes_the_session() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.links[0].config_mut().cut = true;
    pair.end(Side::Initiator).keys_mut().pretend_left(4, 1_000);
    // Nothing is ever acknowledged: no update is allowed.
    pair.run(Duration::from_secs(20));
    assert_eq!(
        closed_by(&pair, Side::Initiator),
        Some(Code::AEAD_LIMIT_REACHED)
    );
    // Three packets and, with the last seal of the key, the CLOSE.
    let sent = pair.end(Side::Initiator).stats().packets_sent;
    assert_eq!(sent, 4);
}

#[test]
fn the_last_failed_open_that_is_allowed_closes_the_session() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    pair.end(Side::Responder).keys_mut().pretend_left(1_000, 3);
    for number in 0..3 {
        assert!(pair.end(Side::Responder).is_open());
        let mut forged = vec![0x85; 40];
        forged[39] = number;
        pair.inject(Side::Responder, path(66), forged);
    }
    assert_eq!(
        closed_by(&pair, Side::Responder),
        Some(Code::AEAD_LIMIT_REACHED)
    );
}
