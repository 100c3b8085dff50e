//! Numbers, bytes, rates and sizes of the records selected.

use std::io::{self, Write};

use drybox::{
    Direction,
    output::{CaptureEvent, CaptureLayer, read::Record},
};
use serde_json::{Value, json};

/// Sizes are counted by powers of two: 0, 1, 2–3, 4–7, …; records hold at most 2²⁴ bytes.
const SIZES: usize = 26;

/// What was counted.
#[derive(Default)]
pub(super) struct Stats {
    /// By direction, layer and event.
    kinds: [[[Kind; 3]; 2]; 2],
    /// First and last time; records may stand in any order of time.
    span: Option<(u64, u64)>,
}

/// The records of one direction, layer and event.
#[derive(Default, Clone, Copy)]
struct Kind {
    records: u64,
    bytes: u64,
    min: usize,
    max: usize,
    sizes: [u64; SIZES],
}

impl Kind {
    fn add(&mut self, len: usize) {
        self.min = if self.records == 0 {
            len
        } else {
            self.min.min(len)
        };
        self.max = self.max.max(len);
        self.records += 1;
        self.bytes += len as u64;
        self.sizes[bucket(len)] += 1;
    }
}

/// The number of bits of a length.
fn bucket(len: usize) -> usize {
    ((usize::BITS - len.leading_zeros()) as usize).min(SIZES - 1)
}

/// The lengths of a bucket.
const fn bounds(bucket: usize) -> (usize, usize) {
    match bucket {
        0 => (0, 0),
        _ => (1 << (bucket - 1), (1 << bucket) - 1),
    }
}

impl Stats {
    pub(super) fn add(&mut self, record: &Record<'_>) {
        let layer = record.layer as usize;
        self.kinds[record.direction.index()][layer][record.event as usize].add(record.data.len());
        let (first, last) = self.span.unwrap_or((record.t_ms, record.t_ms));
        self.span = Some((first.min(record.t_ms), last.max(record.t_ms)));
    }

    /// The kinds that occur, in order.
    fn present(&self) -> impl Iterator<Item = (Direction, CaptureLayer, CaptureEvent, &Kind)> {
        let all = Direction::BOTH.into_iter().flat_map(|direction| {
            CaptureLayer::ALL
                .into_iter()
                .flat_map(move |layer| CaptureEvent::ALL.map(|event| (direction, layer, event)))
        });
        all.map(|(direction, layer, event)| {
            let kind = &self.kinds[direction.index()][layer as usize][event as usize];
            (direction, layer, event, kind)
        })
        .filter(|(.., kind)| kind.records > 0)
    }

    /// Bits per second over the span; none when everything happened at once.
    fn rate(&self, kind: &Kind) -> Option<f64> {
        let (first, last) = self.span?;
        (last > first).then(|| kind.bytes as f64 * 8.0 * 1000.0 / (last - first) as f64)
    }

    pub(super) fn to_json(&self) -> Value {
        let kinds: Vec<Value> = self
            .present()
            .map(|(direction, layer, event, kind)| {
                let sizes: Vec<Value> = (kind.sizes.iter().enumerate())
                    .filter(|(_, records)| **records > 0)
                    .map(|(at, records)| {
                        let (from, to) = bounds(at);
                        json!({"from": from, "to": to, "records": records})
                    })
                    .collect();
                json!({
                    "direction": direction.label(),
                    "layer": layer.name(),
                    "event": event.name(),
                    "records": kind.records,
                    "bytes": kind.bytes,
                    "bps": self.rate(kind),
                    "min_len": kind.min,
                    "max_len": kind.max,
                    "sizes": sizes,
                })
            })
            .collect();
        json!({
            "first_ms": self.span.map(|(first, _)| first),
            "last_ms": self.span.map(|(_, last)| last),
            "kinds": kinds,
        })
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Some((first, last)) = self.span else {
            return writeln!(out, "no records");
        };
        writeln!(out, "from {first} ms to {last} ms")?;
        writeln!(
            out,
            "direction  layer     event     records        bytes         bit/s    min    mean    max"
        )?;
        for (direction, layer, event, kind) in self.present() {
            let rate = self
                .rate(kind)
                .map_or("-".into(), |bps| format!("{bps:.0}"));
            writeln!(
                out,
                "{:<9}  {:<8}  {:<5}  {:>10}  {:>11}  {:>12}  {:>5}  {:>6.1}  {:>5}",
                direction.label(),
                layer.name(),
                event.name(),
                kind.records,
                kind.bytes,
                rate,
                kind.min,
                kind.bytes as f64 / kind.records as f64,
                kind.max
            )?;
        }
        self.print_sizes(out)
    }

    /// Sizes of what was handed in: the others are a part of that.
    fn print_sizes(&self, out: &mut impl Write) -> io::Result<()> {
        for layer in CaptureLayer::ALL {
            let mut sizes = [0; SIZES];
            for direction in Direction::BOTH {
                let kind =
                    &self.kinds[direction.index()][layer as usize][CaptureEvent::Tx as usize];
                for (sum, n) in sizes.iter_mut().zip(kind.sizes) {
                    *sum += n;
                }
            }
            let total: u64 = sizes.iter().sum();
            if total == 0 {
                continue;
            }
            writeln!(out, "sizes of {} tx, in bytes", layer.name())?;
            for (at, &records) in sizes.iter().enumerate().filter(|(_, n)| **n > 0) {
                let (from, to) = bounds(at);
                let share = records as f64 / total as f64;
                let bar = "#".repeat((share * 40.0).ceil() as usize);
                let range = if from == to {
                    from.to_string()
                } else {
                    format!("{from}-{to}")
                };
                writeln!(
                    out,
                    "{range:>19}  {records:>10}  {:>5.1} %  {bar}",
                    share * 100.0
                )?;
            }
        }
        Ok(())
    }
}
