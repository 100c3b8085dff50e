//! From a document that fits the schema to a [`Scenario`], defaults filled in
//! (`docs/spec/scenario.md`, section 3).
//!
//! The schema has settled types and domains; what it does not let through falls back to the default
//! here, so that nothing can panic.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    AudioCadence, CaptureOptions, CryptoScenario, KeyForm, KeySource, Mode, Scenario, SideScenario,
    TextMessage, yaml::Node,
};
use crate::{
    acceptance::{Acceptance, EventRule, HandshakeRule, LatencyRule},
    bearer::{
        BearerKind, BearerParams, GilbertElliottParams, Impairments, Partition, RateLimit,
        SarPolicy,
    },
    radio::{ChannelKind, NoiseRef, RadioParams, VocoderKind},
    side::Side,
};

/// The seed of a scenario that gives none. Never random: equal files give equal runs.
pub(super) const DEFAULT_SEED: u64 = 1;

pub(super) fn scenario(value: &Value, root: &Node, file: &str) -> Scenario {
    let mode = parsed(&value["mode"]).unwrap_or(Mode::Byte);
    let cfo_hz = number(&value["cfo_hz"]).unwrap_or(0.0);
    let ppm = number(&value["ppm"]).unwrap_or(0.0);
    let messages = |side: Side| {
        items(&value["messages"][side.name()])
            .map(|message| TextMessage {
                text: text(&message["text"]).unwrap_or_default(),
                delay_ms: integer(&message["delay_ms"]).unwrap_or(0),
            })
            .collect()
    };
    Scenario {
        mode,
        duration_ms: integer(&value["duration_ms"]).unwrap_or(10_000),
        tick_ms: integer(&value["tick_ms"]).unwrap_or(10),
        seed: integer(&value["seed"]).unwrap_or(DEFAULT_SEED),
        budget: size(&value["budget"]).unwrap_or(64),
        network: network(&value["network"]),
        radio: Side::BOTH.map(|side| radio(&value[side.name()], side, cfo_hz, ppm)),
        cfo_hz,
        ppm,
        sides: Side::BOTH.map(|side| side_scenario(&value[side.name()], mode)),
        crypto: crypto(&value["crypto"], root, file),
        messages: Side::BOTH.map(messages),
        audio_cadence: parsed(&value["audio_cadence"]).unwrap_or(AudioCadence::Block),
        capture: CaptureOptions {
            pcm: value["capture"]["pcm"].as_bool().unwrap_or(false),
        },
        acceptance: acceptance(&value["acceptance"]),
    }
}

pub(super) fn network(value: &Value) -> BearerParams {
    let kind = parsed(&value["bearer"]).unwrap_or(BearerKind::VolteEvs);
    let mut params = BearerParams::defaults(kind);
    for (key, field) in [
        ("latency_ms", &mut params.latency_ms),
        ("jitter_ms", &mut params.jitter_ms),
        ("loss_rate", &mut params.loss_rate),
        ("reorder_rate", &mut params.reorder_rate),
        ("ge_p_good_bad", &mut params.ge_p_good_bad),
        ("ge_p_bad_good", &mut params.ge_p_bad_good),
        ("ge_bad_extra_loss", &mut params.ge_bad_extra_loss),
        ("frame_ms", &mut params.frame_ms),
        ("handover_interval_ms", &mut params.handover_interval_ms),
        ("handover_duration_ms", &mut params.handover_duration_ms),
        ("handover_delay_ms", &mut params.handover_delay_ms),
    ] {
        if let Some(given) = number(&value[key]) {
            *field = given;
        }
    }
    if let Some(mtu_bytes) = size(&value["mtu_bytes"]) {
        params.mtu_bytes = mtu_bytes;
    }
    params.sar = parsed(&value["sar"]).unwrap_or(SarPolicy::Auto);
    params.jitter_buffer_ms = number(&value["jitter_buffer_ms"]);
    params.impairments = impairments(&value["impairments"]);
    params
}

fn impairments(value: &Value) -> Impairments {
    let rate = |value: &Value, default: f64| number(value).unwrap_or(default);
    let limit = &value["rate_limit"];
    let burst = &value["gilbert_elliott"];
    Impairments {
        partitions: items(&value["partitions"])
            .map(|partition| Partition {
                at_ms: integer(&partition["at_ms"]).unwrap_or(0),
                duration_ms: integer(&partition["duration_ms"]).unwrap_or(0),
            })
            .collect(),
        rate_limit: limit.is_object().then(|| RateLimit {
            rate_bps: rate(&limit["rate_bps"], 1.0),
            queue_bytes: size(&limit["queue_bytes"]).unwrap_or(1),
        }),
        gilbert_elliott: burst.is_object().then(|| GilbertElliottParams {
            p_good_bad: rate(&burst["p_good_bad"], 0.0),
            p_bad_good: rate(&burst["p_bad_good"], 0.0),
            loss_good: rate(&burst["loss_good"], 0.0),
            loss_bad: rate(&burst["loss_bad"], 1.0),
        }),
        duplicate_rate: rate(&value["duplicate_rate"], 0.0),
        corrupt_rate: rate(&value["corrupt_rate"], 0.0),
    }
}

fn radio(side_block: &Value, side: Side, cfo_hz: f64, ppm: f64) -> RadioParams {
    let defaults = RadioParams::default();
    let modem = &side_block["modem"];
    // The carrier and clock errors of one side are seen by the other with the opposite sign.
    let sign = match side {
        Side::Left => 1.0,
        Side::Right => -1.0,
    };
    RadioParams {
        gain: number(&side_block["gain"]).unwrap_or(defaults.gain),
        channel: match modem["channel_type"].as_str() {
            Some("fading") => ChannelKind::Rayleigh,
            _ => parsed(&modem["channel_type"]).unwrap_or(defaults.channel),
        },
        snr_db: match modem.get("snr_db") {
            Some(given) => number(given),
            None => defaults.snr_db,
        },
        noise_ref: match number(&modem["noise_ref"]) {
            Some(dbfs) => NoiseRef::Dbfs(dbfs),
            None => NoiseRef::Signal,
        },
        doppler_hz: number(&modem["doppler_hz"]).unwrap_or(defaults.doppler_hz),
        num_paths: size(&modem["num_paths"]).unwrap_or(defaults.num_paths),
        delay_spread_ms: number(&modem["delay_spread_ms"]).unwrap_or(defaults.delay_spread_ms),
        // Adding zero turns −0 into 0.
        cfo_hz: sign * cfo_hz + 0.0,
        ppm: sign * ppm + 0.0,
        vocoder: parsed(&modem["vocoder"]).unwrap_or(VocoderKind::None),
        vad_dtx: modem["vad_dtx"].as_bool().unwrap_or(defaults.vad_dtx),
    }
}

fn side_scenario(value: &Value, mode: Mode) -> SideScenario {
    let mut settings = value.as_object().cloned().unwrap_or_default();
    let adapter = settings.shift_remove("adapter");
    if mode == Mode::Audio {
        complete(&mut settings);
    }
    SideScenario {
        adapter: adapter.as_ref().and_then(text),
        settings,
    }
}

/// Adds the defaults that were used for what a side's block leaves out, behind what it gives.
fn complete(settings: &mut Map<String, Value>) {
    settings.entry("gain").or_insert(json!(1.0));
    let modem = settings.entry("modem").or_insert(Value::Null);
    if modem.is_null() {
        *modem = Value::Object(Map::new());
    }
    let defaults = RadioParams::default();
    if let Value::Object(modem) = modem {
        for (key, default) in [
            ("vocoder", json!(defaults.vocoder)),
            ("vad_dtx", json!(defaults.vad_dtx)),
            ("channel_type", json!(defaults.channel)),
            ("snr_db", json!(defaults.snr_db)),
            ("noise_ref", json!("signal")),
            ("doppler_hz", json!(defaults.doppler_hz)),
            ("num_paths", json!(defaults.num_paths)),
            ("delay_spread_ms", json!(defaults.delay_spread_ms)),
        ] {
            modem.entry(key).or_insert(default);
        }
    }
}

fn crypto(value: &Value, root: &Node, file: &str) -> CryptoScenario {
    let source = |side: Side| {
        let key = match side {
            Side::Left => "left_priv",
            Side::Right => "right_priv",
        };
        let given = &value[key];
        let (form, text) = [
            (KeyForm::Bare, given),
            (KeyForm::Hex, &given["hex"]),
            (KeyForm::Base64, &given["b64"]),
            (KeyForm::Path, &given["path"]),
        ]
        .into_iter()
        .find_map(|(form, value)| value.as_str().map(|text| (form, text.to_owned())))?;
        Some(KeySource {
            form,
            text: text.into(),
            file: file.to_owned(),
            line: root.line_at(["crypto", key]),
        })
    };
    CryptoScenario {
        kind: parsed(&value["type"]).unwrap_or_default(),
        private: Side::BOTH.map(source),
    }
}

fn acceptance(value: &Value) -> Acceptance {
    let handshake = &value["handshake_done"];
    let latency = &value["max_latency_ms"];
    let latency_ms = number(latency)
        .or_else(|| number(&latency["ms"]))
        .or_else(|| number(&latency["value"]));
    Acceptance {
        handshake_done: (handshake.is_object() || *handshake == Value::Bool(true)).then(|| {
            HandshakeRule {
                within_ms: integer(&handshake["within_ms"]),
                auth: text(&handshake["auth"]),
            }
        }),
        max_loss_rate: number(&value["max_loss_rate"]),
        min_goodput_bps: number(&value["min_goodput_bps"]),
        max_latency_ms: latency_ms.map(|ms| LatencyRule {
            ms,
            percentile: number(&latency["percentile"]).unwrap_or(95.0),
        }),
        max_ber: number(&value["max_ber"]),
        max_per: number(&value["max_per"]),
        max_aead_fail: integer(&value["max_aead_fail"]),
        min_lock_ratio: number(&value["min_lock_ratio"]),
        required_events: items(&value["required_events"]).map(event_rule).collect(),
        forbidden_events: items(&value["forbidden_events"]).map(event_rule).collect(),
    }
}

fn event_rule(value: &Value) -> EventRule {
    let side = match value["side"].as_str() {
        Some("left") => Some(Side::Left),
        Some("right") => Some(Side::Right),
        _ => None,
    };
    EventRule {
        kind: text(value)
            .or_else(|| text(&value["type"]))
            .unwrap_or_default(),
        side,
        count: integer(&value["count"]).unwrap_or(1),
    }
}

fn parsed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

/// An integer, also one written as 10.0: JSON Schema does not tell them apart.
fn integer(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|float| *float >= 0.0)
            .map(|float| float as u64)
    })
}

fn size(value: &Value) -> Option<usize> {
    integer(value).and_then(|integer| usize::try_from(integer).ok())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
