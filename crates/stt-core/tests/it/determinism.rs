//! The same seed, the same bytes: on two runs, and on two machines.

use core::time::Duration;
use std::{cell::RefCell, rc::Rc};

use stt_core::{
    Dir, LinkProfile, ReadError, Side, StreamEvent, Timestamp,
    endpoint::{Endpoint, EndpointConfig, EndpointEvent},
    testing::{LinkConfig, Pair, SimpleLink},
};
use stt_crypto::Stc;

use super::support::credentials;

const GOLDEN: &str = include_str!("../../../../vectors/stt/golden.json");

/// A lossy link, a stream, datagrams, new keys, a new address: every datagram that was sent, when
/// and by whom.
fn run() -> Vec<u8> {
    let endpoints = ["alice", "bob"].map(|name| {
        let config = EndpointConfig::new(credentials(name));
        Endpoint::new(config, [name.len() as u8; 32])
    });
    let link = LinkConfig {
        jitter: Duration::from_millis(15),
        loss: 30_000,
        burst: 300_000,
        duplicate: 10_000,
        corrupt: 10_000,
        ..LinkConfig::bottleneck(2_000_000, Duration::from_millis(30))
    };
    let links = [1, 2].map(|luck| Box::new(SimpleLink::new(link, luck)) as Box<_>);
    let mut pair = Pair::new(endpoints, links);
    let bytes = Rc::new(RefCell::new(Vec::new()));
    let seen = bytes.clone();
    pair.tap(Box::new(move |now: Timestamp, side, _, datagram| {
        let mut seen = seen.borrow_mut();
        seen.extend_from_slice(&now.as_nanos().to_be_bytes());
        seen.push(side as u8);
        seen.extend_from_slice(&(datagram.len() as u16).to_be_bytes());
        seen.extend_from_slice(datagram);
    }));
    let [at_alice, at_bob] = pair.open(LinkProfile::default(), Duration::from_secs(10));
    let connection = pair.connection(Side::Initiator, at_alice).expect("open");
    let id = connection.open(Dir::Uni).expect("there is credit");
    let (mut written, mut read, total) = (0, 0, 300_000);
    let mut round = 0;
    while read < total {
        round += 1;
        assert!(round < 10_000, "{read} of {total} bytes");
        let connection = pair.connection(Side::Initiator, at_alice).expect("open");
        while written < total
            && let Ok(count) = connection
                .streams()
                .write(id, &vec![written as u8; (total - written).min(5_000)])
        {
            written += count;
        }
        if round % 10 == 0 {
            assert_eq!(connection.datagrams().send(&[round as u8; 100]), Ok(()));
        }
        match round {
            40 => connection.rekey(),
            80 => pair.rebind(Side::Initiator, 77),
            _ => {}
        }
        pair.run(Duration::from_millis(20));
        let mut readable = false;
        while let Some(event) = pair.poll_event(Side::Responder) {
            readable |= matches!(
                event,
                EndpointEvent::Session {
                    event: stt_core::Event::Stream(
                        StreamEvent::Readable(_) | StreamEvent::Opened { .. }
                    ),
                    ..
                }
            );
        }
        while pair.poll_event(Side::Initiator).is_some() {}
        if !readable {
            continue;
        }
        let connection = pair.connection(Side::Responder, at_bob).expect("open");
        while connection.streams().accept(Dir::Uni).is_some() {}
        let mut buf = [0; 4_096];
        loop {
            match connection.streams().read(id, &mut buf) {
                Ok(Some(count)) => read += count,
                Err(ReadError::Blocked) => break,
                other => panic!("{other:?}"),
            }
        }
    }
    drop(pair);
    Rc::into_inner(bytes)
        .expect("the tap is gone with the pair")
        .into_inner()
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_two_runs_and_two_machines() {
    let bytes = run();
    assert!(bytes.len() > 300_000);
    assert!(bytes == run(), "two runs differ");
    // BLAKE3, keyed as `hash_data` keys it.
    let stc = Stc::new(b"the seed of golden hashes, 32 bytes").expect("not empty");
    let found: String = stc
        .hash_data(&bytes, b"")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).expect("JSON");
    assert_eq!(
        golden["pair"], found,
        "sessions send other bytes than before: if that is wanted, put the new hash into \
         vectors/stt/golden.json"
    );
}
