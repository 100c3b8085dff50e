//! Sidecar processes that end, stall or do not keep to the protocol.

use std::{
    io::Read,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use drybox::{
    Side,
    adapter::{AdapterFault, Callback},
    scenario::Mode,
};
use drywire::adapters::SidecarOptions;
use serde_json::json;

use crate::bench::{Bench, fixture, options, python};

/// A child that greets properly and then answers each request with the given bytes, in Python.
fn scripted(answers: &str) -> String {
    format!(
        "cmd:{} '{}' \"{answers}\"",
        python(),
        fixture("scripted.py")
    )
}

fn process_failure(spec: &str) -> (Callback, String) {
    let mut bench = Bench::new(Mode::Byte);
    bench.options.timeout = Duration::from_secs(5);
    bench.options.grace = Duration::from_millis(100);
    let outcome = bench.run(spec, "native:traffic");
    let fault = &outcome.error.as_ref().unwrap().fault;
    assert!(matches!(fault, AdapterFault::Process(_)), "{fault:?}");
    outcome.failure()
}

#[test]
fn a_sidecar_that_breaks_the_protocol_is_named_with_what_it_did() {
    const CAPABILITIES: &str = "81 84 04 00 00 a1 68 62797465 6c696e6b f5";
    for (answers, callback, words) in [
        (
            "hello 82 11 02",
            Callback::Load,
            "speaks version 2 of the sidecar protocol, this DryBox version 1",
        ),
        ("hello f6", Callback::Load, "broke the framing"),
        (
            "raw 00000002 00",
            Callback::Load,
            "announced a frame of 33554432 bytes, over the limit of 16777216",
        ),
        ("80", Callback::Load, "no capabilities"),
        ("80 80", Callback::Load, "a malformed reply"),
        ("two 80", Callback::Load, "sent more than one reply"),
        (
            "exit",
            Callback::Load,
            "ended (exit status: 5) before its reply; its last lines on stderr:\n  bye",
        ),
        (
            "half",
            Callback::Load,
            "ended (exit status: 6) before its reply",
        ),
        (
            "kill",
            Callback::Load,
            "ended (signal: 9 (SIGKILL)) before its reply",
        ),
        (
            &format!("{CAPABILITIES}; 81 83 00 00 01"),
            Callback::Init,
            "a malformed reply",
        ),
        (
            &format!("{CAPABILITIES}; 81 83 03 00 04"),
            Callback::Init,
            "a report on poll_link_tx of left out of turn",
        ),
        (
            &format!("{CAPABILITIES}; 81 83 03 01 01"),
            Callback::Init,
            "a report on init of right out of turn",
        ),
        (
            &format!("{CAPABILITIES}; 80; 80; exit"),
            Callback::OnTimer,
            "ended (exit status: 5)",
        ),
    ] {
        let (found, message) = process_failure(&scripted(answers));
        assert_eq!(found, callback, "{message}");
        assert!(message.contains(words), "{answers}: {message}");
        assert!(
            message.contains("scripted.py"),
            "the command is named: {message}"
        );
    }
}

#[test]
fn results_of_a_program_are_held_to_the_same_contract() {
    const CAPABILITIES: &str =
        "81 84 04 00 00 a2 68 62797465 6c696e6b f5 6d 7364755f 6d61785f 62797465 73 02";
    for (poll, words) in [
        (
            "81 84 01 00 04 85 40 40 40 40 40",
            "returned 5 SDUs, over its budget of 4",
        ),
        (
            "81 84 01 00 04 81 43 010203",
            "returned an SDU of 3 bytes at index 0, over sdu_max_bytes = 2",
        ),
        ("81 85 07 00 04 66 4f 6f 70 73 21 21 f6", "Oops!!"),
    ] {
        let outcome = Bench::new(Mode::Byte).run(
            &scripted(&format!("{CAPABILITIES}; 80; 80; 80; {poll}; 80")),
            "native:traffic",
        );
        let (callback, message) = outcome.failure();
        assert_eq!(callback, Callback::PollLinkTx, "{message}");
        assert!(message.ends_with(words), "{message}");
        assert_eq!(outcome.stopped[0], Some(Ok(())));
    }
}

#[test]
fn an_adapter_that_blocks_or_dies_ends_the_run_for_both_sides() {
    for (behave, words) in [
        ("block", "did not answer within 1 s"),
        (
            "die",
            "ended (exit status: 9) before its reply; its last lines on stderr:\n  about to die",
        ),
    ] {
        let mut bench = Bench::new(Mode::Byte);
        bench.options.timeout = Duration::from_secs(1);
        bench.settings[1] = json!({"behave": behave, "where": "on_timer"});
        let adapter = fixture("misbehaving.py");
        let outcome = bench.run(&adapter, &adapter);
        let (_, message) = outcome.failure();
        assert!(
            message.contains("the Python host (") && message.contains(words),
            "{message}"
        );
        assert_eq!(outcome.stopped, [Some(Ok(())), Some(Ok(()))]);
    }
}

#[test]
fn an_interrupt_ends_a_wait() {
    let mut bench = Bench::new(Mode::Byte);
    let flag = Arc::new(AtomicBool::new(false));
    let raise = Arc::clone(&flag);
    bench.options = SidecarOptions {
        interrupt: Some(flag),
        // The adapter says that it is about to block: then the user loses patience.
        log: Arc::new(move |line| raise.store(line.ends_with("blocking"), Ordering::Relaxed)),
        ..options()
    };
    let outcome = bench.run(&fixture("blocking.py"), "native:traffic");
    assert_eq!(outcome.error.unwrap().fault, AdapterFault::Interrupted);
}

#[test]
fn what_adapters_print_goes_to_stderr_with_their_side() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut bench = Bench::new(Mode::Byte);
    let sink = Arc::clone(&lines);
    bench.options.log = Arc::new(move |line| sink.lock().unwrap().push(line.to_owned()));
    let mut settings = json!({"behave": "die", "where": "on_timer"});
    bench.settings[1] = settings.take();
    let adapter = fixture("misbehaving.py");
    bench.run("native:traffic", &adapter);
    assert_eq!(*lines.lock().unwrap(), ["[right] about to die"]);
}

#[test]
fn whatever_a_sidecar_started_dies_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("alive");
    let mut bench = Bench::new(Mode::Byte).until(0);
    bench.options.grace = Duration::from_millis(100);
    bench.settings[0] = json!({"fifo": fifo.display().to_string()});
    let opened = {
        let path = fifo.clone();
        let status = std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        // Opening waits for the grandchild to open its end; reading ends when it is dead.
        std::thread::spawn(move || {
            std::fs::File::open(path)
                .unwrap()
                .read_to_end(&mut Vec::new())
        })
    };
    let outcome = bench.run(&fixture("grandchild.py"), "native:traffic");
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.payloads(Side::Left, "spawned").len(), 1);
    assert_eq!(opened.join().unwrap().unwrap(), 0);
}
