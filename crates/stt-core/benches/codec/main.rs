//! The codecs: frames per second, and megabytes of values per second; and streams on top of them.
//!
//! `cargo bench -p stt-core --bench codec [-- PART OF A NAME]`, or `cargo xtask bench core`. Each case is run in many short
//! rounds, in turn with the others, and the fastest counts: everything else that happens on a
//! machine only ever adds. Without `--bench`, as `cargo test` runs it, every case is only tried out.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures wall time and prints it"
)]

mod streams;

use std::{hint::black_box, time::Instant};

use stt_core::{
    StreamId, SttFrame, SttFrameRef,
    value::{Reader, Value, deserialize, serialize},
    wire::{Ack, Frame, Frames, Stream, Writer},
};

/// How often each case is measured.
const ROUNDS: u32 = 200;
/// What a round takes at least, seconds.
const ROUND: f64 = 0.002;

/// Something that is measured.
struct Case {
    name: &'static str,
    /// How much one call does, in `unit`s.
    amount: f64,
    unit: &'static str,
    /// What is promised: at least this many `unit`s per second.
    bound: Option<f64>,
    call: Box<dyn FnMut()>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let trial = !arguments.iter().any(|arg| arg == "--bench");
    let quick = arguments.iter().any(|arg| arg == "--quick");
    let only = arguments.iter().find(|arg| !arg.starts_with('-'));

    let mut cases: Vec<Case> = [frames(), values(), packets(), streams::streams()]
        .into_iter()
        .flatten()
        .collect();
    if let Some(part) = only {
        cases.retain(|case| case.name.contains(part.as_str()));
    }
    if trial {
        for case in &mut cases {
            (case.call)();
        }
        return;
    }
    let calls: Vec<u32> = cases.iter_mut().map(calibrate).collect();
    let mut best = vec![f64::INFINITY; cases.len()];
    for _ in 0..if quick { ROUNDS / 10 } else { ROUNDS } {
        for ((case, &calls), best) in cases.iter_mut().zip(&calls).zip(&mut best) {
            *best = best.min(round(case, calls) / f64::from(calls));
        }
    }
    for (case, seconds) in cases.iter().zip(best) {
        print_row(case, case.amount / seconds);
    }
}

/// How many calls make a round.
fn calibrate(case: &mut Case) -> u32 {
    let mut calls = 1;
    while round(case, calls) < ROUND {
        calls *= 2;
    }
    calls
}

fn round(case: &mut Case, calls: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        (case.call)();
    }
    start.elapsed().as_secs_f64()
}

fn print_row(case: &Case, rate: f64) {
    let held = match case.bound {
        Some(bound) if rate >= bound => format!("≥ {bound} | holds"),
        Some(bound) => format!("≥ {bound} | missed"),
        None => "| ".to_owned(),
    };
    println!("| {} | {rate:.1} {} | {held} |", case.name, case.unit);
}

fn frames() -> Vec<Case> {
    // 1,200 bytes with the head of 35.
    let frame = SttFrame {
        session_id: *b"sessions",
        sequence: 1_000_000,
        timestamp_ms: 1_700_000_000_000,
        stream_id: 7,
        payload: vec![0x5a; 1_165],
        ..SttFrame::default()
    };
    let bytes = frame.to_bytes().expect("a frame");
    assert_eq!(bytes.len(), 1_200);
    let again = bytes.clone();
    let case = |name, bound, call| Case {
        name,
        amount: 1e-6,
        unit: "million/s",
        bound,
        call,
    };
    vec![
        case(
            "STTFrame of 1,200 B, to_bytes",
            Some(5.0),
            Box::new(move || {
                black_box(black_box(&frame).to_bytes().expect("a frame"));
            }) as Box<dyn FnMut()>,
        ),
        case(
            "STTFrame of 1,200 B, from_bytes",
            Some(5.0),
            Box::new(move || {
                black_box(SttFrame::from_bytes(black_box(&bytes)).expect("a frame"));
            }),
        ),
        case(
            "STTFrame of 1,200 B, from_bytes borrowing",
            None,
            Box::new(move || {
                black_box(SttFrameRef::from_bytes(black_box(&again)).expect("a frame"));
            }),
        ),
    ]
}

fn values() -> Vec<Case> {
    let heavy = Value::dict([
        ("hash", Value::from([0xab; 32])),
        ("data", vec![0x5a; 64 << 10].into()),
        ("name", "a file".into()),
    ]);
    let mut cases = Vec::new();
    cases.extend(value(
        [
            "serialize, 64 KiB of bytes",
            "deserialize, 64 KiB of bytes",
            "read, 64 KiB of bytes",
        ],
        500.0,
        heavy,
    ));
    cases.extend(value(
        [
            "serialize, small values",
            "deserialize, small values",
            "read, small values",
        ],
        100.0,
        small_values(),
    ));
    cases
}

/// A list of records, as a catalogue or a log would hold.
fn small_values() -> Value {
    Value::list((0..100).map(|index: i64| {
        Value::dict([
            ("id", Value::from(index * 1_000_003)),
            ("kind", "sensor".into()),
            ("live", (index % 2 == 0).into()),
            ("position", Value::list([0.5, 1.25, -3.0])),
            ("label", Value::from(format!("station {index}"))),
            ("previous", Value::Null),
            ("counts", Value::list([index, -index, 300])),
        ])
    }))
}

/// Megabytes of the document per second: written, read into a tree, gone through without one.
fn value(names: [&'static str; 3], bound: f64, value: Value) -> Vec<Case> {
    let bytes = serialize(&value).expect("a value");
    let again = bytes.clone();
    let case = |name, bound, call| Case {
        name,
        amount: again.len() as f64 / 1e6,
        unit: "MB/s",
        bound,
        call,
    };
    let [write, read, go] = names;
    let mut cases = vec![case(
        write,
        Some(bound),
        Box::new(move || {
            black_box(serialize(black_box(&value)).expect("a value"));
        }) as Box<dyn FnMut()>,
    )];
    let copy = bytes.clone();
    cases.push(case(
        read,
        Some(bound),
        Box::new(move || {
            black_box(deserialize(black_box(&copy)).expect("a value"));
        }),
    ));
    cases.push(case(
        go,
        None,
        Box::new(move || {
            let mut reader = Reader::new(black_box(&bytes));
            while let Some(token) = reader.next_token().expect("a value") {
                black_box(token);
            }
        }),
    ));
    cases
}

/// The frames of a full packet, and of one that only acknowledges.
fn packets() -> Vec<Case> {
    let mut cases = Vec::new();
    for (names, data, ranges) in [
        (
            [
                "packet with 1,150 B of a stream, write frames",
                "packet with 1,150 B of a stream, read frames",
            ],
            Some(&[0x5a; 1_150]),
            1,
        ),
        (
            [
                "packet with an ACK of 32 ranges, write frames",
                "packet with an ACK of 32 ranges, read frames",
            ],
            None,
            32,
        ),
    ] {
        let ranges: Vec<_> = (0..ranges)
            .map(|index| {
                let end = 1_000_000 - 10 * index;
                end - 5..=end
            })
            .collect();
        let write = move |buffer: &mut [u8]| {
            let mut writer = Writer::new(buffer);
            // From memory, as a session has them: computed ones would fold into constants.
            let ranges = black_box(&ranges[..]).iter().cloned();
            Ack::write(&mut writer, ranges, 800, None, 64);
            if let Some(data) = data {
                let stream = Stream {
                    id: StreamId::from_u64(4),
                    offset: 70_000,
                    fin: false,
                    data,
                };
                Frame::Stream(stream).write(&mut writer);
            }
            writer.len()
        };
        let mut packet = vec![0; 1_200];
        let len = write(&mut packet);
        packet.truncate(len);
        let mut buffer = [0; 1_200];
        let [name, read] = names;
        let case = |name, call| Case {
            name,
            amount: 1e-6,
            unit: "million/s",
            bound: None,
            call,
        };
        cases.push(case(
            name,
            Box::new(move || {
                black_box(write(black_box(&mut buffer)));
            }) as Box<dyn FnMut()>,
        ));
        cases.push(case(
            read,
            Box::new(move || {
                for frame in Frames::new(black_box(&packet)) {
                    if let Ok(Frame::Ack(ack)) = black_box(frame) {
                        ack.ranges().for_each(|range| {
                            black_box(range);
                        });
                    }
                }
            }),
        ));
    }
    cases
}
