//! STT's commands between two hosts: network namespaces joined by a link that is narrow, is cut, and whose
//! addresses change (`docs/spec/stt-node.md` 2, `stt-session.md` 7).
//!
//! Making namespaces needs privileges. Where they are missing the tests say so and pass; CI has them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod hosts;

use std::{fs, thread, time::Duration};

use hosts::{Hosts, noise};

/// What is sent: some seconds at the link's rate.
const BYTES: usize = 4 << 20;
const RATE: &str = "16mbit";

/// Sends a file from one host to the other and does something to the link once a part has arrived.
fn transfer_while(name: &str, ws: bool, fault: impl FnOnce(&Hosts)) {
    let Some(hosts) = Hosts::new(name) else {
        return;
    };
    hosts.limit(RATE);
    let bytes = noise(BYTES);
    fs::write(hosts.path("big"), &bytes).unwrap();
    let over: &[&str] = if ws { &["--ws"] } else { &[] };
    let receiver = hosts.listening(&[&["recv", "in", "--listen", "10.77.0.1:0"], over].concat());
    let args = [
        "send",
        "big",
        "--to",
        &receiver.address,
        "--seed-file",
        "seed",
    ];
    let sender = hosts.start_on_b(&[&args[..], over].concat());
    let part = hosts.path("in/big.part");
    while fs::metadata(&part).map_or(0, |part| part.len()) < 1 << 20 {
        thread::yield_now();
    }
    fault(&hosts);
    let sent = sender.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success(), "{said}");
    assert!(fs::read(hosts.path("in/big")).unwrap() == bytes);
    assert_eq!(receiver.end(), (Some(0), String::new()));
}

#[test]
fn a_file_crosses_a_narrow_link() {
    transfer_while("n", false, |_| {});
}

#[test]
fn a_file_crosses_a_narrow_link_over_websocket() {
    transfer_while("w", true, |_| {});
}

#[test]
fn a_transfer_outlives_a_cut() {
    transfer_while("c", false, |hosts| {
        hosts.on_b(&["ip", "link", "set", "veth", "down"]);
        #[expect(
            clippy::disallowed_methods,
            reason = "how long the cut is, not a wait for anything"
        )]
        thread::sleep(Duration::from_millis(700));
        hosts.on_b(&["ip", "link", "set", "veth", "up"]);
    });
}

#[test]
fn a_transfer_outlives_a_change_of_address() {
    transfer_while("a", false, |hosts| {
        hosts.on_b(&["ip", "address", "add", "10.77.0.3/24", "dev", "veth"]);
        hosts.on_b(&["ip", "address", "del", "10.77.0.2/24", "dev", "veth"]);
    });
}
