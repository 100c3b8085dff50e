//! The known answers in `vectors/stt`, which other implementations read too.

use serde_json::{Value as Json, json};
use stt_core::{
    Dir, SttFrame, SttFrameError,
    value::{Dict, Value, ValueErrorKind, deserialize, from_slice, serialize, to_vec},
    varint::{self, VarIntError},
    wire::{
        Frame, FrameErrorKind, Frames, Params, ParamsError, WireId, Writer,
        header::{self, SealedHeader},
    },
};

/// The cases of a file, as many as it says.
fn cases(text: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(text).expect("JSON");
    let cases = file["cases"].as_array().expect("cases").clone();
    assert_eq!(Some(cases.len() as u64), file["count"].as_u64());
    assert!(!cases.is_empty());
    cases
}

fn hex(value: &Json) -> Vec<u8> {
    let text = value.as_str().expect("hexadecimal text");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number that is text, since it may be too large for some readers of JSON.
fn number(value: &Json) -> u64 {
    value.as_str().expect("text").parse().expect("a number")
}

fn small(value: &Json) -> usize {
    value.as_u64().expect("a number") as usize
}

fn write(len: usize, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut writer = Writer::new(&mut bytes);
    write(&mut writer);
    assert_eq!(writer.remaining(), 0);
    bytes
}

#[test]
fn varints() {
    for case in cases(include_str!("../../../../vectors/stt/varints.json")) {
        let wire = hex(&case["wire"]);
        let mut rest = &wire[..];
        let found = varint::read_u64(&mut rest);
        if let Some(error) = case["error"].as_str() {
            let expected = match error {
                "truncated" => VarIntError::Truncated,
                "not_minimal" => VarIntError::NotMinimal,
                "too_large" => VarIntError::TooLarge,
                other => panic!("no error {other}"),
            };
            assert_eq!(found, Err(expected), "{case}");
            continue;
        }
        let number = number(&case["number"]);
        assert_eq!((found, rest), (Ok(number), &[][..]), "{case}");
        let narrow = varint::read(&mut &wire[..]).is_ok();
        assert_eq!(Some(narrow), case["in_frames"].as_bool(), "{case}");
        let len = varint::encoded_len(number);
        assert_eq!(write(len, |writer| writer.put_varint(number)), wire);
    }
}

#[test]
fn frames() {
    for case in cases(include_str!("../../../../vectors/stt/frames.json")) {
        let wire = hex(&case["wire"]);
        let found: Result<Vec<_>, _> = Frames::new(&wire).collect();
        if let Some(error) = case["error"].as_str() {
            let found = found.expect_err("no frames");
            assert_eq!(frame_error(found.kind), error, "{case}");
            assert_eq!(usize::from(found.frame), small(&case["frame"]), "{case}");
            assert_eq!(found.offset, small(&case["offset"]), "{case}");
            continue;
        }
        let found = found.expect("frames");
        let shown: Vec<Json> = found.iter().map(shown).collect();
        assert_eq!(Json::from(shown), case["frames"], "{case}");
        let len = found.iter().map(Frame::encoded_len).sum();
        let again = write(len, |writer| {
            found.iter().for_each(|frame| frame.write(writer));
        });
        assert_eq!(Some(again == wire), case["canonical"].as_bool(), "{case}");
    }
}

fn shown(frame: &Frame<'_>) -> Json {
    let text = |number: u64| number.to_string();
    match *frame {
        Frame::Padding(run) => json!({"type": "PADDING", "run": run}),
        Frame::Ping => json!({"type": "PING"}),
        Frame::Ack(ack) => {
            let ranges: Vec<[String; 2]> = ack
                .ranges()
                .map(|range| [text(*range.start()), text(*range.end())])
                .collect();
            let mut shown = json!({"type": "ACK", "delay_us": ack.delay_us(), "ranges": ranges});
            if let Some(counts) = ack.ecn() {
                shown["ecn"] = json!([counts.ect0, counts.ect1, counts.ce]);
            }
            shown
        }
        Frame::Reset {
            id,
            code,
            final_size,
        } => json!({
            "type": "RESET", "stream": text(id.as_u64()), "code": text(code), "final_size": text(final_size),
        }),
        Frame::Stop { id, code } => {
            json!({"type": "STOP", "stream": text(id.as_u64()), "code": text(code)})
        }
        Frame::Stream(stream) => json!({
            "type": "STREAM", "stream": text(stream.id.as_u64()), "offset": text(stream.offset),
            "fin": stream.fin, "data": to_hex(stream.data),
        }),
        Frame::MaxData(max) => json!({"type": "MAX_DATA", "max": text(max)}),
        Frame::MaxStreamData { id, max } => {
            json!({"type": "MAX_STREAM_DATA", "stream": text(id.as_u64()), "max": text(max)})
        }
        Frame::MaxStreams { dir, max } => {
            let dir = if dir == Dir::Bi { "bi" } else { "uni" };
            json!({"type": "MAX_STREAMS", "dir": dir, "max": text(max)})
        }
        Frame::NewId(new) => json!({
            "type": "NEW_ID", "sequence": text(new.sequence),
            "retire_prior_to": text(new.retire_prior_to), "id": to_hex(new.id.as_bytes()),
            "token": to_hex(&new.reset_token),
        }),
        Frame::RetireId { sequence } => json!({"type": "RETIRE_ID", "sequence": text(sequence)}),
        Frame::PathChallenge(data) => json!({"type": "PATH_CHALLENGE", "data": to_hex(&data)}),
        Frame::PathResponse(data) => json!({"type": "PATH_RESPONSE", "data": to_hex(&data)}),
        Frame::Close {
            application,
            code,
            reason,
        } => json!({
            "type": "CLOSE", "application": application, "code": text(code), "reason": to_hex(reason),
        }),
        Frame::Datagram(data) => json!({"type": "DATAGRAM", "data": to_hex(data)}),
    }
}

fn frame_error(kind: FrameErrorKind) -> &'static str {
    match kind {
        FrameErrorKind::IdLength(_) => "id_length",
        FrameErrorKind::Integer(VarIntError::Truncated) => "truncated_integer",
        FrameErrorKind::Integer(VarIntError::NotMinimal) => "not_minimal",
        FrameErrorKind::Integer(VarIntError::TooLarge) => "too_large",
        FrameErrorKind::RangeBelowZero => "range_below_zero",
        FrameErrorKind::Reserved => "reserved",
        FrameErrorKind::RetiresItself => "retires_itself",
        FrameErrorKind::StreamTooLong => "stream_too_long",
        FrameErrorKind::TooManyRanges(_) => "too_many_ranges",
        FrameErrorKind::TooManyStreams => "too_many_streams",
        FrameErrorKind::Truncated => "truncated",
        FrameErrorKind::Unknown => "unknown",
    }
}

#[test]
fn headers() {
    for case in cases(include_str!("../../../../vectors/stt/headers.json")) {
        let id = WireId::new(&hex(&case["id"])).expect("an id");
        let (phase, len) = (case["phase"] == json!(true), small(&case["number_len"]));
        let mask: [u8; 5] = hex(&case["mask"]).try_into().expect("five bytes");
        let number = number(&case["number"]);
        let mut packet = write(SealedHeader::len(id.len(), len), |writer| {
            SealedHeader::write(writer, phase, &id, len, number);
        });
        assert_eq!(to_hex(&packet), case["clear"], "{case}");

        let pn_offset = 1 + id.len();
        header::protect(&mut packet, pn_offset, &mask);
        assert_eq!(to_hex(&packet), case["sent"], "{case}");
        let end = packet.len();
        packet.resize(end + 24, 0);
        assert_eq!(header::receiver(&packet, id.len()), Some((id, pn_offset)));
        let found = header::unprotect(&mut packet, pn_offset, &mask).expect("long enough");
        assert_eq!(to_hex(&packet[..end]), case["clear"], "{case}");
        assert_eq!((found.phase, found.pn_len), (phase, len), "{case}");
        assert_eq!(header::expand_pn(found.truncated, len, number), number);
    }
}

#[test]
fn packet_numbers() {
    for case in cases(include_str!("../../../../vectors/stt/packet_numbers.json")) {
        let whole = number(&case["number"]);
        if let Some(truncated) = case["truncated"].as_u64() {
            let (truncated, len) = (truncated as u32, small(&case["len"]));
            let found = header::expand_pn(truncated, len, number(&case["expected"]));
            assert_eq!(found, whole, "{case}");
        } else {
            let acked = (!case["acked"].is_null()).then(|| number(&case["acked"]));
            assert_eq!(header::pn_len(whole, acked), small(&case["len"]), "{case}");
        }
    }
}

#[test]
fn params() {
    for case in cases(include_str!("../../../../vectors/stt/params.json")) {
        let wire = hex(&case["wire"]);
        let found = Params::from_bytes(&wire);
        if let Some(error) = case["error"].as_str() {
            let (name, kind) = match found.expect_err("no parameters") {
                ParamsError::Invalid { kind } => ("invalid", Some(kind)),
                ParamsError::NoWireId => ("no_wire_id", None),
                ParamsError::Order { kind } => ("order", Some(kind)),
                ParamsError::Truncated { kind } => ("truncated", Some(kind)),
                ParamsError::Unknown { kind } => ("unknown", Some(kind)),
            };
            assert_eq!((name, json!(kind)), (error, case["kind"].clone()), "{case}");
            continue;
        }
        let params = found.expect("parameters");
        assert_eq!(to_hex(params.wire_id.as_bytes()), case["wire_id"], "{case}");
        let codes = |codes: Option<stt_core::wire::Codes>| {
            json!(codes.as_ref().map(|codes| codes.as_bytes()))
        };
        assert_eq!(codes(params.aeads), case["aeads"], "{case}");
        assert_eq!(codes(params.versions), case["versions"], "{case}");
        let limits = params.limits;
        let millis = |time: core::time::Duration| time.as_millis() as u64;
        let limits = [
            limits.idle_timeout().map_or(0, millis),
            limits.max_data(),
            limits.max_stream_data(),
            limits.max_streams(Dir::Bi),
            limits.max_streams(Dir::Uni),
            limits.max_datagram().into(),
            millis(limits.max_ack_delay()),
        ];
        assert_eq!(
            json!(limits.map(|limit| limit.to_string())),
            case["limits"],
            "{case}"
        );
        let again = params.to_vec() == wire;
        assert_eq!(Some(again), case["canonical"].as_bool(), "{case}");
    }
}

#[test]
fn values() {
    for case in cases(include_str!("../../../../vectors/stt/values.json")) {
        let wire = hex(&case["wire"]);
        let canonical = case.get("canonical").map_or(wire.clone(), hex);
        let expected = value(&case["value"]);
        assert_eq!(serialize(&expected).as_ref(), Ok(&canonical), "{case}");
        assert_eq!(to_vec(&expected).as_ref(), Ok(&canonical), "{case}");
        // By its bytes: a NaN is not equal to itself.
        let found = deserialize(&wire).expect("a value");
        assert_eq!(serialize(&found).as_ref(), Ok(&canonical), "{case}");
        let found: Value = from_slice(&wire).expect("a value");
        assert_eq!(serialize(&found).as_ref(), Ok(&canonical), "{case}");
    }
}

fn value(shown: &Json) -> Value {
    match shown {
        Json::Null => Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(map) => {
            let (kind, content) = map.iter().next().expect("a kind of value");
            let text = || content.as_str().expect("text");
            match kind.as_str() {
                "int" => text()
                    .parse::<i64>()
                    .map_or_else(|_| Value::U64(number(content)), Value::I64),
                "float" => Value::F64(f64::from_bits(
                    u64::from_str_radix(text(), 16).expect("bits"),
                )),
                "bytes" => hex(content).into(),
                "dict" => content
                    .as_array()
                    .expect("pairs")
                    .iter()
                    .map(|pair| (pair[0].as_str().expect("text").to_owned(), value(&pair[1])))
                    .collect::<Dict>()
                    .into(),
                other => panic!("no kind of value {other}"),
            }
        }
        Json::Number(number) => panic!("a bare number {number}"),
    }
}

#[test]
fn value_errors() {
    for case in cases(include_str!("../../../../vectors/stt/value_errors.json")) {
        let error = deserialize(&hex(&case["wire"])).expect_err("no value");
        let name = match error.kind {
            ValueErrorKind::Count { .. } => "count",
            ValueErrorKind::Depth => "depth",
            ValueErrorKind::DuplicateKey => "duplicate_key",
            ValueErrorKind::KeyTag(_) => "key_tag",
            ValueErrorKind::Length { .. } => "length",
            ValueErrorKind::Nan => "nan",
            ValueErrorKind::NotShortest => "not_shortest",
            ValueErrorKind::TooLong => "too_long",
            ValueErrorKind::Trailing(_) => "trailing",
            ValueErrorKind::Truncated => "truncated",
            ValueErrorKind::UnknownTag(_) => "unknown_tag",
            ValueErrorKind::UnsortedKeys => "unsorted_keys",
            ValueErrorKind::Utf8 => "utf8",
        };
        assert_eq!(name, case["error"], "{case}");
        assert_eq!(error.offset, small(&case["offset"]), "{case}");
    }
}

#[test]
fn sttframes() {
    for case in cases(include_str!("../../../../vectors/stt/sttframes.json")) {
        let wire = hex(&case["wire"]);
        let found = SttFrame::from_bytes(&wire);
        if let Some(expected) = case["error"].as_str() {
            let error = found.expect_err("no frame");
            assert_eq!(sttframe_error(error), expected, "{case}");
            assert_eq!(
                error.needed(),
                case["needed"].as_u64().map(|n| n as usize),
                "{case}"
            );
            continue;
        }
        let expected = SttFrame {
            frame_type: small(&case["frame_type"]) as u8,
            flags: small(&case["flags"]) as u8,
            session_id: hex(&case["session_id"]).try_into().expect("eight bytes"),
            sequence: number(&case["sequence"]),
            timestamp_ms: number(&case["timestamp_ms"]),
            stream_id: small(&case["stream_id"]) as u32,
            metadata: hex(&case["metadata"]),
            payload: hex(&case["payload"]),
        };
        let used = small(&case["used"]);
        assert_eq!(expected.to_bytes().as_deref(), Ok(&wire[..used]), "{case}");
        assert_eq!(
            to_hex(&expected.associated_data()),
            case["associated_data"],
            "{case}"
        );
        assert_eq!(found, Ok((expected, used)), "{case}");
    }
}

fn sttframe_error(error: SttFrameError) -> &'static str {
    match error {
        SttFrameError::AlreadySealed => "already_sealed",
        SttFrameError::FrameTooLong { .. } => "frame_too_long",
        SttFrameError::Incomplete { .. } => "incomplete",
        SttFrameError::Length { .. } => "length",
        SttFrameError::MetadataBeyondFrame { .. } => "metadata_beyond_frame",
        SttFrameError::MetadataTooLong { .. } => "metadata_too_long",
        SttFrameError::NoMagic => "no_magic",
        SttFrameError::NoRoom { .. } => "no_room",
        SttFrameError::NoType => "no_type",
        SttFrameError::NotSealed => "not_sealed",
        SttFrameError::Open(_) => "open",
        SttFrameError::PayloadTooLong { .. } => "payload_too_long",
        SttFrameError::TooShort { .. } => "too_short",
    }
}
