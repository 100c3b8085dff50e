use proptest::{prelude::*, sample::Index};

use super::*;
use crate::{Side, wire::Writer};

const ID: StreamId = StreamId::new(Side::Initiator, Dir::Bi, 1);

fn one(bytes: &[u8]) -> Result<Frame<'_>, FrameErrorKind> {
    let mut frames = Frames::new(bytes);
    let frame = frames.next().unwrap().map_err(|error| error.kind);
    assert!(frames.next().is_none(), "one frame in {bytes:02x?}");
    frame
}

fn written(frame: &Frame<'_>) -> Vec<u8> {
    let mut buffer = vec![0xee; frame.encoded_len()];
    let mut writer = Writer::new(&mut buffer);
    frame.write(&mut writer);
    assert_eq!(writer.len(), frame.encoded_len(), "{frame:?}");
    buffer
}

/// The examples of `docs/spec/stt-wire.md` §5, ACK apart: each in the one form that we write.
#[test]
fn annotated() {
    let token = [0x70; 16];
    let mut new_id = vec![
        0x18, // NEW_ID
        0x02, // sequence 2
        0x01, // retire those before 1
        0x02, 0xca, 0xfe, // an id of 2 bytes
    ];
    new_id.extend(token); // the reset token

    for (bytes, frame) in [
        (&[0x00, 0x00, 0x00][..], Frame::Padding(3)),
        (&[0x01], Frame::Ping),
        (
            // RESET · stream 4 · code 7 · final size 300
            &[0x04, 0x04, 0x07, 0xac, 0x02],
            Frame::Reset {
                id: ID,
                code: 7,
                final_size: 300,
            },
        ),
        (
            // STOP · stream 4 · code 7
            &[0x05, 0x04, 0x07],
            Frame::Stop { id: ID, code: 7 },
        ),
        (
            // STREAM with LEN · stream 4 · 2 bytes
            &[0x0a, 0x04, 0x02, b'h', b'i'],
            Frame::Stream(Stream {
                id: ID,
                offset: 0,
                fin: false,
                data: b"hi",
            }),
        ),
        (
            // STREAM with OFF, LEN, FIN · stream 4 · offset 128 · no bytes
            &[0x0f, 0x04, 0x80, 0x01, 0x00],
            Frame::Stream(Stream {
                id: ID,
                offset: 128,
                fin: true,
                data: b"",
            }),
        ),
        (&[0x10, 0x80, 0x80, 0x40], Frame::MaxData(1 << 20)),
        (
            &[0x11, 0x04, 0x80, 0x80, 0x10],
            Frame::MaxStreamData {
                id: ID,
                max: 256 << 10,
            },
        ),
        (
            &[0x12, 0x60],
            Frame::MaxStreams {
                dir: Dir::Bi,
                max: 96,
            },
        ),
        (
            &[0x13, 0x60],
            Frame::MaxStreams {
                dir: Dir::Uni,
                max: 96,
            },
        ),
        (
            &new_id,
            Frame::NewId(NewId {
                sequence: 2,
                retire_prior_to: 1,
                id: WireId::new(&[0xca, 0xfe]).unwrap(),
                reset_token: token,
            }),
        ),
        (&[0x19, 0x01], Frame::RetireId { sequence: 1 }),
        (
            &[0x1a, 1, 2, 3, 4, 5, 6, 7, 8],
            Frame::PathChallenge([1, 2, 3, 4, 5, 6, 7, 8]),
        ),
        (
            &[0x1b, 1, 2, 3, 4, 5, 6, 7, 8],
            Frame::PathResponse([1, 2, 3, 4, 5, 6, 7, 8]),
        ),
        (
            // CLOSE by the transport · FLOW_CONTROL_ERROR · 2 bytes
            &[0x1c, 0x03, 0x02, b'n', b'o'],
            Frame::Close {
                application: false,
                code: 3,
                reason: b"no",
            },
        ),
        (
            &[0x1d, 0x00, 0x00],
            Frame::Close {
                application: true,
                code: 0,
                reason: b"",
            },
        ),
        (&[0x31, 0x01, 0x55], Frame::Datagram(&[0x55])),
    ] {
        assert_eq!(one(bytes), Ok(frame));
        assert_eq!(written(&frame), bytes);
        assert_eq!(frame.type_byte(), bytes[0]);
    }
}

#[test]
fn without_length_to_the_end_of_the_packet() {
    let stream = Stream {
        id: ID,
        offset: 1,
        fin: true,
        data: b"abc",
    };
    let bytes = [0x0d, 0x04, 0x01, b'a', b'b', b'c'];
    assert_eq!(one(&bytes), Ok(Frame::Stream(stream)));
    let mut buffer = [0; 6];
    let mut writer = Writer::new(&mut buffer);
    stream.write_header(&mut writer, false);
    assert_eq!(writer.len(), crate::wire::stream_header_len(ID, 1, None));
    writer.put_slice(stream.data);
    assert_eq!(buffer, bytes);

    assert_eq!(one(&[0x30, 7, 7]), Ok(Frame::Datagram(&[7, 7])));
    assert_eq!(one(&[0x30]), Ok(Frame::Datagram(&[])));
    for len in [None, Some(0), Some(300)] {
        let mut buffer = [0; 4];
        let mut writer = Writer::new(&mut buffer);
        crate::wire::write_datagram_header(&mut writer, len);
        assert_eq!(writer.len(), crate::wire::datagram_header_len(len));
    }
}

/// An offset of zero may be written out, too: the bit only says that the field is there.
#[test]
fn a_zero_offset_may_be_written_out() {
    let plain = one(&[0x08, 0x04, 0x09]);
    assert_eq!(one(&[0x0c, 0x04, 0x00, 0x09]), plain);
}

#[test]
fn each_error() {
    use FrameErrorKind as Kind;
    let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f];
    let over = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let with = |head: &[u8], number: [u8; 9], tail: &[u8]| [head, &number, tail].concat();
    for (bytes, expected) in [
        (vec![0x06, 0x00], Kind::Reserved),
        (vec![0x07], Kind::Unknown),
        (vec![0x14, 0x00], Kind::Unknown),
        (vec![0xff], Kind::Unknown),
        (vec![0x10], Kind::Integer(VarIntError::Truncated)),
        (
            vec![0x10, 0x80, 0x00],
            Kind::Integer(VarIntError::NotMinimal),
        ),
        (
            with(&[0x10], over, &[]),
            Kind::Integer(VarIntError::TooLarge),
        ),
        (with(&[0x0c, 0x04], max, &[0x00]), Kind::StreamTooLong),
        (with(&[0x0e, 0x04], max, &[0x01, 0x00]), Kind::StreamTooLong),
        (vec![0x0a, 0x04, 0x02, 0x00], Kind::Truncated),
        (with(&[0x31], max, &[0x00]), Kind::Truncated),
        (with(&[0x12], max, &[]), Kind::TooManyStreams),
        (vec![0x18, 0x00, 0x01, 0x01, 0x00], Kind::RetiresItself),
        (vec![0x18, 0x00, 0x00, 0x00], Kind::IdLength(0)),
        (vec![0x18, 0x00, 0x00, 0x09], Kind::IdLength(9)),
        (vec![0x18, 0x00, 0x00, 0x02, 0x00], Kind::Truncated),
        (vec![0x18, 0x00, 0x00, 0x01, 0x00, 0x00], Kind::Truncated),
        (vec![0x1a, 1, 2, 3, 4, 5, 6, 7], Kind::Truncated),
        (vec![0x1c, 0x00, 0x01], Kind::Truncated),
    ] {
        assert_eq!(one(&bytes), Err(expected), "{bytes:02x?}");
    }
    // The last stream data that there can be.
    assert!(one(&with(&[0x0c, 0x04], max, &[])).is_ok());
}

#[test]
fn an_error_tells_where_and_ends() {
    let mut frames = Frames::new(&[0x01, 0x00, 0x00, 0x06, 0x01]);
    assert_eq!(frames.next(), Some(Ok(Frame::Ping)));
    assert_eq!(frames.next(), Some(Ok(Frame::Padding(2))));
    let error = frames.next().unwrap().unwrap_err();
    assert_eq!((error.frame, error.offset), (0x06, 3));
    assert_eq!(error.to_string(), "frame 06 at byte 3: reserved type");
    assert_eq!(frames.next(), None);

    let error = TransportError::from(error);
    assert_eq!(
        (error.code, error.frame),
        (Code::PROTOCOL_VIOLATION, Some(0x06))
    );
    let error = Frames::new(&[0x10]).next().unwrap().unwrap_err();
    assert_eq!(error.code(), Code::FRAME_ENCODING_ERROR);
}

#[test]
fn what_asks_for_an_acknowledgement() {
    let quiet = [
        &[0x00][..],
        &[0x02, 0, 0, 0, 0],
        &[0x1c, 0, 0],
        &[0x1d, 0, 0],
    ];
    for bytes in quiet {
        assert!(!one(bytes).unwrap().is_ack_eliciting(), "{bytes:02x?}");
    }
    for bytes in [&[0x01][..], &[0x30], &[0x08, 0], &[0x10, 0], &[0x1a; 9]] {
        assert!(one(bytes).unwrap().is_ack_eliciting(), "{bytes:02x?}");
    }
}

#[test]
fn a_reset_token_is_not_printed() {
    let frame = NewId {
        sequence: 0,
        retire_prior_to: 0,
        id: WireId::new(&[1]).unwrap(),
        reset_token: [0xab; 16],
    };
    let text = format!("{frame:?}");
    assert!(!text.contains("171") && !text.contains("ab"), "{text}");
}

fn field() -> impl Strategy<Value = u64> {
    // Every length is as likely as every other.
    (0_u32..62, any::<u64>()).prop_map(|(bits, value)| (value & varint::MAX) >> bits)
}

/// A frame's head and, where it has some, what it borrows.
fn frame(data: &'static [u8]) -> impl Strategy<Value = Frame<'static>> {
    let id = || field().prop_map(StreamId::from_u64);
    let count = || 0..=MAX_STREAM_COUNT;
    prop_oneof![
        (1_usize..50).prop_map(Frame::Padding),
        Just(Frame::Ping),
        (id(), field(), field()).prop_map(|(id, code, final_size)| Frame::Reset {
            id,
            code,
            final_size
        }),
        (id(), field()).prop_map(|(id, code)| Frame::Stop { id, code }),
        (id(), field(), any::<bool>()).prop_map(move |(id, offset, fin)| {
            let offset = offset.min(varint::MAX - data.len() as u64);
            Frame::Stream(Stream {
                id,
                offset,
                fin,
                data,
            })
        }),
        field().prop_map(Frame::MaxData),
        (id(), field()).prop_map(|(id, max)| Frame::MaxStreamData { id, max }),
        count().prop_map(|max| Frame::MaxStreams { dir: Dir::Bi, max }),
        count().prop_map(|max| Frame::MaxStreams { dir: Dir::Uni, max }),
        (field(), field(), 1_usize..=8, any::<([u8; 8], [u8; 16])>()).prop_map(
            |(sequence, before, len, (id, reset_token))| {
                Frame::NewId(NewId {
                    sequence,
                    retire_prior_to: before.min(sequence),
                    id: WireId::new(&id[..len]).unwrap(),
                    reset_token,
                })
            }
        ),
        field().prop_map(|sequence| Frame::RetireId { sequence }),
        any::<[u8; 8]>().prop_map(Frame::PathChallenge),
        any::<[u8; 8]>().prop_map(Frame::PathResponse),
        (any::<bool>(), field()).prop_map(move |(application, code)| Frame::Close {
            application,
            code,
            reason: data
        }),
        Just(Frame::Datagram(data)),
    ]
}

const DATA: &[u8] = &[0x5c; 200];

proptest! {
    #[test]
    fn round_trip(frames in proptest::collection::vec(frame(DATA), 0..20)) {
        let mut bytes = Vec::new();
        let mut expected: Vec<Frame<'_>> = Vec::new();
        for frame in frames {
            bytes.extend(written(&frame));
            // Two runs of padding are read as one.
            match (expected.last_mut(), frame) {
                (Some(Frame::Padding(run)), Frame::Padding(more)) => *run += more,
                _ => expected.push(frame),
            }
        }
        let found: Result<Vec<_>, _> = Frames::new(&bytes).collect();
        prop_assert_eq!(found, Ok(expected));
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        crate::__fuzz::frames(&bytes);
    }

    #[test]
    fn flipped_and_cut(frames in proptest::collection::vec(frame(DATA), 1..6), bit: Index, end: Index) {
        let mut bytes: Vec<u8> = frames.iter().flat_map(written).collect();
        crate::__fuzz::frames(&bytes[..end.index(bytes.len())]);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        crate::__fuzz::frames(&bytes);
    }
}
