//! The node beside quinn: the same work by both in turn, client and server each on a thread of its own. Prints rows of the table
//! in `docs/performance.md`; `--quick` for shorter runs, a part of a row's name for those rows only.

mod ceiling;
mod ours;
mod quinns;
mod run;
mod websocket;

use std::time::Duration;

use run::{Size, median, quantile};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| only.is_none_or(|part| name.contains(part.as_str()));
    let size = if quick { Size::QUICK } else { Size::FULL };

    println!("| measurement | ours | quinn 0.11 | ratio | held to | |");
    println!("|---|---:|---:|---:|---:|---|");
    if arguments.iter().any(|argument| argument == "--ours") {
        // For a profile of ours alone.
        match only.map(String::as_str) {
            Some("set-up") => println!("{:?}", median(&mut ours::set_up(10 * size.connects))),
            Some("WebSocket") => println!("{:?}", websocket::ours(size.bulk)),
            Some("echo") => println!("{:?}", median(&mut ours::echo(10 * size.echoes))),
            _ => println!("{:?}", ours::bulk(size.bulk)),
        }
        return;
    }
    if wanted("bulk") {
        bulk(&size);
    }
    if wanted("WebSocket") {
        web_socket(&size);
    }
    if wanted("set-up") {
        let [ours, quinns] = in_turns(
            size.rounds,
            || ours::set_up(size.connects),
            || quinns::set_up(size.connects),
        );
        let row = [quantile(&ours, 0.5), quantile(&quinns, 0.5)];
        latency("connection set-up, p50", row, Some(0.35));
    }
    if wanted("echo") {
        let [ours, quinns] = in_turns(
            size.rounds,
            || ours::echo(size.echoes),
            || quinns::echo(size.echoes),
        );
        let at = |part| [quantile(&ours, part), quantile(&quinns, part)];
        latency("echo of 64 B, p50", at(0.5), Some(0.8));
        latency("echo of 64 B, p99", at(0.99), None);
    }
    if wanted("idle") {
        let (ours, quinns) = (ours::idle(size.idle), quinns::idle(size.idle));
        let ratio = ours as f64 / quinns as f64;
        row(
            "memory of an idle session at a server of 1,000",
            &format!("{:.1} KB", ours as f64 / 1e3),
            &format!("{:.1} KB", quinns as f64 / 1e3),
            ratio,
            Some((ratio <= 0.25, "≤ 0.25")),
        );
    }
}

/// One stream, one direction, in turns.
fn bulk(size: &Size) {
    let (mut ours, mut quinns, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        quinns.push(quinns::bulk(size.bulk));
        ours.push(ours::bulk(size.bulk));
        raw.push(ceiling::bulk(size.bulk / 4) * 4);
    }
    let (ours, quinns, raw) = (
        rate(size.bulk, &ours),
        rate(size.bulk, &quinns),
        rate(size.bulk, &raw),
    );
    row(
        "bulk, one stream",
        &format!("{ours:.3} GB/s"),
        &format!("{quinns:.3} GB/s"),
        ours / quinns,
        Some((ours / quinns >= 1.5, "≥ 1.5")),
    );
    println!(
        "| ceiling: UDP with GSO/GRO and AES-256-GCM, no acknowledgements | {raw:.3} GB/s | | ours is {:.0} % | | |",
        100.0 * ours / raw
    );
}

/// An echo over a WebSocket and by the bare library, in turns.
fn web_socket(size: &Size) {
    let total = size.bulk / 4;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        bare.push(websocket::bare(total));
        ours.push(websocket::ours(total));
    }
    let (ours, bare) = (rate(total, &ours), rate(total, &bare));
    let ratio = ours / bare;
    row(
        "WebSocket, echo of a stream; peer: `fastwebsockets` alone, 64 KiB messages and AES-256-GCM",
        &format!("{ours:.3} GB/s"),
        &format!("{bare:.3} GB/s"),
        ratio,
        Some((ratio >= 0.8, "≥ 0.80")),
    );
}

/// In GB/s, of the fastest round: whatever disturbs one only ever makes it longer.
fn rate(total: usize, times: &[Duration]) -> f64 {
    let fastest = times.iter().min().expect("a round");
    total as f64 / fastest.as_secs_f64() / 1e9
}

fn latency(name: &str, [ours, quinns]: [Duration; 2], held_to: Option<f64>) {
    let ratio = ours.as_secs_f64() / quinns.as_secs_f64();
    let bound = held_to.map(|bound| format!("≤ {bound}"));
    let verdict = held_to.zip(bound.as_deref());
    row(
        name,
        &format!("{:.1} µs", ours.as_secs_f64() * 1e6),
        &format!("{:.1} µs", quinns.as_secs_f64() * 1e6),
        ratio,
        verdict.map(|(bound, text)| (ratio <= bound, text)),
    );
}

fn row(name: &str, ours: &str, quinns: &str, ratio: f64, held_to: Option<(bool, &str)>) {
    let (verdict, bound) = match held_to {
        Some((true, bound)) => ("holds", bound),
        Some((false, bound)) => ("MISSED", bound),
        None => ("", ""),
    };
    println!("| {name} | {ours} | {quinns} | {ratio:.2} | {bound} | {verdict} |");
}

/// Rounds of both, one after the other: this machine's speed changes from second to second. The times, sorted.
fn in_turns(
    rounds: usize,
    mut ours: impl FnMut() -> Vec<Duration>,
    mut quinns: impl FnMut() -> Vec<Duration>,
) -> [Vec<Duration>; 2] {
    let mut all = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        all[0].extend(ours());
        all[1].extend(quinns());
    }
    for times in &mut all {
        times.sort_unstable();
    }
    all
}
