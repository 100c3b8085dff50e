//! A session beside quinn-proto's, both as state machines in memory, in turn in one process: CPU time of bulk data and of
//! handshakes, memory of idle sessions, goodput of CUBIC on the same simulated links.
//!
//! `cargo bench --manifest-path crates/stt-core/peers/Cargo.toml --target-dir target/peers [-- PART OF A NAME]`, or
//! `cargo xtask bench core`. Times are CPU time, the fastest of many short rounds: everything else that happens on a
//! machine only ever adds. Without `--bench`, as `cargo test` runs it, every part is only tried out; with `--ours` or
//! `--peer` one side runs alone, for a profiler.

#![expect(clippy::print_stdout, reason = "a benchmark measures and prints")]

mod bulk;
mod goodput;
mod handshake;
mod memory;

use rustix::time::{ClockId, clock_gettime};

/// How thoroughly to measure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    Trial,
    Quick,
    Full,
    /// For a profiler: one of the two alone.
    Ours,
    Peer,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let effort = if !has("--bench") {
        Effort::Trial
    } else if has("--quick") {
        Effort::Quick
    } else if has("--ours") {
        Effort::Ours
    } else if has("--peer") {
        Effort::Peer
    } else {
        Effort::Full
    };
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    for (name, part) in [
        ("bulk", bulk::run as fn(Effort)),
        ("handshake", handshake::run),
        ("memory", memory::run),
        ("goodput", goodput::run),
    ] {
        if only.is_none_or(|only| name.contains(only.as_str())) {
            part(effort);
        }
    }
}

/// CPU time that the call takes on this thread.
fn cpu_seconds(call: impl FnOnce()) -> f64 {
    let clock = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let start = clock();
    call();
    clock() - start
}

/// A row that is held to nothing.
fn row(name: &str, value: f64, unit: &str) {
    println!("| {name} | {} {unit} |  |  |", number(value));
}

/// A row that is held to at most `bound`.
fn at_most(name: &str, value: f64, unit: &str, bound: f64) {
    let verdict = if value <= bound { "holds" } else { "missed" };
    println!(
        "| {name} | {} {unit} | ≤ {bound} | {verdict} |",
        number(value)
    );
}

fn number(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.3}")
    } else if value < 1_000.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}
