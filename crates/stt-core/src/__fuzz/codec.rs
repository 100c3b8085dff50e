//! What the decoders promise for any bytes: a value that is written as it was read, or an error.

use crate::{
    SttFrame, SttFrameRef,
    value::{self, Reader, Value},
    varint as leb128,
    wire::{self, Frame, Frames, Params, WireId, Writer, header::SealedHeader},
};

/// An integer has one form.
pub fn varint(bytes: &[u8]) {
    let mut rest = bytes;
    let wide = leb128::read_u64(&mut rest);
    let mut narrow_rest = bytes;
    let narrow = leb128::read(&mut narrow_rest);
    let Ok(number) = wide else {
        assert_eq!(rest, bytes);
        assert_eq!(narrow, wide);
        return;
    };
    assert_eq!(narrow.ok(), (number <= leb128::MAX).then_some(number));
    let mut buffer = [0; leb128::MAX_LEN_U64];
    let mut writer = Writer::new(&mut buffer);
    writer.put_varint(number);
    assert_eq!(writer.written(), &bytes[..bytes.len() - rest.len()]);
    assert_eq!(writer.len(), leb128::encoded_len(number));
}

/// Frames are written in a form that reads alike, no longer than the one that came unless a length
/// was left out; the ranges of an acknowledgement descend without touching.
pub fn frames(plaintext: &[u8]) {
    for frame in Frames::new(plaintext).map_while(Result::ok) {
        if let Frame::Ack(ack) = frame {
            let mut below = ack.largest() + 2;
            let mut count = 0;
            for range in ack.ranges() {
                assert!(range.start() <= range.end() && *range.end() + 2 <= below);
                below = *range.start();
                count += 1;
            }
            assert!((1..=wire::Ack::MAX_RANGES).contains(&count));
        }
        let mut bytes = vec![0; frame.encoded_len()];
        let mut writer = Writer::new(&mut bytes);
        frame.write(&mut writer);
        assert_eq!(writer.remaining(), 0);
        assert!(bytes.len() <= plaintext.len() + leb128::MAX_LEN);
        let mut again = Frames::new(&bytes);
        assert_eq!(again.next(), Some(Ok(frame)));
        assert_eq!(again.next(), None);
    }
}

/// Taking header protection off and putting it on again changes nothing; a header that was read is
/// written alike. The first six bytes are the length of the id and the mask.
pub fn header(bytes: &[u8]) {
    let Some((&[id_len, ref mask @ ..], packet)) = bytes.split_first_chunk::<6>() else {
        return;
    };
    let id_len = usize::from(id_len % 12);
    let Some((id, pn_offset)) = wire::header::receiver(packet, id_len) else {
        return;
    };
    assert_eq!(id.len(), id_len);
    assert!(wire::header::sample(packet, pn_offset).is_some());
    let mut open = packet.to_vec();
    let found = wire::header::unprotect(&mut open, pn_offset, mask).expect("long enough");
    let mut shut = open.clone();
    wire::header::protect(&mut shut, pn_offset, mask);
    assert_eq!(shut, packet);
    if found.reserved_clear {
        let len = SealedHeader::len(id_len, found.pn_len);
        let mut buffer = [0; 1 + WireId::MAX_LEN + 4];
        let mut writer = Writer::new(&mut buffer);
        let number = u64::from(found.truncated);
        SealedHeader::write(&mut writer, found.phase, &id, found.pn_len, number);
        assert_eq!(writer.written(), &open[..len]);
    }
    let expected = u64::from(found.truncated).rotate_left(29) & leb128::MAX;
    let whole = wire::header::expand_pn(found.truncated, found.pn_len, expected);
    let mask = (1 << (8 * found.pn_len)) - 1;
    assert_eq!(whole & mask, u64::from(found.truncated));
}

/// Parameters are written in a form that reads alike.
pub fn params(payload: &[u8]) {
    let Ok(params) = Params::from_bytes(payload) else {
        return;
    };
    let bytes = params.to_vec();
    assert_eq!(bytes.len(), params.encoded_len());
    assert!(bytes.len() <= Params::MAX_LEN);
    assert_eq!(Params::from_bytes(&bytes), Ok(params));
}

/// The ways to read a document agree, and what is read has one form.
pub fn value(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let mut outcome = Ok(());
    loop {
        match reader.next_token() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => outcome = Err(error),
        }
    }
    let found = value::deserialize(bytes);
    assert_eq!(found.as_ref().err(), outcome.as_ref().err());
    let by_serde = value::from_slice::<Value>(bytes);
    let Ok(found) = found else {
        assert!(by_serde.is_err());
        return;
    };
    let canonical = value::serialize(&found).expect("what was read can be written");
    assert!(canonical.len() <= 2 * bytes.len());
    assert_eq!(value::encoded_len(&found), Ok(canonical.len()));
    // By their bytes: a NaN is not equal to itself.
    for again in [
        value::deserialize(&canonical).expect("what was written can be read"),
        by_serde.expect("serde reads the same"),
    ] {
        assert_eq!(value::serialize(&again).as_ref(), Ok(&canonical));
    }
    assert_eq!(value::to_vec(&found).as_ref(), Ok(&canonical));
}

/// A frame is written as it was read, and one that is incomplete says what it waits for.
pub fn sttframe(bytes: &[u8]) {
    match SttFrame::from_bytes(bytes) {
        Ok((frame, used)) => {
            assert_eq!(frame.encoded_len(), used);
            assert_eq!(frame.to_bytes().as_deref(), Ok(&bytes[..used]));
            let (borrowed, _) = SttFrameRef::from_bytes(bytes).expect("a frame");
            assert_eq!(borrowed.to_frame(), frame);
        }
        Err(error) => {
            if let Some(needed) = error.needed() {
                assert!((bytes.len() + 1..=SttFrame::MAX_FRAME).contains(&needed));
            }
        }
    }
}
