//! Credit, both ways (§4, §5).

use super::channel::{clock, deliver, packet, pair, settle, small_config, small_limits};
use crate::{
    Dir, ReadError, StreamConfig, StreamEvent, Streams,
    wire::{Frame, Frames, Limits, Stream},
};

fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    Frames::new(bytes).map(Result::unwrap).collect()
}

/// Sends all there is to send.
fn drain(from: &mut Streams, to: &mut Streams) -> usize {
    let mut bytes = 0;
    while let Some((packet, carried)) = packet(from, 200) {
        deliver(to, &packet).unwrap();
        carried.into_iter().for_each(|what| from.on_acked(what));
        bytes += packet.len();
    }
    bytes
}

#[test]
fn a_sender_stops_at_its_credit_and_goes_on_with_more() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    let id = left.open(Dir::Uni).unwrap();
    assert_eq!(left.write(id, &[5; 2_000]), Ok(2_000));
    drain(&mut left, &mut right);
    assert_eq!(left.unacknowledged(), 2_000 - 1_024);
    let mut out = [0; 5_000];
    assert_eq!(right.read(id, &mut out[..512]), Ok(Some(512)));
    assert!(!right.has_pending(), "half of the window is left");
    assert_eq!(right.read(id, &mut out[..1]), Ok(Some(1)));
    let (bytes, lost) = packet(&mut right, 100).unwrap();
    let grant = Frame::MaxStreamData {
        id,
        max: 513 + 1_024,
    };
    assert_eq!(frames(&bytes), [grant]);

    // Lost, it is sent again, with the value of the time.
    assert_eq!(right.read(id, &mut out[..100]), Ok(Some(100)));
    lost.iter().for_each(|&what| right.on_lost(what));
    let (bytes, again) = packet(&mut right, 100).unwrap();
    let grant = Frame::MaxStreamData {
        id,
        max: 613 + 1_024,
    };
    assert_eq!(frames(&bytes), [grant]);
    // A loss of one that a later one has replaced is of no account.
    lost.iter().for_each(|&what| right.on_lost(what));
    assert!(!right.has_pending());
    again.iter().for_each(|&what| right.on_acked(what));
    deliver(&mut left, &bytes).unwrap();
    left.on_max_stream_data(id, 5).unwrap();
    drain(&mut left, &mut right);
    assert_eq!(left.unacknowledged(), 2_000 - 613 - 1_024);
}

#[test]
fn the_sessions_credit_is_shared_and_the_end_needs_none() {
    let limits = small_limits().with_max_data(1_024);
    let (mut left, mut right) = pair(&limits, small_config());
    let ids = [Dir::Uni, Dir::Uni, Dir::Uni].map(|dir| left.open(dir).unwrap());
    left.write(ids[0], &[0; 700]).unwrap();
    left.write(ids[1], &[1; 700]).unwrap();
    drain(&mut left, &mut right);
    assert_eq!(left.unacknowledged(), 1_400 - 1_024);
    left.finish(ids[2]).unwrap();
    assert!(left.has_pending());
    drain(&mut left, &mut right);
    assert!(!left.has_pending());

    let mut out = [0; 5_000];
    let mut read = [0; 2];
    for _ in 0..4 {
        for stream in 0..2 {
            match right.read(ids[stream], &mut out) {
                Ok(Some(len)) => read[stream] += len,
                Err(ReadError::Blocked) => {}
                other => panic!("{other:?}"),
            }
        }
        drain(&mut right, &mut left);
        drain(&mut left, &mut right);
    }
    assert_eq!(read, [700, 700]);
    assert_eq!(right.read(ids[2], &mut out), Ok(None));
}

#[test]
fn lost_session_credit_is_sent_again_unless_replaced() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    let ids: Vec<_> = core::iter::from_fn(|| left.open(Dir::Uni)).collect();
    let mut first = Vec::new();
    for round in 0..2 {
        for &id in &ids {
            left.write(id, &[0; 900]).unwrap();
        }
        drain(&mut left, &mut right);
        for &id in &ids {
            while right.read(id, &mut [0; 4_000]).is_ok() {}
        }
        let (bytes, carried) = packet(&mut right, 1_000).unwrap();
        let grants: Vec<_> = frames(&bytes)
            .into_iter()
            .filter(|frame| matches!(frame, Frame::MaxData(_)))
            .collect();
        assert_eq!(grants, [Frame::MaxData((round + 1) * 2_700 + 4_096)]);
        if round == 0 {
            deliver(&mut left, &bytes).unwrap();
            first = carried;
        } else {
            first.iter().for_each(|&what| right.on_lost(what));
            assert!(!right.has_pending(), "replaced");
            carried.iter().for_each(|&what| right.on_lost(what));
            let (bytes, _) = packet(&mut right, 1_000).unwrap();
            assert!(frames(&bytes).contains(&grants[0]));
        }
    }
}

#[test]
fn windows_grow_to_their_ceilings_while_the_reader_keeps_up() {
    let limits = Limits::default();
    let (mut left, mut right) = pair(&limits, StreamConfig::default());
    let id = left.open(Dir::Uni).unwrap();
    let data = vec![0; 1 << 16];
    let mut out = vec![0; 1 << 20];
    let mut granted = 0;
    // Each millisecond all that may be sent is: far more than a window in a round trip of 50 ms.
    for millis in 1..400 {
        let (now, rtt) = clock(millis);
        right.set_clock(now, rtt);
        while left.write(id, &data).is_ok() {}
        while let Some((bytes, carried)) = packet(&mut left, 1_200) {
            deliver(&mut right, &bytes).unwrap();
            carried.into_iter().for_each(|what| left.on_acked(what));
            while right.read(id, &mut out).is_ok() {}
        }
        while let Some((bytes, _)) = packet(&mut right, 1_200) {
            for frame in frames(&bytes) {
                if let Frame::MaxStreamData { max, .. } = frame {
                    granted = max;
                }
            }
            deliver(&mut left, &bytes).unwrap();
        }
    }
    let consumed = right.window_consumed();
    assert!(granted - consumed <= 8 << 20);
    assert!(
        granted - consumed >= 4 << 20,
        "never less than half of it is left"
    );
    assert!(
        right.buffer_memory() <= 17 * 4_096,
        "windows are promises, not memory"
    );
}

#[test]
fn windows_stay_when_the_reader_is_the_brake() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    let id = left.open(Dir::Uni).unwrap();
    let mut grants = 0;
    for millis in (200..100_000).step_by(200) {
        let (now, rtt) = clock(millis);
        right.set_clock(now, rtt);
        let _ = right.read(id, &mut [0; 600]);
        if let Some((bytes, carried)) = packet(&mut right, 100) {
            for frame in frames(&bytes) {
                if let Frame::MaxStreamData { max, .. } = frame {
                    assert_eq!(max, right.window_consumed() + 1_024);
                    grants += 1;
                }
            }
            deliver(&mut left, &bytes).unwrap();
            carried.into_iter().for_each(|what| right.on_acked(what));
        }
        let _ = left.write(id, &[0; 600]);
        drain(&mut left, &mut right);
    }
    assert!(grants > 400, "{grants}");
}

#[test]
fn streams_come_back_as_they_are_forgotten() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    for round in 0..50 {
        let mut ids = Vec::new();
        while let Some(id) = left.open(Dir::Bi) {
            left.finish(id).unwrap();
            ids.push(id);
        }
        assert!(!ids.is_empty(), "round {round}");
        settle(&mut left, &mut right);
        while let Some(id) = right.accept(Dir::Bi) {
            assert_eq!(right.read(id, &mut [0]), Ok(None));
            right.finish(id).unwrap();
        }
        settle(&mut left, &mut right);
        for id in ids {
            assert_eq!(left.read(id, &mut [0]), Ok(None));
        }
        while left.poll_event().is_some() || right.poll_event().is_some() {}
        settle(&mut left, &mut right);
        assert_eq!(left.poll_event(), Some(StreamEvent::Available(Dir::Bi)));
        while left.poll_event().is_some() {}
    }
    assert_eq!((left.open_streams(), right.open_streams()), (0, 0));
}

#[test]
fn one_slot_among_many_is_enough_to_go_on() {
    // 64 streams, all but one stay open: the limit has to follow every single one that ends.
    let limits = Limits::default().with_max_streams(Dir::Uni, 64);
    let (mut left, mut right) = pair(&limits, StreamConfig::default());
    for _ in 0..63 {
        let id = left.open(Dir::Uni).unwrap();
        left.write(id, b"stays").unwrap();
    }
    for _ in 0..100 {
        let id = left.open(Dir::Uni).expect("the slot is free");
        left.finish(id).unwrap();
        settle(&mut left, &mut right);
        while right.accept(Dir::Uni).is_some() {}
        assert_eq!(right.read(id, &mut [0]), Ok(None));
        while left.poll_event().is_some() || right.poll_event().is_some() {}
        settle(&mut left, &mut right);
    }
}

#[test]
fn stream_limits_are_batched_while_there_are_plenty() {
    let limits = Limits::default().with_max_streams(Dir::Uni, 64);
    let (mut left, mut right) = pair(&limits, StreamConfig::default());
    let mut grants = 0;
    for _ in 0..64 {
        let id = left.open(Dir::Uni).unwrap();
        left.finish(id).unwrap();
        drain(&mut left, &mut right);
        assert_eq!(right.accept(Dir::Uni), Some(id));
        assert_eq!(right.read(id, &mut [0]), Ok(None));
        while left.poll_event().is_some() || right.poll_event().is_some() {}
        grants += usize::from(drain(&mut right, &mut left) > 0);
    }
    assert_eq!(grants, 8);
}

#[test]
fn dropped_bytes_give_their_credit_back() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    // More than the session's window in all, none of it read.
    for round in 0..20_u64 {
        let id = left.open(Dir::Bi).unwrap();
        left.write(id, &[0; 1_000]).unwrap();
        drain(&mut left, &mut right);
        assert_eq!(right.accept(Dir::Bi), Some(id));
        if round % 2 == 0 {
            right.stop(id, 1).unwrap();
        } else {
            left.reset(id, 1).unwrap();
        }
        right.reset(id, 2).unwrap();
        for _ in 0..2 {
            drain(&mut right, &mut left);
            drain(&mut left, &mut right);
        }
        let _ = right.read(id, &mut [0]);
        let _ = left.read(id, &mut [0]);
        while left.poll_event().is_some() || right.poll_event().is_some() {}
        assert_eq!(right.window_consumed(), 1_000 * (round + 1));
        settle(&mut left, &mut right);
    }
    assert_eq!((left.open_streams(), right.open_streams()), (0, 0));
}

#[test]
fn a_stopped_stream_is_given_no_credit_again() {
    let (mut left, mut right) = pair(&small_limits(), small_config());
    let id = left.open(Dir::Uni).unwrap();
    left.write(id, &[5; 1_024]).unwrap();
    drain(&mut left, &mut right);
    right.read(id, &mut [0; 600]).unwrap();
    let (_, lost) = packet(&mut right, 100).unwrap();
    right.stop(id, 5).unwrap();
    lost.into_iter().for_each(|what| right.on_lost(what));
    let (bytes, _) = packet(&mut right, 100).unwrap();
    assert_eq!(frames(&bytes), [Frame::Stop { id, code: 5 }]);
}

#[test]
fn what_comes_on_a_stopped_stream_counts_as_read() {
    for is_reset in [false, true] {
        let (mut left, mut right) = pair(&small_limits(), small_config());
        let id = left.open(Dir::Uni).unwrap();
        left.write(id, &[5; 100]).unwrap();
        drain(&mut left, &mut right);
        right.stop(id, 5).unwrap();
        assert_eq!(right.window_consumed(), 100);
        let late = Stream {
            id,
            offset: 899,
            data: b"x",
            fin: false,
        };
        if is_reset {
            right.on_reset(id, 5, 900).unwrap();
        } else {
            right.on_stream(&late).unwrap();
        }
        assert_eq!(right.window_consumed(), 900);
    }
}
