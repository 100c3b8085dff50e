//! How fast voice paths run: ns per block and direction, and simulated seconds per second.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and reports on standard output"
)]

use std::time::Instant;

use drybox::bearer::{BearerKind, BearerParams};
use drybox::radio::{
    BLOCK_SAMPLES, Block, ChannelKind, RadioParams, SILENCE, VocoderKind, VoicePath,
};
use drybox::{Direction, math, rng::Streams};

/// Blocks in one run: two seconds of the test signal.
const BLOCKS: u64 = 100;
const RUNS: u32 = 500;

fn main() {
    let base = RadioParams::default();
    let awgn = RadioParams {
        channel: ChannelKind::Awgn,
        ..base.clone()
    };
    let with = |radio: &RadioParams, vocoder| RadioParams {
        vocoder,
        ..radio.clone()
    };
    let fading = RadioParams {
        channel: ChannelKind::Rayleigh,
        ..base.clone()
    };
    let cases = [
        ("pass-through", base.clone()),
        ("awgn", awgn.clone()),
        ("g711", with(&base, VocoderKind::G711Alaw)),
        ("awgn + g711", with(&awgn, VocoderKind::G711Alaw)),
        ("amr mock", with(&base, VocoderKind::Amr12k2Mock)),
        ("awgn + amr mock", with(&awgn, VocoderKind::Amr12k2Mock)),
        ("awgn + opus mock", with(&awgn, VocoderKind::OpusNbMock)),
        ("rayleigh", fading),
        (
            "cfo",
            RadioParams {
                cfo_hz: 3.0,
                ..base.clone()
            },
        ),
        ("ppm", RadioParams { ppm: 50.0, ..base }),
    ];
    let speech = speech();
    println!("{:20}{:>10}{:>14}", "path", "ns/block", "sim-s/s");
    // `cargo bench --bench radio -- mock` measures only the paths with that in their name.
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    for (name, radio) in cases.into_iter().filter(|case| case.0.contains(&wanted)) {
        let ns = measure(&radio, &speech);
        println!("{name:20}{ns:>10.0}{:>14.0}", 1e9 / (100.0 * ns));
    }
}

/// The time of one block in one direction.
fn measure(radio: &RadioParams, speech: &[Block]) -> f64 {
    let bearer = BearerParams::defaults(BearerKind::VolteEvs);
    let mut path = VoicePath::new(radio, &bearer, Direction::LeftToRight, &Streams::new(1));
    let mut out = SILENCE;
    let mut best = f64::INFINITY;
    let mut k = 0;
    // The fastest of many short runs: what else the machine does only ever adds.
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..BLOCKS {
            let block = &speech[k as usize % speech.len()];
            let Ok(()) = path.send(k, 20 * k, block, &mut ());
            let Ok(()) = path.receive(k, 20 * k, &mut out, &mut ());
            k += 1;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / BLOCKS as f64);
    }
    std::hint::black_box(out);
    best
}

/// Two seconds of gliding harmonics with pauses, at about -20 dBFS.
fn speech() -> Vec<Block> {
    let mut phase = 0.0;
    (0..100)
        .map(|k| {
            let loud = if k % 25 < 20 { 6000.0 } else { 0.0 };
            let mut block = [0; BLOCK_SAMPLES];
            for sample in &mut block {
                phase += math::TAU * (120.0 + k as f64 / 2.0) / 8000.0;
                let voice: f64 = (1..20)
                    .map(|h| math::sin(f64::from(h) * phase) / f64::from(h))
                    .sum();
                *sample = (loud * voice) as i16;
            }
            block
        })
        .collect()
}
