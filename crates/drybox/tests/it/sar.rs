//! SAR through the engine: what is delivered is exactly what was sent (`docs/spec/bearers.md`).

use std::collections::BTreeMap;

use super::support::{Numbers, Puppet, Ran, run, scenario};

/// An SDU that says which one it is: its tick, its number in the tick, then bytes that follow from
/// both.
fn sdu(t_ms: u64, n: u64, len: usize) -> Vec<u8> {
    let mut bytes = [t_ms.to_le_bytes(), n.to_le_bytes()].concat();
    let mut numbers = Numbers(t_ms << 8 | n);
    bytes.extend(numbers.bytes(len.saturating_sub(bytes.len())));
    bytes
}

/// The length of every SDU, from 16 bytes (one PDU) to some 20 fragments.
fn len(t_ms: u64, n: u64) -> usize {
    16 + Numbers(!t_ms ^ n << 32).below(1000) as usize
}

/// Both sides send `per_tick` SDUs in every tick of 10 s; everything delivered is compared.
fn exact(network: &str, tick_ms: u64, per_tick: u64) -> Ran {
    let (pair, _log) = Puppet::pair();
    let mut pair = pair.map(|puppet| {
        puppet.sending(move |t_ms, _| (0..per_tick).map(|n| sdu(t_ms, n, len(t_ms, n))).collect())
    });
    let text = format!(
        "duration_ms: 10000\ntick_ms: {tick_ms}\nseed: 5\nnetwork: {{bearer: ott_udp, {network}}}\n"
    );
    let ran = run(&scenario(&text), &mut pair);
    assert_eq!(ran.exit(), 0);
    for puppet in &pair {
        let mut times = BTreeMap::<(u64, u64), u32>::new();
        for (_, received) in &puppet.received {
            let word = |at: usize| {
                let bytes: [u8; 8] = received[at..at + 8].try_into().expect("eight bytes");
                u64::from_le_bytes(bytes)
            };
            let (t_ms, n) = (word(0), word(8));
            assert!(t_ms <= 10_000 && n < per_tick, "{network}");
            assert_eq!(*received, sdu(t_ms, n, len(t_ms, n)), "{network}");
            *times.entry((t_ms, n)).or_default() += 1;
        }
        assert!(
            times.values().all(|&count| count == 1),
            "{network}: an SDU came twice"
        );
        assert!(!times.is_empty());
    }
    ran
}

#[test]
fn one_sdu_per_ms_at_300_ms_latency_wraps_frag_ids_in_flight() {
    // 300 sets are on the way at a time, and there are 256 ids.
    let network =
        "latency_ms: 300, jitter_ms: 0, loss_rate: 0, reorder_rate: 0, mtu_bytes: 64, sar: force";
    let ran = exact(network, 1, 1);
    for direction in [
        ran.conclusion.summary.directions.left_to_right,
        ran.conclusion.summary.directions.right_to_left,
    ] {
        // Without loss everything arrives but what is on the way at the end.
        assert_eq!(direction.sdus.sent, 10_001);
        assert_eq!(direction.sdus.delivered, 10_001 - 300);
        assert_eq!((direction.sdus.dropped, direction.sdus.in_flight), (0, 300));
    }
}

#[test]
fn the_same_with_loss_jitter_and_reordering() {
    let network =
        "latency_ms: 300, jitter_ms: 80, loss_rate: 0.02, reorder_rate: 0.2, mtu_bytes: 128";
    let ran = exact(network, 1, 1);
    let stats = ran.conclusion.summary.directions.left_to_right;
    assert!(
        stats.sdus.dropped > 100 && stats.sdus.delivered > 5000,
        "{stats:?}"
    );
    assert!(
        stats.reorder_rate.is_some_and(|rate| rate > 0.1),
        "{stats:?}"
    );
}

#[test]
fn several_sdus_per_tick_over_a_bursty_narrow_link() {
    let network =
        "mtu_bytes: 40, ge_p_good_bad: 0.01, ge_p_bad_good: 0.2, reorder_rate: 0.1, jitter_ms: 30";
    let ran = exact(network, 10, 5);
    let stats = ran.conclusion.summary.directions.right_to_left;
    assert!(
        stats.sdus.dropped > 100 && stats.sdus.delivered > 1000,
        "{stats:?}"
    );
}

#[test]
fn a_queue_that_overflows_loses_whole_sdus_and_mixes_none() {
    let network = "mtu_bytes: 100, impairments: {rate_limit: {rate_bps: 20000, queue_bytes: 3000}}";
    let ran = exact(network, 10, 1);
    assert!(ran.conclusion.summary.directions.left_to_right.sdus.dropped > 100);
}

#[test]
fn the_largest_sdu_fills_all_256_fragments() {
    let (pair, _log) = Puppet::pair();
    let mut pair = pair.map(|puppet| {
        let mut puppet = puppet.sending(|t_ms, _| match t_ms {
            0 => vec![sdu(0, 0, 256 * 61)],
            _ => vec![],
        });
        puppet.capabilities.sdu_max_bytes = usize::MAX;
        puppet
    });
    let text = "duration_ms: 500\nnetwork: {bearer: ott_udp, loss_rate: 0, mtu_bytes: 64}\n";
    let ran = run(&scenario(text), &mut pair);
    assert_eq!(
        ran.conclusion.summary.directions.left_to_right.pdus.sent,
        256
    );
    for puppet in &pair {
        assert_eq!(puppet.received.len(), 1);
        assert_eq!(puppet.received[0].1, sdu(0, 0, 256 * 61));
    }
}
