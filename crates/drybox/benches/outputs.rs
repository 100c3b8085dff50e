//! What it costs to write outputs: nanoseconds per row, event and record.
//!
//! `cargo bench -p drybox --bench outputs`. All cases are run in turn, for a short while each, in many
//! rounds, and the fastest run of each is printed: everything else that happens on a machine only
//! ever adds. Without `--bench`, as
//! `cargo test` runs it, every case is only tried out.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures wall time and prints it"
)]

use std::{hint::black_box, time::Instant};

use chacha20::ChaCha8Rng;
use drybox::{
    Direction, Side,
    output::{
        CaptureEvent, CaptureLayer, PcmTap, Recorder, RecorderOptions, Row, RowLayer, Scrubber,
        Secrets, read,
    },
    radio::SILENCE,
};
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;

/// How often all cases are measured.
const ROUNDS: u32 = 200;

/// Measures cases and keeps the fastest run of each.
#[derive(Default)]
struct Bench {
    /// In the order in which they are run.
    results: Vec<(String, f64)>,
    /// The case of the round that comes next.
    next: usize,
    /// Whether cases are only tried out.
    trial: bool,
}

impl Bench {
    /// Times `n` operations in a row.
    fn case(&mut self, name: &str, n: u64, mut operation: impl FnMut(u64)) {
        let n = if self.trial { 1 } else { n };
        let start = Instant::now();
        for i in 0..n {
            operation(i);
        }
        let ns = start.elapsed().as_nanos() as f64 / n as f64;
        match self.results.get_mut(self.next) {
            Some((_, best)) => *best = best.min(ns),
            None => self.results.push((name.to_owned(), ns)),
        }
        self.next += 1;
    }
}

fn main() {
    let trial = !std::env::args().any(|arg| arg == "--bench");
    let dir = tempfile::tempdir().expect("a temporary folder");
    // What the disk costs is the disk's: its files lead nowhere.
    #[cfg(unix)]
    for name in [
        "metrics.csv",
        "events.jsonl",
        "capture.dbxcap",
        "left_tx.wav",
    ] {
        std::os::unix::fs::symlink("/dev/null", dir.path().join(name)).expect("a symbolic link");
    }
    let options = RecorderOptions {
        capture: true,
        pcm: true,
        secrets: keys(),
    };
    let mut recorder = Recorder::to_dir(dir.path(), options).expect("a writable temporary folder");
    let mut bench = Bench {
        trial,
        ..Bench::default()
    };
    for _ in 0..if trial { 1 } else { ROUNDS } {
        bench.next = 0;
        rows(&mut bench, &mut recorder);
        events(&mut bench, &mut recorder);
        records(&mut bench, &mut recorder);
        scrubbing(&mut bench);
        reading(&mut bench);
    }
    for (name, ns) in &bench.results {
        println!("{name:<44} {ns:>10.1} ns");
    }
}

fn rows(bench: &mut Bench, recorder: &mut Recorder) {
    bench.case("row, bearer tx (no numbers)", 2000, |i| {
        let row = Row::new(i, Side::Left, RowLayer::Bearer, "tx");
        recorder.row(black_box(&row)).expect("written");
    });
    bench.case("row, bearer rx (3 numbers)", 2000, |i| {
        let row = Row {
            rtt_ms_est: Some(123.456_789 + i as f64 * 1e-3),
            latency_ms: Some((i % 300) as f64),
            jitter_ms: Some(17.123_456 + i as f64 * 1e-3),
            ..Row::new(i, Side::Right, RowLayer::Bearer, "rx")
        };
        recorder.row(black_box(&row)).expect("written");
    });
    bench.case("row, bytelink rx (5 numbers)", 2000, |i| {
        let row = Row {
            rtt_ms_est: Some(123.456_789 + i as f64 * 1e-3),
            latency_ms: Some((i % 300) as f64),
            jitter_ms: Some(17.123_456 + i as f64 * 1e-3),
            loss_rate: Some(1.0 / (i + 3) as f64),
            reorder_rate: Some(2.0 / (i + 3) as f64),
            ..Row::new(i, Side::Right, RowLayer::Bytelink, "rx")
        };
        recorder.row(black_box(&row)).expect("written");
    });
}

fn events(bench: &mut Bench, recorder: &mut Recorder) {
    let small = json!({"auth": "ok"});
    bench.case("event, {\"auth\": \"ok\"}", 1000, |i| {
        recorder
            .event(i, Side::Left, "hs_done", black_box(&small))
            .expect("written");
    });
    let large = json!({"pub": "5f".repeat(32), "n": [1, 2, 3], "at": {"x": 1.25, "y": null}});
    bench.case("event, 64 hex digits and a few numbers", 1000, |i| {
        recorder
            .event(i, Side::Right, "crypto_info", black_box(&large))
            .expect("written");
    });
}

fn records(bench: &mut Bench, recorder: &mut Recorder) {
    let data = pseudo_random(1024);
    for len in [32, 160, 1024] {
        bench.case(&format!("capture record, {len} bytes"), 1000, |i| {
            let (direction, layer) = (Direction::LeftToRight, CaptureLayer::Bearer);
            recorder
                .capture(
                    i,
                    direction,
                    layer,
                    CaptureEvent::Tx,
                    black_box(&data[..len]),
                )
                .expect("written");
        });
    }
    bench.case("block of PCM", 1000, |_| {
        recorder
            .pcm(Side::Left, PcmTap::Tx, black_box(&SILENCE))
            .expect("written");
    });
}

fn scrubbing(bench: &mut Bench) {
    let scrubber = Scrubber::new(keys());
    let mut data = pseudo_random(1024);
    bench.case("search of 1,024 random bytes for keys", 1000, |_| {
        scrubber.data(black_box(&mut data));
    });
    let text = "{\"latency_ms\": 123, \"text\": \"some words\"}".repeat(25);
    bench.case("search of 1,025 bytes of text for keys", 1000, |_| {
        black_box(scrubber.text(black_box(&text)));
    });
}

fn reading(bench: &mut Bench) {
    let mut metrics = String::from(drybox::output::HEADER);
    for i in 0..1000 {
        metrics.push_str(&format!("{i},L,bearer,rx,1.500,20.000,,,,,,,,,,,,\n"));
    }
    bench.case("1,000 rows read back", 2, |_| {
        black_box(read::Columns::parse(black_box(metrics.as_bytes())).expect("well-formed"));
    });
}

/// One key per side, as in a run.
fn keys() -> Secrets {
    let bytes = pseudo_random(5000);
    Secrets::new([0, 1].map(|side| std::array::from_fn(|i| bytes[4900 + 32 * side + i])))
}

/// Bytes without structure, the same every time.
fn pseudo_random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes
}
