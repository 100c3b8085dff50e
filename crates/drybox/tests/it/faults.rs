//! How runs end (`docs/spec/engine.md`, sections 1 and 6).

use std::ops::ControlFlow;

use drybox::{
    Side,
    adapter::{AdapterFault, AudioParams, Callback, EndpointError},
    engine::{End, Hooks, Progress},
    output::{MAX_LINE_BYTES, read::Columns},
};
use serde_json::json;

use super::support::{IDEAL, Puppet, Ran, run, run_with, scenario};

/// Both modes' callbacks, with the tick in which the puppet fails.
const BYTE: [(Callback, u64); 9] = [
    (Callback::Load, 0),
    (Callback::Init, 0),
    (Callback::Start, 0),
    (Callback::OnTimer, 30),
    (Callback::PollLinkTx, 30),
    (Callback::OnLinkRx, 30),
    (Callback::IsHandshakeComplete, 0),
    (Callback::SendSdu, 20),
    (Callback::Stop, 100),
];
const AUDIO: [(Callback, u64); 2] = [(Callback::PullTxBlock, 40), (Callback::PushRxBlock, 40)];

const BYTE_TEXT: &str = "duration_ms: 100\n\
    messages: {left: [{text: hi, delay_ms: 20}], right: [{text: ho, delay_ms: 20}]}\n";
const AUDIO_TEXT: &str = "mode: audio\nduration_ms: 100\n";

fn failing(puppet: Puppet, at: Callback, t_ms: u64, fault: AdapterFault) -> Puppet {
    let mut puppet = puppet.sending(|_, _| vec![b"x".to_vec()]);
    puppet.capabilities.takes_messages = true;
    puppet.act = Box::new(move |callback, context| {
        if callback == at && context.now_ms() == t_ms {
            if callback != Callback::Load {
                context.emit_event("last_words", json!({}));
            }
            return Err(fault.clone());
        }
        Ok(())
    });
    puppet
}

fn boom() -> AdapterFault {
    AdapterFault::Raised {
        message: "ValueError: boom".to_owned(),
        traceback: Some("Traceback:\n  line 7\n".to_owned()),
    }
}

fn endpoint(ran: &Ran) -> &EndpointError {
    match &ran.conclusion.end {
        End::Endpoint(error) => error,
        other => panic!("not an endpoint error: {other:?}"),
    }
}

#[test]
fn a_fault_in_any_callback_of_any_side_stops_both_and_says_where() {
    let cases = BYTE.map(|case| (case, BYTE_TEXT)).into_iter();
    let cases = cases.chain(AUDIO.map(|case| (case, AUDIO_TEXT)));
    for ((callback, t_ms), text) in cases {
        for side in Side::BOTH {
            let (pair, log) = Puppet::pair();
            let mut pair = pair.map(|puppet| {
                let mut puppet = puppet.sending(|_, _| vec![b"x".to_vec()]);
                puppet.capabilities.takes_messages = true;
                puppet
            });
            let index = side.index();
            pair[index] = failing(Puppet::new(side, &log), callback, t_ms, boom());
            let ran = run(&scenario(&format!("{IDEAL}{text}")), &mut pair);
            let place = format!("{} {callback}", side.name());

            assert_eq!(ran.exit(), 3, "{place}");
            let error = endpoint(&ran);
            assert_eq!(
                (error.side, error.callback, error.t_ms),
                (side, callback, t_ms),
                "{place}"
            );
            assert_eq!(
                error.to_string(),
                format!(
                    "{} adapter (native:puppet) failed in {callback} at t={t_ms} ms: \
                     ValueError: boom\nTraceback:\n  line 7",
                    side.name()
                )
            );
            // The traceback, whose lines hold paths, is not for the summary.
            let first_line = error.to_string().lines().next().map(str::to_owned);
            assert_eq!(ran.conclusion.summary.error, first_line, "{place}");
            assert_eq!(ran.conclusion.summary.ended_at_ms, t_ms, "{place}");
            // The right side is not opened after the left one could not be.
            let opened: &[&str] = match (callback, side) {
                (Callback::Load, Side::Left) => &["L stop"],
                _ => &["L stop", "R stop"],
            };
            let calls = log.borrow();
            let stops: Vec<_> = calls
                .iter()
                .filter_map(|line| Some(&line[line.find(' ')? + 1..]))
                .filter(|call| call.ends_with("stop"))
                .collect();
            assert_eq!(stops, opened, "{place}");
            // Nothing is called after the fault but stop.
            let what = format!("{t_ms} {} ", side.letter());
            assert!(calls.iter().any(|line| line.starts_with(&what)), "{place}");
            let after = calls.iter().position(|line| line.ends_with("stop"));
            assert_eq!(after, Some(calls.len() - opened.len()), "{place}");
            // Outputs are readable, with what the failing callback still emitted.
            assert!(Columns::parse(&ran.recorded.metrics).is_ok());
            if callback != Callback::Load {
                assert_eq!(ran.events().matches("last_words").count(), 1, "{place}");
            }
            assert!(ran.recorded.summary.contains("\"exit_code\": 3"), "{place}");
        }
    }
}

#[test]
fn a_fault_in_stop_counts_only_when_nothing_failed_earlier() {
    let (_, log) = Puppet::pair();
    let left = failing(Puppet::new(Side::Left, &log), Callback::Stop, 100, boom());
    let right = failing(Puppet::new(Side::Right, &log), Callback::Stop, 100, boom());
    let ran = run(&scenario("duration_ms: 100\n"), &mut [left, right]);
    assert_eq!(
        (endpoint(&ran).side, endpoint(&ran).callback),
        (Side::Left, Callback::Stop)
    );

    let left = failing(Puppet::new(Side::Left, &log), Callback::Stop, 50, boom());
    let early = AdapterFault::raised("early");
    let right = failing(Puppet::new(Side::Right, &log), Callback::OnTimer, 50, early);
    let ran = run(&scenario("duration_ms: 100\n"), &mut [left, right]);
    assert_eq!(
        (endpoint(&ran).side, endpoint(&ran).callback),
        (Side::Right, Callback::OnTimer)
    );
}

#[test]
fn an_interrupt_in_a_callback_is_no_fault_of_the_adapter() {
    for (callback, t_ms) in [(Callback::OnTimer, 30), (Callback::Init, 0)] {
        let (_, log) = Puppet::pair();
        let fault = AdapterFault::Interrupted;
        let left = Puppet::new(Side::Left, &log);
        let right = failing(Puppet::new(Side::Right, &log), callback, t_ms, fault);
        let ran = run(&scenario("duration_ms: 100\n"), &mut [left, right]);
        assert!(matches!(ran.conclusion.end, End::Interrupted));
        assert_eq!(ran.exit(), 130);
        assert!(ran.conclusion.summary.interrupted);
        assert_eq!(ran.conclusion.summary.error, None);
        assert_eq!(
            log.borrow()
                .iter()
                .filter(|line| line.ends_with("stop"))
                .count(),
            2
        );
    }
}

/// Breaks at the n-th time it is asked.
struct Breaks {
    after: usize,
    asked: Vec<Progress>,
}

impl Hooks for Breaks {
    fn tick(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.asked.push(*progress);
        if self.asked.len() == self.after {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[test]
fn hooks_are_asked_every_256_ticks_and_can_interrupt_there() {
    let scenario = scenario("duration_ms: 10000\nacceptance: {max_loss_rate: 0}\n");
    let (mut pair, _log) = Puppet::pair();
    let mut never = Breaks {
        after: usize::MAX,
        asked: Vec::new(),
    };
    let ran = run_with(&scenario, &mut pair, &mut never);
    let times: Vec<_> = never.asked.iter().map(|progress| progress.t_ms).collect();
    assert_eq!(times, [2550, 5110, 7670, 10_000]);
    assert!(ran.conclusion.verdict.is_some());

    let (pair, log) = Puppet::pair();
    let mut pair = pair.map(|puppet| puppet.sending(|_, _| vec![b"x".to_vec()]));
    let mut second = Breaks {
        after: 2,
        asked: Vec::new(),
    };
    let ran = run_with(&scenario, &mut pair, &mut second);
    assert_eq!(
        (ran.exit(), ran.conclusion.summary.ended_at_ms),
        (130, 5110)
    );
    // An interrupted run is not judged.
    assert!(ran.conclusion.verdict.is_none());
    assert_eq!(
        log.borrow()
            .iter()
            .filter(|line| line.ends_with("stop"))
            .count(),
        2
    );
    assert_eq!(ran.columns().t_ms.last(), Some(&5110));
    assert!(second.asked[1].goodput_bps.is_some_and(|bps| bps > 0.0));
}

#[test]
fn more_sdus_than_the_budget_and_larger_ones_than_agreed_are_refused() {
    type Poll = fn(usize) -> Vec<Vec<u8>>;
    let cases: [(Poll, &str); 2] = [
        (
            |budget| vec![vec![]; budget + 1],
            "poll_link_tx() returned 65 SDUs, over its budget of 64",
        ),
        (
            |_| vec![vec![0; 1024], vec![0; 1025]],
            "poll_link_tx() returned an SDU of 1025 bytes at index 1, over sdu_max_bytes = 1024",
        ),
    ];
    for (source, message) in cases {
        for side in Side::BOTH {
            let (mut pair, _log) = Puppet::pair();
            pair[side.index()].source = Box::new(move |t_ms, budget| match t_ms {
                20 => source(budget),
                _ => vec![vec![0; 1024]; budget],
            });
            let ran = run(&scenario("duration_ms: 100\n"), &mut pair);
            let error = endpoint(&ran);
            assert_eq!(ran.exit(), 3);
            assert_eq!(
                (error.side, error.callback, error.t_ms),
                (side, Callback::PollLinkTx, 20)
            );
            assert_eq!(error.fault.to_string(), message);
        }
    }
}

#[test]
fn an_event_that_is_too_large_is_the_adapters_fault() {
    let fits = MAX_LINE_BYTES - r#"{"t_ms":20,"side":"L","type":"big","payload":""}"#.len() - 1;
    for (length, exit) in [(fits, 0), (fits + 1, 3)] {
        let (mut pair, _log) = Puppet::pair();
        pair[0] = Puppet::new(Side::Left, &Default::default()).emitting(vec![(
            20,
            "big",
            json!("x".repeat(length)),
        )]);
        let ran = run(&scenario("duration_ms: 100\n"), &mut pair);
        assert_eq!(ran.exit(), exit);
        assert_eq!(ran.recorded.events.is_empty(), exit == 3);
        if exit == 3 {
            let error = endpoint(&ran);
            assert_eq!(
                (error.side, error.callback, error.t_ms),
                (Side::Left, Callback::EmitEvent, 20)
            );
            assert!(error.to_string().contains("\"big\""), "{error}");
        }
    }
}

#[test]
fn a_mode_that_either_side_lacks_ends_the_run_before_it_begins() {
    for (mode, message) in [
        ("byte", "\"bytelink\": True"),
        ("audio", "\"audioblock\": True"),
    ] {
        for side in Side::BOTH {
            let (mut pair, log) = Puppet::pair();
            let capabilities = &mut pair[side.index()].capabilities;
            capabilities.bytelink &= mode != "byte";
            capabilities.audioblock &= mode != "audio";
            let ran = run(
                &scenario(&format!("mode: {mode}\nduration_ms: 100\n")),
                &mut pair,
            );
            let error = endpoint(&ran);
            assert_eq!(
                (ran.exit(), error.side, error.callback),
                (3, side, Callback::Load)
            );
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(
                *log.borrow(),
                ["0 L open", "0 R open", "0 L stop", "0 R stop"]
            );
        }
    }
    let (mut pair, _log) = Puppet::pair();
    pair[1].capabilities.sdu_max_bytes = 0;
    let ran = run(&scenario("duration_ms: 100\n"), &mut pair);
    assert_eq!((ran.exit(), endpoint(&ran).side), (3, Side::Right));
}

#[test]
fn odd_announcements_are_warnings_each_said_once() {
    let (pair, _log) = Puppet::pair();
    let mut pair = pair.map(|mut puppet| {
        puppet.capabilities.remarks = vec!["odd name".to_owned(), "odd name".to_owned()];
        puppet.blocks = Box::new(|_| None);
        puppet
    });
    pair[0].capabilities.abi_version = Some("dbx-v1".to_owned());
    pair[1].capabilities.abi_version = None;
    pair[1].capabilities.audioparams = Some(AudioParams {
        sr: 16_000,
        block: 320,
    });
    let ran = run(&scenario("mode: audio\nduration_ms: 500\n"), &mut pair);
    assert_eq!(ran.exit(), 0);
    let expected = [
        "left adapter (native:puppet) announces abi_version \"dbx-v1\", this is \"1.0\"",
        "left adapter (native:puppet): odd name",
        "right adapter (native:puppet) announces no abi_version, this is \"1.0\"",
        "right adapter (native:puppet) announces 16000 Hz and blocks of 320: it gets 8000 Hz and 160",
        "right adapter (native:puppet): odd name",
        "left adapter (native:puppet) returned None from pull_tx_block: taken as silence; return a block of zeros",
        "right adapter (native:puppet) returned None from pull_tx_block: taken as silence; return a block of zeros",
    ];
    assert_eq!(ran.conclusion.summary.warnings, expected);
}
