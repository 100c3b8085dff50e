//! A peer that breaks the rules is told which, and gets no memory for it.

use super::channel::{deliver, packet, pair, settle, small_config, small_limits};
use crate::{
    Code, Dir, ReadError, Side, StreamConfig, StreamEvent, StreamId, Streams, TransportError,
    varint,
    wire::{self, Limits},
};

const BI: StreamId = StreamId::new(Side::Responder, Dir::Bi, 0);
const UNI: StreamId = StreamId::new(Side::Responder, Dir::Uni, 0);
const OUR_UNI: StreamId = StreamId::new(Side::Initiator, Dir::Uni, 0);

/// The end that is abused: the initiator. It grants 4,096 bytes, 1,024 a stream, 4 bidirectional
/// and 3 unidirectional streams.
fn victim() -> Streams {
    pair(&small_limits(), small_config()).0
}

fn frame(id: StreamId, offset: u64, data: &[u8], fin: bool) -> wire::Stream<'_> {
    wire::Stream {
        id,
        offset,
        fin,
        data,
    }
}

#[track_caller]
fn refused(result: Result<(), TransportError>, code: Code, kind: u8) {
    let error = result.unwrap_err();
    assert_eq!(
        (error.code, error.frame.map(|kind| kind & !7)),
        (code, Some(kind & !7)),
        "{error}"
    );
}

#[test]
fn the_wrong_direction() {
    let mut victim = victim();
    victim.open(Dir::Uni).unwrap();
    refused(
        victim.on_stream(&frame(OUR_UNI, 0, b"x", false)),
        Code::STREAM_STATE_ERROR,
        0x08,
    );
    refused(
        victim.on_reset(OUR_UNI, 0, 0),
        Code::STREAM_STATE_ERROR,
        0x04,
    );
    refused(victim.on_stop(UNI, 0), Code::STREAM_STATE_ERROR, 0x05);
    refused(
        victim.on_max_stream_data(UNI, 9),
        Code::STREAM_STATE_ERROR,
        0x11,
    );
}

#[test]
fn streams_of_ours_that_were_not_opened() {
    let mut victim = victim();
    let id = StreamId::new(Side::Initiator, Dir::Bi, 0);
    refused(
        victim.on_stream(&frame(id, 0, b"", true)),
        Code::STREAM_STATE_ERROR,
        0x08,
    );
    refused(victim.on_reset(id, 0, 0), Code::STREAM_STATE_ERROR, 0x04);
    refused(victim.on_stop(id, 0), Code::STREAM_STATE_ERROR, 0x05);
    refused(
        victim.on_max_stream_data(id, 9),
        Code::STREAM_STATE_ERROR,
        0x11,
    );
    assert_eq!(victim.open(Dir::Bi), Some(id));
    victim.on_stop(id, 0).unwrap();
}

#[test]
fn streams_above_the_limit() {
    let mut victim = victim();
    let last = StreamId::new(Side::Responder, Dir::Bi, 3);
    let above = StreamId::new(Side::Responder, Dir::Bi, 4);
    refused(
        victim.on_stream(&frame(above, 0, b"", false)),
        Code::STREAM_LIMIT_ERROR,
        0x08,
    );
    refused(victim.on_reset(above, 0, 0), Code::STREAM_LIMIT_ERROR, 0x04);
    refused(victim.on_stop(above, 0), Code::STREAM_LIMIT_ERROR, 0x05);
    refused(
        victim.on_max_stream_data(above, 0),
        Code::STREAM_LIMIT_ERROR,
        0x11,
    );
    let highest = StreamId::from_u64(varint::MAX);
    refused(victim.on_stop(highest, 0), Code::STREAM_STATE_ERROR, 0x05);
    let highest = StreamId::from_u64(varint::MAX & !2);
    refused(victim.on_stop(highest, 0), Code::STREAM_LIMIT_ERROR, 0x05);
    assert_eq!(victim.open_streams(), 0);

    victim.on_stream(&frame(last, 0, b"", false)).unwrap();
    assert_eq!(victim.open_streams(), 4, "lower ones are open with it");
    refused(
        victim.on_max_streams(Dir::Bi, (1 << 60) + 1),
        Code::FRAME_ENCODING_ERROR,
        0x12,
    );
    victim.on_max_streams(Dir::Bi, 1 << 60).unwrap();
}

#[test]
fn a_raised_limit_holds_only_once_it_was_sent() {
    let (mut victim, mut peer) = pair(&small_limits(), small_config());
    for index in 0..3 {
        let id = peer.open(Dir::Uni).unwrap();
        assert_eq!(id.index(), index);
        peer.finish(id).unwrap();
    }
    assert_eq!(peer.open(Dir::Uni), None);
    while let Some((bytes, _)) = packet(&mut peer, 100) {
        deliver(&mut victim, &bytes).unwrap();
    }
    while let Some(id) = victim.accept(Dir::Uni) {
        assert_eq!(victim.read(id, &mut [0]), Ok(None));
    }
    while victim.poll_event().is_some() {}
    let fourth = StreamId::new(Side::Responder, Dir::Uni, 3);
    refused(
        victim.on_stream(&frame(fourth, 0, b"", false)),
        Code::STREAM_LIMIT_ERROR,
        0x08,
    );
    let (bytes, _) = packet(&mut victim, 100).unwrap();
    victim.on_stream(&frame(fourth, 0, b"", false)).unwrap();
    deliver(&mut peer, &bytes).unwrap();
    assert_eq!(peer.poll_event(), Some(StreamEvent::Available(Dir::Uni)));
    assert_eq!(peer.open(Dir::Uni), Some(fourth));
}

#[test]
fn offsets_that_overflow() {
    let mut victim = victim();
    for offset in [varint::MAX, u64::MAX] {
        refused(
            victim.on_stream(&frame(BI, offset, b"x", false)),
            Code::FRAME_ENCODING_ERROR,
            0x08,
        );
    }
    refused(
        victim.on_reset(BI, 0, varint::MAX + 1),
        Code::FRAME_ENCODING_ERROR,
        0x04,
    );
    // The largest that there is, is only too much.
    let result = victim.on_stream(&frame(BI, varint::MAX, b"", false));
    refused(result, Code::FLOW_CONTROL_ERROR, 0x08);
}

#[test]
fn beyond_the_streams_credit() {
    let mut victim = victim();
    victim.on_stream(&frame(BI, 1_023, b"x", false)).unwrap();
    refused(
        victim.on_stream(&frame(BI, 1_024, b"x", false)),
        Code::FLOW_CONTROL_ERROR,
        0x08,
    );
    refused(
        victim.on_reset(BI, 0, 1_025),
        Code::FLOW_CONTROL_ERROR,
        0x04,
    );
}

#[test]
fn beyond_the_sessions_credit() {
    let limits = small_limits().with_max_data(1_536);
    let mut victim = pair(&limits, small_config()).0;
    victim.on_stream(&frame(BI, 1_000, b"x", false)).unwrap();
    victim.on_stream(&frame(UNI, 500, &[0; 35], false)).unwrap();
    // The sum is exact: repeated bytes and filled gaps cost nothing.
    victim.on_stream(&frame(BI, 0, &[0; 1_001], false)).unwrap();
    refused(
        victim.on_stream(&frame(UNI, 535, b"x", false)),
        Code::FLOW_CONTROL_ERROR,
        0x08,
    );
    refused(victim.on_reset(UNI, 0, 536), Code::FLOW_CONTROL_ERROR, 0x04);
    victim.on_reset(UNI, 0, 535).unwrap();
}

#[test]
fn bytes_that_nobody_reads_are_counted_against_the_window_too() {
    let mut victim = victim();
    victim.on_stream(&frame(BI, 0, b"x", false)).unwrap();
    victim.stop(BI, 1).unwrap();
    victim.on_stream(&frame(BI, 1_000, b"x", false)).unwrap();
    refused(
        victim.on_stream(&frame(BI, 1_024, b"x", false)),
        Code::FLOW_CONTROL_ERROR,
        0x08,
    );
    refused(victim.on_reset(BI, 0, 999), Code::FINAL_SIZE_ERROR, 0x04);
    victim.trim();
    assert_eq!(victim.buffer_memory(), 0, "and not kept");
}

#[test]
fn final_sizes_that_change() {
    let with = |prepare: &dyn Fn(&mut Streams)| {
        let mut victim = victim();
        prepare(&mut victim);
        victim
    };
    let fin = |victim: &mut Streams| victim.on_stream(&frame(BI, 5, b"12345", true)).unwrap();
    for bad in [
        frame(BI, 5, b"123456", false),
        frame(BI, 5, b"1234", true),
        frame(BI, 11, b"", true),
        frame(BI, 10, b"x", true),
    ] {
        refused(with(&fin).on_stream(&bad), Code::FINAL_SIZE_ERROR, 0x08);
    }
    for size in [9, 11] {
        refused(
            with(&fin).on_reset(BI, 0, size),
            Code::FINAL_SIZE_ERROR,
            0x04,
        );
    }
    let data = |victim: &mut Streams| victim.on_stream(&frame(BI, 5, b"12345", false)).unwrap();
    refused(
        with(&data).on_stream(&frame(BI, 9, b"", true)),
        Code::FINAL_SIZE_ERROR,
        0x08,
    );
    refused(with(&data).on_reset(BI, 0, 9), Code::FINAL_SIZE_ERROR, 0x04);
    let reset = |victim: &mut Streams| victim.on_reset(BI, 0, 10).unwrap();
    refused(
        with(&reset).on_reset(BI, 0, 11),
        Code::FINAL_SIZE_ERROR,
        0x04,
    );
    refused(
        with(&reset).on_stream(&frame(BI, 10, b"x", false)),
        Code::FINAL_SIZE_ERROR,
        0x08,
    );
    // What agrees is no offence, repeated or not.
    let mut victim = with(&fin);
    fin(&mut victim);
    victim.on_reset(BI, 0, 10).unwrap();
    victim.on_reset(BI, 1, 10).unwrap();
    victim.on_stream(&frame(BI, 10, b"", true)).unwrap();
    victim.on_stream(&frame(BI, 10, b"", false)).unwrap();
}

#[test]
fn a_flood_of_single_bytes_between_gaps() {
    let limits = Limits::default();
    let mut victim = pair(&limits, StreamConfig::default()).0;
    let mut accepted = 0;
    let error = loop {
        // From the far end down, so that each is a range of its own, in front of the others.
        let offset = limits.max_stream_data() - 2 * (accepted + 1);
        match victim.on_stream(&frame(BI, offset, b"x", false)) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.code, error.frame),
        (Code::PROTOCOL_VIOLATION, Some(0x0e))
    );
    assert_eq!(accepted, 1_024 + limits.max_stream_data() / 512);
    assert!(victim.buffer_memory() as u64 <= limits.max_stream_data());
}

#[test]
fn floods_of_repeated_frames_take_no_memory() {
    let (mut victim, mut peer) = pair(&small_limits(), small_config());
    let id = victim.open(Dir::Bi).unwrap();
    victim.write(id, &[1; 500]).unwrap();
    settle(&mut victim, &mut peer);
    let before = format!("{victim:?}").len();
    for round in 0..2_000 {
        victim.on_stream(&frame(BI, 0, b"abc", false)).unwrap();
        victim.on_stream(&frame(BI, 8, b"def", false)).unwrap();
        victim.on_stream(&frame(UNI, 0, b"", true)).unwrap();
        victim.on_reset(UNI, 7, 0).unwrap();
        victim.on_stop(BI, round).unwrap();
        victim.on_max_stream_data(id, round).unwrap();
        victim.on_max_data(round);
        victim.on_max_streams(Dir::Bi, round).unwrap();
    }
    // Four streams of each kind at most, whatever was said of them.
    assert!(victim.open_streams() <= 3);
    assert!(victim.buffer_memory() <= 4_096 * 17);
    assert!(format!("{victim:?}").len() < before + 20_000);
    let mut events = 0;
    while victim.poll_event().is_some() {
        events += 1;
    }
    assert!(events <= 8, "{events} events");
}

#[test]
fn frames_for_forgotten_streams_are_ignored() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    let id = left.open(Dir::Uni).unwrap();
    left.write(id, b"all there is").unwrap();
    left.finish(id).unwrap();
    let (bytes, carried) = packet(&mut left, 100).unwrap();
    deliver(&mut right, &bytes).unwrap();
    assert_eq!(right.accept(Dir::Uni), Some(id));
    let mut out = [0; 20];
    assert_eq!(right.read(id, &mut out), Ok(Some(12)));
    assert_eq!(right.read(id, &mut out), Ok(None));
    while right.poll_event().is_some() {}
    assert_eq!(right.open_streams(), 0);

    // Copies, late ones and wrong ones alike.
    deliver(&mut right, &bytes).unwrap();
    right.on_reset(id, 3, 500).unwrap();
    assert_eq!(right.open_streams(), 0);
    assert_eq!(right.read(id, &mut out), Err(ReadError::Unknown(id)));
    carried.iter().for_each(|&what| left.on_acked(what));
    assert_eq!(left.poll_event(), Some(StreamEvent::Finished(id)));
    assert_eq!(left.open_streams(), 0);
    carried.iter().for_each(|&what| left.on_lost(what));
    left.on_stop(id, 1).unwrap();
    left.on_max_stream_data(id, 9_999).unwrap();
    assert_eq!(left.poll_event(), None);
    assert!(!left.has_pending());
}
