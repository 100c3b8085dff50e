//! Lines of `events.jsonl` (`docs/spec/outputs.md`, section 2).

use serde_json::Value;

use super::{
    decimal::push_u64,
    error::OutputError,
    json::{push_string, push_value},
    scrub::Scrubber,
};
use crate::side::Side;

/// The longest line, its LF included.
pub const MAX_LINE_BYTES: usize = 65_536;
/// The deepest level of a payload that is written; the payload itself is level 1.
pub const MAX_DEPTH: usize = 32;
/// What stands for a list or object below [`MAX_DEPTH`].
pub const TOO_DEEP: &str = "[too deep]";

/// Appends an event's line; on error `out` is as before.
pub(super) fn push_event(
    out: &mut Vec<u8>,
    (t_ms, side): (u64, Side),
    kind: &str,
    payload: &Value,
    scrubber: &Scrubber,
) -> Result<(), OutputError> {
    let start = out.len();
    out.extend_from_slice(b"{\"t_ms\":");
    push_u64(out, t_ms);
    out.extend_from_slice(match side {
        Side::Left => b",\"side\":\"L\",\"type\":",
        Side::Right => b",\"side\":\"R\",\"type\":",
    });
    push_string(out, kind, scrubber);
    out.extend_from_slice(b",\"payload\":");
    push_value(out, payload, scrubber);
    out.extend_from_slice(b"}\n");
    let bytes = out.len() - start;
    if bytes <= MAX_LINE_BYTES {
        return Ok(());
    }
    out.truncate(start);
    Err(OutputError::EventTooLarge {
        side,
        kind: scrubber.text(kind).chars().take(64).collect(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn line(kind: &str, payload: &Value) -> Result<String, OutputError> {
        let mut out = Vec::new();
        push_event(
            &mut out,
            (1230, Side::Left),
            kind,
            payload,
            &Scrubber::default(),
        )?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn keys_keep_their_order_and_numbers_their_form() {
        let payload = json!({"z": 1, "a": [1.5, -0.25, 1e300, u64::MAX, i64::MIN, true, null], "é\n": "\u{7f}\u{1}/"});
        assert_eq!(
            line("hs_done", &payload).unwrap(),
            "{\"t_ms\":1230,\"side\":\"L\",\"type\":\"hs_done\",\"payload\":{\"z\":1,\"a\":[1.5,-0.25,1e+300,\
             18446744073709551615,-9223372036854775808,true,null],\"é\\n\":\"\u{7f}\\u0001/\"}}\n"
        );
    }

    #[test]
    fn zero_has_no_sign() {
        let text = line("x", &json!([-0.0, 0.0, 0])).unwrap();
        assert!(text.contains("[0.0,0.0,0]"), "{text}");
    }

    #[test]
    fn level_33_is_cut() {
        let nested = |levels: usize| {
            (1..levels).fold(Value::Array(Vec::new()), |inner, _| {
                Value::Array(vec![inner])
            })
        };
        let deepest = line("x", &nested(32)).unwrap();
        assert!(deepest.contains(&format!("{}{}", "[".repeat(32), "]".repeat(32))));
        let cut = line("x", &nested(33)).unwrap();
        assert!(cut.contains(&format!(
            "{}\"[too deep]\"{}",
            "[".repeat(32),
            "]".repeat(32)
        )));
        assert_eq!(line("x", &nested(1000)).unwrap(), cut);
    }

    #[test]
    fn an_oversized_event_is_an_error_that_leaves_no_trace() {
        let empty = line("x", &json!("")).unwrap().len();
        let most = "a".repeat(MAX_LINE_BYTES - empty);
        assert_eq!(line("x", &json!(most)).unwrap().len(), MAX_LINE_BYTES);
        let mut out = b"before".to_vec();
        let result = push_event(
            &mut out,
            (1230, Side::Right),
            "big",
            &json!(format!("{most}a")),
            &Scrubber::default(),
        );
        assert_eq!(out, b"before");
        let error = result.unwrap_err();
        assert!(error.is_adapter_fault());
        assert_eq!(
            error.to_string(),
            format!(
                "event \"big\" of the right adapter takes {} bytes, the limit of a line is 65536; \
                 emit less, or in several events",
                MAX_LINE_BYTES + 3
            )
        );
    }

    #[test]
    fn an_empty_object_is_an_empty_object() {
        let text = line("x", &Value::Object(Map::new())).unwrap();
        assert!(text.ends_with("\"payload\":{}}\n"));
    }
}
