//! Goodput windows and the rows of adapters' events (`docs/spec/engine.md`, sections 4 and 5).

use drybox::Side;
use serde_json::json;

use super::support::{IDEAL, Puppet, Ran, run, scenario};

/// Time, side and bits per second of every goodput row.
fn windows(ran: &Ran) -> Vec<(u64, char, f64)> {
    let columns = ran.columns();
    let bps = columns.number("goodput_bps").expect("a column");
    let rows = columns.t_ms.iter().zip(columns.side.iter()).zip(bps);
    rows.filter(|(_, bps)| bps.is_finite())
        .map(|((t_ms, side), bps)| (*t_ms, side.chars().next().unwrap_or('?'), *bps))
        .collect()
}

/// Left sends `bytes` in every tick, right nothing.
fn sending(bytes: usize) -> [Puppet; 2] {
    let ([left, right], _log) = Puppet::pair();
    [left.sending(move |_, _| vec![vec![7; bytes]]), right]
}

#[test]
fn a_window_is_written_at_the_first_tick_after_it_left_first() {
    // Tick, its windows on the right: when written, ticks in it.
    type Windows = &'static [(u64, u64)];
    let cases: [(u64, u64, Windows); 4] = [
        (10, 3500, &[(1000, 100), (2000, 100), (3000, 100)]),
        (30, 2500, &[(1020, 34), (2010, 33)]),
        (700, 3000, &[(1400, 2), (2100, 1)]),
        (1000, 3000, &[(1000, 1), (2000, 1), (3000, 1)]),
    ];
    for (tick, duration, expected) in cases {
        let text = format!("{IDEAL}duration_ms: {duration}\ntick_ms: {tick}\n");
        let ran = run(&scenario(&text), &mut sending(10));
        let expected: Vec<_> = expected
            .iter()
            .flat_map(|&(at, ticks)| [(at, 'L', 0.0), (at, 'R', 80.0 * ticks as f64)])
            .collect();
        assert_eq!(windows(&ran), expected, "tick {tick}");
    }
}

#[test]
fn a_tick_of_1500_ms_closes_every_window_that_it_passes() {
    // No scenario may ask for it; an embedder may.
    let mut scenario = scenario(&format!("{IDEAL}duration_ms: 4500\n"));
    scenario.tick_ms = 1500;
    let ran = run(&scenario, &mut sending(10));
    let expected = [
        (1500, 'L', 0.0),
        (1500, 'R', 80.0),
        // Ticks 1500 and none of [2000, 3000).
        (3000, 'L', 0.0),
        (3000, 'R', 80.0),
        (3000, 'L', 0.0),
        (3000, 'R', 0.0),
        (4500, 'L', 0.0),
        (4500, 'R', 80.0),
    ];
    assert_eq!(windows(&ran), expected);
    let partial = ran
        .conclusion
        .summary
        .partial_window
        .expect("a partial window");
    assert_eq!((partial.from_ms, partial.to_ms), (4000, 5000));
    assert_eq!(partial.goodput_bps.right, Some(80.0));
}

#[test]
fn the_window_that_the_end_cuts_short_is_in_the_summary_only() {
    let ran = run(
        &scenario(&format!("{IDEAL}duration_ms: 1254\n")),
        &mut sending(10),
    );
    assert_eq!(windows(&ran).len(), 2);
    let partial = ran
        .conclusion
        .summary
        .partial_window
        .expect("a partial window");
    // Ticks 1000, 1010 … 1250.
    assert_eq!((partial.from_ms, partial.to_ms), (1000, 1260));
    assert_eq!(partial.goodput_bps.left, Some(0.0));
    assert_eq!(
        partial.goodput_bps.right,
        Some(26.0 * 80.0 * 1000.0 / 260.0)
    );
}

#[test]
fn windows_and_the_partial_one_sum_up_to_the_run_with_duplicates_counted_once() {
    let text =
        "duration_ms: 2990\nnetwork: {bearer: ott_udp, impairments: {duplicate_rate: 0.5}}\n";
    let ran = run(&scenario(text), &mut sending(100));
    let partial = ran
        .conclusion
        .summary
        .partial_window
        .expect("a partial window");
    let seconds = (partial.to_ms - partial.from_ms) as f64 / 1000.0;
    let bits: f64 = windows(&ran).iter().map(|(_, _, bps)| bps).sum::<f64>()
        + partial.goodput_bps.right.expect("measured") * seconds;
    let stats = ran.conclusion.summary.directions.left_to_right;
    assert!(stats.sdus.delivered > 200);
    assert_eq!(bits.round() as u64, 8 * stats.sdus.bytes_delivered);
}

#[test]
fn events_with_a_meaning_make_rows() {
    // Type, payload, the row behind `10,L,adapter,`; empty for none.
    let cases = [
        (
            "hs_done",
            json!({"time_ms": 12.5}),
            "hs_done,,,,,,,,,,,,12.500,,",
        ),
        ("hs_done", json!({"t_ms": 7}), "hs_done,,,,,,,,,,,,7.000,,"),
        ("hs_done", json!({}), "hs_done,,,,,,,,,,,,10.000,,"),
        (
            "handshake_done",
            json!({"auth": "ok"}),
            "handshake_done,,,,,,,,,,,,10.000,,",
        ),
        (
            "rekey_done",
            json!({"time_ms": 3}),
            "rekey_done,,,,,,,,,,,,,3.000,",
        ),
        (
            "rekey_done",
            json!({"rekey_ms": 4}),
            "rekey_done,,,,,,,,,,,,,4.000,",
        ),
        ("aead_fail", json!({}), "aead_fail,,,,,,,,,,,,,,1"),
        ("aead_fail", json!({"count": 5}), "aead_fail,,,,,,,,,,,,,,5"),
        (
            "modem_lock",
            json!({"locked": true}),
            "modem_lock,,,,,,,,,,,0.000000,,,",
        ),
        (
            "modem_lock",
            json!({"locked": true, "cfo_hz": -1.5}),
            "modem_lock,,,,,,,,,,-1.500,0.000000,,,",
        ),
        (
            "ber",
            json!({"errors": 1, "bits": 8}),
            "ber,,,,,,,,0.125000,,,,,,",
        ),
        ("pong", json!({"errors": 1, "bits": 8}), ""),
    ];
    for (kind, payload, row) in cases {
        let (mut pair, log) = Puppet::pair();
        pair[0] = Puppet::new(Side::Left, &log).emitting(vec![(10, kind, payload.clone())]);
        let ran = run(&scenario("duration_ms: 50\n"), &mut pair);
        let expected: Vec<_> = (!row.is_empty())
            .then(|| format!("10,L,adapter,{row}"))
            .into_iter()
            .collect();
        assert_eq!(ran.rows("adapter"), expected, "{kind} {payload}");
        assert_eq!(ran.events().lines().count(), 1);
        assert!(
            ran.conclusion.summary.warnings.is_empty(),
            "{kind} {payload}"
        );
    }
}

#[test]
fn counts_are_cumulative_per_side() {
    let events = vec![
        (10, "ber", json!({"errors": 1, "bits": 10})),
        (20, "ber", json!({"errors": 0, "bits": 10})),
        (20, "aead_fail", json!({"count": 2})),
        (30, "aead_fail", json!({})),
        (0, "modem_lock", json!({"locked": true})),
        (40, "modem_lock", json!({"locked": false})),
        (80, "modem_lock", json!({"locked": true})),
    ];
    let (_, log) = Puppet::pair();
    let mut pair = Side::BOTH.map(|side| Puppet::new(side, &log).emitting(events.clone()));
    let text = "duration_ms: 100\nacceptance: {max_aead_fail: 5, min_lock_ratio: 0.7}\n";
    let ran = run(&scenario(text), &mut pair);
    let of = |needle: &str| -> Vec<String> {
        let rows = ran.rows(needle);
        let rows = rows.iter().filter(|row| row.contains(",R,"));
        rows.map(|row| {
            row.trim_matches(',')
                .rsplit(',')
                .find(|cell| !cell.is_empty())
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
    };
    assert_eq!(of(",ber,"), ["0.100000", "0.050000"]);
    assert_eq!(of(",aead_fail,"), ["2", "3"]);
    // At 0 nothing has passed; 40 of 40 ms; 40 of 80 ms.
    assert_eq!(of(",modem_lock,")[1..], ["1.000000", "0.500000"]);
    let verdict = ran.conclusion.verdict.expect("thresholds are set");
    let measured: Vec<_> = verdict
        .checks
        .iter()
        .map(|check| check.measured.as_str())
        .collect();
    // Both sides' failures together; nobody sent anything, so no lock is judged.
    assert_eq!(measured, ["nothing", "6"]);
}

#[test]
fn payloads_without_their_numbers_are_warned_about_once_per_side_and_type() {
    let events = vec![
        (10, "ber", json!({"bits": 3})),
        (20, "ber", json!(null)),
        (20, "modem_lock", json!({"locked": 1})),
        (30, "rekey_done", json!({"time_ms": "soon"})),
    ];
    let (_, log) = Puppet::pair();
    let mut pair = Side::BOTH.map(|side| Puppet::new(side, &log).emitting(events.clone()));
    let ran = run(&scenario("duration_ms: 100\n"), &mut pair);
    assert_eq!(ran.rows("adapter"), [""; 0]);
    let warnings = &ran.conclusion.summary.warnings;
    for side in ["left", "right"] {
        for kind in ["ber", "modem_lock", "rekey_done"] {
            let needle = format!("{side} adapter emits {kind} without");
            let count = warnings
                .iter()
                .filter(|warning| warning.contains(&needle))
                .count();
            assert_eq!(count, 1, "{needle}: {warnings:?}");
        }
    }
    assert_eq!(warnings.len(), 6);
}

#[test]
fn rows_of_pdus_have_their_columns() {
    let text = "duration_ms: 2000\nnetwork: {bearer: ott_udp, loss_rate: 0.3, mtu_bytes: 64}\n";
    let ran = run(&scenario(text), &mut sending(100));
    let columns = ran.columns();
    let mut drops = 0;
    for (row, (layer, event)) in columns.layer.iter().zip(columns.event.iter()).enumerate() {
        let filled: Vec<_> = columns
            .numbers()
            .filter(|(_, values)| values[row].is_finite())
            .map(|(name, _)| name)
            .collect();
        match (layer, event) {
            ("bearer", "tx") => assert_eq!(filled, [""; 0]),
            ("bearer", "drop") => {
                assert_eq!(filled, [""; 0]);
                drops += 1;
            }
            ("bearer", "rx") => {
                assert!(
                    filled.starts_with(&["rtt_ms_est", "latency_ms"]),
                    "{filled:?}"
                );
            }
            ("bytelink", "rx") => {
                assert!(filled.contains(&"loss_rate") && filled.contains(&"reorder_rate"));
            }
            ("bytelink", "drop") => assert_eq!(filled, ["loss_rate"]),
            ("bytelink", "goodput") => assert_eq!(filled, ["goodput_bps"]),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        drops,
        ran.conclusion.summary.directions.left_to_right.pdus.dropped
    );
}
