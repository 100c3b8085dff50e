//! An interrupt leaves readable outputs.

use std::{fs, process::Stdio, thread};

use drybox::output::read::{CaptureReader, Columns, events};
use rustix::process::{Pid, Signal, kill_process};

use super::support::{Bench, Said};

/// A run longer than the tests wait. If nothing ended it, its outputs would be of some gigabytes.
const LONG: &str = "duration_ms: 100000000\nleft: native:pingpong\nright: native:pingpong\n";

#[test]
fn an_interrupt_exits_130_with_outputs_flushed() {
    for signal in [Signal::INT, Signal::TERM] {
        let bench = Bench::new(LONG);
        let child = bench
            .command(&["run", "s.yaml", "--out", "out"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let pid = Pid::from_child(&child);
        // The handlers stand before the first byte of output.
        let metrics = bench.path("out/metrics.csv");
        while fs::metadata(&metrics).map_or(0, |meta| meta.len()) < 200_000 {
            thread::yield_now();
        }
        kill_process(pid, signal).expect("the run goes on");
        let said = Said::from(child.wait_with_output().expect("the command ends"));
        assert_eq!(said.code, Some(130), "{}", said.err);
        assert!(said.out.ends_with("interrupted\n"), "{}", said.out);

        let summary = bench.json("out/summary.json");
        assert_eq!(summary["interrupted"], true);
        let ended = summary["ended_at_ms"].as_u64().expect("a number");
        let columns = Columns::parse(&fs::read(&metrics).expect("a file")).expect("readable");
        assert!(
            columns
                .t_ms
                .last()
                .is_some_and(|&last| last <= ended && last + 5000 > ended)
        );
        let lines = fs::read(bench.path("out/events.jsonl")).expect("a file");
        assert!(events(&lines).all(|event| event.is_ok()));
        let capture = fs::read(bench.path("out/capture.dbxcap")).expect("a file");
        let mut reader = CaptureReader::new(&*capture).expect("a capture");
        while reader.next_record().expect("a readable record").is_some() {}
    }
}

#[test]
fn an_interrupted_sweep_exits_130_and_begins_nothing_more() {
    let bench = Bench::new(&format!("{LONG}network: {{latency_ms: [10, 20, 30]}}\n"));
    let child = bench
        .command(&["run", "s.yaml", "--out", "out"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let pid = Pid::from_child(&child);
    let metrics = bench.path("out/latency_10/metrics.csv");
    while fs::metadata(&metrics).map_or(0, |meta| meta.len()) < 200_000 {
        thread::yield_now();
    }
    kill_process(pid, Signal::INT).expect("the sweep goes on");
    let said = Said::from(child.wait_with_output().expect("the command ends"));
    assert_eq!(said.code, Some(130), "{}", said.err);
    assert_eq!(
        bench.json("out/latency_10/summary.json")["interrupted"],
        true
    );
    assert!(!bench.path("out/latency_20").exists());
}
