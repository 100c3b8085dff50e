//! Hashes of whole runs, so that a change of behaviour is a decision.
//!
//! After a wanted change: `DRYBOX_ACCEPT_GOLDEN=1 cargo test -p drybox --test it golden`, and say in
//! the commit what changed and why.

use std::{collections::BTreeMap, fs, path::Path};

use drybox::{output::Recorded, radio::Block};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::support::{Numbers, Puppet, points, run};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../vectors/drybox/golden.json"
);
const COMMAND: &str = "DRYBOX_ACCEPT_GOLDEN=1 cargo test -p drybox --test it golden";

/// Every run: its name and its scenario.
const RUNS: [(&str, &str); 21] = [
    ("byte_volte_evs", "network: {bearer: volte_evs}"),
    (
        "byte_cs_gsm",
        "network: {bearer: cs_gsm, handover_interval_ms: 900}",
    ),
    (
        "byte_pstn_g711",
        "network: {bearer: pstn_g711, loss_rate: 0.05}",
    ),
    ("byte_ott_udp", "network: {bearer: ott_udp}\ntick_ms: 7"),
    (
        "byte_gilbert_elliott",
        "network: {bearer: volte_evs, ge_p_good_bad: 0.05, ge_p_bad_good: 0.2, impairments: \
         {gilbert_elliott: {p_good_bad: 0.1, p_bad_good: 0.3, loss_good: 0.01, loss_bad: 0.7}}}",
    ),
    (
        "byte_rate_limit",
        "network: {bearer: ott_udp, impairments: {rate_limit: {rate_bps: 64000, queue_bytes: 2000}}}",
    ),
    (
        "byte_duplication_corruption_partition",
        "network: {bearer: ott_udp, impairments: {duplicate_rate: 0.2, corrupt_rate: 0.2, \
         partitions: [{at_ms: 500, duration_ms: 300}]}}",
    ),
    (
        "byte_sar",
        "network: {bearer: ott_udp, mtu_bytes: 40, jitter_ms: 60, reorder_rate: 0.2}",
    ),
    (
        "byte_sar_forced",
        "network: {bearer: cs_gsm, sar: force}\nbudget: 2\ncrypto: {type: x25519}",
    ),
    (
        "byte_messages_and_acceptance",
        "messages: {left: [{text: hello, delay_ms: 100}]}\nacceptance: {max_loss_rate: 0.5, \
         handshake_done: {within_ms: 1000}, required_events: [talk]}",
    ),
    (
        "sweep",
        "network: {bearer: volte_evs, loss_rate: [0, 0.2], latency_ms: [10, 50]}",
    ),
    ("audio_plain", "mode: audio\nnetwork: {bearer: pstn_g711}"),
    (
        "audio_g711",
        "mode: audio\nleft: {gain: 0.5, modem: {vocoder: g711_alaw}}\nright: {gain: 3, modem: {vocoder: g711_ulaw}}",
    ),
    (
        "audio_awgn",
        "mode: audio\nleft: {modem: {channel_type: awgn, snr_db: 10}}\n\
         right: {modem: {channel_type: awgn, snr_db: 5, noise_ref: -20}}",
    ),
    (
        "audio_fading",
        "mode: audio\nleft: {modem: {channel_type: rayleigh, snr_db: 20}}\n\
         right: {modem: {channel_type: rayleigh, doppler_hz: 50, num_paths: 1, delay_spread_ms: 0}}",
    ),
    ("audio_cfo", "mode: audio\ncfo_hz: 25"),
    ("audio_ppm", "mode: audio\nppm: 1000"),
    (
        "audio_amr_evs",
        "mode: audio\nleft: {modem: {vocoder: amr12k2_mock}}\nright: {modem: {vocoder: evs13k2_mock}}",
    ),
    (
        "audio_opus_dtx",
        "mode: audio\nnetwork: {bearer: volte_evs, loss_rate: 0.1}\n\
         left: {modem: {vocoder: opus_nb_mock, vad_dtx: true}}\nright: {modem: {vad_dtx: true}}",
    ),
    (
        "audio_everything",
        "mode: audio\ncfo_hz: -12\nppm: -100\nnetwork: {bearer: volte_evs, ge_p_good_bad: 0.1}\n\
         left: {gain: 0.7, modem: {vocoder: amr12k2_mock, vad_dtx: true, channel_type: rayleigh, snr_db: 15}}\n\
         right: {modem: {vocoder: g711_alaw, channel_type: awgn, snr_db: 12}}",
    ),
    (
        "audio_tick_cadence",
        "mode: audio\naudio_cadence: tick\nnetwork: {bearer: ott_udp}",
    ),
];

/// Traffic of every size, speech-like bursts and all the events that make rows.
fn actor(puppet: Puppet, seed: u64) -> Puppet {
    let mut numbers = Numbers(seed);
    let mut puppet = puppet.sending(move |_, budget| {
        let count = numbers.below(3).min(budget as u64);
        (0..count)
            .map(|_| {
                let len = numbers.below(1025) as usize;
                numbers.bytes(len)
            })
            .collect()
    });
    let mut numbers = Numbers(!seed);
    puppet.blocks = Box::new(move |k| voice(k, &mut numbers));
    puppet.capabilities.takes_messages = true;
    puppet.complete_at = Some(100);
    puppet.emitting(vec![
        (100, "hs_done", json!({"auth": "ok", "time_ms": 80})),
        (
            100,
            "talk",
            json!({"list": [1, 2.5, null, "ü\"\n"], "z": {"a": true}}),
        ),
        (200, "rekey_done", json!({"time_ms": 4})),
        (300, "aead_fail", json!({"count": 2})),
        (300, "modem_lock", json!({"locked": true, "cfo_hz": 1.25})),
        (700, "modem_lock", json!({"locked": false})),
        (700, "ber", json!({"errors": 3, "bits": 1000})),
    ])
}

/// A buzz of changing pitch with pauses, in integer arithmetic only.
fn voice(k: u64, numbers: &mut Numbers) -> Option<Block> {
    if k % 50 == 49 {
        return None;
    }
    let period = 40 + k % 30;
    let level = if k / 20 % 3 == 2 { 0 } else { 6000 };
    Some(std::array::from_fn(|i| {
        let place = (160 * k + i as u64) % period;
        let saw = level * place as i64 / period as i64 - level / 2;
        (saw + numbers.below(64) as i64 - 32) as i16
    }))
}

fn hashes(recorded: &Recorded) -> BTreeMap<&'static str, String> {
    let pcm = recorded.pcm.as_ref().map(|files| files.concat());
    let files: [(&str, &[u8]); 7] = [
        ("metrics.csv", &recorded.metrics),
        ("events.jsonl", &recorded.events),
        (
            "capture.dbxcap",
            recorded.capture.as_deref().unwrap_or_default(),
        ),
        ("wav", pcm.as_deref().unwrap_or_default()),
        ("summary.json", recorded.summary.as_bytes()),
        ("scenario.resolved.yaml", recorded.scenario.as_bytes()),
        ("pubkeys.txt", recorded.pubkeys.as_bytes()),
    ];
    files
        .into_iter()
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(name, bytes)| (name, hex(&Sha256::digest(bytes))))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hashes of every run by its name; those of a sweep's points by `name/folder`.
fn golden() -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let mut found = BTreeMap::new();
    for (name, text) in RUNS {
        let text = format!("{text}\nduration_ms: 2500\nseed: 11\ncapture: {{pcm: true}}\n");
        for point in points(&text) {
            let name = match point.folder {
                None => name.to_owned(),
                Some(folder) => format!("{name}/{folder}"),
            };
            let ([left, right], _log) = Puppet::pair();
            let ran = run(&point.scenario, &mut [actor(left, 1), actor(right, 2)]);
            assert_eq!(ran.exit(), 0, "{name}: {:?}", ran.conclusion.summary.error);
            let before = found.insert(name, hashes(&ran.recorded));
            assert_eq!(before, None, "names are unique");
        }
    }
    found
}

#[test]
fn golden_runs_are_unchanged() {
    let found = golden();
    // The sweep has four points.
    assert_eq!(found.len(), RUNS.len() - 1 + 4);
    #[expect(
        clippy::disallowed_methods,
        reason = "a decision of whoever runs the test, never read by a run"
    )]
    let accept = std::env::var_os("DRYBOX_ACCEPT_GOLDEN").is_some();
    if accept {
        let text = json!({
            "about": "SHA-256 of the outputs of runs with the adapters in crates/drybox/tests/it/golden.rs",
            "accept_a_wanted_change": COMMAND,
            "runs": found,
        });
        fs::write(Path::new(FILE), format!("{text:#}\n")).expect("vectors/ is writable");
    }
    let kept = fs::read_to_string(FILE).expect("vectors/drybox/golden.json exists");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("the vectors are JSON");
    let kept = kept["runs"].as_object().expect("a mapping of runs");
    let mut changed = Vec::new();
    for (name, files) in &found {
        let hashes = kept.get(name);
        for (file, hash) in files {
            if hashes.and_then(|hashes| hashes.get(*file)) != Some(&json!(hash)) {
                changed.push(format!("{name}: {file}"));
            }
        }
        let count = hashes
            .and_then(|hashes| hashes.as_object())
            .map(serde_json::Map::len);
        if count != Some(files.len()) {
            changed.push(format!("{name}: other files"));
        }
    }
    let gone = kept.keys().filter(|name| !found.contains_key(*name));
    changed.extend(gone.map(|name| format!("{name}: no longer run")));
    assert!(
        changed.is_empty(),
        "these outputs changed:\n{}\nif that is wanted: {COMMAND}",
        changed.join("\n")
    );
}
