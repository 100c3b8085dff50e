use proptest::{prelude::*, sample::Index};

use super::*;
use crate::value::{Value, serialize};

/// The example of `docs/spec/stt-frame.md` §1.4.
fn example() -> (SttFrame, Vec<u8>) {
    let bytes = [
        &[0x53, 0x54][..],                           // magic
        &[0x24],                                     // 36 bytes follow
        &[0x01, 0x00],                               // DATA, no flags
        &[1, 2, 3, 4, 5, 6, 7, 8],                   // session
        &[0, 0, 0, 0, 0, 0, 0, 1],                   // sequence
        &[0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00], // timestamp
        &[0, 0, 0, 7],                               // stream
        &[0x00],                                     // no metadata
        b"hello",
    ]
    .concat();
    let frame = SttFrame {
        session_id: [1, 2, 3, 4, 5, 6, 7, 8],
        sequence: 1,
        timestamp_ms: 1_700_000_000_000,
        stream_id: 7,
        payload: b"hello".to_vec(),
        ..SttFrame::default()
    };
    (frame, bytes)
}

fn error(bytes: &[u8]) -> SttFrameError {
    SttFrame::from_bytes(bytes).expect_err("no frame")
}

#[test]
fn annotated() {
    let (frame, mut bytes) = example();
    assert_eq!(frame.to_bytes().unwrap(), bytes);
    assert_eq!(frame.encoded_len(), bytes.len());
    bytes.extend(b"ST, the next frame");
    assert_eq!(SttFrame::from_bytes(&bytes), Ok((frame, 39)));
}

#[test]
fn the_associated_data_is_a_canonical_dict_of_the_header() {
    let (frame, _) = example();
    for frame in [
        frame.clone(),
        SttFrame {
            frame_type: 0xff,
            flags: 0x80,
            sequence: u64::MAX,
            timestamp_ms: 1 << 63,
            stream_id: u32::MAX,
            ..frame.clone()
        },
    ] {
        let dict = Value::dict([
            ("flags", Value::from(frame.flags)),
            ("frame_type", frame.frame_type.into()),
            ("sequence", frame.sequence.into()),
            ("session_id", frame.session_id.into()),
            ("stream_id", frame.stream_id.into()),
            ("timestamp_ms", frame.timestamp_ms.into()),
        ]);
        assert_eq!(&*frame.associated_data(), serialize(&dict).unwrap());
    }
    assert_eq!(frame.associated_data().len(), 119);
}

#[test]
fn each_error() {
    let (_, whole) = example();
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        error(&bytes)
    };
    assert_eq!(error(b"").needed(), Some(34));
    assert_eq!(error(b"S").needed(), Some(34));
    assert_eq!(error(b"T"), SttFrameError::NoMagic);
    assert_eq!(error(b"SX"), SttFrameError::NoMagic);
    assert_eq!(error(b"ST").needed(), Some(34));
    assert_eq!(error(b"ST\x80").needed(), Some(34));
    assert_eq!(error(&whole[..38]).needed(), Some(39));
    let length = |kind| SttFrameError::Length { offset: 2, kind };
    assert_eq!(error(b"ST\x9e\x00"), length(VarIntError::NotMinimal));
    let long = b"ST\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
    assert_eq!(error(long), length(VarIntError::TooLarge));
    // 2 MiB with all is the most: more is told before it has come.
    assert_eq!(error(b"ST\xfb\xff\x7f").needed(), Some(SttFrame::MAX_FRAME));
    let one_more = SttFrameError::FrameTooLong { len: 2_097_148 };
    assert_eq!(error(b"ST\xfc\xff\x7f"), one_more);
    assert_eq!(error(b"ST\x1e"), SttFrameError::TooShort { len: 30 });
    // A frame of 31 bytes, whose metadata length claims a second byte.
    let cut = [b"ST\x1f", &whole[3..33], &[0x80][..]].concat();
    assert_eq!(error(&cut), SttFrameError::TooShort { len: 31 });
    assert_eq!(changed(3, 0), SttFrameError::NoType);
    let beyond = SttFrameError::MetadataBeyondFrame {
        len: 6,
        remaining: 5,
    };
    assert_eq!(changed(33, 6), beyond);
}

#[test]
fn limits_hold_on_both_sides() {
    let frame = |metadata, payload| SttFrame {
        metadata: vec![1; metadata],
        payload: vec![2; payload],
        ..SttFrame::default()
    };
    let most = SttFrame::MAX_PAYLOAD;
    for (metadata, payload) in [(0, most), (4_096, most + 16)] {
        let frame = frame(metadata, payload);
        let bytes = frame.to_bytes().unwrap();
        let (found, used) = SttFrame::from_bytes(&bytes).unwrap();
        assert_eq!(used, bytes.len());
        assert!(found == frame);
    }
    for (metadata, payload) in [(0, most + 1), (1, most + 17), (4_097, 0)] {
        let frame = frame(metadata, payload);
        let refused = frame.to_bytes().unwrap_err();
        // As another implementation might write it.
        let mut head = [0; HEAD_MAX];
        let head = frame.as_ref().head(&mut head).to_vec();
        let bytes = [&head[..], &frame.metadata, &frame.payload].concat();
        assert_eq!(error(&bytes), refused);
    }
    let none = SttFrame {
        frame_type: 0,
        ..SttFrame::default()
    };
    assert_eq!(none.to_bytes(), Err(SttFrameError::NoType));
}

#[test]
fn a_buffer_too_small_is_told() {
    let (frame, bytes) = example();
    let mut buffer = [0; 64];
    assert_eq!(frame.encode_into(&mut buffer), Ok(bytes.len()));
    assert_eq!(buffer[..bytes.len()], bytes);
    let refused = SttFrameError::NoRoom {
        needed: 39,
        room: 38,
    };
    assert_eq!(frame.encode_into(&mut buffer[..38]), Err(refused));
}

#[test]
fn sealed_frames_open_and_every_changed_byte_is_refused() {
    let stc = Stc::new(&[3; 32]).unwrap();
    let (plain, _) = example();
    let mut sealed = plain.clone();
    sealed.encrypt_payload(&stc, &[5; 24]).unwrap();
    assert_eq!(sealed.metadata.len(), 25);
    assert_eq!(sealed.payload.len(), plain.payload.len() + 16);
    let bytes = sealed.to_bytes().unwrap();
    let (found, _) = SttFrame::from_bytes(&bytes).unwrap();
    assert_eq!(found.decrypt_payload(&stc).unwrap(), b"hello");

    // Of every byte of the frame, header and metadata as well.
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 0x40;
        let opened =
            SttFrame::from_bytes(&forged).and_then(|(frame, _)| frame.decrypt_payload(&stc));
        assert!(opened.is_err(), "byte {at}");
    }
    let other = Stc::new(&[4; 32]).unwrap();
    assert!(found.decrypt_payload(&other).is_err());
}

#[test]
fn plain_frames_never_pass_for_sealed_ones() {
    let stc = Stc::new(&[3; 32]).unwrap();
    let (mut frame, _) = example();
    assert_eq!(frame.decrypt_payload(&stc), Err(SttFrameError::NotSealed));
    frame.encrypt_payload(&stc, &[5; 24]).unwrap();
    let before = frame.clone();
    let again = frame.encrypt_payload(&stc, &[5; 24]);
    assert_eq!(again, Err(SttFrameError::AlreadySealed));
    assert_eq!(frame, before);
}

fn frame() -> impl Strategy<Value = SttFrame> {
    let bytes = |max| proptest::collection::vec(any::<u8>(), 0..max);
    (
        (1..=u8::MAX, any::<u8>(), any::<[u8; 8]>()),
        (any::<u64>(), any::<u64>(), any::<u32>()),
        (bytes(200), bytes(300)),
    )
        .prop_map(|(kind, numbers, content)| SttFrame {
            frame_type: kind.0,
            flags: kind.1,
            session_id: kind.2,
            sequence: numbers.0,
            timestamp_ms: numbers.1,
            stream_id: numbers.2,
            metadata: content.0,
            payload: content.1,
        })
}

proptest! {
    #[test]
    fn round_trip(frame in frame(), more: Vec<u8>) {
        let mut bytes = frame.to_bytes().unwrap();
        let len = bytes.len();
        prop_assert_eq!(frame.encoded_len(), len);
        bytes.extend(&more);
        prop_assert_eq!(SttFrame::from_bytes(&bytes), Ok((frame, len)));
    }

    #[test]
    fn a_part_is_incomplete(frame in frame(), end: Index) {
        let bytes = frame.to_bytes().unwrap();
        let end = end.index(bytes.len());
        let needed = error(&bytes[..end]).needed();
        prop_assert!(needed.is_some_and(|needed| end < needed && needed <= bytes.len()));
    }

    #[test]
    fn flipped(frame in frame(), bit: Index) {
        let mut bytes = frame.to_bytes().unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        crate::__fuzz::sttframe(&bytes);
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        crate::__fuzz::sttframe(&bytes);
        crate::__fuzz::sttframe(&[b"ST", &bytes[..]].concat());
        crate::__fuzz::sttframe(&[b"ST\x20", &bytes[..]].concat());
    }
}
