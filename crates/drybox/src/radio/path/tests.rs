//! A path step by step.

use super::*;
use crate::bearer::{BearerKind, Partition};
use crate::radio::{BLOCK_SAMPLES, ChannelKind};

/// One record, owned.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    t_ms: u64,
    event: VoiceEvent,
    block: u64,
    frame: Vec<u8>,
    latency_ms: Option<f64>,
    per: Option<f64>,
    snr_db: Option<f64>,
}

#[derive(Default)]
struct Log(Vec<Seen>);

impl VoiceObserver for Log {
    type Error = &'static str;

    fn observe(&mut self, record: &VoiceRecord<'_>) -> Result<(), Self::Error> {
        self.0.push(Seen {
            t_ms: record.t_ms,
            event: record.event,
            block: record.block,
            frame: record.frame.to_vec(),
            latency_ms: record.latency_ms,
            per: record.per,
            snr_db: record.snr_db,
        });
        Ok(())
    }
}

impl Log {
    fn blocks(&self, event: VoiceEvent) -> Vec<u64> {
        let of_kind = self.0.iter().filter(|seen| seen.event == event);
        of_kind.map(|seen| seen.block).collect()
    }
}

/// A bearer that does nothing.
fn perfect() -> BearerParams {
    BearerParams {
        latency_ms: 0.0,
        jitter_ms: 0.0,
        loss_rate: 0.0,
        ..BearerParams::defaults(BearerKind::PstnG711)
    }
}

/// Block `k` of a noise-like signal that uses every bit.
fn source(k: u64) -> Block {
    std::array::from_fn(|n| {
        let x = (k * BLOCK_SAMPLES as u64 + n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x >> 48) as i16
    })
}

/// Runs `blocks` slots and returns what the receiver was given.
fn run(path: &mut VoicePath, log: &mut Log, slots: std::ops::Range<u64>) -> Vec<Block> {
    slots
        .map(|k| {
            let mut out = [1; BLOCK_SAMPLES];
            path.send(k, 20 * k, &source(k), log).unwrap();
            path.receive(k, 20 * k, &mut out, log).unwrap();
            out
        })
        .collect()
}

fn path(radio: &RadioParams, bearer: &BearerParams) -> VoicePath {
    VoicePath::new(radio, bearer, Direction::LeftToRight, &Streams::new(1))
}

#[test]
fn everything_off_is_bit_exact() {
    let mut log = Log::default();
    let mut path = path(&RadioParams::default(), &perfect());
    let heard = run(&mut path, &mut log, 0..50);
    for (k, block) in heard.iter().enumerate() {
        assert_eq!(*block, source(k as u64));
    }
    let first = &log.0[1];
    assert_eq!((first.event, first.t_ms), (VoiceEvent::Rx, 0));
    assert_eq!((first.latency_ms, first.per), (Some(0.0), Some(0.0)));
    assert_eq!((first.snr_db, first.frame.len()), (None, 0));
    assert_eq!(path.stats().delivered, 50);
    assert_eq!(path.stats().in_flight(), 0);
}

#[test]
fn latency_gives_silence_and_then_every_block_in_order() {
    let bearer = BearerParams {
        latency_ms: 50.0,
        jitter_buffer_ms: Some(25.0),
        ..perfect()
    };
    let mut log = Log::default();
    let mut path = path(&RadioParams::default(), &bearer);
    let heard = run(&mut path, &mut log, 0..20);
    assert!(heard[..4].iter().all(|block| *block == SILENCE));
    for (k, block) in heard[4..].iter().enumerate() {
        assert_eq!(*block, source(k as u64));
    }
    let latency = &path.stats().latency;
    assert_eq!(
        (
            latency.count(),
            latency.percentile_ms(0.1),
            latency.max_ms()
        ),
        (16, Some(80), Some(80))
    );
    assert_eq!(path.stats().in_flight(), 4);
    assert_eq!(log.blocks(VoiceEvent::Tx).len(), 20);
    assert_eq!(log.blocks(VoiceEvent::Rx), (0..16).collect::<Vec<_>>());
}

#[test]
fn a_lost_frame_is_dropped_when_sent_and_concealed_when_due() {
    let mut bearer = BearerParams {
        latency_ms: 20.0,
        ..perfect()
    };
    // Slots 3 to 7 fall into the partition.
    bearer.impairments.partitions = vec![Partition {
        at_ms: 60,
        duration_ms: 100,
    }];
    let mut log = Log::default();
    let radio = RadioParams {
        vocoder: VocoderKind::G711Alaw,
        ..RadioParams::default()
    };
    let mut path = path(&radio, &bearer);
    let heard = run(&mut path, &mut log, 0..12);
    assert_eq!(log.blocks(VoiceEvent::Drop), [3, 4, 5, 6, 7]);
    let dropped: Vec<_> = log
        .0
        .iter()
        .filter(|s| s.event == VoiceEvent::Drop)
        .collect();
    assert_eq!((dropped[0].t_ms, dropped[0].per), (60, Some(1.0)));
    assert_eq!(dropped[0].frame.len(), 160);
    // Slot 4 should have played block 3: block 2 thrice, then half, then a quarter of it.
    for k in 4..7 {
        assert_eq!(heard[k], heard[3]);
    }
    assert_eq!(heard[7], heard[3].map(|s| s / 2));
    assert_eq!(heard[8], heard[3].map(|s| s / 2 / 2));
    assert_ne!(heard[9], heard[8]);
    let stats = path.stats();
    assert_eq!((stats.lost, stats.late, stats.concealed), (5, 0, 5));
    assert_eq!(stats.loss_rate(), Some(5.0 / 11.0));
}

#[test]
fn a_frame_after_its_deadline_is_a_drop_at_its_time_to_play() {
    let bearer = BearerParams {
        latency_ms: 40.0,
        jitter_ms: 30.0,
        jitter_buffer_ms: Some(0.0),
        ..BearerParams::defaults(BearerKind::PstnG711)
    };
    let bearer = BearerParams {
        loss_rate: 0.0,
        ..bearer
    };
    let mut log = Log::default();
    let mut path = path(&RadioParams::default(), &bearer);
    run(&mut path, &mut log, 0..200);
    let stats = path.stats();
    assert_eq!(stats.lost, 0);
    // Uniform ±30 ms: about half come late.
    assert!((60..140).contains(&stats.late), "{}", stats.late);
    for seen in log.0.iter().filter(|s| s.event == VoiceEvent::Drop) {
        assert_eq!(seen.t_ms, 20 * seen.block + 40);
    }
    assert_eq!(
        stats.blocks,
        stats.delivered + stats.late + stats.in_flight()
    );
}

#[test]
fn the_default_buffer_covers_bounded_jitter() {
    let bearer = BearerParams {
        loss_rate: 0.0,
        ..BearerParams::defaults(BearerKind::PstnG711)
    };
    let mut path = path(&RadioParams::default(), &bearer);
    run(&mut path, &mut Log::default(), 0..500);
    assert_eq!((path.stats().late, path.stats().concealed), (0, 0));
}

#[test]
fn what_is_lost_and_what_the_noise_is_do_not_depend_on_each_other() {
    let drops = |radio: &RadioParams| {
        let mut log = Log::default();
        let bearer = BearerParams {
            loss_rate: 0.2,
            ..perfect()
        };
        run(&mut path(radio, &bearer), &mut log, 0..200);
        log.blocks(VoiceEvent::Drop)
    };
    let plain = RadioParams::default();
    let noisy = RadioParams {
        channel: ChannelKind::Awgn,
        snr_db: Some(3.0),
        vocoder: VocoderKind::G711Ulaw,
        ..RadioParams::default()
    };
    assert_eq!(drops(&plain), drops(&noisy));

    let heard = |bearer: &BearerParams| {
        let radio = RadioParams {
            channel: ChannelKind::Awgn,
            ..RadioParams::default()
        };
        run(&mut path(&radio, bearer), &mut Log::default(), 0..50)
    };
    let lossy = BearerParams {
        loss_rate: 0.3,
        ..perfect()
    };
    let (clean, lossy) = (heard(&perfect()), heard(&lossy));
    let same = clean.iter().zip(&lossy).filter(|(a, b)| a == b).count();
    assert!((20..50).contains(&same), "{same}");
}

#[test]
fn directions_and_seeds_draw_their_own_noise() {
    let radio = RadioParams {
        channel: ChannelKind::Awgn,
        ..RadioParams::default()
    };
    let heard = |direction, seed| {
        let mut path = VoicePath::new(&radio, &perfect(), direction, &Streams::new(seed));
        run(&mut path, &mut Log::default(), 0..3)
    };
    let first = heard(Direction::LeftToRight, 1);
    assert_eq!(first, heard(Direction::LeftToRight, 1));
    assert_ne!(first, heard(Direction::LeftToRight, 2));
    assert_ne!(first, heard(Direction::RightToLeft, 1));
}

#[test]
fn snr_is_on_the_rows_of_what_was_received() {
    let radio = RadioParams {
        channel: ChannelKind::Awgn,
        snr_db: Some(12.0),
        ..RadioParams::default()
    };
    let mut log = Log::default();
    let mut path = path(&radio, &perfect());
    run(&mut path, &mut log, 0..100);
    for seen in &log.0 {
        assert_eq!(seen.snr_db.is_some(), seen.event == VoiceEvent::Rx);
    }
    let mean = path.stats().mean_snr_db().unwrap();
    assert!((mean - 12.0).abs() < 0.3, "{mean}");
}

#[test]
fn an_observer_that_fails_ends_the_call() {
    struct Full;
    impl VoiceObserver for Full {
        type Error = &'static str;
        fn observe(&mut self, _: &VoiceRecord<'_>) -> Result<(), Self::Error> {
            Err("disk full")
        }
    }
    let mut path = path(&RadioParams::default(), &perfect());
    assert_eq!(path.send(0, 0, &SILENCE, &mut Full), Err("disk full"));
}

/// 10 loud blocks, 40 quiet ones, then loud again.
fn talk(k: u64) -> Block {
    if !(10..50).contains(&k) {
        [4000; BLOCK_SAMPLES]
    } else {
        [4; BLOCK_SAMPLES]
    }
}

fn run_talk(path: &mut VoicePath, log: &mut Log, slots: u64) -> Vec<Block> {
    (0..slots)
        .map(|k| {
            let mut out = SILENCE;
            path.send(k, 20 * k, &talk(k), log).unwrap();
            path.receive(k, 20 * k, &mut out, log).unwrap();
            out
        })
        .collect()
}

#[test]
fn an_untransmitted_frame_is_neither_sent_nor_lost() {
    let radio = RadioParams {
        vocoder: VocoderKind::G711Alaw,
        vad_dtx: true,
        ..RadioParams::default()
    };
    let mut log = Log::default();
    let mut path = path(&radio, &perfect());
    let heard = run_talk(&mut path, &mut log, 60);
    // Speech and hangover to 16, then a SID frame each 8, and speech from 50 on.
    let sent: Vec<u64> = (0..17).chain([17, 25, 33, 41, 49]).chain(50..60).collect();
    assert_eq!(log.blocks(VoiceEvent::Tx), sent);
    assert_eq!(log.blocks(VoiceEvent::Rx), sent);
    assert!(log.blocks(VoiceEvent::Drop).is_empty());
    let lengths: Vec<_> = log.0.iter().filter(|s| s.block == 17).collect();
    assert_eq!(lengths[0].frame.len(), 1);
    let stats = path.stats();
    assert_eq!((stats.blocks, stats.sent, stats.delivered), (60, 32, 32));
    assert_eq!((stats.lost, stats.concealed), (0, 0));
    for (k, block) in heard.iter().enumerate() {
        let loudest = block.iter().map(|s| s.unsigned_abs()).max();
        assert_eq!(loudest > Some(3000), !(10..50).contains(&k), "{k}");
        // The SID's comfort noise is as loud as hangover and pause were: about 4.
        assert!(loudest > Some(2) && (loudest < Some(30) || !(17..50).contains(&k)));
    }
}

#[test]
fn the_loss_process_steps_in_untransmitted_slots_too() {
    let bearer = BearerParams {
        loss_rate: 0.3,
        ..perfect()
    };
    let drops = |vad_dtx| {
        let mut log = Log::default();
        let radio = RadioParams {
            vad_dtx,
            ..RadioParams::default()
        };
        run_talk(&mut path(&radio, &bearer), &mut log, 100);
        let mut drops = log.blocks(VoiceEvent::Drop);
        drops.retain(|k| !(17..50).contains(k));
        drops
    };
    assert_eq!(drops(true), drops(false));
}

#[test]
fn a_pause_whose_description_was_lost_is_concealed() {
    let mut bearer = perfect();
    bearer.impairments.partitions = vec![Partition {
        at_ms: 340,
        duration_ms: 20,
    }];
    let radio = RadioParams {
        vad_dtx: true,
        ..RadioParams::default()
    };
    let mut path = path(&radio, &bearer);
    let heard = run_talk(&mut path, &mut Log::default(), 40);
    // Block 17 was the first SID frame; the next comes with 25.
    assert_eq!(heard[17], heard[16]);
    assert_eq!((path.stats().lost, path.stats().concealed), (1, 8));
}

#[test]
fn slips_are_reported_in_their_slot() {
    let radio = RadioParams {
        ppm: 1000.0,
        ..RadioParams::default()
    };
    let mut log = Log::default();
    let mut path = path(&radio, &perfect());
    run(&mut path, &mut log, 0..1100);
    let slips = log.blocks(VoiceEvent::Slip(crate::radio::Slip::Repeated));
    assert_eq!(slips.len(), 1);
    assert_eq!(path.stats().slips, 1);
}
