//! What the outputs of random runs say agrees with itself.

use drybox::{
    Direction,
    output::{
        CaptureEvent, CaptureLayer, UnitStats,
        read::{Columns, events},
    },
};
use proptest::prelude::*;
use serde_json::json;

use super::support::{Numbers, Puppet, Ran, run, scenario};

/// A random network of Mode A, as YAML.
fn network() -> impl Strategy<Value = String> {
    let bearer = prop::sample::select(vec!["volte_evs", "cs_gsm", "pstn_g711", "ott_udp"]);
    let delays = (0..200_u32, 0..100_u32);
    let rates = (0..40_u32, 0..40_u32, 0..20_u32, 0..20_u32);
    let mtu = 20..400_u32;
    (bearer, delays, rates, mtu, any::<[bool; 3]>()).prop_map(
        |(bearer, (latency, jitter), (loss, reorder, twice, flip), mtu, [limit, split, sar])| {
            let mut text = format!(
                "network: {{bearer: {bearer}, latency_ms: {latency}, jitter_ms: {jitter}, \
                 loss_rate: 0.{loss:02}, reorder_rate: 0.{reorder:02}, mtu_bytes: {mtu}, \
                 impairments: {{duplicate_rate: 0.{twice:02}, corrupt_rate: 0.{flip:02}"
            );
            if limit {
                text.push_str(", rate_limit: {rate_bps: 64000, queue_bytes: 4000}");
            }
            if split {
                text.push_str(", partitions: [{at_ms: 300, duration_ms: 200}]");
            }
            text.push('}');
            if sar {
                text.push_str(", sar: force");
            }
            text + "}\n"
        },
    )
}

fn talking(puppet: Puppet, seed: u64) -> Puppet {
    let mut numbers = Numbers(seed);
    let mut puppet = puppet.sending(move |_, budget| {
        let count = numbers.below(4.min(budget as u64));
        (0..count)
            .map(|_| {
                let len = numbers.below(1025) as usize;
                numbers.bytes(len)
            })
            .collect()
    });
    puppet.act = Box::new(move |callback, context| {
        if context.now_ms() % 100 == 0 {
            context.emit_event(callback.to_string(), json!({"now": context.now_ms()}));
        }
        Ok(())
    });
    puppet
}

/// Records of the capture by layer and event, of one direction.
fn captured(ran: &Ran, direction: Direction) -> [[u64; 3]; 2] {
    let mut counts = [[0; 3]; 2];
    let mut capture = ran.capture();
    let mut last_ms = 0;
    while let Some(record) = capture.next_record().expect("a readable record") {
        assert!(record.t_ms >= last_ms, "time runs backwards in the capture");
        last_ms = record.t_ms;
        if record.direction == direction {
            let layer = match record.layer {
                CaptureLayer::Bytelink => 0,
                CaptureLayer::Bearer => 1,
            };
            let event = match record.event {
                CaptureEvent::Tx => 0,
                CaptureEvent::Rx => 1,
                CaptureEvent::Drop => 2,
            };
            counts[layer][event] += 1;
        }
    }
    counts
}

/// Rows of one layer by event; tx rows of the sender, the others of the receiver.
fn rows(columns: &Columns, layer: &str, direction: Direction) -> [u64; 3] {
    let sides = [
        direction.sender(),
        direction.receiver(),
        direction.receiver(),
    ];
    let mut counts = [0; 3];
    let rows = columns
        .side
        .iter()
        .zip(columns.layer.iter())
        .zip(columns.event.iter());
    for ((side, of), event) in rows {
        let at = ["tx", "rx", "drop"].iter().position(|name| *name == event);
        if let Some(at) = at
            && of == layer
            && side == sides[at].letter()
        {
            counts[at] += 1;
        }
    }
    counts
}

fn in_flight(units: &UnitStats) -> u64 {
    units.sent - units.delivered - units.dropped
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: prop::test_runner::RngSeed::Fixed(4), ..ProptestConfig::default() })]

    #[test]
    fn captures_rows_and_the_summary_agree(network in network(), tick in 1..60_u64, seed in any::<u32>()) {
        let (pair, _log) = Puppet::pair();
        let mut sides = 0;
        let mut pair = pair.map(|puppet| {
            sides += 1;
            talking(puppet, u64::from(seed) + sides)
        });
        let text = format!("{network}duration_ms: 1500\ntick_ms: {tick}\nseed: {seed}\n");
        let ran = run(&scenario(&text), &mut pair);
        prop_assert_eq!(ran.exit(), 0);
        // Parsing is the proof that every number is one.
        let columns = ran.columns();
        prop_assert!(columns.t_ms.is_sorted());

        let summary = &ran.conclusion.summary;
        for (direction, stats) in [
            (Direction::LeftToRight, &summary.directions.left_to_right),
            (Direction::RightToLeft, &summary.directions.right_to_left),
        ] {
            let [sdus, pdus] = captured(&ran, direction);
            prop_assert_eq!(stats.pdus.in_flight, in_flight(&stats.pdus));
            prop_assert_eq!(pdus, [stats.pdus.sent, stats.pdus.delivered, stats.pdus.dropped]);
            prop_assert_eq!(pdus[0], pdus[1] + pdus[2] + stats.pdus.in_flight);
            prop_assert_eq!(rows(&columns, "bearer", direction), pdus);

            prop_assert_eq!(stats.sdus.in_flight, in_flight(&stats.sdus));
            prop_assert_eq!(sdus[0], stats.sdus.sent);
            // Copies of a duplicate are delivered too; a lost PDU's SDU is dropped without a record.
            prop_assert!(sdus[1] >= stats.sdus.delivered);
            prop_assert!(sdus[2] <= stats.sdus.dropped);
            let [tx, rx, drop] = rows(&columns, "bytelink", direction);
            prop_assert_eq!([tx, rx, drop], [0, sdus[1], sdus[2]]);
            let receiver = &pair[direction.receiver().index()];
            prop_assert_eq!(receiver.received.len() as u64, sdus[1]);
        }

        let mut last_ms = 0;
        let mut count = 0;
        for event in events(&ran.recorded.events) {
            let event = event.expect("a readable event");
            prop_assert!(event.t_ms >= last_ms);
            prop_assert!(event.kind == "stop" || event.kind == "init" || event.kind == "start"
                || event.payload["now"] == json!(event.t_ms));
            last_ms = event.t_ms;
            count += 1;
        }
        let counted: u64 = drybox::Side::BOTH.iter().flat_map(|side| summary.events.of(*side).values()).sum();
        prop_assert_eq!(count, counted);
        // What is written is what was concluded.
        let written: serde_json::Value = serde_json::from_str(&ran.recorded.summary).expect("JSON");
        prop_assert_eq!(&written["directions"]["L>R"]["sdus"], &json!(summary.directions.left_to_right.sdus));
    }

    #[test]
    fn frames_of_mode_b_add_up(
        vocoder in prop::sample::select(vec!["none", "g711_alaw", "amr12k2_mock"]),
        loss in 0..50_u32, jitter in 0..60_u32, latency in 0..150_u32, dtx: bool, tick in 1..50_u64,
    ) {
        let (pair, _log) = Puppet::pair();
        let mut pair = pair.map(|mut puppet| {
            let mut numbers = Numbers(9);
            // Bursts of noise and pauses, so that DTX has something to do.
            puppet.blocks = Box::new(move |k| {
                let level = if k / 15 % 2 == 0 { 4000 } else { 3 };
                Some(std::array::from_fn(|_| numbers.below(level) as i16))
            });
            puppet
        });
        let modem = format!("{{modem: {{vocoder: {vocoder}, vad_dtx: {dtx}}}}}");
        let text = format!(
            "mode: audio\nduration_ms: 1500\ntick_ms: {tick}\nleft: {modem}\nright: {modem}\n\
             network: {{bearer: volte_evs, loss_rate: 0.{loss:02}, jitter_ms: {jitter}, \
             latency_ms: {latency}, jitter_buffer_ms: 10}}\n"
        );
        let ran = run(&scenario(&text), &mut pair);
        prop_assert_eq!(ran.exit(), 0);
        let columns = ran.columns();
        prop_assert!(columns.t_ms.is_sorted());
        for (direction, stats) in [
            (Direction::LeftToRight, &ran.conclusion.summary.directions.left_to_right),
            (Direction::RightToLeft, &ran.conclusion.summary.directions.right_to_left),
        ] {
            let frames = &stats.sdus;
            prop_assert_eq!(frames.in_flight, in_flight(frames));
            let counts = [frames.sent, frames.delivered, frames.dropped];
            prop_assert_eq!(rows(&columns, "audio", direction), counts);
            let expected = if vocoder == "none" && !dtx { [0; 3] } else { counts };
            if vocoder != "none" {
                prop_assert_eq!(captured(&ran, direction), [[0; 3], expected]);
            }
            // Each side gets exactly one push per block, whatever was lost.
            let last_tick = 1500 / tick * tick;
            prop_assert_eq!(pair[direction.receiver().index()].heard.len() as u64, last_tick / 20 + 1);
        }
    }
}
