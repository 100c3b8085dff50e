//! Every rule met, missed and unmeasured.

use super::*;
use crate::{output::EventCounts, side::Side};

/// Latencies of 1, 2 … n ms.
struct Steps(u32);

impl Latencies for Steps {
    fn percentile(&self, percentile: f64) -> Option<f64> {
        (self.0 > 0).then(|| (f64::from(self.0) * percentile / 100.0).ceil())
    }
}

const HUNDRED: Steps = Steps(100);

fn direction() -> DirectionMeasured<'static> {
    DirectionMeasured {
        settled: 100,
        lost: 5,
        goodput_bps: 1000.0,
        latencies: &HUNDRED,
        units: 200,
        bad_units: 20,
    }
}

fn measured() -> Measured<'static> {
    let mut events = EventCounts::default();
    events.add(Side::Left, "a");
    events.add(Side::Left, "a");
    events.add(Side::Right, "a");
    let done = |t_ms| {
        Some(HandshakeMeasured {
            t_ms,
            auth: Some("ok".to_owned()),
        })
    };
    let worse = DirectionMeasured {
        lost: 10,
        goodput_bps: 900.0,
        bad_units: 30,
        ..direction()
    };
    Measured {
        directions: [Some(direction()), Some(worse)],
        handshakes: [done(100), done(140)],
        bit_errors: [
            Some(BitErrors {
                errors: 4,
                bits: 100,
            }),
            Some(BitErrors {
                errors: 1,
                bits: 100,
            }),
        ],
        aead_failures: [1, 2],
        lock_ratios: [Some(0.7), Some(0.9)],
        events,
    }
}

/// Judges one rule; the lines that it prints.
fn lines(acceptance: &Acceptance, measured: &Measured<'_>) -> Vec<String> {
    let verdict = acceptance.judge(measured);
    assert_eq!(
        verdict.passed,
        verdict.checks.iter().all(|check| check.passed)
    );
    verdict.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn without_rules_every_run_passes() {
    let acceptance = Acceptance::default();
    assert!(acceptance.is_empty());
    assert!(acceptance.judge(&Measured::default()).passed);
}

/// A threshold with a name, a value that passes, one that doesn't, and what is printed of it.
#[test]
fn thresholds_take_the_worst_direction_and_say_by_how_much() {
    type Set = fn(&mut Acceptance, f64);
    let cases: [(Set, f64, f64, &str, &str); 6] = [
        (
            |a, x| a.max_loss_rate = Some(x),
            0.1,
            0.09,
            "max_loss_rate (R>L): measured 0.1",
            "0.01",
        ),
        (
            |a, x| a.min_goodput_bps = Some(x),
            900.0,
            901.5,
            "min_goodput_bps (R>L): measured 900 bit/s",
            "1.5",
        ),
        (
            |a, x| {
                a.max_latency_ms = Some(LatencyRule {
                    ms: x,
                    percentile: 99.0,
                })
            },
            99.0,
            90.0,
            "max_latency_ms (L>R): measured 99 ms (p99)",
            "9",
        ),
        (
            |a, x| a.max_ber = Some(x),
            0.04,
            0.01,
            "max_ber (R>L): measured 0.04",
            "0.03",
        ),
        (
            |a, x| a.max_per = Some(x),
            0.15,
            0.1,
            "max_per (R>L): measured 0.15",
            "0.05",
        ),
        (
            |a, x| a.min_lock_ratio = Some(x),
            0.7,
            0.8,
            "min_lock_ratio (R>L): measured 0.7",
            "0.1",
        ),
    ];
    for (set, fine, bad, line, by) in cases {
        let mut acceptance = Acceptance::default();
        set(&mut acceptance, fine);
        let printed = lines(&acceptance, &measured());
        assert!(
            printed[0].starts_with(&format!("passed {line}, required at ")),
            "{printed:?}"
        );

        set(&mut acceptance, bad);
        let printed = lines(&acceptance, &measured());
        assert!(
            printed[0].starts_with(&format!("MISSED {line}, ")),
            "{printed:?}"
        );
        assert!(
            printed[0].ends_with(&format!(", missed by {by}")),
            "{printed:?}"
        );

        // Nothing sent at all.
        set(&mut acceptance, fine);
        assert!(!acceptance.judge(&Measured::default()).passed);
        // A direction that sent nothing is not judged.
        let one_way = Measured {
            directions: [None, measured().directions[1]],
            ..measured()
        };
        assert!(acceptance.judge(&one_way).passed);
    }
}

#[test]
fn a_direction_that_measured_nothing_is_missed() {
    let silent = DirectionMeasured {
        settled: 0,
        units: 0,
        latencies: &Steps(0),
        ..direction()
    };
    let measured = Measured {
        directions: [Some(silent), Some(direction())],
        bit_errors: [None, None],
        lock_ratios: [None, None],
        ..measured()
    };
    let acceptance = Acceptance {
        max_loss_rate: Some(1.0),
        max_latency_ms: Some(LatencyRule {
            ms: 1e9,
            percentile: 50.0,
        }),
        max_ber: Some(1.0),
        max_per: Some(1.0),
        min_lock_ratio: Some(0.0),
        ..Acceptance::default()
    };
    for line in lines(&acceptance, &measured) {
        assert!(line.starts_with("MISSED"), "{line}");
        assert!(
            line.contains("(L>R): measured nothing of what was sent, required"),
            "{line}"
        );
    }
}

#[test]
fn handshakes_are_judged_on_both_sides() {
    let rule = |within_ms, auth: Option<&str>| Acceptance {
        handshake_done: Some(HandshakeRule {
            within_ms,
            auth: auth.map(str::to_owned),
        }),
        ..Acceptance::default()
    };
    assert!(rule(None, None).judge(&measured()).passed);
    assert!(rule(Some(140), Some("ok")).judge(&measured()).passed);
    assert_eq!(
        lines(&rule(Some(120), Some("ok")), &measured())[1],
        "MISSED handshake_done (R): measured done at 140 ms with auth \"ok\", required done within \
         120 ms with auth \"ok\", missed by 20 ms"
    );
    assert!(!rule(None, Some("strong")).judge(&measured()).passed);
    let mut one_sided = measured();
    one_sided.handshakes[0] = None;
    assert_eq!(
        lines(&rule(None, None), &one_sided)[0],
        "MISSED handshake_done (L): measured nothing, required done"
    );
    let mut bare = measured();
    bare.handshakes[1] = Some(HandshakeMeasured {
        t_ms: 1,
        auth: None,
    });
    assert!(rule(None, None).judge(&bare).passed);
    assert!(!rule(None, Some("ok")).judge(&bare).passed);
}

#[test]
fn failures_and_events_are_counted() {
    let limit = |n| Acceptance {
        max_aead_fail: Some(n),
        ..Acceptance::default()
    };
    assert!(limit(3).judge(&measured()).passed);
    assert_eq!(
        lines(&limit(1), &measured()),
        ["MISSED max_aead_fail: measured 3, required at most 1, missed by 2"]
    );
    let event = |side, count| EventRule {
        kind: "a".to_owned(),
        side,
        count,
    };
    for (rule, passes) in [
        (event(None, 3), true),
        (event(None, 4), false),
        (event(Some(Side::Left), 2), true),
        (event(Some(Side::Right), 2), false),
    ] {
        let acceptance = Acceptance {
            required_events: vec![rule.clone()],
            ..Acceptance::default()
        };
        assert_eq!(acceptance.judge(&measured()).passed, passes, "{rule:?}");
    }
    let forbidden = |kind: &str, side| Acceptance {
        forbidden_events: vec![EventRule {
            kind: kind.to_owned(),
            side,
            count: 1,
        }],
        ..Acceptance::default()
    };
    assert!(forbidden("b", None).judge(&measured()).passed);
    assert_eq!(
        lines(&forbidden("a", Some(Side::Right)), &measured()),
        ["MISSED forbidden_events a (R): measured 1, required none, missed by 1"]
    );
}
