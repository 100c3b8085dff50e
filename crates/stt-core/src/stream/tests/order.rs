//! Who sends first, and how frames fill a packet (§6).

use super::channel::{packet, pair, settle, small_config, small_limits};
use crate::{
    Dir, StreamConfig, StreamId, Streams,
    wire::{Frame, Frames, Limits},
};

/// The streams of the frames that the next packets carry, in order, with the number of bytes.
fn sent(from: &mut Streams, room: usize) -> Vec<(StreamId, usize)> {
    let mut streams = Vec::new();
    while let Some((bytes, _)) = packet(from, room) {
        for frame in Frames::new(&bytes) {
            match frame.unwrap() {
                Frame::Stream(stream) => streams.push((stream.id, stream.data.len())),
                frame => panic!("{frame:?}"),
            }
        }
    }
    streams
}

fn opened(count: usize) -> (Streams, Vec<StreamId>) {
    let mut streams = pair(&Limits::default(), StreamConfig::default()).0;
    let ids = (0..count).map(|_| streams.open(Dir::Bi).unwrap()).collect();
    (streams, ids)
}

#[test]
fn equals_take_turns_frame_by_frame() {
    let (mut left, ids) = opened(3);
    for &id in &ids {
        left.write(id, &[0; 200]).unwrap();
    }
    let order: Vec<_> = sent(&mut left, 102).into_iter().map(|(id, _)| id).collect();
    let first: Vec<_> = order.iter().take(6).copied().collect();
    assert_eq!(first, [ids[0], ids[1], ids[2], ids[0], ids[1], ids[2]]);
}

#[test]
fn higher_priority_goes_first_whenever_it_is_set() {
    let (mut left, ids) = opened(3);
    for &id in &ids {
        left.write(id, &[0; 150]).unwrap();
    }
    left.set_priority(ids[2], 7).unwrap();
    left.set_priority(ids[0], -1).unwrap();
    assert_eq!(left.priority(ids[2]), Ok(7));
    let order: Vec<_> = sent(&mut left, 102).into_iter().map(|(id, _)| id).collect();
    assert!(order.is_sorted_by_key(|id| 3 - id.index()), "{order:?}");

    let (mut left, ids) = opened(40);
    for (rank, &id) in ids.iter().enumerate() {
        left.set_priority(id, rank as i32).unwrap();
        left.write(id, &[0; 50]).unwrap();
    }
    let order: Vec<_> = sent(&mut left, 102).into_iter().map(|(id, _)| id).collect();
    assert!(order.is_sorted_by_key(|id| 40 - id.index()), "{order:?}");
}

#[test]
fn lost_bytes_go_before_new_ones_of_equals_but_not_of_betters() {
    let (mut left, ids) = opened(3);
    left.write(ids[0], &[0; 90]).unwrap();
    let (_, lost) = packet(&mut left, 102).unwrap();
    left.write(ids[1], &[0; 90]).unwrap();
    left.write(ids[2], &[0; 90]).unwrap();
    left.set_priority(ids[2], 1).unwrap();
    lost.into_iter().for_each(|what| left.on_lost(what));
    let order: Vec<_> = sent(&mut left, 93).into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, [ids[2], ids[0], ids[1]]);
}

#[test]
fn a_frame_that_ends_the_packet_bears_no_length() {
    let (mut left, ids) = opened(1);
    left.write(ids[0], &[9; 300]).unwrap();
    // Type and id; then type, id and an offset of two bytes.
    let (bytes, _) = packet(&mut left, 130).unwrap();
    assert_eq!(bytes[..3], [0x08, 0, 9]);
    assert_eq!(bytes.len(), 130);
    let (bytes, _) = packet(&mut left, 132).unwrap();
    assert_eq!(bytes[..5], [0x0c, 0, 0x80, 1, 9]);
    // 44 are left: with room to spare they are counted.
    let (bytes, _) = packet(&mut left, 132).unwrap();
    assert_eq!(bytes[..6], [0x0e, 0, 0x80, 2, 44, 9]);
    assert_eq!(bytes.len(), 5 + 44);
}

#[test]
fn no_frame_is_begun_for_a_few_bytes() {
    let (mut left, ids) = opened(2);
    left.write(ids[0], &[1; 20]).unwrap();
    left.write(ids[1], &[2; 500]).unwrap();
    // 23 bytes for the first with its length: 9 or fewer are left for the second.
    let (bytes, _) = packet(&mut left, 32).unwrap();
    assert_eq!(bytes.len(), 23);
    let (bytes, _) = packet(&mut left, 32).unwrap();
    assert_eq!(bytes.len(), 32);
}

#[test]
fn every_room_gives_whole_frames_and_all_the_bytes() {
    for room in 32..400 {
        let (mut left, ids) = opened(2);
        left.write(ids[0], &[1; 137]).unwrap();
        left.write(ids[1], &[2; 260]).unwrap();
        left.finish(ids[1]).unwrap();
        let total: usize = sent(&mut left, room).into_iter().map(|(_, len)| len).sum();
        assert_eq!(total, 137 + 260, "room {room}");
    }
}

#[test]
fn too_little_room_does_no_harm() {
    for room in 0..32 {
        let (mut left, mut right) = pair(&small_limits(), small_config());
        let id = left.open(Dir::Bi).unwrap();
        left.write(id, &[1; 900]).unwrap();
        settle(&mut left, &mut right);
        assert_eq!(right.accept(Dir::Bi), Some(id));
        right.read(id, &mut [0; 600]).unwrap();
        right.write(id, &[2; 100]).unwrap();
        let (mut bytes, mut carried) = (vec![0; room], Vec::new());
        let mut writer = crate::wire::Writer::new(&mut bytes);
        right.write_frames(&mut writer, &mut carried);
        let len = writer.len();
        for frame in Frames::new(&bytes[..len]) {
            frame.unwrap();
        }
        carried.into_iter().for_each(|what| right.on_lost(what));
        settle(&mut left, &mut right);
        assert_eq!(left.read(id, &mut [0; 200]), Ok(Some(100)));
    }
}
