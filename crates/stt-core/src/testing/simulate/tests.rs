use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::{Report, run, run_with_qlog};
use crate::testing::Qlog;

fn held(seed: u64) -> Report {
    run(seed, &mut |_, _| {}).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn a_hundred_seeds_hold_every_invariant() {
    let reports: Vec<_> = (0..100).map(held).collect();
    // The plans do something: data, several sessions with new keys, marks, and paths that don't carry them.
    assert!(reports.iter().map(|report| report.delivered).sum::<u64>() > 1_000_000);
    let some = |of: fn(&Report) -> u64| reports.iter().filter(|report| of(report) > 0).count();
    assert!(some(|report| report.updates) > 20);
    assert!(some(|report| report.marked) > 10);
    assert!(some(|report| report.unmarked) > 20);
    assert!(some(|report| report.moves) > 20);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [1, 7, 250, 2_687] {
        assert_eq!(held(seed), held(seed), "seed {seed}");
    }
    assert_ne!(held(1).fingerprint, held(2).fingerprint);
}

#[test]
fn a_failure_names_its_seed_and_how_to_replay_it() {
    let failure = super::Failure {
        seed: 42,
        at: crate::Timestamp::from_millis(1_500),
        what: "something".into(),
        plan: "a plan".into(),
    };
    let text = failure.to_string();
    assert!(
        text.contains("cargo xtask simulate --seed 42 --trace FILE"),
        "{text}"
    );
}

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The records of a seed's trace.
fn trace(seed: u64) -> Vec<Value> {
    let file = Memory::default();
    let qlog = Qlog::new(&format!("seed \"{seed}\""), Box::new(file.clone()));
    let report = run_with_qlog(seed, &mut |_, _| {}, &qlog).unwrap();
    qlog.finish().unwrap();
    assert_eq!(report, held(seed), "watching changes nothing");
    let bytes = file.0.lock().unwrap();
    let text = core::str::from_utf8(&bytes).unwrap();
    // RFC 7464: a record separator before, a line feed after each.
    let records = text.strip_prefix('\u{1e}').unwrap().split('\u{1e}');
    records
        .map(|record| serde_json::from_str(record.strip_suffix('\n').unwrap()).unwrap())
        .collect()
}

#[test]
fn a_trace_in_the_shape_of_qlog_reads_back_as_what_happened() {
    let mut names = BTreeSet::new();
    for seed in 0..12 {
        let records = trace(seed);
        assert_eq!(
            records[0]["file_schema"],
            "urn:ietf:params:qlog:file:sequential"
        );
        assert_eq!(records[0]["title"], format!("seed \"{seed}\""));
        let mut sent = BTreeMap::new();
        let (mut time, mut received) = (0.0, 0);
        for event in &records[1..] {
            let at = event["time"].as_f64().unwrap();
            assert!(at >= time, "{event}");
            time = at;
            let name = event["name"].as_str().unwrap();
            names.insert(name.to_owned());
            let number = event["data"]["header"]["packet_number"].as_u64();
            let Some(group) = event["group_id"].as_str() else {
                assert_eq!(name, "simulation:marker");
                continue;
            };
            let (session, side) = group.split_once(' ').unwrap();
            let frames = &event["data"]["frames"];
            match name {
                "transport:packet_sent" => {
                    assert!(!frames.as_array().unwrap().is_empty());
                    let before = sent.insert((session, side, number), frames);
                    assert_eq!(before, None, "a number comes once: {event}");
                }
                "transport:packet_received" => {
                    let peer = if side == "client" { "server" } else { "client" };
                    assert_eq!(sent.get(&(session, peer, number)), Some(&frames), "{event}");
                    received += 1;
                }
                "recovery:packet_lost" => {
                    assert!(sent.contains_key(&(session, side, number)), "{event}");
                }
                _ => {}
            }
        }
        assert!(received > 0);
    }
    for name in [
        "connectivity:connection_state_updated",
        "recovery:metrics_updated",
        "recovery:packet_lost",
        "security:key_updated",
        "simulation:marker",
        "transport:packet_dropped",
        "transport:packet_received",
        "transport:packet_sent",
    ] {
        assert!(names.contains(name), "no {name}");
    }
}
