//! The commands as their users see them.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{address, next, read_so_far, socket};
use crate::support::{Bench, Said};

const SCENARIO: &str = "seed: 7\nnetwork: {bearer: ott_udp, latency_ms: 1, jitter_ms: 0, loss_rate: 0, reorder_rate: 0}\n";

/// A proxy as a process.
struct Process {
    child: Child,
    err: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Process {
    fn start(bench: &Bench, to: SocketAddr, more: &[&str]) -> Self {
        Self::start_with(bench.command(&[]), to, more)
    }

    /// `command` is `drywire box`.
    fn start_with(mut command: Command, to: SocketAddr, more: &[&str]) -> Self {
        let to = to.to_string();
        let first = [
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--to",
            &to,
            "--scenario",
            "s.yaml",
        ];
        let mut child = command
            .args([&first, more].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut err = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        err.read_line(&mut line).expect("a line");
        let address = line
            .strip_prefix("listening on ")
            .and_then(|rest| rest.split(',').next())
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("it says {line:?}"));
        Self {
            child,
            err,
            address,
        }
    }

    fn end(self) -> Said {
        let Self { child, mut err, .. } = self;
        let mut said = Said::from(child.wait_with_output().expect("it ends"));
        let mut line = String::new();
        while err.read_line(&mut line).expect("text") > 0 {}
        said.err = line;
        said
    }
}

#[test]
fn a_proxy_is_started_changed_and_stopped_by_commands() {
    let bench = Bench::new(SCENARIO);
    let (server, client) = (socket(), socket());
    let more = ["--control", "ctl", "--out", "out", "--json"];
    let proxy = Process::start(&bench, address(&server), &more);
    client.send_to(b"hello", proxy.address).expect("sent");
    assert_eq!(next(&server).0, b"hello");

    let said = bench.drywire(&[
        "proxy-control",
        "ctl",
        "set",
        "network.loss_rate=1",
        "network.bearer=cs_gsm",
    ]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(answer["network"]["bearer"], "cs_gsm");
    let said = bench.drywire(&["proxy-control", "ctl", "set", "network.loss_rate=7"]);
    assert_eq!(said.code, Some(4), "{}", said.out);
    assert!(
        said.err.starts_with("error: settings: network.loss_rate: "),
        "{}",
        said.err
    );
    for (arguments, key) in [
        (&["get"][..], "network"),
        (&["cut", "--direction", "to-server"], "cut"),
        (&["heal"], "cut"),
        (&["stats"], "stats"),
        (&["stop"], "ok"),
    ] {
        let said = bench.drywire(&[&["proxy-control", "ctl"], arguments].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        let answer: Value = serde_json::from_str(&said.out).expect("JSON");
        assert!(!answer[key].is_null(), "{answer}");
    }
    let said = proxy.end();
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let summary: Value = serde_json::from_str(&said.out).expect("the summary and nothing else");
    assert_eq!(summary["directions"]["L>R"]["sdus"]["delivered"], 1);
    assert_eq!(bench.json("out/proxy.json"), summary);
    assert_eq!(bench.json("out/flow_0/summary.json")["exit_code"], 0);
    assert!(!bench.path("ctl").exists());

    let said = bench.drywire(&["proxy-control", "ctl", "stats"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.starts_with("error: no proxy answers at ctl: "),
        "{}",
        said.err
    );
}

#[test]
fn an_interrupt_exits_130_with_outputs_and_a_summary() {
    for signal in [Signal::INT, Signal::TERM] {
        let bench = Bench::new(SCENARIO);
        let (server, client) = (socket(), socket());
        let proxy = Process::start(&bench, address(&server), &["--out", "out"]);
        client.send_to(b"hello", proxy.address).expect("sent");
        assert_eq!(next(&server).0, b"hello");
        kill_process(Pid::from_child(&proxy.child), signal).expect("it runs");
        let said = proxy.end();
        assert_eq!((said.code, said.err.as_str()), (Some(130), ""));
        assert!(
            said.out.starts_with("L>R  sent 1  delivered 1  dropped 0"),
            "{}",
            said.out
        );
        assert!(
            said.out.ends_with("interrupted\noutputs in out\n"),
            "{}",
            said.out
        );
        assert_eq!(bench.json("out/flow_0/summary.json")["interrupted"], true);
    }
}

/// With 64 descriptors there are flows enough to come to the end of them.
#[test]
fn flows_without_descriptors_are_refused_and_what_was_recorded_is_kept() {
    let bench = Bench::new(SCENARIO);
    let server = socket();
    let more = ["--control", "ctl", "--out", "out", "--json"];
    let proxy = Process::start_with(bench.command_with_descriptors(64), address(&server), &more);
    let clients: Vec<_> = (0..40).map(|_| socket()).collect();
    for (n, client) in clients.iter().enumerate() {
        client.send_to(&[n as u8], proxy.address).expect("sent");
    }
    // Those that wait in the control socket's backlog are answered without descriptors of flows.
    let stats = loop {
        let said = bench.drywire(&["proxy-control", "ctl", "stats"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let stats: Value = serde_json::from_str(&said.out).expect("JSON");
        if read_so_far(&stats["stats"]) == 40 {
            break stats;
        }
    };
    let opened = stats["stats"]["flows"]["opened"].as_u64().expect("a count");
    assert!((1..40).contains(&opened), "{stats}");
    assert_eq!(stats["stats"]["refused"]["descriptors"], 40 - opened);
    // A flow that is open goes on.
    clients[0].send_to(b"more", proxy.address).expect("sent");
    while next(&server).0 != b"more" {}

    assert_eq!(
        bench.drywire(&["proxy-control", "ctl", "stop"]).code,
        Some(0)
    );
    let said = proxy.end();
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err
            .starts_with("warning: no file descriptors are left")
            && said.err.lines().count() == 1,
        "{}",
        said.err
    );
    let summary: Value = serde_json::from_str(&said.out).expect("the summary");
    assert_eq!(bench.json("out/proxy.json"), summary);
    for flow in 0..opened {
        let own = bench.json(&format!("out/flow_{flow}/summary.json"));
        let sent = if flow == 0 { 2 } else { 1 };
        assert_eq!(own["directions"]["L>R"]["sdus"]["sent"], sent);
        assert!(
            bench
                .path(&format!("out/flow_{flow}/capture.dbxcap"))
                .exists()
        );
    }
    assert!(!bench.path(&format!("out/flow_{opened}")).exists());
}

#[test]
fn a_second_proxy_replaces_the_outputs_of_the_first() {
    let bench = Bench::new(SCENARIO);
    let server = socket();
    for clients in [3, 1] {
        let more = ["--control", "ctl", "--out", "out"];
        let proxy = Process::start(&bench, address(&server), &more);
        for _ in 0..clients {
            socket().send_to(b"hello", proxy.address).expect("sent");
            next(&server);
        }
        assert_eq!(
            bench.drywire(&["proxy-control", "ctl", "stop"]).code,
            Some(0)
        );
        assert_eq!(proxy.end().code, Some(0));
    }
    assert!(bench.path("out/flow_0/capture.dbxcap").exists());
    assert!(!bench.path("out/flow_1").exists() && !bench.path("out/flow_2").exists());
}

#[test]
fn what_is_wrong_is_said_with_exit_code_4() {
    for (scenario, arguments, message) in [
        (
            SCENARIO,
            &["--listen", "nowhere", "--to", "127.0.0.1:9"][..],
            "such as 127.0.0.1:4000",
        ),
        (
            SCENARIO,
            &["--listen", "127.0.0.1:0", "--to", "127.0.0.1"],
            "cannot use --to",
        ),
        (SCENARIO, &["--listen", "127.0.0.1:0"], "--to"),
        (
            "mode: audio\n",
            &["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
            "use mode: byte",
        ),
        (
            "network: {loss_rate: [0, 0.1]}\n",
            &["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
            "give one value",
        ),
        (
            "network: {lose: 1}\n",
            &["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
            "lose",
        ),
    ] {
        let bench = Bench::new(scenario);
        let said = bench.drywire(&[&["proxy", "--scenario", "s.yaml"], arguments].concat());
        assert_eq!(said.code, Some(4), "{}", said.out);
        assert!(said.err.contains(message), "{}", said.err);
    }
}
