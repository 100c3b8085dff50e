//! The same transfers with `drybox proxy` between the two: loss, delay, reordering, corruption, and a link that is cut
//! and healed.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    thread,
};

use super::support::{Folder, noise, read};

/// A running proxy; it ends with the test at the latest.
struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    /// Puts a network (a YAML value) before an address.
    fn new(folder: &Folder, network: &str, to: &str) -> Self {
        let scenario = format!("mode: byte\nduration_ms: 1000\nseed: 11\nnetwork: {network}\n");
        folder.write("link.yaml", scenario.as_bytes());
        let args = [
            "box",
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--to",
            to,
            "--scenario",
            "link.yaml",
            "--control",
            "control",
        ];
        let mut child = folder
            .command(&args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on ")
            .and_then(|rest| rest.split(',').next())
            .unwrap_or_else(|| panic!("no address: {line}"))
            .to_owned();
        thread::spawn(move || {
            // A process that can't write waits; what it says is of no interest.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        });
        Self { child, address }
    }

    /// Sends it a request and gives the answer.
    fn control(&self, folder: &Folder, request: &[&str]) -> serde_json::Value {
        let args = [&["box", "proxy-control", "control"], request].concat();
        let said = folder.run(&args);
        assert_eq!(said.code, Some(0), "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a file through a link to a receiver, does something once a part has arrived, and compares.
fn transfer(network: &str, bytes: usize, meanwhile: impl FnOnce(&Folder, &Proxy)) {
    let folder = Folder::new();
    let bytes = noise(bytes);
    folder.write("big", &bytes);
    let receiver = folder.listening(&["recv", "in", "--listen", "127.0.0.1:0"]);
    let proxy = Proxy::new(&folder, network, &receiver.address);
    let args = ["send", "big", "--to", &proxy.address, "--seed-file", "seed"];
    let sender = folder
        .command(&args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let part = folder.path("in/big.part");
    while fs::metadata(&part).map_or(0, |part| part.len()) == 0 && !folder.path("in/big").exists() {
        thread::yield_now();
    }
    meanwhile(&folder, &proxy);
    let sent = sender.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success(), "{said}");
    assert!(read(folder.path("in/big")) == bytes);
    // The sender's good-bye may be lost on such a link; the receiver, which has all of it, need not wait for its time-out.
    drop(receiver);
}

#[test]
fn a_file_crosses_a_link_that_loses_delays_and_reorders() {
    transfer(
        "{bearer: ott_udp, loss_rate: 0.03, latency_ms: 15, jitter_ms: 10, impairments: {duplicate_rate: 0.02, corrupt_rate: 0.01}}",
        600_000,
        |_, _| {},
    );
}

#[test]
fn a_transfer_outlives_a_cut_of_the_proxy() {
    transfer(
        "{bearer: ott_udp, latency_ms: 30}",
        3_000_000,
        |folder, proxy| {
            proxy.control(folder, &["cut"]);
            // What the cut costs is what is sent into it: at least one datagram.
            loop {
                let answer = proxy.control(folder, &["stats"]);
                if dropped_by_partition(&answer) > 0 {
                    break;
                }
            }
            proxy.control(folder, &["heal"]);
        },
    );
}

/// How many datagrams met a cut link, wherever the answer tells it.
fn dropped_by_partition(answer: &serde_json::Value) -> u64 {
    match answer {
        serde_json::Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| match value.as_u64() {
                Some(count) if key == "partition" => count,
                _ => dropped_by_partition(value),
            })
            .sum(),
        serde_json::Value::Array(values) => values.iter().map(dropped_by_partition).sum(),
        _ => 0,
    }
}

#[test]
fn a_link_that_turns_bad_while_it_is_used_is_survived() {
    transfer(
        "{bearer: ott_udp, latency_ms: 10}",
        2_000_000,
        |folder, proxy| {
            let answer = proxy.control(
                folder,
                &["set", "network.loss_rate=0.05", "network.jitter_ms=8"],
            );
            assert_eq!(answer["network"]["loss_rate"], 0.05, "{answer}");
        },
    );
}
