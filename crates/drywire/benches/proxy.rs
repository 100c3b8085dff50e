//! What `drybox proxy` carries over the loopback, and how late it is: `cargo bench -p drywire --bench proxy`.
//!
//! A sender and a receiver in this process, the proxy on a thread between them. The sender keeps a
//! window of datagrams on the way, so that no kernel buffer overflows.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark takes the time and prints it"
)]

use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use drybox::{
    relay::{RelayLimits, RelaySummary},
    scenario::{Overrides, Source, load},
};
use drywire::proxy::{Proxy, ProxyHost, ProxyOptions};

/// Interrupts once it is told to.
struct Until(Arc<AtomicBool>);

impl ProxyHost for Until {
    fn interrupted(&mut self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn warn(&mut self, message: &str) {
        println!("{message}");
    }
}

/// How long one measurement takes.
const SPAN: Duration = Duration::from_secs(2);

/// A measurement: its name, the network, bytes of a datagram, datagrams on the way at most, and how
/// many are sent a second (`None`: as fast as they go).
type Case = (&'static str, &'static str, usize, u64, Option<u32>);

const CLEAN: &str = "bearer: ott_udp, latency_ms: 0, jitter_ms: 0, loss_rate: 0, reorder_rate: 0";
const ROUGH: &str =
    "bearer: ott_udp, latency_ms: 20, jitter_ms: 10, loss_rate: 0.01, reorder_rate: 0.01";

const CASES: [Case; 4] = [
    ("proxy without impairments, 1200 B", CLEAN, 1200, 64, None),
    ("proxy without impairments, 60 KB", CLEAN, 60_000, 2, None),
    ("proxy with 20 ms, jitter, loss", ROUGH, 1200, 4096, None),
    (
        "proxy lateness at 1000 a second",
        ROUGH,
        1200,
        4096,
        Some(1000),
    ),
];

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    for case in CASES {
        if wanted
            .as_ref()
            .is_some_and(|word| !case.0.contains(word.as_str()))
        {
            continue;
        }
        let (mbps, summary) = measure(case);
        let late = summary.lateness_ms;
        println!(
            "{}: {mbps:.0} Mbit/s received, late by {:.3} ms (p50) {:.3} ms (p99) {:.3} ms (max)",
            case.0,
            late.p50.unwrap_or(0.0),
            late.p99.unwrap_or(0.0),
            late.max.unwrap_or(0.0)
        );
    }
}

fn measure((_, network, bytes, window, rate): Case) -> (f64, RelaySummary) {
    let server = socket();
    let proxy =
        Proxy::bind(options(network, server.local_addr().expect("bound"))).expect("a proxy");
    let place = proxy.listen_addr().expect("bound");
    let stop = Arc::new(AtomicBool::new(false));
    let received = Arc::new(AtomicU64::new(0));

    let flag = Arc::clone(&stop);
    let relay = thread::spawn(move || proxy.run(&mut Until(flag)));
    let (flag, count) = (Arc::clone(&stop), Arc::clone(&received));
    let receiver = thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        let mut total = 0;
        while !flag.load(Ordering::Relaxed) {
            if let Ok(length) = server.recv(&mut buffer) {
                total += length;
                count.fetch_add(1, Ordering::Release);
            }
        }
        total
    });

    let begin = Instant::now();
    send(place, bytes, window, rate, &received);
    let span = begin.elapsed();
    stop.store(true, Ordering::Relaxed);
    let total = receiver.join().expect("no panic");
    let report = relay.join().expect("no panic").expect("it ends well");
    (total as f64 * 8e-6 / span.as_secs_f64(), report.summary)
}

fn send(to: SocketAddr, bytes: usize, window: u64, rate: Option<u32>, received: &AtomicU64) {
    let client = socket();
    let datagram = vec![7; bytes];
    let begin = Instant::now();
    // What was lost on the way never comes: it leaves the window when nothing has come for a while.
    let (mut sent, mut settled, mut progress) = (0_u64, 0_u64, begin);
    let mut seen = 0;
    while begin.elapsed() < SPAN {
        let now_received = received.load(Ordering::Acquire);
        if now_received > seen {
            settled += now_received - seen;
            seen = now_received;
            progress = Instant::now();
        } else if progress.elapsed() > Duration::from_millis(100) {
            settled = sent;
            progress = Instant::now();
        }
        let due =
            rate.is_none_or(|rate| sent < (begin.elapsed().as_secs_f64() * f64::from(rate)) as u64);
        if due && sent.saturating_sub(settled) < window {
            if client.send_to(&datagram, to).is_ok() {
                sent += 1;
            }
        } else {
            thread::park_timeout(Duration::from_micros(if rate.is_some() { 200 } else { 20 }));
        }
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
    let limit = Some(Duration::from_millis(100));
    socket.set_read_timeout(limit).expect("a time limit");
    socket
}

fn options(network: &str, to: SocketAddr) -> ProxyOptions {
    let source = Source {
        name: "bench.yaml".to_owned(),
        text: format!("network: {{{network}}}\n"),
    };
    let mut plan = load(&source, &Overrides::default()).expect("a scenario");
    ProxyOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        to,
        name: "bench".to_owned(),
        scenario: plan.points.remove(0).scenario,
        limits: RelayLimits {
            flows: 10,
            held_bytes: 256_000_000,
            idle_us: 60_000_000,
        },
        out: None,
        record_flows: 0,
        capture: false,
        control: None,
        duration: None,
    }
}
