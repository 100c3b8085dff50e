//! The two state machines, event by event (§2, §3).

use super::channel::{deliver, packet, pair, settle, small_config, small_limits};
use crate::{
    ClosedStream, Dir, ReadError, RecvState, SendState, StreamEvent, StreamId, Streams, WriteError,
    wire::{Frame, Frames},
};

fn two() -> (Streams, Streams) {
    pair(&small_limits(), small_config())
}

fn events(streams: &mut Streams) -> Vec<StreamEvent> {
    core::iter::from_fn(|| streams.poll_event()).collect()
}

/// Sends one packet, which arrives and is acknowledged.
fn pass(from: &mut Streams, to: &mut Streams) {
    let (bytes, carried) = packet(from, 1_200).expect("something to send");
    deliver(to, &bytes).unwrap();
    carried.into_iter().for_each(|what| from.on_acked(what));
}

#[test]
fn a_stream_from_its_first_byte_to_its_last() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    assert_eq!(left.send_state(id), SendState::Ready);
    assert!(!left.has_pending(), "opening takes no frame");
    assert_eq!(left.write(id, b"hello"), Ok(5));
    assert_eq!(left.send_state(id), SendState::Send);
    pass(&mut left, &mut right);
    assert_eq!(
        events(&mut right),
        [
            StreamEvent::Opened { dir: Dir::Uni },
            StreamEvent::Readable(id)
        ]
    );
    assert_eq!(right.accept(Dir::Uni), Some(id));
    assert_eq!(right.accept(Dir::Uni), None);
    assert_eq!(right.recv_state(id), RecvState::Recv);
    let mut out = [0; 3];
    assert_eq!(right.read(id, &mut out), Ok(Some(3)));
    assert_eq!(&out, b"hel");
    assert_eq!(right.peek(id), Ok(Some(&b"lo"[..])));
    right.consume(id, 2);
    assert_eq!(right.read(id, &mut out), Err(ReadError::Blocked));
    assert_eq!(right.read(id, &mut []), Ok(Some(0)));

    left.write(id, b"!").unwrap();
    left.finish(id).unwrap();
    assert_eq!(left.write(id, b"?"), Err(WriteError::Closed));
    assert_eq!(left.finish(id), Err(WriteError::Closed));
    let (bytes, carried) = packet(&mut left, 100).unwrap();
    assert_eq!(left.send_state(id), SendState::DataSent);
    deliver(&mut right, &bytes).unwrap();
    assert_eq!(right.recv_state(id), RecvState::DataRecvd);
    assert_eq!(right.read(id, &mut out), Ok(Some(1)));
    assert_eq!(right.read(id, &mut out), Ok(None));
    assert_eq!(right.read(id, &mut out), Err(ReadError::Unknown(id)));
    assert_eq!(right.recv_state(id), RecvState::Closed);
    carried.into_iter().for_each(|what| left.on_acked(what));
    assert_eq!(left.send_state(id), SendState::Closed);
    assert_eq!(events(&mut left), [StreamEvent::Finished(id)]);
    assert_eq!(left.write(id, b"?"), Err(WriteError::Unknown(id)));
}

#[test]
fn fin_goes_alone_when_the_bytes_went_before_and_again_when_lost() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    left.write(id, b"x").unwrap();
    pass(&mut left, &mut right);
    left.finish(id).unwrap();
    for _ in 0..3 {
        let (bytes, carried) = packet(&mut left, 100).unwrap();
        let frames: Vec<_> = Frames::new(&bytes).map(Result::unwrap).collect();
        let [Frame::Stream(fin)] = frames[..] else {
            panic!("{frames:?}");
        };
        assert_eq!((fin.offset, fin.data, fin.fin), (1, &b""[..], true));
        assert!(!left.has_pending());
        carried.into_iter().for_each(|what| left.on_lost(what));
    }
    pass(&mut left, &mut right);
    assert_eq!(right.recv_state(id), RecvState::DataRecvd);
}

#[test]
fn an_empty_stream_is_a_stream() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Bi).unwrap();
    left.finish(id).unwrap();
    pass(&mut left, &mut right);
    assert_eq!(right.accept(Dir::Bi), Some(id));
    assert_eq!(right.read(id, &mut [0]), Ok(None));
    right.finish(id).unwrap();
    pass(&mut right, &mut left);
    assert_eq!(left.read(id, &mut [0]), Ok(None));
    assert!(events(&mut left).contains(&StreamEvent::Finished(id)));
    assert!(events(&mut right).contains(&StreamEvent::Finished(id)));
    assert_eq!((left.open_streams(), right.open_streams()), (0, 0));
}

#[test]
fn a_reset_is_told_once_and_resent_until_acknowledged() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    left.write(id, &[1; 600]).unwrap();
    let (data, sent_data) = packet(&mut left, 400).unwrap();
    left.reset(id, 9).unwrap();
    assert_eq!(left.send_state(id), SendState::ResetSent);
    assert_eq!(left.unacknowledged(), 0);
    assert_eq!(left.reset(id, 10), Err(ClosedStream(id)));
    assert_eq!(left.write(id, b"x"), Err(WriteError::Closed));
    let (_, carried) = packet(&mut left, 100).unwrap();
    carried.into_iter().for_each(|what| left.on_lost(what));
    sent_data.into_iter().for_each(|what| left.on_lost(what));
    let (reset, carried) = packet(&mut left, 100).unwrap();
    let frames: Vec<_> = Frames::new(&reset).map(Result::unwrap).collect();
    assert!(
        matches!(frames[..], [Frame::Reset { code: 9, final_size, .. }] if final_size > 390),
        "bytes that were sent count, and none is sent again: {frames:?}"
    );
    deliver(&mut right, &data).unwrap();
    deliver(&mut right, &reset).unwrap();
    assert_eq!(right.recv_state(id), RecvState::ResetRecvd);
    assert_eq!(right.accept(Dir::Uni), Some(id));
    assert_eq!(right.read(id, &mut [0; 10]), Err(ReadError::Reset(9)));
    assert_eq!(right.read(id, &mut [0; 10]), Err(ReadError::Unknown(id)));
    events(&mut right);
    assert_eq!(right.open_streams(), 0);
    carried.into_iter().for_each(|what| left.on_acked(what));
    assert_eq!(left.open_streams(), 0);
    assert_eq!(events(&mut left), []);
}

#[test]
fn a_reset_after_everything_arrived_changes_nothing() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    left.write(id, b"all").unwrap();
    left.finish(id).unwrap();
    let (bytes, carried) = packet(&mut left, 100).unwrap();
    deliver(&mut right, &bytes).unwrap();
    left.reset(id, 9).unwrap();
    pass(&mut left, &mut right);
    let mut out = [0; 3];
    assert_eq!(right.read(id, &mut out), Ok(Some(3)));
    assert_eq!(right.read(id, &mut out), Ok(None));
    carried.into_iter().for_each(|what| left.on_acked(what));
    assert_eq!(events(&mut left), [], "reset, so never finished");

    // Acknowledged as a whole, it can't be reset any more.
    let id = left.open(Dir::Uni).unwrap();
    left.finish(id).unwrap();
    pass(&mut left, &mut right);
    assert_eq!(left.reset(id, 9), Err(ClosedStream(id)));
}

#[test]
fn stop_makes_the_peer_reset() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Bi).unwrap();
    left.write(id, &[7; 100]).unwrap();
    pass(&mut left, &mut right);
    assert_eq!(right.accept(Dir::Bi), Some(id));
    right.stop(id, 5).unwrap();
    assert_eq!(right.stop(id, 5), Err(ClosedStream(id)));
    assert_eq!(right.read(id, &mut [0]), Err(ReadError::Stopped(5)));
    // Lost once.
    let (_, carried) = packet(&mut right, 100).unwrap();
    carried.into_iter().for_each(|what| right.on_lost(what));
    pass(&mut right, &mut left);
    assert_eq!(events(&mut left), [StreamEvent::Stopped { id, code: 5 }]);
    assert_eq!(left.write(id, b"x"), Err(WriteError::Stopped(5)));
    assert_eq!(left.finish(id), Err(WriteError::Stopped(5)));
    left.on_stop(id, 6).unwrap();
    assert_eq!(events(&mut left), [], "only the first counts");
    pass(&mut left, &mut right);
    assert_eq!(right.recv_state(id), RecvState::Closed);
    // The other half is as it was.
    assert_eq!(right.write(id, b"reply"), Ok(5));
    pass(&mut right, &mut left);
    assert_eq!(left.read(id, &mut [0; 9]), Ok(Some(5)));
}

#[test]
fn stop_needs_no_frame_once_the_size_is_known() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    left.write(id, b"all").unwrap();
    left.finish(id).unwrap();
    pass(&mut left, &mut right);
    assert_eq!(right.accept(Dir::Uni), Some(id));
    right.stop(id, 5).unwrap();
    events(&mut right);
    assert_eq!(right.open_streams(), 0);
    assert!(
        Frames::new(&packet(&mut right, 100).map_or(vec![], |(bytes, _)| bytes))
            .all(|frame| !matches!(frame, Ok(Frame::Stop { .. })))
    );
}

#[test]
fn stop_after_a_reset_and_reset_after_a_stop() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    left.reset(id, 1).unwrap();
    pass(&mut left, &mut right);
    assert_eq!(right.accept(Dir::Uni), Some(id));
    right.stop(id, 2).unwrap();
    events(&mut right);
    assert_eq!(right.open_streams(), 0);

    let id = left.open(Dir::Uni).unwrap();
    left.write(id, b"x").unwrap();
    pass(&mut left, &mut right);
    left.reset(id, 1).unwrap();
    left.on_stop(id, 2).unwrap();
    assert_eq!(events(&mut left), [], "it was given up before");
    assert_eq!(left.write(id, b"x"), Err(WriteError::Closed));
}

#[test]
fn what_streams_are_unknown() {
    let (mut left, mut right) = two();
    let unknown = StreamId::new(crate::Side::Initiator, Dir::Bi, 0);
    assert_eq!(left.write(unknown, b"x"), Err(WriteError::Unknown(unknown)));
    assert_eq!(left.finish(unknown), Err(WriteError::Unknown(unknown)));
    assert_eq!(
        left.read(unknown, &mut [0]),
        Err(ReadError::Unknown(unknown))
    );
    assert_eq!(left.reset(unknown, 0), Err(ClosedStream(unknown)));
    assert_eq!(left.stop(unknown, 0), Err(ClosedStream(unknown)));
    assert_eq!(left.set_priority(unknown, 0), Err(ClosedStream(unknown)));
    assert_eq!(left.priority(unknown), Err(ClosedStream(unknown)));
    left.consume(unknown, 5);

    let ours = left.open(Dir::Uni).unwrap();
    assert_eq!(left.read(ours, &mut [0]), Err(ReadError::Unknown(ours)));
    left.write(ours, b"x").unwrap();
    settle(&mut left, &mut right);
    assert_eq!(right.write(ours, b"x"), Err(WriteError::Unknown(ours)));
    assert_eq!(right.finish(ours), Err(WriteError::Unknown(ours)));
}

#[test]
fn a_writer_that_was_cut_short_hears_when_there_is_room() {
    let (mut left, mut right) = two();
    let id = left.open(Dir::Uni).unwrap();
    assert_eq!(left.write(id, &[1; 5_000]), Ok(3_000));
    assert_eq!(left.write(id, &[1; 5_000]), Err(WriteError::Blocked));
    assert_eq!(left.write(id, &[]), Ok(0));
    assert_eq!(right.accept(Dir::Uni), None);
    let mut out = [0; 5_000];
    let mut told = 0;
    for _ in 0..20 {
        if left.has_pending() {
            pass(&mut left, &mut right);
        }
        let writable = events(&mut left);
        if writable == [StreamEvent::Writable(id)] {
            told += 1;
            assert!(left.unacknowledged() <= 1_500, "half of the cap is free");
        } else {
            assert_eq!(writable, []);
        }
        let _ = right.read(id, &mut out);
        if right.has_pending() {
            pass(&mut right, &mut left);
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn a_writer_that_is_far_ahead_of_the_link_hears_when_half_of_that_was_sent() {
    let limits = small_limits()
        .with_max_data(100_000)
        .with_max_stream_data(90_000);
    let config = crate::StreamConfig {
        send_buffer: 20_000,
        session_send_buffer: 20_000,
        max_unsent: 5_000,
        ..small_config()
    };
    let (mut left, _) = pair(&limits, config);
    let id = left.open(Dir::Uni).unwrap();
    assert_eq!(left.write(id, &[0; 9_000]), Ok(5_000));
    assert_eq!(left.write(id, &[0; 9_000]), Err(WriteError::Blocked));
    // None is acknowledged, and each holds a little less than it could.
    for told in [false, false, true, false] {
        packet(&mut left, 1_000).expect("something to send");
        let expected = [StreamEvent::Writable(id)];
        assert_eq!(events(&mut left), expected[..usize::from(told)]);
    }
    assert_eq!(left.unacknowledged(), 5_000);
}

#[test]
fn the_sessions_cap_holds_writers_back_but_starves_none() {
    let (mut left, mut right) = two();
    let ids: Vec<_> = core::iter::from_fn(|| left.open(Dir::Bi)).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(left.write(ids[0], &[0; 9_000]), Ok(3_000));
    assert_eq!(left.write(ids[1], &[0; 9_000]), Ok(3_000));
    // 2,000 are left, but each may have 4,096: the stream's cap is what holds.
    assert_eq!(left.write(ids[2], &[0; 9_000]), Ok(3_000));
    assert_eq!(left.write(ids[3], &[0; 9_000]), Ok(3_000));
    for _ in 0..30 {
        settle(&mut left, &mut right);
        for &id in &ids {
            let _ = right.read(id, &mut [0; 9_000]);
        }
    }
    assert_eq!(left.unacknowledged(), 0);
    let mut told = events(&mut left);
    told.retain(|event| matches!(event, StreamEvent::Writable(_)));
    assert_eq!(told.len(), 4);
}

#[test]
fn a_writer_that_the_session_holds_back_hears_when_its_own_bytes_are_gone() {
    let limits = small_limits()
        .with_max_data(100_000)
        .with_max_stream_data(90_000);
    let config = crate::StreamConfig {
        send_buffer: 20_000,
        max_unsent: 20_000,
        session_send_buffer: 20_000,
        ..small_config()
    };
    let (mut left, mut right) = pair(&limits, config);
    right.set_peer(&limits);
    let (big, small) = (left.open(Dir::Uni).unwrap(), left.open(Dir::Uni).unwrap());
    assert_eq!(left.write(big, &[0; 20_000]), Ok(20_000));
    assert_eq!(left.write(small, &[0; 9_000]), Ok(4_096));
    assert_eq!(left.write(small, &[0; 9_000]), Err(WriteError::Blocked));
    left.set_priority(small, 1).unwrap();
    // Only what the small one sends is acknowledged.
    while left.unacknowledged() > 20_000 {
        pass(&mut left, &mut right);
    }
    assert_eq!(events(&mut left), [StreamEvent::Writable(small)]);
    assert_eq!(left.write(small, &[0; 9_000]), Ok(4_096));
}

#[test]
fn who_never_polls_opens_no_more() {
    let limits = small_limits().with_max_streams(Dir::Uni, 1 << 20);
    let (mut left, mut right) = pair(&limits, small_config());
    let mut opened = 0;
    while let Some(id) = left.open(Dir::Uni) {
        left.finish(id).unwrap();
        if left.open_streams() % 64 == 0 {
            settle(&mut left, &mut right);
        }
        opened += 1;
    }
    assert!((65_536..65_536 + 64).contains(&opened), "{opened}");
    settle(&mut left, &mut right);
    let mut told = events(&mut left);
    assert_eq!(left.open_streams(), 0);
    told.retain(|event| !matches!(event, StreamEvent::Finished(_)));
    assert_eq!(told, [StreamEvent::Available(Dir::Uni)]);
    assert!(left.open(Dir::Uni).is_some());
}
