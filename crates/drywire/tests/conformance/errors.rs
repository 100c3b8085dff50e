//! Every row of the document's error table, and every way to fail in a callback.

use drybox::{
    Side,
    adapter::{AdapterFault, Callback},
    scenario::Mode,
};
use serde_json::json;

use crate::bench::{Bench, Outcome, fixture};

fn misbehave(mode: Mode, settings: serde_json::Value) -> Outcome {
    let mut bench = Bench::new(mode);
    bench.settings[Side::Right.index()] = settings;
    let adapter = fixture("misbehaving.py");
    bench.run(&adapter, &adapter)
}

#[test]
fn an_exception_names_side_callback_tick_file_and_line() {
    for (mode, callback, where_) in [
        (Mode::Byte, Callback::Load, "load"),
        (Mode::Byte, Callback::Init, "init"),
        (Mode::Byte, Callback::Start, "start"),
        (Mode::Byte, Callback::OnTimer, "on_timer"),
        (Mode::Byte, Callback::PollLinkTx, "poll_link_tx"),
        (Mode::Byte, Callback::OnLinkRx, "on_link_rx"),
        (Mode::Audio, Callback::PullTxBlock, "pull_tx_block"),
        (Mode::Audio, Callback::PushRxBlock, "push_rx_block"),
    ] {
        let outcome = misbehave(mode, json!({"behave": "raise", "where": where_}));
        let (found, message) = outcome.failure();
        assert_eq!(found, callback, "{message}");
        let t = if where_.contains('_') { 20 } else { 0 };
        let head = format!("failed in {callback} at t={t} ms: ValueError: raised in {where_}\n");
        assert!(
            message.starts_with("right adapter") && message.contains(&head),
            "{message}"
        );
        assert!(message.contains("misbehaving.py\", line "), "{message}");
        assert!(message.contains("in act\n"), "{message}");
        assert!(
            !message.contains("drybox host"),
            "no frames of ours: {message}"
        );
        // The events before the fault are kept, and both sides are stopped whatever happened.
        if t == 20 {
            let right = outcome.payloads(Side::Right, "before");
            assert_eq!(right, [&json!({"where": where_})]);
            assert_eq!(outcome.payloads(Side::Right, "stopped").len(), 1);
        }
        if callback != Callback::Load && callback != Callback::Init {
            assert_eq!(outcome.payloads(Side::Left, "stopped").len(), 1);
        }
        assert_eq!(outcome.stopped, [Some(Ok(())), Some(Ok(()))]);
    }
}

#[test]
fn a_fault_of_the_left_side_comes_before_anything_of_the_right_one() {
    let mut bench = Bench::new(Mode::Byte);
    bench.settings[0] = json!({"behave": "raise", "where": "on_timer"});
    bench.settings[1] = json!({"behave": "raise", "where": "on_timer"});
    let adapter = fixture("misbehaving.py");
    let outcome = bench.run(&adapter, &adapter);
    assert_eq!(outcome.error.as_ref().map(|e| e.side), Some(Side::Left));
    assert_eq!(outcome.payloads(Side::Right, "before").len(), 0);
}

#[test]
fn system_exit_is_a_fault_and_keyboard_interrupt_is_not() {
    for (mode, where_) in [
        (Mode::Byte, "load"),
        (Mode::Byte, "on_timer"),
        (Mode::Byte, "poll_link_tx"),
        (Mode::Byte, "on_link_rx"),
        (Mode::Audio, "pull_tx_block"),
    ] {
        let outcome = misbehave(mode, json!({"behave": "exit", "where": where_}));
        let (_, message) = outcome.failure();
        assert!(message.contains("SystemExit: 7\n"), "{message}");
        let outcome = misbehave(mode, json!({"behave": "interrupt", "where": where_}));
        assert_eq!(outcome.error.unwrap().fault, AdapterFault::Interrupted);
    }
}

#[test]
fn what_stop_raises_is_told() {
    let outcome = misbehave(Mode::Byte, json!({"behave": "raise", "where": "stop"}));
    // The last tick is at 100 ms, where this adapter behaves; at 20 ms it does not.
    assert_eq!(outcome.stopped[1], Some(Ok(())));
    let mut bench = Bench::new(Mode::Byte).until(20);
    bench.settings[1] = json!({"behave": "raise", "where": "stop"});
    let adapter = fixture("misbehaving.py");
    let outcome = bench.run(&adapter, &adapter);
    let Some(Err(AdapterFault::Raised { message, traceback })) = &outcome.stopped[1] else {
        panic!("{:?}", outcome.stopped)
    };
    assert_eq!(message, "ValueError: raised in stop");
    assert!(traceback.as_ref().unwrap().contains("misbehaving.py"));
}

#[test]
fn results_of_a_poll_are_taken_or_refused() {
    for behave in ["none", "tuple", "pairs", "buffers", "longest"] {
        let outcome = misbehave(Mode::Byte, json!({"behave": behave}));
        assert_eq!(outcome.error, None, "{behave}");
        let received = outcome.payloads(Side::Left, "rx");
        match behave {
            "none" => assert_eq!(received.len(), 0),
            "longest" => assert_eq!(received[0]["sdu"].as_str().unwrap().len(), 600),
            _ => assert_eq!(
                received[..2],
                [
                    &json!({"sdu": "61", "type": "bytes"}),
                    &json!({"sdu": "62", "type": "bytes"})
                ],
                "{behave}"
            ),
        }
    }
    for (behave, words) in [
        ("str", "poll_link_tx() must return a list of bytes, got str"),
        (
            "bytes",
            "poll_link_tx() must return a list of bytes, got bytes",
        ),
        (
            "zero",
            "poll_link_tx() must return a list of bytes, got int",
        ),
        (
            "generator",
            "poll_link_tx() must return a list of bytes, got generator",
        ),
        (
            "deque",
            "poll_link_tx() must return a list of bytes, got deque",
        ),
        (
            "str_item",
            "poll_link_tx() must return a list of bytes, got str at index 1",
        ),
        (
            "none_item",
            "poll_link_tx() must return a list of bytes, got NoneType at index 0",
        ),
        (
            "over_budget",
            "poll_link_tx() returned 5 SDUs, over its budget of 4",
        ),
        (
            "too_long",
            "poll_link_tx() returned an SDU of 301 bytes at index 1, over sdu_max_bytes = 300",
        ),
    ] {
        let outcome = misbehave(Mode::Byte, json!({"behave": behave}));
        let (callback, message) = outcome.failure();
        assert_eq!(callback, Callback::PollLinkTx);
        assert!(message.ends_with(words), "{message}");
    }
}

#[test]
fn results_of_a_pull_are_taken_or_refused() {
    let outcome = misbehave(Mode::Audio, json!({"block": "none"}));
    assert_eq!((&outcome.error, outcome.nothings), (&None, 6));
    for (block, words) in [
        (
            "list",
            "pull_tx_block() must return a numpy array of 160 int16, got list",
        ),
        (
            "float",
            "pull_tx_block() must return int16 samples, got dtype float64",
        ),
        (
            "big_endian",
            "pull_tx_block() must return int16 samples, got dtype >i2",
        ),
        (
            "short",
            "pull_tx_block() must return shape (160,), got (80,)",
        ),
        (
            "column",
            "pull_tx_block() must return shape (160,), got (160, 1)",
        ),
        (
            "strided",
            "pull_tx_block() must return a C-contiguous array; copy it first",
        ),
    ] {
        let outcome = misbehave(Mode::Audio, json!({"block": block}));
        let (callback, message) = outcome.failure();
        assert_eq!(callback, Callback::PullTxBlock);
        assert!(message.ends_with(words), "{message}");
    }
}
