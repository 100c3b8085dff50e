use proptest::prelude::*;
use stt_crypto::{SEGMENT_OVERHEAD, SegmentError, Stc, secret::StreamContext};

use super::*;

fn context(stream_id: u64) -> StreamContext {
    let stc = Stc::new(&[7; 32]).unwrap();
    stc.create_stream_context(b"session!", stream_id).unwrap()
}

fn encoder(mode: StreamMode, size: usize) -> BinaryStreamEncoder {
    BinaryStreamEncoder::with_salt(&context(1), mode, size, [3; 16]).unwrap()
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 % 251) as u8).collect()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("it doesn't wait")
}

#[test]
fn bounded_segments_are_full_and_the_last_tells_the_end() {
    for (len, expected) in [
        (0, vec![0]),
        (1, vec![1]),
        (9, vec![9]),
        (10, vec![10]),
        (11, vec![10, 1]),
        (30, vec![10, 10, 10]),
    ] {
        let segments = encoder(StreamMode::Bounded, 10)
            .encode_all(&bytes(len))
            .unwrap();
        let lens: Vec<_> = segments
            .iter()
            .map(|(_, s)| s.len() - SEGMENT_OVERHEAD)
            .collect();
        assert_eq!(lens, expected, "{len} bytes");
        let numbers: Vec<_> = segments.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..expected.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn live_segments_wait_for_nothing() {
    let mut encoder = encoder(StreamMode::Live, 10);
    let mut lens = Vec::new();
    for data in [&b"four"[..], b"", b"twelve bytes"] {
        let mut input = data;
        while let Some((_, segment)) = encoder.push(&mut input).unwrap() {
            lens.push(segment.len() - SEGMENT_OVERHEAD);
        }
    }
    lens.push(encoder.finish().unwrap().1.len() - SEGMENT_OVERHEAD);
    assert_eq!(lens, [4, 10, 2, 0]);
    assert!(matches!(
        encoder.push(&mut &b"more"[..]),
        Err(EncodeError::Segment(SegmentError::AfterLast))
    ));
    assert!(encoder.finish().is_err());
}

#[test]
fn sizes_have_a_domain_and_salts_are_fresh() {
    let context = context(1);
    for size in [0, MAX_SEGMENT_SIZE + 1] {
        assert!(BinaryStreamEncoder::new(&context, StreamMode::Live, size).is_err());
        assert!(StreamEncoder::new(&context, size).is_err());
    }
    let seal = || {
        let mut encoder =
            BinaryStreamEncoder::new(&context, StreamMode::Bounded, DEFAULT_SEGMENT_SIZE).unwrap();
        encoder.encode_all(b"same").unwrap().remove(0).1
    };
    assert_ne!(seal(), seal());
}

#[test]
fn duplicates_are_ignored_and_forgeries_change_nothing() {
    let segments = encoder(StreamMode::Bounded, 4)
        .encode_all(&bytes(10))
        .unwrap();
    let decoder = BinaryStreamDecoder::new(&context(1));
    assert_eq!(
        decoder.receive_segment(&segments[2].1, 2),
        Ok(Received::Early)
    );
    assert_eq!(
        decoder.receive_segment(&segments[2].1, 2),
        Ok(Received::Duplicate)
    );
    assert_eq!(
        decoder.receive_segment(&segments[0].1, 0),
        Ok(Received::Ready)
    );
    assert_eq!(
        decoder.receive_segment(b"anything", 0),
        Ok(Received::Duplicate)
    );
    let mut forged = segments[1].1.clone();
    forged[20] ^= 1;
    let cause = SegmentError::Forged;
    let error = Err(DecodeError::Segment { sequence: 1, cause });
    assert_eq!(decoder.receive_segment(&forged, 1), error);
    // As another one of the stream.
    assert_eq!(decoder.receive_segment(&segments[2].1, 1), error);
    assert_eq!((decoder.missing(), decoder.is_complete()), (1, false));
    assert!(decoder.try_receive_all().is_none());
    assert_eq!(
        decoder.receive_segment(&segments[1].1, 1),
        Ok(Received::Ready)
    );
    assert_eq!(now(decoder.receive_all()).unwrap(), bytes(10));
    assert_eq!(now(decoder.read()), Ok(None));
}

#[test]
fn another_encoder_of_the_context_is_refused() {
    let first = encoder(StreamMode::Bounded, 4)
        .encode_all(&bytes(10))
        .unwrap();
    let mut second =
        BinaryStreamEncoder::with_salt(&context(1), StreamMode::Bounded, 4, [4; 16]).unwrap();
    let second = second.encode_all(&bytes(10)).unwrap();
    let decoder = BinaryStreamDecoder::new(&context(1));
    decoder.receive_segment(&first[0].1, 0).unwrap();
    let cause = SegmentError::OtherSalt;
    let error = DecodeError::Segment { sequence: 1, cause };
    assert_eq!(decoder.receive_segment(&second[1].1, 1), Err(error));
    assert!(
        BinaryStreamDecoder::new(&context(2))
            .receive_segment(&first[0].1, 0)
            .is_err()
    );
}

#[test]
fn a_stream_has_one_end() {
    // Two sealers with one salt, which encoders never have: what they make contradicts.
    let long = encoder(StreamMode::Bounded, 4)
        .encode_all(&bytes(20))
        .unwrap();
    let short = encoder(StreamMode::Bounded, 4)
        .encode_all(&bytes(8))
        .unwrap();
    let decoder = BinaryStreamDecoder::new(&context(1));
    decoder.receive_segment(&short[1].1, 1).unwrap();
    let error = DecodeError::Beyond {
        sequence: 2,
        end: 2,
    };
    assert_eq!(decoder.receive_segment(&long[2].1, 2), Err(error));

    let decoder = BinaryStreamDecoder::new(&context(1));
    decoder.receive_segment(&long[3].1, 3).unwrap();
    let error = DecodeError::Beyond {
        sequence: 1,
        end: 2,
    };
    assert_eq!(decoder.receive_segment(&short[1].1, 1), Err(error));
    for (number, segment) in &long {
        decoder.receive_segment(segment, *number).unwrap();
    }
    assert_eq!(now(decoder.receive_all()).unwrap(), bytes(20));
}

#[test]
fn what_waits_and_what_is_ready_is_bounded() {
    let segments = encoder(StreamMode::Bounded, 10)
        .encode_all(&bytes(60))
        .unwrap();
    let limits = ReassemblyLimits {
        reorder_bytes: 2 * (10 + ReassemblyLimits::SEGMENT_COST),
        ready_bytes: 25,
    };
    let decoder = BinaryStreamDecoder::with_limits(&context(1), limits);
    let receive = |i: usize| decoder.receive_segment(&segments[i].1, i as u64);
    assert_eq!(receive(3), Ok(Received::Early));
    assert_eq!(receive(2), Ok(Received::Early));
    let (sequence, missing, limit) = (5, 0, limits.reorder_bytes);
    let full = DecodeError::ReorderFull {
        sequence,
        missing,
        limit,
    };
    assert_eq!(receive(5), Err(full));
    assert_eq!(receive(0), Ok(Received::Ready));
    assert_eq!(receive(1), Ok(Received::Ready));
    let full = DecodeError::ReadyFull {
        sequence: 4,
        limit: 25,
    };
    assert_eq!(receive(4), Err(full));
    assert_eq!(receive(5), Ok(Received::Early));
    assert_eq!(now(decoder.read()).unwrap().unwrap(), bytes(60)[..40]);
    assert_eq!(receive(4), Ok(Received::Ready));
    assert_eq!(now(decoder.receive_all()).unwrap(), bytes(60)[40..]);
}

#[test]
fn closing_names_what_is_missing() {
    let segments = encoder(StreamMode::Bounded, 4)
        .encode_all(&bytes(10))
        .unwrap();
    let decoder = BinaryStreamDecoder::new(&context(1));
    decoder.receive_segment(&segments[0].1, 0).unwrap();
    decoder.receive_segment(&segments[2].1, 2).unwrap();
    decoder.close();
    assert_eq!(
        decoder.receive_segment(&segments[1].1, 1),
        Err(DecodeError::Closed)
    );
    let error = now(decoder.receive_all()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stream is incomplete: segment 1 never arrived"
    );
    assert_eq!(now(decoder.read()).unwrap().unwrap(), bytes(4));
    assert_eq!(
        now(decoder.read()),
        Err(DecodeError::Incomplete { missing: 1 })
    );
}

#[tokio::test]
async fn a_task_waits_while_another_receives() {
    let data = bytes(100_000);
    let source = &data[..];
    let encoder =
        BinaryStreamEncoder::new(&context(1), StreamMode::Live, DEFAULT_SEGMENT_SIZE).unwrap();
    let mut segments = encoder.reader(source);
    let decoder = BinaryStreamDecoder::new(&context(1));
    let feed = async {
        while let Some((number, segment)) = segments.next().await.unwrap() {
            decoder.receive_segment(&segment, number).unwrap();
            tokio::task::yield_now().await;
        }
        assert!(segments.next().await.unwrap().is_none());
    };
    let take = async {
        let mut taken = Vec::new();
        while let Some(piece) = decoder.read().await.unwrap() {
            taken.extend(piece);
        }
        taken
    };
    let (taken, ()) = tokio::join!(take, feed);
    assert_eq!(taken, data);
}

#[test]
fn chunks_are_whole_messages_in_order() {
    let context = context(1);
    let encoder = StreamEncoder::new(&context, 10).unwrap();
    let decoder = StreamDecoder::new(&context);
    for len in [0, 1, 10, 11, 95] {
        let data = bytes(len);
        let chunks = encoder.encode_bytes(&data).unwrap();
        let expected = len.div_ceil(10).max(1);
        assert_eq!(chunks.len(), expected);
        let chunks: Vec<_> = chunks.collect();
        assert_eq!(chunks.len(), expected);
        assert_eq!(decoder.decode_to_bytes(&chunks).unwrap(), data);
    }
}

#[test]
fn every_change_of_a_message_is_noticed() {
    let context = context(1);
    let message = bytes(35);
    let encoder = StreamEncoder::new(&context, 10).unwrap();
    let seal = || encoder.encode_bytes(&message).unwrap();
    let chunks: Vec<_> = seal().collect();
    let decode = |chunks: &[Vec<u8>]| StreamDecoder::new(&context).decode_to_bytes(chunks);
    assert_eq!(decode(&chunks), Ok(bytes(35)));
    assert_eq!(
        decode(&chunks[..3]),
        Err(DecodeError::Incomplete { missing: 3 })
    );
    assert_eq!(decode(&[]), Err(DecodeError::Incomplete { missing: 0 }));
    assert!(decode(&chunks[1..]).is_err());
    let end = 4;
    let beyond = DecodeError::Beyond { sequence: end, end };
    assert_eq!(decode(&[&chunks[..], &chunks[3..]].concat()), Err(beyond));
    for (i, j) in [(0, 1), (1, 2), (2, 3), (1, 1)] {
        let mut changed = chunks.clone();
        changed[i] = chunks[j].clone();
        if i != j {
            changed[j] = chunks[i].clone();
        } else {
            changed.remove(i);
        }
        assert!(decode(&changed).is_err(), "{i} and {j}");
    }
    let mut mixed = chunks.clone();
    mixed[2] = seal().nth(2).unwrap();
    assert!(decode(&mixed).is_err());
}

proptest! {
    #[test]
    fn any_order_and_any_cuts_give_the_bytes_back(
        data in prop::collection::vec(any::<u8>(), 0..400),
        size in 1_usize..40,
        live in any::<bool>(),
        cuts in prop::collection::vec(0_usize..60, 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..500),
        takes in any::<u64>(),
    ) {
        let mode = if live { StreamMode::Live } else { StreamMode::Bounded };
        let mut encoder = encoder(mode, size);
        let mut segments = Vec::new();
        let mut rest = &data[..];
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            let mut input = head;
            while let Some(segment) = encoder.push(&mut input).unwrap() {
                segments.push(segment);
            }
            prop_assert!(input.is_empty());
            rest = tail;
        }
        while let Some(segment) = encoder.push(&mut rest).unwrap() {
            segments.push(segment);
        }
        segments.push(encoder.finish().unwrap());

        let decoder = BinaryStreamDecoder::new(&context(1));
        let mut out = Vec::new();
        // Any segments, repeated or not, then all of them.
        let drawn = order.iter().map(|index| index.get(&segments));
        for (i, (number, segment)) in drawn.chain(segments.iter().rev()).enumerate() {
            decoder.receive_segment(segment, *number).unwrap();
            if takes >> (i % 64) & 1 == 1
                && let Some(taken) = decoder.try_read()
            {
                out.extend(taken.unwrap().unwrap_or_default());
            }
        }
        out.extend(now(decoder.receive_all()).unwrap());
        prop_assert_eq!(out, data);
    }
}
