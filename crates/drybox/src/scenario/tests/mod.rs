//! Whole scenarios, good and bad (`docs/spec/scenario.md`).

mod forms;
mod properties;
mod yaml;

use serde_json::json;

use super::*;
use crate::{
    bearer::{BearerKind, SarPolicy},
    radio::{ChannelKind, NoiseRef, VocoderKind},
};

fn source(text: &str) -> Source {
    Source {
        name: "s.yaml".to_owned(),
        text: text.to_owned(),
    }
}

fn plan(text: &str) -> Plan {
    match load(&source(text), &Overrides::default()) {
        Ok(plan) => plan,
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn only(text: &str) -> Scenario {
    let mut plan = plan(text);
    assert_eq!(plan.points.len(), 1);
    assert_eq!(plan.points[0].folder, None);
    assert!(!plan.is_sweep);
    plan.points.remove(0).scenario
}

fn refused(text: &str) -> String {
    match load(&source(text), &Overrides::default()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

/// The message of a scenario that is refused, beginning with its place.
#[track_caller]
fn assert_refused(text: &str, place: &str, words: &str) {
    let error = refused(text);
    let line = error
        .lines()
        .find(|line| line.starts_with(&format!("s.yaml:{place}: ")));
    assert!(
        line.is_some_and(|line| line.contains(words)),
        "expected s.yaml:{place}: …{words}…, got\n{error}"
    );
}

#[test]
fn an_empty_scenario_is_all_defaults() {
    for text in ["", "---\n", "# nothing\n", "left:\nnetwork:\n", "{}"] {
        let scenario = only(text);
        assert_eq!(scenario.mode, Mode::Byte);
        assert_eq!(scenario.duration_ms, 10_000);
        assert_eq!(scenario.tick_ms, 10);
        assert_eq!(scenario.seed, 1);
        assert_eq!(scenario.budget, 64);
        assert_eq!(
            scenario.network,
            crate::bearer::BearerParams::defaults(BearerKind::VolteEvs)
        );
        assert_eq!(scenario.sides[0], SideScenario::default());
        assert_eq!(
            scenario.acceptance,
            crate::acceptance::Acceptance::default()
        );
    }
}

#[test]
fn every_setting_arrives() {
    let scenario = only(
        "mode: audio
duration_ms: 2.5e+3
tick_ms: 20
seed: 18446744073709551615
budget: 8
network: {bearer: ott_udp, latency_ms: 20, jitter_ms: 5, loss_rate: .5, reorder_rate: 0,
  ge_p_good_bad: 0.2, ge_p_bad_good: 0.3, ge_bad_extra_loss: 0.4, mtu_bytes: 96, frame_ms: 10,
  jitter_buffer_ms: 40, impairments: {partitions: [{at_ms: 5, duration_ms: 6}],
  gilbert_elliott: {p_good_bad: 0.1, p_bad_good: 0.2}}}
left: {adapter: 'a.py:A', gain: 0.5, tone_hz: [400, 500],
  modem: {vocoder: g711_ulaw, vad_dtx: true, channel_type: fading, snr_db: -3, noise_ref: -20,
    doppler_hz: 50, num_paths: 8, delay_spread_ms: 0, carrier: 1800}}
right: native:tone
cfo_hz: 12.5
ppm: -20
audio_cadence: tick
crypto: {type: x25519, left_priv: {hex: 00}, right_priv: key.txt}
messages: {left: [{text: hi, delay_ms: 5}, {text: there}]}
capture: {pcm: true}
acceptance: {handshake_done: {within_ms: 500, auth: ok}, max_latency_ms: {value: 80, percentile: 99},
  max_loss_rate: 0.1, required_events: [lock, {type: x, side: right, count: 3}]}
",
    );
    assert_eq!(scenario.duration_ms, 2500);
    assert_eq!(scenario.seed, u64::MAX);
    assert_eq!(scenario.network.bearer, BearerKind::OttUdp);
    assert_eq!(scenario.network.latency_ms, 20.0);
    assert_eq!(scenario.network.mtu_bytes, 96);
    assert_eq!(scenario.network.sar, SarPolicy::Auto);
    assert_eq!(scenario.network.jitter_buffer_ms, Some(40.0));
    assert_eq!(scenario.network.impairments.partitions[0].duration_ms, 6);
    assert_eq!(
        scenario
            .network
            .impairments
            .gilbert_elliott
            .unwrap()
            .loss_bad,
        1.0
    );
    let [left, right] = &scenario.radio;
    assert_eq!((left.gain, right.gain), (0.5, 1.0));
    assert_eq!(left.channel, ChannelKind::Rayleigh);
    assert_eq!(left.snr_db, Some(-3.0));
    assert_eq!(left.noise_ref, NoiseRef::Dbfs(-20.0));
    assert_eq!(left.num_paths, 8);
    assert_eq!(left.vocoder, VocoderKind::G711Ulaw);
    assert_eq!((left.cfo_hz, right.cfo_hz), (12.5, -12.5));
    assert_eq!((left.ppm, right.ppm), (-20.0, 20.0));
    assert_eq!(scenario.sides[0].adapter.as_deref(), Some("a.py:A"));
    assert_eq!(scenario.sides[1].adapter.as_deref(), Some("native:tone"));
    let settings = &scenario.sides[0].settings;
    assert_eq!(
        settings.keys().collect::<Vec<_>>(),
        ["gain", "tone_hz", "modem"]
    );
    assert_eq!(settings["tone_hz"], json!([400, 500]));
    assert_eq!(settings["modem"]["carrier"], json!(1800));
    assert_eq!(scenario.sides[1].settings["modem"]["num_paths"], json!(4));
    assert_eq!(scenario.crypto.kind, KeyKind::X25519);
    let key = scenario.crypto.private[0].as_ref().unwrap();
    // Digits alone are a text here, not a number.
    assert_eq!(
        (key.form, key.text.as_str(), key.line),
        (KeyForm::Hex, "00", 17)
    );
    assert_eq!(scenario.messages[0][1].delay_ms, 0);
    assert!(scenario.capture.pcm);
    let acceptance = &scenario.acceptance;
    assert_eq!(
        acceptance.handshake_done.as_ref().unwrap().within_ms,
        Some(500)
    );
    assert_eq!(acceptance.max_latency_ms.unwrap().percentile, 99.0);
    assert_eq!(acceptance.required_events[1].count, 3);
}

#[test]
fn values_that_do_not_fit_name_file_line_and_key() {
    for (text, place, words) in [
        (
            "mode: byte\nnetwrk: {}\n",
            "2: netwrk",
            "did you mean network?",
        ),
        (
            "network:\n  latency: 5\n",
            "2: network.latency",
            "unknown key; known here: bearer",
        ),
        (
            "network:\n  latncy_ms: 5\n",
            "2: network.latncy_ms",
            "did you mean latency_ms?",
        ),
        (
            "network:\n  Loss-Rate: 5\n",
            "2: network.Loss-Rate",
            "did you mean loss_rate?",
        ),
        (
            "acceptance:\n  max_los_rate: 5\n",
            "2: acceptance.max_los_rate",
            "max_loss_rate?",
        ),
        (
            "\nduration_ms: long\n",
            "2: duration_ms",
            "\"long\" is of the wrong type; use an integer",
        ),
        (
            "duration_ms: 10.5\n",
            "1: duration_ms",
            "10.5 is of the wrong type",
        ),
        (
            "duration_ms: 0\n",
            "1: duration_ms",
            "0 is out of domain; use an integer from 1",
        ),
        ("tick_ms: 1001\n", "1: tick_ms", "from 1 to 1000"),
        ("seed: -1\n", "1: seed", "-1 is out of domain"),
        ("seed: [1, 2]\n", "1: seed", "a list is of the wrong type"),
        (
            "seed: 18446744073709551616\n",
            "1: seed",
            "does not fit 64 bits",
        ),
        (
            "network:\n  loss_rate: 1.5\n",
            "2: network.loss_rate",
            "a number from 0 to 1",
        ),
        (
            "network:\n  loss_rate: [0.1, 1.5]\n",
            "2: network.loss_rate.1",
            "out of domain",
        ),
        (
            "network:\n  loss_rate: []\n",
            "2: network.loss_rate",
            "empty",
        ),
        (
            "network:\n  loss_rate: .nan\n",
            "2: network.loss_rate",
            ".nan is out of domain",
        ),
        (
            "network:\n  latency_ms: -.inf\n",
            "2: network.latency_ms",
            "finite",
        ),
        (
            "network:\n  latency_ms: 1e999\n",
            "2: network.latency_ms",
            "1e999 is out of domain",
        ),
        (
            "network:\n  latency_ms: nan\n",
            "2: network.latency_ms",
            "\"nan\" is of the wrong type",
        ),
        (
            "left:\n  own: [1, {a: .inf}]\n",
            "2: left.own.1.a",
            "finite",
        ),
        (
            "network: {bearer: volte}\n",
            "1: network.bearer",
            "use volte_evs, cs_gsm",
        ),
        ("network: fast\n", "1: network", "use a block of keys"),
        (
            "left:\n  modem:\n    num_paths: 0\n",
            "3: left.modem.num_paths",
            "from 1 to 32",
        ),
        (
            "left:\n  modem:\n    num_paths: 33\n",
            "3: left.modem.num_paths",
            "from 1 to 32",
        ),
        (
            "left:\n  modem: {doppler_hz: 500.5}\n",
            "2: left.modem.doppler_hz",
            "from 0 to 500",
        ),
        ("ppm: -1001\n", "1: ppm", "from -1000 to 1000"),
        (
            "left:\n  modem:\n    noise_ref: loud\n",
            "3: left.modem.noise_ref",
            "or signal",
        ),
        (
            "left:\n  modem:\n    vad_dtx: yes\n",
            "3: left.modem.vad_dtx",
            "use true or false",
        ),
        ("left: [a]\n", "1: left", "wrong type"),
        (
            "messages:\n  left:\n  - {delay_ms: 3}\n",
            "3: messages.left.0",
            "text is missing",
        ),
        (
            "crypto:\n  left_priv: {hx: '00'}\n",
            "2: crypto.left_priv.hx",
            "known here: hex",
        ),
        ("crypto:\n  left_priv: {}\n", "2: crypto.left_priv", "empty"),
        ("- a\n", "1", "use a block of keys"),
        ("just text\n", "1", "use a block of keys"),
        ("sweep:\n  seed: [1]\n", "2: sweep.seed", "can't be swept"),
        (
            "sweep:\n  network.bearer: [volte]\n",
            "2: network.bearer",
            "use volte_evs",
        ),
        ("sweep:\n  mode.x: [1]\n", "2: mode", "use byte, audio"),
        (
            "sweep:\n  nothing.x: [1]\n",
            "2: sweep.nothing.x",
            "not a key",
        ),
        ("left: {gain: [1, 1.0, 1]}\n", "1: left.gain", "twice"),
        (
            "mode: audio\nnetwork:\n  sar: force\n",
            "3: network.sar",
            "no effect in mode audio",
        ),
        (
            "mode: audio\nnetwork:\n  impairments:\n    duplicate_rate: 0.1\n",
            "4: network.impairments.duplicate_rate",
            "no effect in mode audio",
        ),
    ] {
        assert_refused(text, place, words);
    }
}

#[test]
fn the_published_schema_is_a_schema() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let mut broken = schema;
    broken["properties"]["seed"]["type"] = json!("whole number");
    assert!(jsonschema::draft202012::meta::validate(&broken).is_err());
}
