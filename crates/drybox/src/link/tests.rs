//! A link under traffic: exactness, accounting, time-outs, bounds.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::Direction;
use crate::adapter::SduBatch;
use crate::bearer::{BearerKind, BearerParams, Partition, RateLimit, SarPolicy};
use crate::rng::Streams;

const LR: Direction = Direction::LeftToRight;

/// One observation, kept.
#[derive(Debug, Clone)]
struct Seen {
    t_ms: u64,
    direction: Direction,
    what: (Layer, LinkEvent),
    data: Vec<u8>,
    latency_ms: Option<u64>,
    rtt_ms: Option<f64>,
    loss_rate: Option<f64>,
}

#[derive(Debug, Default)]
struct Log(Vec<Seen>);

impl LinkObserver for Log {
    type Error = Infallible;

    fn observe(&mut self, record: &LinkRecord<'_>) -> Result<(), Infallible> {
        self.0.push(Seen {
            t_ms: record.t_ms,
            direction: record.direction,
            what: (record.layer, record.event),
            data: record.data.to_vec(),
            latency_ms: record.latency_ms,
            rtt_ms: record.rtt_ms_est,
            loss_rate: record.loss_rate,
        });
        Ok(())
    }
}

impl Log {
    fn count(&self, direction: Direction, layer: Layer, event: LinkEvent) -> u64 {
        self.of(direction, layer, event).count() as u64
    }

    fn of(
        &self,
        direction: Direction,
        layer: Layer,
        event: LinkEvent,
    ) -> impl Iterator<Item = &Seen> {
        self.0
            .iter()
            .filter(move |s| s.direction == direction && s.what == (layer, event))
    }
}

/// A link with everything that was sent and delivered, per direction.
struct Bench {
    link: Link,
    log: Log,
    tick_ms: u64,
    now_ms: u64,
    sent: [Vec<Vec<u8>>; 2],
    delivered: [Vec<Vec<u8>>; 2],
}

impl Bench {
    fn new(params: &BearerParams, seed: u64, tick_ms: u64) -> Self {
        Self {
            link: Link::new(params, &Streams::new(seed), tick_ms),
            log: Log::default(),
            tick_ms,
            now_ms: 0,
            sent: Default::default(),
            delivered: Default::default(),
        }
    }

    /// One tick in which each side sends these SDUs.
    fn tick(&mut self, sdus: [&[Vec<u8>]; 2]) {
        let Self {
            link, log, now_ms, ..
        } = self;
        for direction in Direction::BOTH {
            for sdu in sdus[direction.index()] {
                link.send(direction, *now_ms, sdu, log).unwrap();
                self.sent[direction.index()].push(sdu.clone());
            }
        }
        for direction in Direction::BOTH {
            let mut out = SduBatch::new();
            let due = link.next_due();
            link.deliver(direction, *now_ms, &mut out, log).unwrap();
            assert!(out.is_empty() || due.is_some_and(|due| due <= *now_ms));
            self.delivered[direction.index()].extend(out.iter().map(<[u8]>::to_vec));
        }
        assert!(link.next_due().is_none_or(|due| due > *now_ms));
        for direction in Direction::BOTH {
            let stats = link.stats(direction);
            assert_eq!(
                stats.pdus_sent,
                stats.pdus_received + stats.pdus_dropped() + stats.pdus_in_flight()
            );
        }
        self.now_ms += self.tick_ms;
    }

    /// Ticks without traffic until nothing is on its way.
    fn drain(&mut self) {
        while self.link.next_due().is_some() {
            self.tick([&[], &[]]);
            assert!(self.now_ms < 10_000_000, "the link never empties");
        }
    }

    /// Every delivered SDU is one that was sent, none twice, byte for byte.
    fn assert_exact(&self) {
        for (sent, delivered) in self.sent.iter().zip(&self.delivered) {
            let mut left: std::collections::BTreeMap<&[u8], usize> = Default::default();
            for sdu in sent {
                *left.entry(sdu).or_default() += 1;
            }
            for sdu in delivered {
                let n = left
                    .get_mut(&sdu[..])
                    .expect("delivered what was never sent");
                *n = n.checked_sub(1).expect("delivered twice");
            }
        }
    }

    /// The records and the counts tell the same, and a drained link has nothing left.
    fn assert_settled(&self) {
        for direction in Direction::BOTH {
            let stats = self.link.stats(direction);
            let count = |layer, event| self.log.count(direction, layer, event);
            assert_eq!((stats.sdus_in_flight(), stats.pdus_in_flight()), (0, 0));
            assert_eq!(count(Layer::Bearer, LinkEvent::Tx), stats.pdus_sent);
            assert_eq!(count(Layer::Bearer, LinkEvent::Rx), stats.pdus_received);
            assert_eq!(count(Layer::Bearer, LinkEvent::Drop), stats.pdus_dropped());
            assert_eq!(count(Layer::Bytelink, LinkEvent::Tx), stats.sdus_sent);
            assert_eq!(
                count(Layer::Bytelink, LinkEvent::Rx),
                stats.sdus_delivered + stats.sdu_duplicates
            );
            assert_eq!(count(Layer::Bytelink, LinkEvent::Drop), stats.sdus_purged);
            assert_eq!(stats.latency.count(), stats.sdus_delivered);
            let (slots, free, timeouts) = self.link.path(direction).sets.sizes();
            assert_eq!((slots, timeouts), (free, 0), "a set was left behind");
        }
    }
}

/// An SDU that no other equals.
fn sdu(serial: u64, len: usize) -> Vec<u8> {
    let mut stream = Streams::new(serial).stream("sdu");
    let mut draws = stream.at(0);
    (0..len).map(|_| draws.bits() as u8).collect()
}

fn clean() -> BearerParams {
    BearerParams {
        latency_ms: 50.0,
        jitter_ms: 0.0,
        loss_rate: 0.0,
        reorder_rate: 0.0,
        ..BearerParams::defaults(BearerKind::OttUdp)
    }
}

#[test]
fn sar_is_exact_at_one_sdu_per_ms_over_300_ms_with_loss_reordering_and_wrap() {
    let params = BearerParams {
        latency_ms: 300.0,
        jitter_ms: 60.0,
        loss_rate: 0.02,
        reorder_rate: 0.1,
        mtu_bytes: 33,
        ..BearerParams::defaults(BearerKind::VolteEvs)
    };
    let mut bench = Bench::new(&params, 1, 1);
    for t in 0..3000 {
        // More than 256 sets are open at any time: frag_id wraps among the living.
        bench.tick([&[sdu(2 * t, 100)], &[sdu(2 * t + 1, 61)]]);
        if t == 1000 {
            assert!(bench.link.stats(LR).sdus_in_flight() > 256);
        }
    }
    bench.drain();
    bench.assert_exact();
    bench.assert_settled();
    for direction in Direction::BOTH {
        let stats = bench.link.stats(direction);
        assert!(stats.sdus_delivered > 2000, "{}", stats.sdus_delivered);
        assert!(stats.sdus_purged > 100, "{}", stats.sdus_purged);
        assert!(stats.order.reordered() > 100);
    }
}

#[test]
fn the_latency_of_a_fragmented_sdu_is_that_of_its_last_fragment() {
    let mut params = clean();
    params.mtu_bytes = 13;
    // A byte takes one ms: two PDUs of 13 bytes are due at 63 and 76.
    params.impairments.rate_limit = Some(RateLimit {
        rate_bps: 8000.0,
        queue_bytes: 100,
    });
    let mut bench = Bench::new(&params, 0, 10);
    bench.tick([&[sdu(1, 20)], &[]]);
    bench.drain();
    let pdus: Vec<_> = bench
        .log
        .of(LR, Layer::Bearer, LinkEvent::Rx)
        .map(|s| s.latency_ms)
        .collect();
    assert_eq!(pdus, [Some(70), Some(80)]);
    let sdus: Vec<_> = bench
        .log
        .of(LR, Layer::Bytelink, LinkEvent::Rx)
        .map(|s| s.latency_ms)
        .collect();
    assert_eq!(sdus, [Some(80)]);
    assert_eq!(bench.link.stats(LR).latency.percentile_ms(95.0), Some(80));
}

#[test]
fn fragments_carry_their_header_and_fit_the_mtu() {
    let mut params = clean();
    params.mtu_bytes = 10;
    let mut bench = Bench::new(&params, 0, 10);
    for serial in 0..2 {
        bench.tick([&[sdu(serial, 15), vec![7; 10]], &[]]);
    }
    bench.drain();
    bench.assert_exact();
    let heads: Vec<(Vec<u8>, usize)> = bench
        .log
        .of(LR, Layer::Bearer, LinkEvent::Tx)
        .map(|s| (s.data[..3].to_vec(), s.data.len()))
        .collect();
    let whole = (vec![7, 7, 7], 10);
    let expected = |id: u8| {
        [
            (vec![id, 0, 0], 10),
            (vec![id, 1, 0], 10),
            (vec![id, 2, 1], 4),
            whole.clone(),
        ]
    };
    assert_eq!(heads, [expected(0), expected(1)].concat());
}

#[test]
fn forced_sar_fragments_small_and_empty_sdus_too() {
    let mut params = clean();
    params.sar = SarPolicy::Force;
    let mut bench = Bench::new(&params, 0, 10);
    bench.tick([&[vec![], vec![9]], &[]]);
    bench.drain();
    assert_eq!(bench.delivered[0], [vec![], vec![9]]);
    let pdus: Vec<&[u8]> = bench
        .log
        .of(LR, Layer::Bearer, LinkEvent::Rx)
        .map(|s| &s.data[..])
        .collect();
    assert_eq!(pdus, [&[0, 0, 1][..], &[1, 0, 1, 9]]);
}

#[test]
fn a_purge_comes_at_the_first_tick_past_twice_the_rtt_of_the_first_fragment() {
    let params = BearerParams {
        loss_rate: 0.5,
        mtu_bytes: 23,
        ..clean()
    };
    let mut bench = Bench::new(&params, 3, 10);
    let mut purges = 0;
    for serial in 0..60 {
        let from = bench.log.0.len();
        bench.tick([&[sdu(serial, 40)], &[]]);
        bench.drain();
        let news = &bench.log.0[from..];
        let first = news
            .iter()
            .find(|s| s.what == (Layer::Bearer, LinkEvent::Rx));
        let drop = news
            .iter()
            .find(|s| s.what == (Layer::Bytelink, LinkEvent::Drop));
        if let (Some(first), Some(drop)) = (first, drop) {
            let timeout = crate::math::round_ms(2.0 * first.rtt_ms.unwrap());
            assert_eq!(drop.t_ms, (first.t_ms + timeout).next_multiple_of(10));
            assert!(drop.loss_rate.is_some());
            purges += 1;
        }
    }
    assert!(purges > 15, "{purges}");
    bench.assert_settled();
    let stats = bench.link.stats(LR);
    assert!(
        stats.sdus_dropped > stats.sdus_purged,
        "no SDU lost all its fragments"
    );
}

#[test]
fn the_reassembly_time_out_has_a_floor_of_50_ms_or_two_ticks() {
    for (tick_ms, rtt_floor) in [(1, 50), (10, 50), (40, 80)] {
        let params = BearerParams {
            latency_ms: 0.0,
            frame_ms: 0.0,
            loss_rate: 0.5,
            mtu_bytes: 23,
            ..clean()
        };
        let mut bench = Bench::new(&params, 3, tick_ms);
        let start = (0..100)
            .find_map(|serial| {
                let start = bench.now_ms;
                bench.tick([&[sdu(serial, 40)], &[]]);
                bench.link.next_due().is_some().then_some(start)
            })
            .expect("half of the fragments are lost");
        bench.drain();
        let drop = bench
            .log
            .of(LR, Layer::Bytelink, LinkEvent::Drop)
            .next()
            .unwrap();
        assert_eq!(
            drop.t_ms - start,
            (2 * rtt_floor as u64).next_multiple_of(tick_ms)
        );
    }
}

#[test]
fn the_round_trip_estimate_starts_and_moves_as_specified() {
    let params = BearerParams {
        jitter_ms: 10.0,
        ..clean()
    };
    let link = Link::new(&params, &Streams::new(0), 10);
    // Twice 50 + 20 + 2·10.
    assert_eq!(link.rtt_ms_est(), 180.0);
    let mut bench = Bench::new(&clean(), 0, 10);
    bench.tick([&[vec![1]], &[]]);
    bench.drain();
    // L→R: 70 + (50 - 70)/8 = 67.5; R→L is still at 70.
    assert_eq!(bench.link.rtt_ms_est(), 137.5);
}

#[test]
fn later_traffic_the_other_way_delays_nothing() {
    let mut bench = Bench::new(&clean(), 0, 10);
    assert_eq!(bench.link.next_due(), None);
    bench.tick([&[vec![1]], &[]]);
    bench.tick([&[], &[vec![2]]]);
    assert_eq!(bench.link.next_due(), Some(50));
    bench.drain();
    let arrivals: Vec<u64> = Direction::BOTH
        .iter()
        .flat_map(|&direction| bench.log.of(direction, Layer::Bytelink, LinkEvent::Rx))
        .map(|s| s.t_ms)
        .collect();
    assert_eq!(arrivals, [50, 60]);
}

#[test]
fn what_is_not_settled_at_the_end_is_in_flight() {
    let mut bench = Bench::new(&clean(), 0, 10);
    for serial in 0..10 {
        bench.tick([&[sdu(serial, 30)], &[]]);
    }
    let [left, right] = bench.link.finish();
    // Sent at 0, 10 … 90; at 90 those sent up to 40 have arrived.
    assert_eq!(
        (left.sdus_sent, left.sdus_delivered, left.sdus_in_flight()),
        (10, 5, 5)
    );
    assert_eq!(
        (left.loss_rate(), left.reorder_rate()),
        (Some(0.0), Some(0.0))
    );
    assert_eq!(
        (left.sdu_bits_delivered(), right.loss_rate()),
        (5 * 240, None)
    );
}

#[test]
fn a_partition_loses_what_is_sent_in_it_and_nothing_else() {
    let mut params = clean();
    params.impairments.partitions = vec![Partition {
        at_ms: 100,
        duration_ms: 50,
    }];
    let mut bench = Bench::new(&params, 0, 10);
    let all: Vec<Vec<u8>> = (0..30).map(|serial| sdu(serial, 20)).collect();
    for one in &all {
        bench.tick([std::slice::from_ref(one), &[]]);
    }
    bench.drain();
    assert_eq!(bench.delivered[0], [&all[..10], &all[15..]].concat());
    let drops: Vec<u64> = bench
        .log
        .of(LR, Layer::Bearer, LinkEvent::Drop)
        .map(|s| s.t_ms)
        .collect();
    assert_eq!(drops, [100, 110, 120, 130, 140], "recorded when sent");
}

#[test]
fn a_duplicate_is_a_pdu_of_its_own_and_an_sdu_is_delivered_again() {
    let mut params = clean();
    params.impairments.duplicate_rate = 1.0;
    params.mtu_bytes = 20;
    let mut bench = Bench::new(&params, 0, 10);
    bench.tick([&[vec![1; 20], vec![2; 50]], &[]]);
    bench.drain();
    bench.assert_settled();
    let stats = bench.link.stats(LR);
    assert_eq!(
        (stats.pdus_sent, stats.pdus_duplicated, stats.pdus_received),
        (8, 4, 8)
    );
    // The whole one arrives twice; a second copy of fragments completes nothing.
    assert_eq!(bench.delivered[0], [vec![1; 20], vec![1; 20], vec![2; 50]]);
    assert_eq!((stats.sdus_delivered, stats.sdu_duplicates), (2, 1));
    assert_eq!(stats.sdu_bits_delivered(), 8 * 70);
}

#[test]
fn corruption_flips_one_bit_and_spares_the_sar_header() {
    let mut params = clean();
    params.impairments.corrupt_rate = 1.0;
    params.mtu_bytes = 4;
    let mut bench = Bench::new(&params, 0, 10);
    let sent = vec![0; 200];
    bench.tick([std::slice::from_ref(&sent), &[]]);
    bench.drain();
    assert_eq!(bench.delivered[0].len(), 1);
    assert!(
        bench.delivered[0][0]
            .iter()
            .all(|byte| byte.count_ones() == 1)
    );
    for (i, pdu) in bench.log.of(LR, Layer::Bearer, LinkEvent::Rx).enumerate() {
        assert_eq!(pdu.data[..3], [0, i as u8, u8::from(i == 199)]);
    }
}

#[test]
fn a_steady_load_reuses_its_memory() {
    let mut params = BearerParams {
        loss_rate: 0.05,
        jitter_ms: 30.0,
        mtu_bytes: 50,
        ..clean()
    };
    params.impairments.duplicate_rate = 0.1;
    let mut bench = Bench::new(&params, 0, 10);
    let high = |bench: &Bench| {
        let path = bench.link.path(LR);
        (path.flight.high_water(), path.sets.sizes().0)
    };
    let load: Vec<Vec<u8>> = (0..5).map(|serial| sdu(serial, 120)).collect();
    for _ in 0..2000 {
        bench.tick([&load, &[]]);
        bench.log.0.clear();
    }
    let ((slots, buffers), sets) = high(&bench);
    // 16.5 PDUs per tick for at most 95 ms; sets for at most twice the RTT besides.
    assert!(slots < 200 && buffers <= slots + 1, "{slots} {buffers}");
    assert!(sets < 250, "{sets}");
    let timeouts = bench.link.path(LR).sets.sizes().2;
    assert!(timeouts < 500, "{timeouts}");
}

#[test]
fn an_sdu_beyond_256_fragments_is_counted_as_dropped() {
    let mut params = clean();
    params.mtu_bytes = 4;
    let mut bench = Bench::new(&params, 0, 10);
    assert_eq!(bench.link.max_sdu_bytes(), 256);
    bench.tick([&[sdu(0, 256), sdu(1, 257)], &[]]);
    bench.drain();
    let stats = bench.link.stats(LR);
    assert_eq!((stats.sdus_delivered, stats.sdus_dropped), (1, 1));
    bench.assert_exact();
}

fn any_params() -> impl Strategy<Value = BearerParams> {
    let bearer = prop_oneof![
        Just(BearerKind::VolteEvs),
        Just(BearerKind::CsGsm),
        Just(BearerKind::PstnG711),
        Just(BearerKind::OttUdp)
    ];
    let rates = (0.0..0.3, 0.0..0.5, 0.0..0.3);
    (
        bearer,
        0.0..400.0,
        0.0..600.0,
        rates,
        4_usize..60,
        any::<bool>(),
    )
        .prop_map(
            |(bearer, latency_ms, jitter_ms, (loss_rate, reorder_rate, ge), mtu_bytes, force)| {
                BearerParams {
                    latency_ms,
                    jitter_ms,
                    loss_rate,
                    reorder_rate,
                    ge_p_good_bad: ge,
                    ge_p_bad_good: 0.3,
                    mtu_bytes,
                    sar: if force {
                        SarPolicy::Force
                    } else {
                        SarPolicy::Auto
                    },
                    ..BearerParams::defaults(bearer)
                }
            },
        )
}

/// SDUs of one tick by their lengths; the first bytes tell them apart where they fit.
fn load(serial: &mut u64, lengths: &[usize], max: usize) -> Vec<Vec<u8>> {
    lengths
        .iter()
        .map(|&len| {
            *serial += 1;
            sdu(*serial, len.min(max))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn without_corruption_and_duplication_delivery_is_exact(
        params in any_params(),
        seed in any::<u64>(),
        tick_ms in prop_oneof![Just(1_u64), Just(10), Just(37)],
        lengths in proptest::collection::vec(proptest::collection::vec(0_usize..300, 0..6), 1..40),
    ) {
        let mut bench = Bench::new(&params, seed, tick_ms);
        let (mut serial, max) = (0, bench.link.max_sdu_bytes());
        for tick in &lengths {
            let left = load(&mut serial, tick, max);
            let right = load(&mut serial, tick, max);
            bench.tick([&left, &right]);
        }
        bench.drain();
        bench.assert_exact();
        bench.assert_settled();
    }

    #[test]
    fn with_every_impairment_the_accounts_balance_and_nothing_is_left(
        params in any_params(),
        seed in any::<u64>(),
        rates in (0.0..1.0, 0.0..1.0),
        lengths in proptest::collection::vec(proptest::collection::vec(0_usize..300, 0..6), 1..30),
    ) {
        let mut params = params;
        (params.impairments.duplicate_rate, params.impairments.corrupt_rate) = rates;
        params.impairments.rate_limit = Some(RateLimit { rate_bps: 64_000.0, queue_bytes: 2000 });
        params.impairments.partitions = vec![Partition { at_ms: 50, duration_ms: 60 }];
        let mut bench = Bench::new(&params, seed, 10);
        let (mut serial, max) = (0, bench.link.max_sdu_bytes());
        for tick in &lengths {
            let left = load(&mut serial, tick, max);
            bench.tick([&left, &left]);
        }
        bench.drain();
        bench.assert_settled();
    }
}
