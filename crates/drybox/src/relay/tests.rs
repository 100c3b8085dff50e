//! Flows in virtual time: fates, delays, changes while they run, bounds, outputs.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    Direction,
    adapter::SduBatch,
    bearer::{BearerKind, BearerParams, Impairments, RateLimit},
    link::{Link, LinkObserver, LinkRecord},
    output::{
        Recorder, RecorderOptions,
        read::{CaptureReader, Columns, events},
    },
    rng::Streams,
    scenario::{Overrides, Scenario, Source, load},
};

const LR: Direction = Direction::LeftToRight;
const RL: Direction = Direction::RightToLeft;

const LIMITS: RelayLimits = RelayLimits {
    flows: 10,
    held_bytes: 1 << 24,
    idle_us: 60_000_000,
};

fn scenario(network: BearerParams, seed: u64) -> Scenario {
    let source = Source {
        name: "s.yaml".to_owned(),
        text: format!("seed: {seed}\n"),
    };
    let mut plan = load(&source, &Overrides::default()).unwrap();
    Scenario {
        network,
        ..plan.points.remove(0).scenario
    }
}

/// Nothing but a delay.
fn plain(latency_ms: f64) -> BearerParams {
    BearerParams {
        latency_ms,
        jitter_ms: 0.0,
        loss_rate: 0.0,
        reorder_rate: 0.0,
        ..BearerParams::defaults(BearerKind::OttUdp)
    }
}

/// Everything at once.
fn rough() -> BearerParams {
    BearerParams {
        loss_rate: 0.1,
        reorder_rate: 0.1,
        ge_p_good_bad: 0.05,
        ge_p_bad_good: 0.2,
        impairments: Impairments {
            duplicate_rate: 0.1,
            corrupt_rate: 0.1,
            ..Impairments::default()
        },
        ..BearerParams::defaults(BearerKind::OttUdp)
    }
}

/// A relay with what came out of it.
struct Bench {
    relay: Relay,
    out: Vec<(u64, FlowId, Direction, Vec<u8>)>,
}

impl Bench {
    fn new(network: BearerParams, seed: u64) -> Self {
        Self::limited(network, seed, LIMITS)
    }

    fn limited(network: BearerParams, seed: u64, limits: RelayLimits) -> Self {
        Self {
            relay: Relay::new("bench", &scenario(network, seed), limits),
            out: Vec::new(),
        }
    }

    fn open(&mut self, now_us: u64) -> FlowId {
        self.relay.open(now_us, None).expect("room for a flow")
    }

    fn send(&mut self, now_us: u64, flow: FlowId, direction: Direction, datagram: &[u8]) {
        self.relay.send(now_us, flow, direction, datagram).unwrap();
    }

    /// Delivers at every time at which something is due, up to `until_us`.
    fn go(&mut self, until_us: u64) {
        while let Some(&(at, _)) = self.relay_due().as_ref()
            && at <= until_us
        {
            let out = &mut self.out;
            let sink = |flow, direction, datagram: &[u8]| {
                out.push((at, flow, direction, datagram.to_vec()));
            };
            self.relay.deliver(at, sink).unwrap();
        }
    }

    /// When something of a link is due, whatever is idle.
    fn relay_due(&self) -> Option<(u64, FlowId)> {
        self.relay.due_for_test()
    }

    fn set(&mut self, now_us: u64, settings: Value) {
        let Value::Object(settings) = settings else {
            panic!("not an object");
        };
        self.relay.set(now_us, &settings).unwrap().unwrap();
    }
}

/// 500 datagrams a ms apart over `flows` flows; what came out.
fn traffic(seed: u64, flows: u64) -> Vec<(u64, FlowId, Direction, Vec<u8>)> {
    let mut bench = Bench::new(rough(), seed);
    for flow in 0..flows {
        assert_eq!(bench.open(0), flow);
    }
    for n in 0..500_u64 {
        let now = n * 1000;
        bench.go(now);
        for flow in 0..flows {
            bench.send(now, flow, LR, &n.to_le_bytes());
            bench.send(now, flow, RL, &n.to_be_bytes());
        }
    }
    bench.go(u64::MAX - 1);
    bench.out
}

#[test]
fn the_same_packets_at_the_same_times_meet_the_same_fates() {
    let first = traffic(7, 3);
    assert!(first.len() > 1000, "{}", first.len());
    assert_eq!(first, traffic(7, 3));
    assert_ne!(first, traffic(8, 3));
}

#[test]
fn flows_do_not_influence_each_other_and_do_not_share_fates() {
    let of = |out: &[(u64, FlowId, Direction, Vec<u8>)], flow| {
        let mine = out.iter().filter(|(_, id, ..)| *id == flow);
        mine.map(|(t, _, direction, bytes)| (*t, *direction, bytes.clone()))
            .collect::<Vec<_>>()
    };
    let (alone, together) = (traffic(7, 1), traffic(7, 3));
    assert_eq!(of(&alone, 0), of(&together, 0));
    assert_ne!(of(&together, 0), of(&together, 1));
    assert_ne!(of(&together, 1), of(&together, 2));
}

#[test]
fn flow_0_meets_the_fates_of_a_run_with_the_same_seed() {
    struct Silent;
    impl LinkObserver for Silent {
        type Error = std::convert::Infallible;
        fn observe(&mut self, _: &LinkRecord<'_>) -> Result<(), Self::Error> {
            Ok(())
        }
    }
    let mut link = Link::new(&rough(), &Streams::new(7), 10);
    for n in 0..500_u64 {
        link.send(LR, n, &n.to_le_bytes(), &mut Silent).unwrap();
    }
    let mut run = SduBatch::new();
    link.deliver(LR, 1_000_000, &mut run, &mut Silent).unwrap();
    // Which arrive, how often and with which bit flipped; µs may order them otherwise than ms.
    let mut expected: Vec<Vec<u8>> = run.iter().map(<[u8]>::to_vec).collect();
    let mut got: Vec<Vec<u8>> = traffic(7, 1)
        .into_iter()
        .filter(|(_, _, direction, _)| *direction == LR)
        .map(|(.., bytes)| bytes)
        .collect();
    expected.sort();
    got.sort();
    assert!(
        expected.len() > 400 && expected.len() < 500,
        "some are lost"
    );
    assert_eq!(got, expected);
}

#[test]
fn delays_are_kept_to_the_microsecond_and_nothing_is_early() {
    let mut bench = Bench::new(plain(1.25), 1);
    let flow = bench.open(0);
    bench.send(10, flow, LR, b"a");
    bench.send(17, flow, LR, b"");
    bench.send(17, flow, RL, b"c");
    assert_eq!(bench.relay.next_event_us(), Some(1260));
    bench.go(1259);
    assert!(bench.out.is_empty());
    bench.go(10_000);
    let expected = [
        (1260, flow, LR, b"a".to_vec()),
        (1267, flow, LR, Vec::new()),
        (1267, flow, RL, b"c".to_vec()),
    ];
    assert_eq!(bench.out, expected);
    let summary = bench.relay.summary(10_000);
    let stats = summary.directions.left_to_right.stats;
    assert_eq!(
        (stats.sdus.delivered, stats.latency_ms.max),
        (2, Some(1.25))
    );
    assert_eq!(summary.lateness_ms.max, Some(0.0));
}

#[test]
fn lateness_is_what_the_driver_was_late_by() {
    let mut bench = Bench::new(plain(1.0), 1);
    let flow = bench.open(0);
    bench.send(0, flow, LR, b"a");
    bench.relay.deliver(1400, |_, _, _| {}).unwrap();
    let summary = bench.relay.summary(1400);
    assert_eq!(summary.lateness_ms.max, Some(0.4));
    let stats = summary.directions.left_to_right.stats;
    assert_eq!(stats.latency_ms.p50, Some(1.4));
}

#[test]
fn a_rate_limit_spaces_datagrams_by_their_length() {
    let mut network = plain(0.0);
    // A byte a µs.
    network.impairments.rate_limit = Some(RateLimit {
        rate_bps: 8_000_000.0,
        queue_bytes: 250,
    });
    let mut bench = Bench::new(network, 1);
    let flow = bench.open(0);
    for n in 0..4 {
        bench.send(5, flow, LR, &[n; 120]);
    }
    bench.go(10_000);
    let times: Vec<u64> = bench.out.iter().map(|(t, ..)| *t).collect();
    assert_eq!(
        times,
        [125, 245, 365],
        "one leaves, two wait, one is too many"
    );
    let causes = bench.relay.summary(10_000).directions.left_to_right.causes;
    assert_eq!(causes.queue_full, 1);
}

#[test]
fn a_cut_loses_what_comes_and_lets_arrive_what_is_on_its_way() {
    let mut bench = Bench::new(plain(10.0), 1);
    let flow = bench.open(0);
    bench.send(0, flow, LR, b"before");
    bench.relay.cut(1000, LR, true).unwrap();
    bench.send(2000, flow, LR, b"meanwhile");
    bench.send(2000, flow, RL, b"the other way");
    let late = bench.open(2500);
    bench.send(3000, late, LR, b"a new flow is cut too");
    assert_eq!(bench.relay.cuts(), ["L>R"]);
    bench.relay.cut(4000, LR, false).unwrap();
    bench.send(5000, flow, LR, b"after");
    bench.go(100_000);
    let arrived: Vec<&[u8]> = bench.out.iter().map(|(.., bytes)| &**bytes).collect();
    assert_eq!(arrived, [&b"before"[..], b"the other way", b"after"]);
    let causes = bench.relay.summary(100_000).directions.left_to_right.causes;
    assert_eq!(causes.partition, 2);
    assert!(bench.relay.cuts().is_empty());
}

#[test]
fn a_change_concerns_what_comes_after_it() {
    let mut bench = Bench::new(plain(10.0), 1);
    let flow = bench.open(0);
    bench.send(0, flow, LR, b"slow");
    bench.set(
        1000,
        json!({"network.latency_ms": 1, "network.loss_rate": 0}),
    );
    bench.send(1000, flow, LR, b"fast");
    bench.set(2000, json!({"network.loss_rate": 1}));
    bench.send(2000, flow, LR, b"lost");
    let other = bench.open(2000);
    bench.send(2000, other, LR, b"lost as well");
    bench.go(100_000);
    let expected = [
        (2000, flow, LR, b"fast".to_vec()),
        (10_000, flow, LR, b"slow".to_vec()),
    ];
    assert_eq!(bench.out, expected);
    assert_eq!(bench.relay.network().loss_rate, 1.0);
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut bench = Bench::new(plain(10.0), 1);
    let settings: Map<String, Value> = [
        ("network.latency_ms".to_owned(), json!(1)),
        ("network.loss_rate".to_owned(), json!(7)),
    ]
    .into_iter()
    .collect();
    let error = bench.relay.set(0, &settings).unwrap_err().to_string();
    assert!(error.contains("network.loss_rate"), "{error}");
    assert_eq!(bench.relay.network(), &plain(10.0));
}

#[test]
fn an_in_order_bearer_keeps_the_order_across_a_change_of_delay() {
    let network = BearerParams {
        bearer: BearerKind::PstnG711,
        ..plain(10.0)
    };
    let mut bench = Bench::new(network, 1);
    let flow = bench.open(0);
    bench.send(0, flow, LR, b"1");
    bench.set(10, json!({"network.latency_ms": 0}));
    bench.send(20, flow, LR, b"2");
    bench.go(100_000);
    let expected = [
        (10_000, flow, LR, b"1".to_vec()),
        (10_000, flow, LR, b"2".to_vec()),
    ];
    assert_eq!(bench.out, expected);
}

#[test]
fn fragments_on_their_way_survive_a_change_of_the_mtu() {
    let mut bench = Bench::new(plain(10.0), 1);
    bench.set(0, json!({"network.mtu_bytes": 100}));
    let flow = bench.open(0);
    let [first, second]: [Vec<u8>; 2] =
        [1_000, 500].map(|length| (0..length).map(|n| n as u8).collect());
    bench.send(0, flow, LR, &first);
    bench.set(5000, json!({"network.mtu_bytes": 40}));
    bench.send(5000, flow, LR, &second);
    bench.go(u64::MAX - 1);
    let arrived: Vec<&Vec<u8>> = bench.out.iter().map(|(.., bytes)| bytes).collect();
    assert_eq!(arrived, [&first, &second]);
}

#[test]
fn a_queue_stays_where_it_is_when_its_rate_changes() {
    let mut network = plain(0.0);
    network.impairments.rate_limit = Some(RateLimit {
        rate_bps: 8_000_000.0,
        queue_bytes: 1000,
    });
    let mut bench = Bench::new(network, 1);
    let flow = bench.open(0);
    bench.send(0, flow, LR, &[0; 100]);
    bench.send(0, flow, LR, &[1; 100]);
    bench.set(
        10,
        json!({"network.impairments.rate_limit.rate_bps": 16_000_000}),
    );
    bench.send(10, flow, LR, &[2; 100]);
    bench.go(10_000);
    let times: Vec<u64> = bench.out.iter().map(|(t, ..)| *t).collect();
    assert_eq!(times, [100, 200, 250]);
}

#[test]
fn flows_beyond_the_limit_are_refused_until_one_expires() {
    let limits = RelayLimits {
        flows: 2,
        idle_us: 1000,
        ..LIMITS
    };
    let mut bench = Bench::limited(plain(5.0), 1, limits);
    let (first, second) = (bench.open(0), bench.open(10));
    assert_eq!(bench.relay.next_flow(), None);
    assert_eq!(bench.relay.open(20, None), None);
    bench.relay.refuse(Wants::Flow);
    bench.relay.refuse(Wants::Descriptors);
    bench.send(900, first, LR, b"x");
    assert_eq!(bench.relay.expired(1009), None);
    assert_eq!(bench.relay.expired(1010), Some(second));
    bench.relay.close(1010, second).unwrap();
    // The first waits for what is on its way, and then from that delivery on.
    assert_eq!(bench.relay.expired(1950), None);
    bench.go(5900);
    assert_eq!(bench.relay.expired(6899), None);
    assert_eq!(bench.relay.expired(6900), Some(first));
    bench.relay.close(6900, first).unwrap();
    assert_eq!(bench.relay.next_flow(), Some(2));
    assert_eq!(bench.relay.next_event_us(), None);
    // One that is closed is not sent to.
    bench.send(7000, first, LR, b"y");
    let summary = bench.relay.summary(7000);
    assert_eq!(
        (
            summary.flows.opened,
            summary.flows.open,
            summary.flows.expired
        ),
        (2, 0, 2)
    );
    assert_eq!((summary.refused.flows, summary.refused.descriptors), (1, 1));
    assert_eq!(summary.directions.left_to_right.stats.sdus.delivered, 1);
}

#[test]
fn what_exceeds_the_room_is_refused_and_leaves_fates_alone() {
    let limits = RelayLimits {
        held_bytes: 10_000,
        ..LIMITS
    };
    let mut bench = Bench::limited(plain(100.0), 1, limits);
    let flow = bench.open(0);
    for n in 0..100 {
        bench.send(n, flow, LR, &[0; 872]);
        assert!(bench.relay.summary(n).held_bytes <= 10_000);
    }
    let summary = bench.relay.summary(100);
    assert_eq!(summary.directions.left_to_right.stats.sdus.sent, 10);
    assert_eq!((summary.refused.held, summary.held_bytes), (90, 10_000));
    bench.go(1_000_000);
    let summary = bench.relay.summary(1_000_000);
    assert_eq!((bench.out.len(), summary.held_bytes), (10, 0));
}

#[test]
fn lost_datagrams_that_wait_in_a_queue_count_until_their_turn() {
    let mut network = BearerParams {
        loss_rate: 1.0,
        ..plain(0.0)
    };
    network.impairments.rate_limit = Some(RateLimit {
        rate_bps: 8000.0,
        queue_bytes: 1_000_000,
    });
    let limits = RelayLimits {
        held_bytes: 12_800,
        ..LIMITS
    };
    let mut bench = Bench::limited(network, 1, limits);
    let flow = bench.open(0);
    for _ in 0..1000 {
        bench.send(0, flow, LR, b"");
    }
    let refused = bench.relay.summary(0).refused.held;
    // The one that is being sent does not wait; with no length they all leave at once.
    assert_eq!(refused, 0);
    for _ in 0..1000 {
        bench.send(0, flow, LR, b"x");
    }
    let summary = bench.relay.summary(0);
    assert!(summary.held_bytes <= 12_800 && summary.refused.held > 800);
    // A ms a byte: ten have begun to leave, which makes room.
    for _ in 0..20 {
        bench.send(10_000, flow, LR, b"x");
    }
    let after = bench.relay.summary(10_000);
    let sent = |s: &RelaySummary| s.directions.left_to_right.stats.sdus.sent;
    assert!(sent(&after) > sent(&summary), "{}", sent(&after));
}

#[test]
fn a_flow_leaves_what_a_run_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("flow_0");
    let options = RecorderOptions {
        capture: true,
        ..RecorderOptions::default()
    };
    let mut bench = Bench::new(plain(1.5), 9);
    let recorder = Recorder::to_dir(&dir, options).unwrap();
    let flow = bench.relay.open(2_000_000, Some(recorder)).unwrap();
    bench.send(2_000_000, flow, LR, b"ping");
    bench.go(2_001_500);
    bench.relay.cut(2_002_000, RL, true).unwrap();
    bench.send(2_002_000, flow, RL, b"lost");
    bench.set(2_003_000, json!({"network.loss_rate": 0.5}));
    bench.relay.close_all(3_000_000, true).unwrap();

    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let columns = Columns::parse(&read("metrics.csv")).unwrap();
    assert_eq!(columns.t_ms, [2000, 2001, 2001, 2002, 2002]);
    let latencies: Vec<f64> = columns
        .number("latency_ms")
        .unwrap()
        .iter()
        .copied()
        .filter(|ms| ms.is_finite())
        .collect();
    assert_eq!(latencies, [1.5, 1.5]);
    let bytes = read("events.jsonl");
    let lines: Vec<_> = events(&bytes).map(Result::unwrap).collect();
    let kinds: Vec<&str> = lines.iter().map(|event| &*event.kind).collect();
    assert_eq!(kinds, ["proxy_cut", "proxy_set"]);
    let bytes = read("capture.dbxcap");
    let mut reader = CaptureReader::new(&*bytes).unwrap();
    let mut records = 0;
    while let Some(record) = reader.next_record().unwrap() {
        assert!(record.data == b"ping" || record.data == b"lost");
        records += 1;
    }
    assert_eq!(records, 4 + 3);
    let summary: Value = serde_json::from_slice(&read("summary.json")).unwrap();
    assert_eq!(summary["duration_ms"], 1000);
    assert_eq!(summary["seed"], 9);
    assert_eq!(summary["interrupted"], true);
    assert_eq!(summary["directions"]["L>R"]["latency_ms"]["p95"], 1.5);
    assert_eq!(summary["directions"]["L>R"]["goodput_bps"], 32.0);
    assert_eq!(summary["directions"]["R>L"]["loss_rate"], 1.0);
    let resolved = String::from_utf8(read("scenario.resolved.yaml")).unwrap();
    assert!(resolved.contains("loss_rate: 0.5"), "{resolved}");
}

#[test]
fn a_summary_has_the_keys_that_are_specified() {
    let mut bench = Bench::new(rough(), 3);
    let flow = bench.open(0);
    bench.send(0, flow, LR, b"x");
    let value: Value = serde_json::from_str(&bench.relay.summary(1500).to_json()).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "format",
            "drybox",
            "scenario",
            "seed",
            "elapsed_ms",
            "flows",
            "refused",
            "unsent",
            "held_bytes",
            "lateness_ms",
            "cut",
            "directions",
            "open_flows"
        ]
    );
    assert_eq!(value["elapsed_ms"], 1);
    assert_eq!(value["directions"]["L>R"]["sdus"]["sent"], 1);
    assert!(value["directions"]["R>L"]["causes"]["partition"].is_u64());
    assert_eq!(value["open_flows"][0]["sent"]["L>R"], 1);
}

#[derive(Debug, Clone)]
enum Step {
    Open,
    Send(u64, bool, usize),
    Wait(u64),
    Cut(bool, bool),
    Set(usize),
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Open),
        10 => (0..4_u64, any::<bool>(), 0..3000_usize).prop_map(|(f, d, n)| Step::Send(f, d, n)),
        5 => (0..50_000_u64).prop_map(Step::Wait),
        1 => any::<(bool, bool)>().prop_map(|(d, cut)| Step::Cut(d, cut)),
        2 => (0..6_usize).prop_map(Step::Set),
        1 => Just(Step::Expire),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn nothing_is_lost_uncounted_whatever_happens(steps in steps(), seed in any::<u64>()) {
        let limits = RelayLimits { flows: 3, held_bytes: 40_000, idle_us: 30_000 };
        let mut bench = Bench::limited(rough(), seed, limits);
        let mut now = 0;
        let mut handed = 0_u64;
        for step in steps {
            match step {
                Step::Open => drop(bench.relay.open(now, None)),
                Step::Send(flow, right, length) => {
                    let direction = if right { RL } else { LR };
                    let open = bench.relay.summary(now).open_flows;
                    handed += u64::from(open.iter().any(|o| o.flow == flow));
                    bench.send(now, flow, direction, &vec![7; length]);
                }
                Step::Wait(us) => {
                    now += us;
                    bench.go(now);
                }
                Step::Cut(right, cut) => {
                    let direction = if right { RL } else { LR };
                    bench.relay.cut(now, direction, cut).unwrap();
                }
                Step::Set(which) => bench.set(now, [
                    json!({"network.mtu_bytes": 40}),
                    json!({"network.mtu_bytes": 1500}),
                    json!({"network.bearer": "cs_gsm", "network.latency_ms": 3}),
                    json!({"network.bearer": "volte_evs", "network.latency_ms": 30}),
                    json!({"network.impairments.rate_limit": {"rate_bps": 100_000, "queue_bytes": 3000}}),
                    json!({"network.impairments.rate_limit": null}),
                ][which].clone()),
                Step::Expire => while let Some(flow) = bench.relay.expired(now) {
                    bench.relay.close(now, flow).unwrap();
                },
            }
            let summary = bench.relay.summary(now);
            // A datagram in fragments or twice takes more than it was asked room for.
            prop_assert!(summary.held_bytes <= 40_000 + 4 * 3000 + 128 * 300);
            let both = [summary.directions.left_to_right, summary.directions.right_to_left];
            let sent: u64 = both.iter().map(|d| d.stats.sdus.sent).sum();
            prop_assert_eq!(sent + summary.refused.held, handed);
            for d in both {
                let sdus = d.stats.sdus;
                prop_assert_eq!(sdus.sent, sdus.delivered + sdus.dropped + sdus.in_flight);
                let lost = d.causes.partition + d.causes.queue_full + d.causes.extra_loss + d.causes.bearer;
                prop_assert_eq!(d.stats.pdus.dropped, lost);
            }
        }
        bench.go(u64::MAX - 1);
        bench.relay.close_all(u64::MAX - 1, false).unwrap();
        prop_assert_eq!(bench.relay.summary(u64::MAX - 1).held_bytes, 0);
        prop_assert_eq!(bench.relay.next_event_us(), None);
    }
}
