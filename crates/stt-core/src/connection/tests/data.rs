//! Data over good and bad links, and the end of a session.

use core::time::Duration;

use super::pair::{Pair, path};
use crate::{
    Dir, Event, LinkProfile, SessionConfig, Side, StreamId,
    connection::ConnectionError,
    stream::ReadError,
    testing::{LinkConfig, SimpleLink},
    wire::Limits,
};
use stt_crypto::Aead;

const SECOND: Duration = Duration::from_secs(1);

/// The byte of a test stream at `offset`.
pub(super) fn pattern(offset: usize) -> u8 {
    (offset * 7 + offset / 251) as u8
}

/// Sends `len` bytes on a stream from left to right, checks each, and gives the stream.
pub(super) fn transfer(pair: &mut Pair, len: usize, within: Duration) -> StreamId {
    let id = pair.end(Side::Initiator).open(Dir::Bi).unwrap();
    let (mut written, mut read, mut finished) = (0, 0, false);
    let data: Vec<u8> = (0..len).map(pattern).collect();
    let mut ended = false;
    pair.run_until(within, |pair| {
        let streams = pair.end(Side::Initiator).streams();
        while written < len {
            match streams.write(id, &data[written..]) {
                Ok(count) => written += count,
                Err(_) => break,
            }
        }
        if written == len && !finished {
            streams.finish(id).unwrap();
            finished = true;
        }
        let streams = pair.end(Side::Responder).streams();
        let mut buf = [0; 4096];
        loop {
            match streams.read(id, &mut buf) {
                Ok(Some(count)) => {
                    assert!(
                        buf[..count]
                            .iter()
                            .enumerate()
                            .all(|(i, byte)| *byte == pattern(read + i))
                    );
                    read += count;
                }
                Ok(None) => {
                    assert_eq!(read, len, "the end comes after all data");
                    ended = true;
                    break;
                }
                Err(ReadError::Blocked) => break,
                // Nothing of the stream has come, or it was read to its end.
                Err(ReadError::Unknown(_)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        ended
    });
    id
}

#[test]
fn a_session_is_confirmed_in_one_round_trip() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(5));
    for side in [Side::Initiator, Side::Responder] {
        assert_eq!(pair.events(side).first(), Some(&Event::Confirmed));
    }
}

#[test]
fn a_megabyte_over_a_clean_link() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    transfer(&mut pair, 1 << 20, 10 * SECOND);
    assert_eq!(pair.end(Side::Initiator).stats().packets_lost, 0);
}

#[test]
fn loss_reordering_duplication_and_corruption_change_nothing_but_time() {
    let mut pair = Pair::new(LinkConfig {
        loss: 50_000,
        jitter: Duration::from_millis(20),
        duplicate: 50_000,
        corrupt: 20_000,
        ..LinkConfig::bottleneck(10_000_000, Duration::from_millis(25))
    });
    transfer(&mut pair, 300_000, 120 * SECOND);
    assert!(pair.end(Side::Initiator).stats().packets_lost > 0);
    assert!(pair.end(Side::Responder).stats().failed_opens > 0);
    assert!(pair.end(Side::Responder).stats().duplicates > 0);
}

#[test]
fn a_reason_is_cut_at_256_bytes() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    let now = pair.now;
    pair.end(Side::Initiator).close(now, 7, &"y".repeat(700));
    pair.run(Duration::from_millis(10));
    let reason = "y".repeat(256);
    let closed = ConnectionError::ApplicationClosed { code: 7, reason };
    assert!(
        pair.events(Side::Responder)
            .contains(&Event::Closed(closed))
    );
}

#[test]
fn packets_that_come_again_keep_no_session() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    pair.end(Side::Initiator).ping();
    pair.run(Duration::from_millis(100));
    let mut sent = pair.log.iter().rev();
    let (_, last) = sent.find(|(side, _)| *side == Side::Initiator).unwrap();
    let last = last.clone();
    for link in &mut pair.links {
        link.config_mut().cut = true;
    }
    for _ in 0..29 {
        pair.inject(Side::Responder, path(0), last.clone());
        pair.run(SECOND);
    }
    assert!(pair.end(Side::Responder).stats().duplicates >= 28);
    assert!(
        pair.events(Side::Responder)
            .contains(&Event::Closed(ConnectionError::TimedOut))
    );
}

/// A window of two packets is full at once. The responder forgets the handshake after 20 s.
#[test]
fn the_first_ping_is_repeated_into_a_full_window() {
    let link = LinkConfig {
        mtu: 128,
        ..LinkConfig::bottleneck(1_400, Duration::from_millis(450))
    };
    let profile = LinkProfile {
        mtu: 128,
        rate_hint: Some(1_400),
        ..LinkProfile::default()
    };
    let mut pair = Pair::with(link, profile, SessionConfig::default(), Aead::Aes256Gcm);
    let id = pair.end(Side::Initiator).open(Dir::Uni).unwrap();
    pair.end(Side::Initiator)
        .streams()
        .write(id, &[0; 1_000])
        .unwrap();
    pair.links[0].config_mut().cut = true;
    pair.run(Duration::from_millis(10));
    assert!(pair.end(Side::Initiator).bytes_in_flight() > 200);
    pair.links[0].config_mut().cut = false;
    pair.run(Duration::from_millis(1_600));
    assert!(pair.end(Side::Responder).is_open());
}

#[test]
fn a_narrow_link_of_1200_bit_per_second() {
    let link = LinkConfig {
        mtu: 128,
        queue: 1_000,
        ..LinkConfig::bottleneck(1_200, Duration::from_millis(100))
    };
    let profile = LinkProfile {
        mtu: 128,
        rate_hint: Some(1_200),
        ..LinkProfile::default()
    };
    let mut pair = Pair::with(link, profile, SessionConfig::default(), Aead::Aes256Gcm);
    // 1,200 bit/s carry 3,000 bytes in 20 s.
    transfer(&mut pair, 3_000, 45 * SECOND);
}

#[test]
fn a_reliable_link_needs_no_recovery() {
    let link = LinkConfig::PERFECT;
    let mut pair = Pair::with(
        link,
        LinkProfile::RELIABLE,
        SessionConfig::default(),
        Aead::ChaCha20Poly1305,
    );
    transfer(&mut pair, 1 << 20, 10 * SECOND);
    let stats = pair.end(Side::Initiator).stats();
    assert_eq!((stats.packets_lost, stats.probes), (0, 0));
}

#[test]
fn a_cut_link_heals() {
    let mut pair = Pair::new(LinkConfig::bottleneck(1_000_000, Duration::from_millis(20)));
    transfer(&mut pair, 10_000, 10 * SECOND);
    for link in &mut pair.links {
        link.config_mut().cut = true;
    }
    let id = pair.end(Side::Initiator).open(Dir::Uni).unwrap();
    pair.end(Side::Initiator)
        .streams()
        .write(id, b"after the cut")
        .unwrap();
    pair.run(Duration::from_secs(5));
    for link in &mut pair.links {
        link.config_mut().cut = false;
    }
    let mut buf = [0; 32];
    pair.run_until(20 * SECOND, |pair| {
        pair.end(Side::Responder)
            .streams()
            .read(id, &mut buf)
            .is_ok()
    });
    assert_eq!(&buf[..13], b"after the cut");
}

#[test]
fn a_close_reaches_the_peer_with_code_and_reason() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(10));
    let now = pair.now;
    pair.end(Side::Initiator).close(now, 7, "enough");
    pair.run(SECOND);
    assert_eq!(
        pair.events(Side::Responder).last(),
        Some(&Event::Closed(ConnectionError::ApplicationClosed {
            code: 7,
            reason: "enough".into()
        }))
    );
    pair.run(20 * SECOND);
    for side in [Side::Initiator, Side::Responder] {
        assert!(pair.end(side).is_drained());
    }
}

#[test]
fn a_lost_close_is_sent_again_to_a_peer_that_goes_on() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(10));
    pair.links[0].config_mut().cut = true;
    let now = pair.now;
    pair.end(Side::Initiator).close(now, 7, "");
    pair.flush();
    pair.links[0].config_mut().cut = false;
    pair.end(Side::Responder).ping();
    pair.run(SECOND);
    assert!(matches!(
        pair.events(Side::Responder).last(),
        Some(Event::Closed(ConnectionError::ApplicationClosed {
            code: 7,
            ..
        }))
    ));
}

#[test]
fn silence_ends_a_session_after_the_idle_timeout() {
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(Duration::from_millis(100));
    pair.run(Duration::from_secs(40));
    for side in [Side::Initiator, Side::Responder] {
        assert_eq!(
            pair.events(side).last(),
            Some(&Event::Closed(ConnectionError::TimedOut))
        );
        assert!(pair.end(side).is_drained());
    }
}

#[test]
fn an_idle_time_out_is_never_under_three_probe_time_outs() {
    let config = SessionConfig {
        limits: SessionConfig::default()
            .limits
            .with_idle_timeout(Some(Duration::from_millis(50))),
        ..SessionConfig::default()
    };
    let link = LinkConfig {
        latency: Duration::from_millis(100),
        ..LinkConfig::PERFECT
    };
    let mut pair = Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm);
    transfer(&mut pair, 10_000, 20 * SECOND);
    assert!(pair.end(Side::Initiator).is_open());
    pair.run(10 * SECOND);
    assert!(pair.end(Side::Initiator).is_closed());
}

#[test]
fn the_shorter_idle_time_out_of_both_ends_counts() {
    let peers = Limits::default().idle_timeout().unwrap();
    for ours in [Some(10 * SECOND), Some(100 * SECOND), None] {
        let limits = SessionConfig::default().limits.with_idle_timeout(ours);
        let config = SessionConfig {
            limits,
            ..SessionConfig::default()
        };
        let link = LinkConfig::PERFECT;
        let mut pair = Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm);
        pair.run(SECOND);
        let shorter = limits.idle_timeout().map_or(peers, |ours| ours.min(peers));
        pair.run(shorter - SECOND);
        assert!(pair.end(Side::Initiator).is_open(), "{ours:?}");
        pair.run(SECOND);
        assert!(pair.end(Side::Initiator).is_closed(), "{ours:?}");
    }
}

#[test]
fn silence_counts_from_the_first_packet_that_nobody_answers() {
    let idle = Limits::default().idle_timeout().unwrap();
    let mut pair = Pair::new(LinkConfig::PERFECT);
    pair.run(10 * SECOND);
    pair.links[0].config_mut().cut = true;
    pair.end(Side::Initiator).ping();
    pair.run(idle - SECOND);
    assert!(pair.end(Side::Initiator).is_open());
    // Probes have gone out meanwhile.
    pair.run(2 * SECOND);
    assert!(pair.end(Side::Initiator).is_closed());
}

#[test]
fn who_is_spoken_to_needs_no_keep_alive() {
    let config = SessionConfig {
        keep_alive: Some(10 * SECOND),
        ..SessionConfig::default()
    };
    let link = LinkConfig::PERFECT;
    let mut pair = Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm);
    pair.run(SECOND);
    let sent = |pair: &mut Pair| pair.end(Side::Responder).stats().packets_sent;
    let before = sent(&mut pair);
    for _ in 0..10 {
        pair.end(Side::Initiator).datagrams().send(b"live").unwrap();
        pair.run(8 * SECOND);
    }
    assert_eq!(sent(&mut pair) - before, 10, "an ACK for each");
}

#[test]
fn a_session_closes_for_three_probe_time_outs_on_a_reliable_link_for_one() {
    for (profile, count) in [(LinkProfile::default(), 3), (LinkProfile::RELIABLE, 1)] {
        let config = SessionConfig::default();
        let mut pair = Pair::with(LinkConfig::PERFECT, profile, config, Aead::Aes256Gcm);
        pair.run(SECOND);
        let now = pair.now;
        let initiator = pair.end(Side::Initiator);
        initiator.close(now, 7, "");
        let end = now + initiator.recovery.pto() * count;
        assert_eq!(initiator.poll_timeout(), Some(end));
    }
}

#[test]
fn marks_are_told_and_slow_the_sender_without_a_loss() {
    let config = SessionConfig {
        ecn: true,
        ..SessionConfig::default()
    };
    let link = LinkConfig {
        mark: 100_000,
        ..LinkConfig::PERFECT
    };
    let mut pair = Pair::with(link, LinkProfile::default(), config, Aead::Aes256Gcm);
    transfer(&mut pair, 300_000, 20 * SECOND);
    let stats = *pair.end(Side::Initiator).recovery.stats();
    assert!(stats.congestion_events > 0);
    assert_eq!(stats.lost_packets, 0);
}

#[test]
fn keep_alive_holds_a_session() {
    let config = SessionConfig {
        keep_alive: Some(Duration::from_secs(10)),
        ..SessionConfig::default()
    };
    let mut pair = Pair::with(
        LinkConfig::PERFECT,
        LinkProfile::default(),
        config,
        Aead::Aes256Gcm,
    );
    pair.run(Duration::from_secs(300));
    assert!(pair.end(Side::Responder).is_open());
}

/// A few small packets and a few losses in a row, and a link seems to carry 64 bytes only: no window of such packets has
/// room for the probe that shows more.
#[test]
fn chance_losses_that_look_like_a_small_path_are_soon_seen_through() {
    let clean = LinkConfig {
        latency: Duration::from_millis(10),
        ..LinkConfig::PERFECT
    };
    let lossy = LinkConfig {
        loss: 50_000,
        jitter: Duration::from_millis(8),
        ..clean
    };
    let mut fell = 0;
    for seed in [34, 58, 77, 89, 115] {
        let mut pair = Pair::new(clean);
        pair.links = [0, 1].map(|side| SimpleLink::new(clean, 2 * seed + side));
        transfer(&mut pair, 300_000, 5 * SECOND);
        for link in &mut pair.links {
            *link.config_mut() = lossy;
        }
        let start = pair.now;
        transfer(&mut pair, 2_000_000, 300 * SECOND);
        let took = pair.now.saturating_since(start);
        assert!(took < 20 * SECOND, "{took:?} with seed {seed}");
        fell += u32::from(pair.end(Side::Initiator).stats().packets_sent > 2_500);
    }
    assert!(fell > 0, "the sizes of packets never fell");
}

/// Fewer packets than are acknowledged at once fit in the send buffer.
#[test]
fn a_small_send_buffer_does_not_stand_still_on_a_reliable_link() {
    let mut config = SessionConfig::default();
    config.streams.send_buffer = 100_000;
    let mut pair = Pair::with(
        LinkConfig::PERFECT,
        LinkProfile::RELIABLE,
        config,
        Aead::Aes256Gcm,
    );
    pair.run(Duration::from_millis(100));
    let start = pair.now;
    transfer(&mut pair, 1_000_000, 5 * SECOND);
    let took = pair.now.saturating_since(start);
    // Ten buffers, each two milliseconds on the way and one until it is acknowledged.
    assert!(took < Duration::from_millis(100), "{took:?}");
}
