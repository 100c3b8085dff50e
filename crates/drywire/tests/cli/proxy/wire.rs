//! Datagrams through the proxy.

use std::{
    collections::BTreeSet,
    fs,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use drybox::output::read::{CaptureReader, Columns};
use drybox::{Direction, ExitCode};
use drywire::proxy::{Proxy, ProxyEnd, ProxyError, control::Request};
use serde_json::{Value, json};

use super::{CLEAN, Running, Until, address, next, options, send_counted, setting, socket};

fn number(datagram: &[u8]) -> u32 {
    u32::from_be_bytes(datagram.try_into().expect("a number"))
}

#[test]
fn each_client_gets_its_own_answers_and_empty_datagrams_cross() {
    let server = socket();
    let proxy = Running::start(options(CLEAN, address(&server)));
    let clients: Vec<UdpSocket> = (0..50).map(|_| socket()).collect();
    let mut seen = BTreeSet::new();
    for (n, client) in (0_u32..).zip(&clients) {
        client
            .send_to(&n.to_be_bytes(), proxy.address)
            .expect("sent");
        let (datagram, from) = next(&server);
        assert_eq!(number(&datagram), n);
        assert!(seen.insert(from), "a source address of its own for each");
        server
            .send_to(&(n + 1000).to_be_bytes(), from)
            .expect("sent");
        server.send_to(b"", from).expect("sent");
    }
    for (n, client) in (0_u32..).zip(&clients) {
        let (datagram, from) = next(client);
        assert_eq!((number(&datagram), from), (n + 1000, proxy.address));
        assert_eq!(next(client), (Vec::new(), proxy.address));
    }
    let (report, _) = proxy.stop();
    assert_eq!(report.end, ProxyEnd::Stopped);
    assert_eq!(
        (report.summary.flows.opened, report.summary.flows.open),
        (50, 50)
    );
    assert_eq!(
        report.summary.directions.right_to_left.stats.sdus.delivered,
        100
    );
}

#[test]
fn the_loss_rate_is_the_scenarios() {
    let server = socket();
    let network = "bearer: ott_udp, latency_ms: 0, jitter_ms: 0, loss_rate: 0.2, reorder_rate: 0";
    let proxy = Running::start(options(network, address(&server)));
    let client = socket();
    let count = 4000;
    // Read what has come after each portion: the server's own buffer must not lose any.
    let mut received = Vec::new();
    server.set_nonblocking(true).expect("a socket");
    for _ in 0..count / 100 {
        send_counted(&proxy, &client, 100);
        proxy.stats_when(|stats| stats["directions"]["L>R"]["sdus"]["in_flight"] == 0);
        let mut buffer = [0; 64];
        while let Ok(length) = server.recv(&mut buffer) {
            received.push(number(&buffer[..length]));
        }
    }
    let (report, _) = proxy.stop();
    let stats = report.summary.directions.left_to_right.stats;
    assert_eq!(stats.sdus.sent, count);
    assert_eq!(received.len() as u64, stats.sdus.delivered);
    // Five standard errors: a false alarm once in 1.7 million; the seed is fixed besides.
    let error = 5.0 * (0.2 * 0.8 / count as f64).sqrt();
    let rate = stats.loss_rate.expect("a rate");
    assert!((rate - 0.2).abs() < error, "{rate} vs 0.2 ± {error}");
}

#[test]
fn delays_are_never_short_and_order_is_the_bearers() {
    let server = socket();
    let network = "bearer: pstn_g711, latency_ms: 20, jitter_ms: 15, loss_rate: 0, mtu_bytes: 1200";
    let folder = tempfile::tempdir().expect("a folder");
    let proxy = Running::start(drywire::proxy::ProxyOptions {
        out: Some(folder.path().to_owned()),
        ..options(network, address(&server))
    });
    let client = socket();
    send_counted(&proxy, &client, 200);
    let arrived: Vec<u32> = (0..200).map(|_| number(&next(&server).0)).collect();
    assert!(arrived.is_sorted(), "this bearer keeps the order");

    // The other bearer does not: half of what comes is held back by 30 ms.
    proxy.set(json!({
        "network.bearer": "ott_udp",
        "network.latency_ms": 10,
        "network.jitter_ms": 0,
        "network.reorder_rate": 0.5,
        "network.frame_ms": 30,
    }));
    send_counted(&proxy, &client, 200);
    let mut arrived: Vec<u32> = (0..200).map(|_| number(&next(&server).0)).collect();
    assert!(!arrived.is_sorted());
    arrived.sort_unstable();
    assert!(arrived.into_iter().eq(0..200), "each of them, once");
    proxy.stop();

    let read = |name: &str| fs::read(folder.path().join("flow_0").join(name)).expect("an output");
    let columns = Columns::parse(&read("metrics.csv")).expect("rows");
    let latencies: Vec<f64> = columns
        .number("latency_ms")
        .expect("a column")
        .iter()
        .copied()
        .filter(|ms| ms.is_finite())
        .collect();
    // A PDU's row and an SDU's.
    assert_eq!(latencies.len(), 800);
    // Uniform ±15 about 20, then 10 and 40: by design, whatever the machine does.
    assert!(latencies[..400].iter().all(|&ms| ms >= 5.0));
    assert!(latencies[400..].iter().all(|&ms| ms >= 10.0));
    assert!(latencies[400..].iter().any(|&ms| ms >= 40.0));
    let summary: Value = serde_json::from_slice(&read("summary.json")).expect("JSON");
    assert_eq!(summary["adapters"]["left"], "proxy:client");
    let capture = read("capture.dbxcap");
    let mut reader = CaptureReader::new(&*capture).expect("a capture");
    let mut records = 0;
    while reader.next_record().expect("a record").is_some() {
        records += 1;
    }
    assert_eq!(records, 400 * 4, "tx and rx on both layers");
    let whole = fs::read(folder.path().join("proxy.json")).expect("a summary");
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(whole["directions"]["L>R"]["sdus"]["delivered"], 400);
}

#[test]
fn a_cut_link_carries_nothing_until_it_is_healed() {
    let (server, client) = (socket(), socket());
    let proxy = Running::start(options(CLEAN, address(&server)));
    client.send_to(b"before", proxy.address).expect("sent");
    let (datagram, flow) = next(&server);
    assert_eq!(datagram, b"before");

    let cut = proxy.ask(&Request::Cut(vec![Direction::LeftToRight]));
    assert_eq!(cut["cut"], json!(["L>R"]));
    client.send_to(b"lost", proxy.address).expect("sent");
    proxy.stats_when(|stats| stats["directions"]["L>R"]["causes"]["partition"] == 1);
    server.send_to(b"the other way", flow).expect("sent");
    assert_eq!(next(&client).0, b"the other way");

    let cut = proxy.ask(&Request::Cut(Direction::BOTH.to_vec()));
    assert_eq!(cut["cut"], json!(["L>R", "R>L"]));
    server.send_to(b"lost", flow).expect("sent");
    proxy.stats_when(|stats| stats["directions"]["R>L"]["causes"]["partition"] == 1);

    let healed = proxy.ask(&Request::Heal(Direction::BOTH.to_vec()));
    assert_eq!(healed["cut"], json!([]));
    client.send_to(b"after", proxy.address).expect("sent");
    assert_eq!(next(&server).0, b"after");
    server.send_to(b"after", flow).expect("sent");
    assert_eq!(next(&client).0, b"after");
    proxy.stop();
}

#[test]
fn settings_change_while_it_runs() {
    let (server, client) = (socket(), socket());
    let proxy = Running::start(options(CLEAN, address(&server)));
    proxy.set(setting("network.impairments.duplicate_rate", 1));
    client.send_to(b"twice", proxy.address).expect("sent");
    assert_eq!(
        (next(&server).0, next(&server).0),
        (b"twice".to_vec(), b"twice".to_vec())
    );
    proxy.set(json!({
        "network.impairments.duplicate_rate": 0,
        "network.impairments.corrupt_rate": 1,
    }));
    client.send_to(&[0; 8], proxy.address).expect("sent");
    let flipped: u32 = next(&server).0.iter().map(|byte| byte.count_ones()).sum();
    assert_eq!(flipped, 1);
    proxy.set(setting("network.loss_rate", 1));
    client.send_to(b"lost", proxy.address).expect("sent");
    proxy.stats_when(|stats| stats["directions"]["L>R"]["causes"]["bearer"] == 1);
    let network = proxy.ask(&Request::Get);
    assert_eq!(network["network"]["loss_rate"], 1.0);
    proxy.stop();
}

#[test]
fn datagrams_of_every_size_cross_and_larger_ones_are_counted() {
    let (server, client) = (socket(), socket());
    let proxy = Running::start(options(CLEAN, address(&server)));
    // The largest that UDP carries, in 55 fragments.
    let large: Vec<u8> = (0..65_507_u32).map(|n| (n % 251) as u8).collect();
    client.send_to(&large, proxy.address).expect("sent");
    let (datagram, flow) = next(&server);
    assert!(datagram == large, "{} bytes came", datagram.len());
    server.send_to(&large, flow).expect("sent");
    assert!(next(&client).0 == large);

    proxy.set(setting("network.mtu_bytes", 64));
    client
        .send_to(&large[..256 * 61], proxy.address)
        .expect("sent");
    assert!(next(&server).0 == large[..256 * 61]);
    client
        .send_to(&large[..256 * 61 + 1], proxy.address)
        .expect("sent");
    let stats = proxy.stats_when(|stats| stats["directions"]["L>R"]["sdus"]["dropped"] == 1);
    assert_eq!(stats["directions"]["L>R"]["sdus"]["delivered"], 2);
    assert_eq!(stats["held_bytes"], 0);
    proxy.stop();
}

#[test]
fn a_server_that_is_not_there_is_no_error() {
    let place = address(&socket());
    let proxy = Running::start(options(CLEAN, place));
    let client = socket();
    // Each is answered by the kernel with "refused", which the proxy reads or runs into.
    send_counted(&proxy, &client, 20);
    proxy.stats_when(|stats| stats["directions"]["L>R"]["sdus"]["in_flight"] == 0);
    let server = UdpSocket::bind(place).expect("the place is free again");
    server
        .set_read_timeout(Some(super::GUARD))
        .expect("a time limit");
    client.send_to(b"now", proxy.address).expect("sent");
    assert_eq!(next(&server).0, b"now");
    proxy.stop();
}

#[test]
fn more_clients_than_flows_are_refused_and_the_others_go_on() {
    let server = socket();
    let mut options = options(CLEAN, address(&server));
    options.limits.flows = 2;
    let proxy = Running::start(options);
    let clients: Vec<UdpSocket> = (0..10).map(|_| socket()).collect();
    for client in &clients {
        client.send_to(b"hello", proxy.address).expect("sent");
    }
    let stats = proxy.stats_when(|stats| stats["refused"]["flows"] == 8);
    assert_eq!(
        stats["flows"],
        json!({"opened": 2, "open": 2, "expired": 0, "unrecorded": 2})
    );
    clients[0].send_to(b"again", proxy.address).expect("sent");
    let arrived = [next(&server).0, next(&server).0, next(&server).0];
    assert_eq!(arrived, [b"hello", b"hello", b"again"]);
    proxy.stop();
}

#[test]
fn an_idle_flow_expires_and_the_same_client_gets_a_new_one() {
    let (server, client) = (socket(), socket());
    let mut options = options(CLEAN, address(&server));
    options.limits.idle_us = 1000;
    let folder = tempfile::tempdir().expect("a folder");
    options.out = Some(folder.path().to_owned());
    let proxy = Running::start(options);
    client.send_to(b"one", proxy.address).expect("sent");
    next(&server);
    proxy.stats_when(|stats| stats["flows"]["expired"] == 1);
    // Its outputs are complete while the proxy goes on.
    assert!(folder.path().join("flow_0/summary.json").exists());
    client.send_to(b"two", proxy.address).expect("sent");
    next(&server);
    proxy.stats_when(|stats| stats["flows"]["expired"] == 2);
    let (report, _) = proxy.stop();
    assert_eq!(
        report.summary.directions.left_to_right.stats.sdus.delivered,
        2
    );
    assert!(folder.path().join("flow_1/summary.json").exists());
}

#[test]
fn a_flood_over_a_long_delay_stays_within_its_room() {
    let (server, client) = (socket(), socket());
    let network = "bearer: ott_udp, latency_ms: 60000, jitter_ms: 0, loss_rate: 0, reorder_rate: 0";
    let mut options = options(network, address(&server));
    options.limits.held_bytes = 10_000;
    let proxy = Running::start(options);
    send_counted(&proxy, &client, 1000);
    let stats = proxy.stats();
    // 75 of 4 + 128 bytes.
    assert_eq!(stats["held_bytes"], 75 * 132);
    assert_eq!(stats["refused"]["held"], 1000 - 75);
    let (report, _) = proxy.interrupt();
    assert_eq!(report.end.exit(), ExitCode::Interrupted);
    assert_eq!(
        report.summary.directions.left_to_right.stats.sdus.in_flight,
        75
    );
}

#[test]
fn a_stopped_proxy_leaves_no_socket_behind() {
    let server = socket();
    let proxy = Running::start(options(CLEAN, address(&server)));
    let (place, control) = (proxy.address, proxy.control.clone());
    assert!(control.exists());
    let (_, _folder) = proxy.stop();
    assert!(!control.exists());
    UdpSocket::bind(place).expect("its address is free");
}

#[test]
fn it_ends_by_itself_when_its_time_is_over() {
    let server = socket();
    let mut options = options(CLEAN, address(&server));
    options.duration = Some(Duration::from_millis(1));
    let proxy = Proxy::bind(options).expect("a proxy");
    let report = proxy.run(&mut Until(Arc::default())).expect("it ends");
    assert_eq!(report.end.exit(), ExitCode::Passed);
    assert!(report.summary.elapsed_ms >= 1);
}

#[test]
fn what_cannot_work_is_refused_with_what_to_do() {
    let server = socket();
    let to = address(&server);
    let mut taken = options(CLEAN, to);
    taken.listen = to;
    let mut itself = options(CLEAN, to);
    let free = address(&socket());
    itself.listen = SocketAddr::from(([0, 0, 0, 0], free.port()));
    itself.to = free;
    let mut audio = options(CLEAN, to);
    audio.scenario.mode = drybox::scenario::Mode::Audio;
    let mut file = options(CLEAN, to);
    file.out = Some("/dev/null/out".into());
    for (options, exit, message) in [
        (taken, ExitCode::Invalid, "name another with --listen"),
        (itself, ExitCode::Invalid, "is the proxy itself"),
        (audio, ExitCode::Invalid, "use mode: byte"),
        (file, ExitCode::OurFault, "/dev/null/out"),
    ] {
        let error: ProxyError = Proxy::bind(options).expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.exit(), exit, "{error}");
    }
}

#[test]
fn outputs_that_fail_end_it_with_the_others_flushed() {
    let (server, client) = (socket(), socket());
    let folder = tempfile::tempdir().expect("a folder");
    // The second flow's folder can't be made.
    fs::write(folder.path().join("flow_1"), "").expect("a file");
    let mut options = options(CLEAN, address(&server));
    options.out = Some(folder.path().to_owned());
    let proxy = Proxy::bind(options).expect("a proxy");
    let place = proxy.listen_addr().expect("an address");
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let thread = thread::spawn(move || proxy.run(&mut Until(flag)));
    client.send_to(b"one", place).expect("sent");
    assert_eq!(next(&server).0, b"one");
    socket().send_to(b"two", place).expect("sent");
    let error = thread.join().expect("no panic").expect_err("it fails");
    assert_eq!(error.exit(), ExitCode::OurFault);
    assert!(error.to_string().contains("flow_1"), "{error}");
    assert!(folder.path().join("flow_0/summary.json").exists());
    assert!(folder.path().join("proxy.json").exists());
}
