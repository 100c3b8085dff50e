//! The codec against its peers, in turn in one process: `cargo xtask bench codec`, or `cargo bench` in this folder.
//!
//! Every row times two functions on the same bytes in short alternating batches, so that a change of clock speed meets both,
//! and takes the fastest batch of each: whatever else runs on the machine only ever makes a batch slower. Ratios
//! are over the peer's time (larger is better), beside the target of the issue. An argument picks the rows that contain it.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use st_protocol::{Decoder, Frame, FrameRef, Payload, Verb, decode_ref};

/// Batches of each side.
const BATCHES: usize = 400;

/// Least time of a batch: long against the clock's resolution, short against a time slice.
const BATCH: Duration = Duration::from_micros(100);

fn main() {
    // `cargo test --all-targets` runs benchmarks too, without this argument: then one short batch shows that all rows work.
    let args: Vec<String> = std::env::args().skip(1).collect();
    let quick = args.iter().any(|arg| arg == "--quick") || !args.iter().any(|arg| arg == "--bench");
    let bench = Bench {
        batches: if quick { 1 } else { BATCHES },
        batch: if quick { Duration::ZERO } else { BATCH },
        only: args.into_iter().find(|arg| !arg.starts_with("--")),
    };
    println!("| row | peer | ours ns | peer ns | ratio | target |");
    println!("|---|---|---|---|---|---|");
    against_published(&bench);
    streaming(&bench);
    against_the_limit(&bench);
    against_cobs(&bench);
}

fn against_published(bench: &Bench) {
    for (len, targets) in [(1400, [25.0, 8.0, 2.0]), (16, [3.0; 3])] {
        for ((name, payload), target) in payloads(len).into_iter().zip(targets) {
            let ours = Frame::new(Verb::Audio, Payload::from_bytes(&payload));
            let theirs = published::Frame::new(
                published::Verb::Audio,
                published::Payload::from_bytes(&payload),
            );
            let mut out = vec![0; ours.encoded_len() + 64];
            bench.row(
                &format!("encode_into, {len} B {name}"),
                "published encode",
                target,
                || {
                    black_box(&ours)
                        .encode_into(black_box(&mut out))
                        .map_or(0, |n| n)
                },
                || black_box(&theirs).encode().len(),
            );
        }
    }
    for (len, targets) in [(1400, [20.0, 6.0, 2.0]), (16, [3.0; 3])] {
        for ((name, payload), target) in payloads(len).into_iter().zip(targets) {
            let wire = Frame::new(Verb::Audio, Payload::from_bytes(&payload)).encode();
            bench.row(
                &format!("decode_ref, {len} B {name}"),
                "published decode",
                target,
                || decode_ref(black_box(&wire)).map_or(0, |f| f.payload().len()),
                || published::Frame::decode(black_box(&wire)).map_or(0, |f| f.payload().len()),
            );
            let mut out = vec![0; payload.len()];
            bench.row(
                &format!("decode_ref + copy_to, {len} B {name}"),
                "published decode",
                1.0,
                || {
                    decode_ref(black_box(&wire))
                        .map_or(0, |f| f.payload().copy_to(&mut out).map_or(0, <[u8]>::len))
                },
                || published::Frame::decode(black_box(&wire)).map_or(0, |f| f.payload().len()),
            );
        }
    }
}

/// 64 KB reads full of small frames: all at once, and frame by frame.
fn streaming(bench: &Bench) {
    let requests = [
        Frame::scan("/home/hue/projects", 3),
        Frame::search_path("/home/hue/notes", "TODO", 50),
        Frame::recall("meeting, thursday", 10),
        Frame::error("no such directory"),
        Frame::ok(),
    ];
    let scans = [Frame::scan("/home/hue", 3)];
    let tiny = [Frame::ping(), Frame::search("TODO"), Frame::ok()];
    let escaped = [Frame::recall("notes", 27), Frame::scan("/srv", 0)];
    let pings = [Frame::ping()];
    let any = [&requests[..], &scans, &tiny, &escaped].concat();
    let mut random = Random(11);
    // The last five are as hard as frames come: next to nothing to scan, a copy for a handful of bytes, no order to learn.
    // docs/performance.md says which of them misses the 5 that `frames` is held to, and why.
    for (name, frames, targets, shuffled) in [
        ("requests and answers", &requests[..], [5.0, 5.0], false),
        ("13 B scans", &scans, [5.0, 5.0], false),
        ("2 to 6 B frames", &tiny, [5.0, 1.0], false),
        ("2 to 6 B frames, shuffled", &tiny, [5.0, 1.0], true),
        (
            "8 to 10 B frames, an escape in each",
            &escaped,
            [5.0, 1.0],
            false,
        ),
        ("all of these, shuffled", &any, [5.0, 1.0], true),
        ("pings", &pings, [5.0, 1.0], false),
    ] {
        let mut read = Vec::new();
        for at in 0.. {
            let at = if shuffled { random.next() as usize } else { at };
            let wire = frames[at % frames.len()].encode();
            if read.len() + wire.len() > 65_536 {
                break;
            }
            read.extend(wire);
        }
        let theirs = || {
            let mut input = black_box(&read[..]);
            let mut sum = 0;
            while let Some(end) = published::Frame::find_end(input) {
                sum += published::Frame::decode(&input[..end]).map_or(0, |f| f.payload().len());
                input = &input[end..];
            }
            sum
        };
        let peer = "published find_end + decode";
        bench.row(
            &format!("Decoder::frames, 64 KB of {name}"),
            peer,
            targets[0],
            || {
                let mut decoder = Decoder::new();
                let mut frames = decoder.frames(black_box(&read));
                let mut sum = 0;
                while let Ok(Some(frame)) = frames.next_frame() {
                    sum += frame.payload().len();
                }
                sum
            },
            theirs,
        );
        bench.row(
            &format!("Decoder::next_frame, 64 KB of {name}"),
            peer,
            targets[1],
            || {
                let mut decoder = Decoder::new();
                let mut input = black_box(&read[..]);
                let mut sum = 0;
                while let Ok(Some(frame)) = decoder.next_frame(&mut input) {
                    sum += frame.payload().len();
                }
                sum
            },
            theirs,
        );
    }
}

/// What no codec can pass: the search alone.
fn against_the_limit(bench: &Bench) {
    for len in [1400, 65_535] {
        let payload = text(len);
        let wire = Frame::new(Verb::Audio, Payload::from_bytes(&payload)).encode();
        bench.row(
            &format!("decode_ref, {len} B clean"),
            "memchr2 alone",
            0.6,
            || decode_ref(black_box(&wire)).map_or(0, |f| f.payload().len()),
            || memchr::memchr2(0x00, 0x1B, black_box(&wire)).unwrap_or(0),
        );
    }
}

/// The patterns that an attacker can choose.
fn against_cobs(bench: &Bench) {
    let len = 65_535;
    let mut random = Random(3);
    let patterns: Vec<(String, Vec<u8>)> = [
        ("all ESC".into(), vec![0x1B; len]),
        ("all END".into(), vec![0x00; len]),
        (
            "ESC and END at random".into(),
            (0..len)
                .map(|_| if random.next() & 1 == 0 { 0x00 } else { 0x1B })
                .collect(),
        ),
        (
            "half special, at random".into(),
            (0..len)
                .map(|_| if random.next() & 1 == 0 { 0x1B } else { b'a' })
                .collect(),
        ),
        (
            "an eighth special, at random".into(),
            (0..len)
                .map(|_| if random.next() & 7 == 0 { 0x00 } else { b'a' })
                .collect(),
        ),
    ]
    .into_iter()
    .chain([2, 4, 8, 12, 16, 17, 18, 24, 32, 64].map(|period| {
        (
            format!("1 in {period} special"),
            (0..len)
                .map(|i| if i % period == 0 { 0x00 } else { b'a' })
                .collect(),
        )
    }))
    .collect();
    for (name, payload) in patterns {
        let mut ours_wire = vec![0; 2 * len + 2];
        let mut cobs_wire = vec![0; cobs::max_encoding_length(len)];
        let frame = FrameRef::new(Verb::Audio, &payload);
        bench.row(
            &format!("encode_into, {name}"),
            "cobs encode",
            1.0,
            || {
                frame
                    .and_then(|f| black_box(f).encode_into(&mut ours_wire))
                    .map_or(0, |n| n)
            },
            || cobs::encode(black_box(&payload), &mut cobs_wire),
        );
        let ours_len = frame
            .and_then(|f| f.encode_into(&mut ours_wire))
            .map_or(0, |n| n);
        let cobs_len = cobs::encode(&payload, &mut cobs_wire);
        let (mut a, mut b) = (vec![0; len], vec![0; len + 1]);
        bench.row(
            &format!("decode_ref + copy_to, {name}"),
            "cobs decode",
            1.0,
            || {
                decode_ref(black_box(&ours_wire[..ours_len]))
                    .map_or(0, |f| f.payload().copy_to(&mut a).map_or(0, <[u8]>::len))
            },
            || {
                cobs::decode(black_box(&cobs_wire[..cobs_len]), &mut b)
                    .map_or(0, |report| report.frame_size())
            },
        );
    }
}

fn payloads(len: usize) -> [(&'static str, Vec<u8>); 3] {
    let mut random = Random(7);
    [
        ("text", text(len)),
        (
            "random bytes",
            (0..len).map(|_| random.next() as u8).collect(),
        ),
        (
            "every byte escaped",
            (0..len)
                .map(|_| if random.next() & 1 == 0 { 0x00 } else { 0x1B })
                .collect(),
        ),
    ]
}

fn text(len: usize) -> Vec<u8> {
    b"The quick brown fox jumps over the lazy dog. "
        .iter()
        .copied()
        .cycle()
        .take(len)
        .collect()
}

/// Marsaglia's xorshift, for bytes that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 24
    }
}

struct Bench {
    batches: usize,
    batch: Duration,
    only: Option<String>,
}

impl Bench {
    fn row(
        &self,
        row: &str,
        peer: &str,
        target: f64,
        mut ours: impl FnMut() -> usize,
        mut theirs: impl FnMut() -> usize,
    ) {
        if self
            .only
            .as_ref()
            .is_some_and(|only| !row.contains(only.as_str()))
        {
            return;
        }
        let (our_count, their_count) = (self.calibrate(&mut ours), self.calibrate(&mut theirs));
        let (mut a, mut b) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..self.batches {
            a = a.min(time(&mut ours, our_count));
            b = b.min(time(&mut theirs, their_count));
        }
        let verdict = if b / a >= target { "" } else { " MISSED" };
        println!(
            "| {row} | {peer} | {a:.1} | {b:.1} | {:.2}× | ≥ {target}×{verdict} |",
            b / a
        );
    }

    /// How many calls fill a batch.
    fn calibrate(&self, f: &mut impl FnMut() -> usize) -> u32 {
        let mut count = 1;
        while time(f, count) * f64::from(count) < self.batch.as_nanos() as f64 {
            count *= 2;
        }
        count
    }
}

/// Nanoseconds a call.
fn time(f: &mut impl FnMut() -> usize, count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(f());
    }
    start.elapsed().as_nanos() as f64 / f64::from(count)
}
