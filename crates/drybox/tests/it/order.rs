//! The exact order of calls (`docs/spec/engine.md`, sections 1 and 2).

use drybox::{
    Side,
    adapter::{Capabilities, Context},
    radio::SILENCE,
};

use super::support::{IDEAL, Puppet, run, scenario};

const TICKS: [u64; 7] = [1, 7, 10, 20, 30, 333, 1000];
/// Not a multiple of any tick above but 1.
const DURATION_MS: u64 = 1003;

fn beginning(expected: &mut Vec<String>) {
    for what in ["open", "init", "start"] {
        expected.extend(["L", "R"].map(|side| format!("0 {side} {what}")));
    }
}

#[test]
fn byte_mode_calls_in_the_order_of_the_specification() {
    for tick in TICKS {
        let (pair, log) = Puppet::pair();
        let mut pair = pair.map(|puppet| {
            puppet.sending(|t_ms, _| vec![format!("a{t_ms}").into(), format!("b{t_ms}").into()])
        });
        let text = format!("{IDEAL}duration_ms: {DURATION_MS}\ntick_ms: {tick}\n");
        let ran = run(&scenario(&text), &mut pair);

        let mut expected = Vec::new();
        beginning(&mut expected);
        let mut t = 0;
        while t <= DURATION_MS {
            for what in ["timer", "poll 64"] {
                expected.extend(["L", "R"].map(|side| format!("{t} {side} {what}")));
            }
            // What left sent is delivered first.
            expected.extend(["R", "L"].map(|side| format!("{t} {side} rx a{t} b{t}")));
            t += tick;
        }
        let last = t - tick;
        expected.extend(["L", "R"].map(|side| format!("{last} {side} stop")));
        assert_eq!(*log.borrow(), expected, "tick {tick}");
        assert_eq!(ran.conclusion.summary.ended_at_ms, last, "tick {tick}");
    }
}

#[test]
fn delivery_is_at_the_first_tick_at_or_after_the_due_time() {
    for (tick, latency, arrives) in [(10, 30, 30), (10, 31, 40), (7, 30, 35), (1000, 1, 1000)] {
        let (pair, _log) = Puppet::pair();
        let mut pair = pair.map(|puppet| {
            puppet.sending(|t_ms, _| {
                if t_ms == 0 {
                    vec![b"x".to_vec()]
                } else {
                    vec![]
                }
            })
        });
        let network = IDEAL.replace("latency_ms: 0", &format!("latency_ms: {latency}"));
        let text = format!("{network}duration_ms: 2000\ntick_ms: {tick}\n");
        run(&scenario(&text), &mut pair);
        for puppet in &pair {
            assert_eq!(
                puppet.received,
                [(arrives, b"x".to_vec())],
                "tick {tick}, latency {latency}"
            );
        }
    }
}

/// A puppet whose blocks carry their number.
fn counting(puppet: Puppet) -> Puppet {
    let mut puppet = puppet;
    puppet.blocks = Box::new(|k| {
        let mut block = SILENCE;
        block[0] = i16::try_from(k + 1).expect("few blocks");
        Some(block)
    });
    puppet
}

#[test]
fn audio_blocks_are_due_every_20_ms_whatever_the_tick() {
    for tick in TICKS {
        let (pair, log) = Puppet::pair();
        let mut pair = pair.map(counting);
        let text = format!("mode: audio\n{IDEAL}duration_ms: {DURATION_MS}\ntick_ms: {tick}\n");
        run(&scenario(&text), &mut pair);

        let mut expected = Vec::new();
        beginning(&mut expected);
        let (mut t, mut k) = (0, 0);
        while t <= DURATION_MS {
            expected.extend(["L", "R"].map(|side| format!("{t} {side} timer")));
            while 20 * k <= t {
                expected.extend(["L", "R"].map(|side| format!("{t} {side} pull {k}")));
                // Without delay and vocoder a block reaches the peer in its own slot, unchanged.
                expected.extend(["R", "L"].map(|side| format!("{t} {side} push {}", k + 1)));
                k += 1;
            }
            t += tick;
        }
        let last = t - tick;
        expected.extend(["L", "R"].map(|side| format!("{last} {side} stop")));
        assert_eq!(*log.borrow(), expected, "tick {tick}");
    }
}

#[test]
fn the_tick_cadence_does_one_block_in_each_tick_and_says_so() {
    for tick in [1, 10, 20, 30, 1000] {
        let (pair, log) = Puppet::pair();
        let mut pair = pair.map(counting);
        let text = format!(
            "mode: audio\n{IDEAL}audio_cadence: tick\nduration_ms: 3000\ntick_ms: {tick}\n"
        );
        let ran = run(&scenario(&text), &mut pair);

        let mut expected = Vec::new();
        for k in 0..=3000 / tick {
            let t = k * tick;
            expected.extend(["L", "R"].map(|side| format!("{t} {side} pull {k}")));
            expected.extend(["R", "L"].map(|side| format!("{t} {side} push {}", k + 1)));
        }
        let calls = log.borrow();
        let audio: Vec<_> = calls.iter().filter(|line| line.contains(" pu")).collect();
        assert_eq!(audio, expected.iter().collect::<Vec<_>>(), "tick {tick}");
        let warnings = ran.conclusion.summary.warnings.join("\n");
        assert!(warnings.contains("audio_cadence: tick"), "{warnings}");
    }
}

#[test]
fn with_the_tick_cadence_a_delay_is_still_a_delay() {
    let (pair, _log) = Puppet::pair();
    let mut pair = pair.map(counting);
    let network = IDEAL.replace("latency_ms: 0", "latency_ms: 50");
    let text = format!("mode: audio\n{network}audio_cadence: tick\nduration_ms: 500\n");
    run(&scenario(&text), &mut pair);
    let first = pair[1].heard.iter().find(|(_, block)| block[0] != 0);
    assert_eq!(first.map(|(t_ms, block)| (*t_ms, block[0])), Some((50, 1)));
}

#[test]
fn a_side_without_a_timer_is_not_asked() {
    let (mut pair, log) = Puppet::pair();
    pair[0].capabilities.timer = false;
    run(&scenario("duration_ms: 30\n"), &mut pair);
    let calls = log.borrow();
    let timers = |side: &str| {
        let what = format!("{side} timer");
        calls.iter().filter(|line| line.contains(&what)).count()
    };
    assert_eq!((timers("L"), timers("R")), (0, 4));
}

#[test]
fn the_budget_is_the_scenarios() {
    let (pair, log) = Puppet::pair();
    let mut pair = pair.map(|puppet| puppet.sending(|_, budget| vec![b"x".to_vec(); budget]));
    let ran = run(&scenario("duration_ms: 9\nbudget: 3\n"), &mut pair);
    assert_eq!(ran.exit(), 0);
    assert!(log.borrow().contains(&"0 L poll 3".to_owned()));
    assert_eq!(ran.conclusion.summary.directions.left_to_right.sdus.sent, 3);
}

#[test]
fn sdu_max_bytes_is_settled_before_init() {
    // Announced, MTU of the bearer, expected.
    let cases = [
        (1024, 256, 1024),
        (100_000, 256, 256 * 253),
        (9, 4, 9),
        (9000, 4, 256),
    ];
    for (announced, mtu, expected) in cases {
        let (mut pair, _log) = Puppet::pair();
        pair[1].capabilities = Capabilities {
            sdu_max_bytes: announced,
            ..pair[1].capabilities.clone()
        };
        let text = format!("duration_ms: 1\nnetwork: {{bearer: ott_udp, mtu_bytes: {mtu}}}\n");
        run(&scenario(&text), &mut pair);
        let config = pair[1].config.as_ref().expect("init was called");
        assert_eq!(config.sdu_max_bytes, expected, "{announced}, MTU {mtu}");
        assert_eq!(config.side, Side::Right);
    }
}

#[test]
fn events_of_a_callback_stand_in_the_order_of_the_callbacks() {
    let (pair, _log) = Puppet::pair();
    let mut pair = pair.map(|puppet| {
        let mut puppet = puppet.sending(|_, _| vec![b"x".to_vec()]);
        puppet.act = Box::new(|callback, context: &mut Context| {
            // Whatever is emitted while loading belongs to no context yet.
            context.emit_event(callback.to_string(), serde_json::Value::Null);
            Ok(())
        });
        puppet
    });
    let ran = run(&scenario(&format!("{IDEAL}duration_ms: 1\n")), &mut pair);
    let kinds: Vec<String> = drybox::output::read::events(&ran.recorded.events)
        .map(|event| event.expect("a readable event"))
        .map(|event| format!("{} {}", event.side.letter(), event.kind))
        .collect();
    let expected = [
        "L init",
        "R init",
        "L start",
        "R start",
        "L on_timer",
        "R on_timer",
        "L poll_link_tx",
        "R poll_link_tx",
        "R on_link_rx",
        "L on_link_rx",
        "L stop",
        "R stop",
    ];
    assert_eq!(kinds, expected);
}
