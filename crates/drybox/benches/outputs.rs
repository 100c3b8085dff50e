//! What it costs to write outputs: nanoseconds per row, event and record.
//!
//! `cargo bench -p drybox --bench outputs`. Each case is run several times and its fastest run is
//! printed, since everything else that happens on a machine only ever adds. Without `--bench`, as
//! `cargo test` runs it, every case is only tried out.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures wall time and prints it"
)]

use std::{hint::black_box, time::Instant};

use drybox::{
    Direction, Side,
    output::{
        CaptureEvent, CaptureLayer, PcmTap, Recorder, RecorderOptions, Row, RowLayer, Scrubber,
        Secrets, read,
    },
    radio::SILENCE,
};
use serde_json::json;

/// How often a case is measured.
const RUNS: u32 = 7;

/// Measures cases and prints a line for each.
struct Bench {
    /// Operations of one run; few when only tried out.
    scale: u64,
}

impl Bench {
    /// Times `n` operations in a row, after whatever `prepare` makes.
    fn case<T>(
        &self,
        name: &str,
        n: u64,
        mut prepare: impl FnMut() -> T,
        mut operation: impl FnMut(&mut T, u64),
    ) {
        let n = (n * self.scale / 1000).max(10);
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let mut state = prepare();
            let start = Instant::now();
            for i in 0..n {
                operation(&mut state, i);
            }
            let ns = start.elapsed().as_nanos() as f64 / n as f64;
            best = best.min(ns);
        }
        println!("{name:<44} {best:>10.1} ns");
    }
}

fn main() {
    let measured = std::env::args().any(|arg| arg == "--bench");
    let bench = Bench {
        scale: if measured { 1000 } else { 1 },
    };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let recorder = || {
        let options = RecorderOptions {
            capture: true,
            pcm: true,
            // As in a run: one key per side.
            secrets: Secrets::new([[0x5a; 32], *b"0123456789abcdefghijklmnopqrstuv"]),
        };
        Recorder::to_dir(dir.path(), options).expect("a writable temporary folder")
    };
    rows(&bench, &recorder);
    events(&bench, &recorder);
    records(&bench, &recorder);
    scrubbing(&bench);
    reading(&bench);
}

fn rows(bench: &Bench, recorder: &impl Fn() -> Recorder) {
    bench.case(
        "row, bearer tx (no numbers)",
        1_000_000,
        recorder,
        |r, i| {
            let row = Row::new(i, Side::Left, RowLayer::Bearer, "tx");
            r.row(black_box(&row)).expect("written");
        },
    );
    bench.case("row, bearer rx (2 numbers)", 1_000_000, recorder, |r, i| {
        let row = Row {
            latency_ms: Some((i % 300) as f64),
            rtt_ms_est: Some(123.456_789 + i as f64 * 1e-3),
            ..Row::new(i, Side::Right, RowLayer::Bearer, "rx")
        };
        r.row(black_box(&row)).expect("written");
    });
    bench.case(
        "row, bytelink rx (4 numbers)",
        1_000_000,
        recorder,
        |r, i| {
            let row = Row {
                latency_ms: Some((i % 300) as f64),
                jitter_ms: Some(17.123_456 + i as f64 * 1e-3),
                loss_rate: Some(1.0 / (i + 3) as f64),
                reorder_rate: Some(2.0 / (i + 3) as f64),
                ..Row::new(i, Side::Right, RowLayer::Bytelink, "rx")
            };
            r.row(black_box(&row)).expect("written");
        },
    );
}

fn events(bench: &Bench, recorder: &impl Fn() -> Recorder) {
    let small = json!({"auth": "ok"});
    bench.case("event, {\"auth\": \"ok\"}", 300_000, recorder, |r, i| {
        r.event(i, Side::Left, "hs_done", black_box(&small))
            .expect("written");
    });
    let large = json!({"pub": "5f".repeat(32), "n": [1, 2, 3], "at": {"x": 1.25, "y": null}});
    bench.case(
        "event, 64 hex digits and a few numbers",
        300_000,
        recorder,
        |r, i| {
            r.event(i, Side::Right, "crypto_info", black_box(&large))
                .expect("written");
        },
    );
}

fn records(bench: &Bench, recorder: &impl Fn() -> Recorder) {
    let data = pseudo_random(1024);
    for len in [32, 160, 1024] {
        let name = format!("capture record, {len} bytes");
        bench.case(&name, 100_000, recorder, |r, i| {
            let layer = CaptureLayer::Bearer;
            r.capture(
                i,
                Direction::LeftToRight,
                layer,
                CaptureEvent::Tx,
                black_box(&data[..len]),
            )
            .expect("written");
        });
    }
    bench.case("block of PCM", 100_000, recorder, |r, _| {
        r.pcm(Side::Left, PcmTap::Tx, black_box(&SILENCE))
            .expect("written");
    });
}

fn scrubbing(bench: &Bench) {
    let scrubber = || Scrubber::new(Secrets::new([[0x5a; 32], [0xc3; 32]]));
    let mut data = pseudo_random(1024);
    bench.case(
        "search of 1,024 random bytes for keys",
        100_000,
        scrubber,
        |s, _| {
            s.data(black_box(&mut data));
        },
    );
    let text = "{\"latency_ms\": 123, \"text\": \"some words\"}".repeat(25);
    bench.case(
        "search of 1,025 bytes of text for keys",
        100_000,
        scrubber,
        |s, _| {
            black_box(s.text(black_box(&text)));
        },
    );
}

fn reading(bench: &Bench) {
    const ROWS: u64 = 10_000;
    let mut memory = Vec::from(drybox::output::HEADER);
    for i in 0..ROWS {
        memory.extend_from_slice(format!("{i},L,bearer,rx,1.500,20.000,,,,,,,,,,,,\n").as_bytes());
    }
    bench.case(
        "10,000 rows read back",
        20,
        || (),
        |(), _| {
            black_box(read::Columns::parse(black_box(&memory)).expect("well-formed"));
        },
    );
}

/// Bytes without structure, the same every time.
fn pseudo_random(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(len)
    .collect()
}
