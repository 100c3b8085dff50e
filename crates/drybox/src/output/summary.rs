//! `summary.json` and `pubkeys.txt` (`docs/spec/outputs.md`, sections 5 and 6).

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{EventCounts, json::scrubbed, scrub::Scrubber};
use crate::{scenario::Mode, side::Side};

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The version of this format: [`Summary::FORMAT`].
    pub format: u32,
    /// The version of DryBox: [`Summary::VERSION`].
    pub drybox: String,
    /// The scenario's name: its file's stem, or `inline`.
    pub scenario: String,
    /// The mode that ran.
    pub mode: Mode,
    /// The effective seed.
    pub seed: u64,
    /// Logical time between ticks, ms.
    pub tick_ms: u64,
    /// Simulated time asked for, ms.
    pub duration_ms: u64,
    /// The last tick reached, ms.
    pub ended_at_ms: u64,
    /// Whether the run was stopped from outside.
    pub interrupted: bool,
    /// The adapters.
    pub adapters: AdapterNames,
    /// What crossed the link.
    pub directions: Directions,
    /// How many events there were of each type.
    pub events: EventCounts,
    /// The goodput window that the end of the run cut short.
    pub partial_window: Option<PartialWindow>,
    /// The acceptance verdict; null without acceptance.
    pub verdict: Value,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// What ended the run early.
    pub error: Option<String>,
    /// The exit code of the run.
    pub exit_code: u8,
}

impl Summary {
    /// The version of the format.
    pub const FORMAT: u32 = 1;
    /// The version of this crate.
    pub const VERSION: &str = env!("CARGO_PKG_VERSION");

    /// The file's bytes, without private keys.
    pub fn to_json(&self, scrubber: &Scrubber) -> String {
        let value = serde_json::to_value(self).expect("a summary's keys are strings");
        format!("{:#}\n", scrubbed(value, scrubber))
    }
}

/// The adapters' normal forms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AdapterNames {
    /// Of the left one.
    pub left: String,
    /// Of the right one.
    pub right: String,
}

/// One entry per direction.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Directions {
    /// What the left side sent.
    #[serde(rename = "L>R")]
    pub left_to_right: DirectionStats,
    /// What the right side sent.
    #[serde(rename = "R>L")]
    pub right_to_left: DirectionStats,
}

/// One entry per side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PerSide {
    /// The left one's.
    #[serde(rename = "L", serialize_with = "number")]
    pub left: Option<f64>,
    /// The right one's.
    #[serde(rename = "R", serialize_with = "number")]
    pub right: Option<f64>,
}

/// What happened to the units of one kind in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UnitStats {
    /// Handed in.
    pub sent: u64,
    /// Delivered.
    pub delivered: u64,
    /// Lost or given up.
    pub dropped: u64,
    /// Neither, when the run ended.
    pub in_flight: u64,
    /// Bytes handed in.
    pub bytes_sent: u64,
    /// Bytes delivered.
    pub bytes_delivered: u64,
}

/// Nearest-rank percentiles of latency, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LatencyStats {
    /// Median.
    #[serde(serialize_with = "number")]
    pub p50: Option<f64>,
    /// 95th percentile.
    #[serde(serialize_with = "number")]
    pub p95: Option<f64>,
    /// 99th percentile.
    #[serde(serialize_with = "number")]
    pub p99: Option<f64>,
    /// The largest.
    #[serde(serialize_with = "number")]
    pub max: Option<f64>,
}

/// What crossed the link in one direction. `None` is "not measured".
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct DirectionStats {
    /// SDUs in Mode A, frames in Mode B.
    pub sdus: UnitStats,
    /// PDUs.
    pub pdus: UnitStats,
    /// Dropped over settled SDUs (frames).
    #[serde(serialize_with = "number")]
    pub loss_rate: Option<f64>,
    /// Reordered over delivered, RFC 4737.
    #[serde(serialize_with = "number")]
    pub reorder_rate: Option<f64>,
    /// RFC 3550, ms.
    #[serde(serialize_with = "number")]
    pub jitter_ms: Option<f64>,
    /// Of SDUs (frames).
    pub latency_ms: LatencyStats,
    /// SDU bits over duration.
    #[serde(serialize_with = "number")]
    pub goodput_bps: Option<f64>,
}

/// The goodput window that the end of the run cut short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PartialWindow {
    /// Its first tick, ms.
    pub from_ms: u64,
    /// Its end, ms, exclusive.
    pub to_ms: u64,
    /// SDU bits per second received in it.
    pub goodput_bps: PerSide,
}

/// A side's public key, for `pubkeys.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Whose it is.
    pub side: Side,
    /// `ed25519` or `x25519`.
    pub algorithm: &'static str,
    /// The key.
    pub public: [u8; 32],
    /// First 8 hex digits of its SHA-256.
    pub key_id: String,
}

impl PublicKey {
    /// The text of `pubkeys.txt`.
    pub fn to_text(keys: &[Self]) -> String {
        let mut text = String::from("# side algorithm public_key key_id\n");
        for key in keys {
            write!(text, "{} {} ", key.side.letter(), key.algorithm)
                .and_then(|()| key.public.iter().try_for_each(|b| write!(text, "{b:02x}")))
                .and_then(|()| writeln!(text, " {}", key.key_id))
                .expect("writing to a String cannot fail");
        }
        text
    }
}

/// A number without −0; null when absent or not finite.
#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn number<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        // −0 + 0 = 0.
        Some(x) if x.is_finite() => serializer.serialize_f64(x + 0.0),
        _ => serializer.serialize_none(),
    }
}
