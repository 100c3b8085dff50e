//! The thresholds of a scenario.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::side::Side;

/// The thresholds of a scenario; what is absent is not judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Acceptance {
    /// Both sides complete their handshake.
    pub handshake_done: Option<HandshakeRule>,
    /// Largest share of settled SDUs (Mode A) or frames (Mode B) that are lost.
    pub max_loss_rate: Option<f64>,
    /// Smallest goodput in bit/s: SDU bits received over the run's duration.
    pub min_goodput_bps: Option<f64>,
    /// Largest latency at a percentile.
    pub max_latency_ms: Option<LatencyRule>,
    /// Largest bit error ratio, Σ errors / Σ bits of the receiver's `ber` events.
    pub max_ber: Option<f64>,
    /// Largest share of frames that are lost or late (Mode B) or of PDUs dropped (Mode A).
    pub max_per: Option<f64>,
    /// Most AEAD failures, both sides together.
    pub max_aead_fail: Option<u64>,
    /// Smallest share of the run in which a modem is locked.
    pub min_lock_ratio: Option<f64>,
    /// Events that must occur.
    pub required_events: Vec<EventRule>,
    /// Events that must not occur.
    pub forbidden_events: Vec<EventRule>,
}

/// `handshake_done`: judged on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HandshakeRule {
    /// The latest time at which each side is done, in ms; any time when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<u64>,
    /// What each side's event must give as `auth`; anything when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
}

/// `max_latency_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyRule {
    /// The largest latency in ms.
    pub ms: f64,
    /// Which percentile, in `(0, 100]`, by nearest rank.
    pub percentile: f64,
}

/// An entry of `required_events` or `forbidden_events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRule {
    /// The event's type.
    pub kind: String,
    /// Only events of this side; of both together when absent.
    pub side: Option<Side>,
    /// Required: at least this many. Not used by forbidden events.
    pub count: u64,
}

impl Acceptance {
    /// The rules as a scenario gives them.
    pub(crate) fn to_value(&self) -> Value {
        let Self {
            handshake_done,
            max_loss_rate,
            min_goodput_bps,
            max_latency_ms,
            max_ber,
            max_per,
            max_aead_fail,
            min_lock_ratio,
            required_events,
            forbidden_events,
        } = self;
        let mut map = Map::new();
        let given = [
            ("handshake_done", json!(handshake_done)),
            ("max_loss_rate", json!(max_loss_rate)),
            ("min_goodput_bps", json!(min_goodput_bps)),
            ("max_latency_ms", json!(max_latency_ms)),
            ("max_ber", json!(max_ber)),
            ("max_per", json!(max_per)),
            ("max_aead_fail", json!(max_aead_fail)),
            ("min_lock_ratio", json!(min_lock_ratio)),
        ];
        for (key, value) in given {
            if !value.is_null() {
                map.insert(key.to_owned(), value);
            }
        }
        for (key, rules, counted) in [
            ("required_events", required_events, true),
            ("forbidden_events", forbidden_events, false),
        ] {
            if !rules.is_empty() {
                let rules = rules.iter().map(|rule| rule.to_value(counted)).collect();
                map.insert(key.to_owned(), Value::Array(rules));
            }
        }
        Value::Object(map)
    }
}

impl EventRule {
    fn to_value(&self, counted: bool) -> Value {
        let mut map = Map::new();
        map.insert("type".to_owned(), json!(self.kind));
        if let Some(side) = self.side {
            map.insert("side".to_owned(), json!(side.name()));
        }
        if counted {
            map.insert("count".to_owned(), json!(self.count));
        }
        Value::Object(map)
    }
}
