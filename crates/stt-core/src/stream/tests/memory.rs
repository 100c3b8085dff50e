//! What idle and busy sessions hold (§8).

use super::channel::{deliver, packet, pair};
use crate::{Dir, StreamConfig, Streams, wire::Limits};

#[test]
fn without_streams_there_is_nothing_but_the_struct() {
    assert!(size_of::<Streams>() < 1_024, "{}", size_of::<Streams>());
    let (left, _) = pair(&Limits::default(), StreamConfig::default());
    assert_eq!(left.buffer_memory(), 0);
}

#[test]
fn blocks_are_reused_in_a_steady_flow() {
    let (mut left, mut right) = pair(&Limits::default(), StreamConfig::default());
    let id = left.open(Dir::Uni).unwrap();
    let (mut data, mut out) = (vec![1; 10_000], vec![0; 100_000]);
    let mut memory = (0, 0);
    for round in 0..500 {
        data.fill(round as u8);
        assert_eq!(left.write(id, &data), Ok(10_000));
        while let Some((bytes, carried)) = packet(&mut left, 1_200) {
            deliver(&mut right, &bytes).unwrap();
            carried.into_iter().for_each(|what| left.on_acked(what));
        }
        assert_eq!(right.read(id, &mut out), Ok(Some(10_000)));
        assert!(out[..10_000].iter().all(|&byte| byte == round as u8));
        while let Some((bytes, _)) = packet(&mut right, 1_200) {
            deliver(&mut left, &bytes).unwrap();
        }
        let now = (left.buffer_memory(), right.buffer_memory());
        if round > 10 {
            assert_eq!(now, memory, "round {round}");
        }
        memory = now;
    }
    left.trim();
    right.trim();
    assert_eq!((left.buffer_memory(), right.buffer_memory()), (0, 0));
    left.finish(id).unwrap();
    let (bytes, carried) = packet(&mut left, 100).unwrap();
    deliver(&mut right, &bytes).unwrap();
    carried.into_iter().for_each(|what| left.on_acked(what));
    assert_eq!(right.accept(Dir::Uni), Some(id));
    assert_eq!(right.read(id, &mut out), Ok(None));
}

#[test]
fn a_far_byte_takes_a_block_and_no_more() {
    let mut streams = pair(&Limits::default(), StreamConfig::default()).0;
    let limits = Limits::default();
    for index in 0..4 {
        let frame = crate::wire::Stream {
            id: crate::StreamId::new(crate::Side::Responder, Dir::Uni, index),
            offset: limits.max_stream_data() - 1,
            fin: false,
            data: b"x",
        };
        streams.on_stream(&frame).unwrap();
    }
    assert_eq!(streams.buffer_memory(), 4 * 4_096);
}
