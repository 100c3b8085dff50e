//! Events: every kind of value takes its plain form.

use drybox::{Side, scenario::Mode};
use serde_json::{Value, json};

use crate::bench::{Bench, fixture};

#[test]
fn events_are_normalised() {
    let adapter = fixture("values.py");
    let outcome = Bench::new(Mode::Audio)
        .until(0)
        .run(&adapter, "native:tone");
    assert_eq!(outcome.error, None);
    let event = |kind: &str| -> Value {
        let found = outcome.payloads(Side::Left, kind);
        assert_eq!(found.len(), 1, "{kind}");
        found[0].clone()
    };
    assert_eq!(
        serde_json::to_string(&event("order")).unwrap(),
        r#"{"z":1,"a":2,"m":3}"#
    );
    assert_eq!(event("bytes"), json!(["00ff", "61", "62"]));
    assert_eq!(event("floats"), json!([1.5, -0.0, 1e300, null, null, null]));
    assert_eq!(
        event("integers"),
        json!([
            0,
            -1,
            i64::MAX,
            i64::MIN,
            u64::MAX,
            "18446744073709551616",
            "-9223372036854775809",
            true
        ])
    );
    assert_eq!(event("text"), json!(["hé", "\u{fffd}", ""]));
    assert_eq!(
        event("containers"),
        json!([[1, 2], [1, 2, 3], ["a", "b"], [1], [0, 1], [2]])
    );
    assert_eq!(
        event("keys"),
        // True and 1 are one key to Python.
        json!({"1": "bool", "null": "none", "01": "bytes", "red": "enum", "1.5": "float"})
    );
    assert_eq!(
        event("objects"),
        json!(["red", 3, {"x": 1, "name": "02"}, [1.0, 2.0], "a/b"])
    );
    for (value, words) in event("odd").as_array().unwrap().iter().zip([
        "Odd object>",
        "built-in function len",
        "Odd'>",
    ]) {
        let text = value.as_str().unwrap();
        assert!(text.contains(words) && !text.contains("0x"), "{text}");
    }
    let mut deep = event("deep");
    for _ in 0..32 {
        deep = deep[0].take();
    }
    assert_eq!(deep, "[too deep]");
    assert_eq!(event("cycle"), json!({"self": "[too deep]"}));
    assert_eq!(event("none"), json!({}));
    assert_eq!(event("typ"), json!({"n": 1}));
    assert_eq!(event("positional"), json!({"n": 2}));
    assert_eq!(event("older"), json!({"n": 3}));
    assert_eq!(event("metric"), json!({"unit": "dB", "values": ["snr", 7]}));
    assert_eq!(
        event("mapping"),
        json!({"keys": ["now_ms", "emit_event", "rng", "config", "side", "metrics"], "has": true, "side": "L"})
    );
    assert_eq!(
        event("numpy"),
        json!([1.5, -3, true, [[1, 2], [3, 4]], null])
    );
    assert!(
        outcome
            .events
            .iter()
            .all(|(t, side, _)| (*t, *side) == (0, Side::Left))
    );
}
