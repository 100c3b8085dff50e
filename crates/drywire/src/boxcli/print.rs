//! What the commands say on standard output.

use std::{
    io::{self, Write},
    path::Path,
};

use serde_json::{Value, json};

use super::sweep::PointReport;
use crate::session::Report;

/// The verdict, the numbers that people look for, and where the outputs lie.
pub(super) fn human(out: &mut dyn Write, report: &Report, folder: &Path) -> io::Result<()> {
    let summary = &report.summary;
    if let Some(verdict) = &report.verdict {
        for check in &verdict.checks {
            writeln!(out, "{check}")?;
        }
    }
    for (label, direction) in [
        ("L>R", &summary.directions.left_to_right),
        ("R>L", &summary.directions.right_to_left),
    ] {
        let units = &direction.sdus;
        write!(
            out,
            "{label}  sent {}  delivered {}",
            units.sent, units.delivered
        )?;
        write!(
            out,
            "  dropped {}  in flight {}",
            units.dropped, units.in_flight
        )?;
        for (name, value, unit) in [
            ("loss", direction.loss_rate.map(|rate| 100.0 * rate), " %"),
            ("p95", direction.latency_ms.p95, " ms"),
            ("goodput", direction.goodput_bps, " bit/s"),
        ] {
            if let Some(value) = value {
                write!(out, "  {name} {}{unit}", short(value))?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "outputs in {}", folder.display())?;
    writeln!(
        out,
        "{}",
        word(report.exit.code(), report.verdict.is_some())
    )
}

/// The summary as `summary.json` has it, and the folder's verdict with it.
pub(super) fn json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    out.write_all(report.summary_json.as_bytes())
}

/// One line of a sweep.
pub(super) fn point(out: &mut dyn Write, report: &PointReport) -> io::Result<()> {
    let judged = !report.summary["verdict"].is_null();
    write!(
        out,
        "{:<24} {}",
        report.folder,
        word(report.exit.code(), judged)
    )?;
    for label in ["L>R", "R>L"] {
        let direction = &report.summary["directions"][label];
        if let Some(loss) = direction["loss_rate"].as_f64() {
            write!(out, "  {label} loss {} %", short(100.0 * loss))?;
        }
        if let Some(bps) = direction["goodput_bps"].as_f64() {
            write!(out, " {} bit/s", short(bps))?;
        }
    }
    writeln!(out)
}

/// All values of a sweep as one JSON array.
pub(super) fn sweep_json(out: &mut dyn Write, reports: &[PointReport]) -> io::Result<()> {
    let points: Vec<Value> = reports
        .iter()
        .map(|report| {
            json!({
                "folder": report.folder,
                "exit_code": report.exit.code(),
                "summary": report.summary,
            })
        })
        .collect();
    writeln!(out, "{:#}", Value::Array(points))
}

/// An exit code in words.
fn word(code: u8, judged: bool) -> &'static str {
    match code {
        0 if judged => "PASSED",
        0 => "done (no acceptance thresholds in the scenario)",
        2 => "MISSED an acceptance threshold",
        3 => "FAILED: an adapter failed",
        4 => "FAILED: invalid scenario or usage",
        130 => "interrupted",
        _ => "FAILED: our own fault",
    }
}

/// A number at the precision that people read.
pub(super) fn short(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
