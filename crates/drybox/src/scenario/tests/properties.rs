//! Properties over generated scenarios and arbitrary bytes.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value};

use super::*;

/// Any JSON that a scenario may hold in its open blocks.
fn open_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300_f64..1e300).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec![
            "null", "~", "yes", "1e3", "0x1", "- a", "a: b", "#", "<<", "*a", "&a", ""
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec(("[^\\x00-\\x1f\\x7f]{1,12}", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_resolved_scenario_reads_back_as_itself(
        audio in any::<bool>(),
        seed in any::<u64>(),
        duration_ms in 1_u64..1_000_000_000,
        latency_ms in 0.0_f64..60_000.0,
        loss_rate in 0.0_f64..=1.0,
        snr_db in proptest::option::of(-100.0_f64..200.0),
        cfo_hz in -4000.0_f64..4000.0,
        text in any::<String>(),
        own in vec(("own[a-z]{1,8}", open_value()), 0..4),
    ) {
        let document = json!({
            "mode": if audio { "audio" } else { "byte" },
            "seed": seed,
            "duration_ms": duration_ms,
            "network": {"latency_ms": latency_ms, "loss_rate": loss_rate},
            "left": {"adapter": "a.py", "modem": {"snr_db": snr_db}},
            "right": own.into_iter().collect::<Map<_, _>>(),
            "cfo_hz": cfo_hz,
            "messages": {"left": [{"text": text, "delay_ms": 5}]},
            "acceptance": {"max_latency_ms": 30, "max_ber": loss_rate,
                "required_events": [{"type": "x", "side": "left"}]},
        });
        let yaml = super::super::yaml::write(document.as_object().unwrap());
        let scenario = only(&yaml);
        prop_assert_eq!(scenario.seed, seed);
        prop_assert_eq!(scenario.network.latency_ms, latency_ms);
        prop_assert_eq!(&scenario.messages[0][0].text, &text);
        let written = scenario.resolved_yaml();
        let again = only(&written);
        prop_assert_eq!(&again, &scenario);
        prop_assert_eq!(again.resolved_yaml(), written);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        fuzz(&bytes);
    }

    /// Pieces of YAML in any order go deeper than bytes do.
    #[test]
    fn arbitrary_yaml_never_panics(pieces in vec(select(vec![
        "left", "right", "modem", "snr_db", "network", "crypto", "left_priv", "hex", "sweep",
        "acceptance", "max_latency_ms", "messages", "bearer", "channel", "type", "seed", "mode",
        "audio", ": ", "\n", "\n  ", "\n    ", "- ", "[", "]", "{", "}", ", ", "1", "-3.5", ".nan",
        "'", "\"", "&a ", "*a", "!!str ", "null", "# ", "|\n", "? ", "---\n", "left.gain", "é",
    ]), 0..60)) {
        fuzz(pieces.concat().as_bytes());
    }
}
