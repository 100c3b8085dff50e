//! The same scenario, adapters and seed give the same bytes (`docs/spec/determinism.md`).

use std::{collections::BTreeMap, fs, path::Path};

use chacha20::ChaCha8Rng;
use drybox::{Side, adapter::Callback, engine::NoHooks};
use rand_core::{Rng, SeedableRng};

use super::support::{Numbers, Puppet, Ran, run, run_any, scenario};

const BYTE: &str = "duration_ms: 5000\nnetwork: {bearer: volte_evs, mtu_bytes: 100, \
    impairments: {duplicate_rate: 0.1, corrupt_rate: 0.1}}\n";
const AUDIO: &str = "mode: audio\nduration_ms: 2000\ncfo_hz: 15\nppm: 40\ncapture: {pcm: true}\n\
    network: {bearer: volte_evs}\n\
    left: {modem: {vocoder: evs13k2_mock, channel_type: rayleigh, snr_db: 15, vad_dtx: true}}\n\
    right: {modem: {vocoder: g711_ulaw, channel_type: awgn, snr_db: 10}}\n";

/// A puppet of both modes that draws from its own generator, `draws` numbers more than it needs in
/// every tick.
fn drawing(puppet: Puppet, draws: usize) -> Puppet {
    let mut puppet = puppet.sending(|t_ms, _| {
        let mut numbers = Numbers(t_ms);
        let len = numbers.below(300) as usize;
        vec![numbers.bytes(len)]
    });
    puppet.blocks = Box::new(|k| {
        let mut numbers = Numbers(k);
        Some(std::array::from_fn(|_| numbers.below(8000) as i16 - 4000))
    });
    let mut rng = None;
    puppet.act = Box::new(move |callback, context| {
        if callback == Callback::OnTimer {
            let seed = (context.config().rng_seed >> 64) as u64;
            let rng = rng.get_or_insert_with(|| ChaCha8Rng::seed_from_u64(seed));
            for _ in 0..draws {
                rng.next_u64();
            }
        }
        Ok(())
    });
    puppet
}

fn ran(text: &str, draws: [usize; 2]) -> Ran {
    let ([left, right], _log) = Puppet::pair();
    run(
        &scenario(text),
        &mut [drawing(left, draws[0]), drawing(right, draws[1])],
    )
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect()
}

#[test]
fn two_runs_write_the_same_bytes_into_any_folder_and_into_memory() {
    for (text, count) in [(BYTE, 6), (AUDIO, 10)] {
        let parent = tempfile::tempdir().expect("a folder");
        let folders = ["a", "somewhere/else"].map(|name| parent.path().join(name));
        for folder in &folders {
            let (pair, _log) = Puppet::pair();
            let [mut left, mut right] = pair.map(|puppet| drawing(puppet, 1));
            let adapters: [&mut dyn drybox::adapter::Adapter; 2] = [&mut left, &mut right];
            run_any(&scenario(text), adapters, &mut NoHooks, Some(folder));
        }
        let [first, second] = folders.map(|folder| files(&folder));
        assert_eq!(first.len(), count);
        for (name, bytes) in &first {
            assert!(second[name] == *bytes, "{name} differs");
        }
        let memory = ran(text, [1, 1]).recorded;
        assert!(memory.metrics == first["metrics.csv"]);
        assert!(memory.events == first["events.jsonl"]);
        assert!(memory.capture.as_ref() == Some(&first["capture.dbxcap"]));
        assert!(memory.summary.as_bytes() == first["summary.json"]);
        assert!(memory.scenario.as_bytes() == first["scenario.resolved.yaml"]);
        assert!(memory.pubkeys.as_bytes() == first["pubkeys.txt"]);
    }
}

#[test]
fn another_seed_is_another_run() {
    for text in [BYTE, AUDIO] {
        let one = ran(text, [0, 0]);
        let other = ran(&format!("{text}seed: 2\n"), [0, 0]);
        assert!(one.recorded.metrics != other.recorded.metrics);
        assert!(one.recorded.pubkeys != other.recorded.pubkeys);
    }
}

#[test]
fn what_an_adapter_draws_for_itself_changes_nothing_else() {
    for text in [BYTE, AUDIO] {
        let quiet = ran(text, [0, 0]);
        for draws in [[1, 0], [0, 100], [37, 5]] {
            assert!(ran(text, draws).recorded == quiet.recorded, "{draws:?}");
        }
    }
}

#[test]
fn each_side_has_its_own_generator_and_both_follow_from_the_seed() {
    let seeds = |text: &str| {
        let (mut pair, _log) = Puppet::pair();
        run(&scenario(text), &mut pair);
        pair.map(|puppet| {
            puppet
                .config
                .map(|config| (config.rng_seed, config.python_seed))
        })
        .map(|seeds| seeds.expect("init was called"))
    };
    let [left, right] = seeds("duration_ms: 1\nseed: 3\n");
    assert_ne!(left.0, right.0);
    assert_eq!(left.1, right.1);
    // Neither the mode nor the network takes part.
    let elsewhere = "mode: audio\nduration_ms: 5\nseed: 3\nnetwork: {bearer: cs_gsm}\n";
    assert_eq!(seeds(elsewhere), [left, right]);
    assert_ne!(seeds("duration_ms: 1\nseed: 4\n")[0], left);
}

/// The records of one direction in the capture.
fn one_way(ran: &Ran, sender: Side) -> Vec<(u64, u8, u8, Vec<u8>)> {
    let mut records = Vec::new();
    let mut capture = ran.capture();
    while let Some(record) = capture.next_record().expect("a readable record") {
        if record.direction == sender.sends() {
            let kind = (record.layer as u8, record.event as u8);
            records.push((record.t_ms, kind.0, kind.1, record.data.to_vec()));
        }
    }
    records
}

#[test]
fn the_directions_do_not_touch_each_other() {
    // Unsegmented: the time-out of reassembly does depend on both.
    let text = BYTE.replace("mtu_bytes: 100", "mtu_bytes: 300");
    let both = ran(&text, [0, 0]);
    let ([left, right], _log) = Puppet::pair();
    let alone = run(&scenario(&text), &mut [left, drawing(right, 0)]);
    assert!(one_way(&alone, Side::Left).is_empty());
    assert!(one_way(&alone, Side::Right).len() > 500);
    assert!(one_way(&alone, Side::Right) == one_way(&both, Side::Right));
}

#[test]
fn one_setting_does_not_reshuffle_another() {
    // The PDUs that are lost stay the same ones when jitter, reordering and corruption are set.
    let text = |more: &str| {
        format!(
            "duration_ms: 5000\nnetwork: {{bearer: ott_udp, loss_rate: 0.1, mtu_bytes: 400{more}}}\n"
        )
    };
    let lost = |more: &str| -> Vec<_> {
        let ran = ran(&text(more), [0, 0]);
        let records = one_way(&ran, Side::Left).into_iter();
        records.filter(|record| record.2 == 2).collect()
    };
    let plain = lost("");
    assert!(plain.len() > 20);
    for more in [
        ", jitter_ms: 90",
        ", reorder_rate: 0.5",
        ", latency_ms: 300",
        ", impairments: {corrupt_rate: 0.5, duplicate_rate: 0.5}",
    ] {
        assert!(lost(more) == plain, "{more}");
    }
}
