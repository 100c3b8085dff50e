//! Scripted text messages (`docs/spec/engine.md`, section 3).

use drybox::adapter::Callback;

use super::support::{Puppet, run, scenario};

const TEXTS: &str = "duration_ms: 300\nmessages:\n  left:\n\
    \x20   - {text: one, delay_ms: 25}\n    - {text: two, delay_ms: 0}\n    - {text: three, delay_ms: 95}\n\
    \x20 right:\n    - {text: uno, delay_ms: 60}\n";

fn taking(puppet: Puppet, complete_at: Option<u64>) -> Puppet {
    let mut puppet = puppet;
    puppet.capabilities.takes_messages = true;
    puppet.complete_at = complete_at;
    puppet
}

fn of(calls: &[String], what: &str) -> Vec<String> {
    let calls = calls.iter().filter(|line| line.contains(what));
    calls.cloned().collect()
}

#[test]
fn texts_wait_for_both_handshakes_and_their_delays() {
    // Left's, right's handshake; when the wait begins.
    let cases = [
        (None, None, 0),
        (Some(50), None, 50),
        (Some(20), Some(70), 70),
        (Some(70), Some(20), 70),
    ];
    for (left, right, from) in cases {
        let ([first, second], log) = Puppet::pair();
        let mut pair = [taking(first, left), taking(second, right)];
        let ran = run(&scenario(TEXTS), &mut pair);
        assert_eq!(ran.exit(), 0);
        let calls = log.borrow();
        let expected = [
            // 25 ms are over at the tick after 20.
            format!("{} L send one", from + 30),
            format!("{} L send two", from + 30),
            format!("{} R send uno", from + 60),
            // 95 ms after the text before, which was due at 25, although handed over at 30.
            format!("{} L send three", from + 120),
        ];
        assert_eq!(of(&calls, " send "), expected, "{left:?} {right:?}");
        // Asked in every tick until then, and no longer.
        let asked = of(&calls, "complete?");
        let ticks = from / 10 + 1;
        assert_eq!(asked.len() as u64, 2 * ticks, "{left:?} {right:?}");
        assert_eq!(asked.last(), Some(&format!("{from} R complete?")));
    }
}

#[test]
fn texts_are_handed_over_between_the_timers_and_the_polls() {
    let ([left, right], log) = Puppet::pair();
    let mut pair = [taking(left, None), taking(right, None)];
    let text = "duration_ms: 1\nmessages: {left: [{text: hi, delay_ms: 0}]}\n";
    run(&scenario(text), &mut pair);
    let expected = [
        "0 R timer",
        "0 L complete?",
        "0 R complete?",
        "0 L send hi",
        "0 L poll 64",
    ];
    let calls = log.borrow();
    let at = calls
        .iter()
        .position(|line| line == expected[0])
        .expect("there is a timer");
    assert_eq!(calls[at..at + expected.len()], expected);
}

#[test]
fn nobody_is_asked_without_texts_or_before_a_handshake_that_never_ends() {
    let ([left, right], log) = Puppet::pair();
    run(
        &scenario("duration_ms: 300\n"),
        &mut [taking(left, None), taking(right, None)],
    );
    assert_eq!(
        of(&log.borrow(), "complete?").len() + of(&log.borrow(), " send ").len(),
        0
    );

    let ([left, right], log) = Puppet::pair();
    let never = Some(u64::MAX);
    run(
        &scenario(TEXTS),
        &mut [taking(left, None), taking(right, never)],
    );
    assert_eq!(of(&log.borrow(), " send "), [""; 0]);
    assert_eq!(of(&log.borrow(), "complete?").len(), 2 * 31);
}

#[test]
fn a_side_that_takes_no_texts_is_warned_about_and_the_other_gets_its_own() {
    let ([left, right], log) = Puppet::pair();
    let ran = run(&scenario(TEXTS), &mut [left, taking(right, None)]);
    assert_eq!(of(&log.borrow(), " send "), ["60 R send uno"]);
    assert_eq!(
        ran.conclusion.summary.warnings,
        ["left adapter (native:puppet) has no send_sdu: its 3 scripted messages are not sent"]
    );
}

#[test]
fn events_of_these_calls_are_written_too() {
    let ([left, right], _log) = Puppet::pair();
    let mut pair = [taking(left, None), taking(right, None)];
    pair[0].act = Box::new(|callback, context| {
        if matches!(callback, Callback::SendSdu | Callback::IsHandshakeComplete) {
            context.emit_event(callback.to_string(), serde_json::Value::Null);
        }
        Ok(())
    });
    let ran = run(&scenario(TEXTS), &mut pair);
    assert_eq!(ran.events().matches("\"send_sdu\"").count(), 3);
    assert_eq!(ran.events().matches("\"is_handshake_complete\"").count(), 1);
    assert!(
        ran.events()
            .contains("{\"t_ms\":30,\"side\":\"L\",\"type\":\"send_sdu\"")
    );
}
