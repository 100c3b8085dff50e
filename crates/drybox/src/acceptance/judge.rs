//! Judging: per direction that sent anything, the worst counts, nothing measured is missed.

use super::{Acceptance, Check, DirectionMeasured, EventRule, HandshakeRule, Measured, Verdict};
use crate::side::{Direction, Side};

/// On which side of a threshold a measurement must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtMost,
    AtLeast,
}

impl Acceptance {
    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Judges what a run measured.
    pub fn judge(&self, measured: &Measured<'_>) -> Verdict {
        let mut checks = Vec::new();
        if let Some(rule) = &self.handshake_done {
            checks.extend(Side::BOTH.map(|side| handshake(rule, measured, side)));
        }
        let mut threshold = |name: &str, limit: Option<f64>, bound, unit, read: &Read<'_>| {
            if let Some(limit) = limit {
                checks.push(worst(name, limit, bound, unit, measured, read));
            }
        };
        threshold(
            "max_loss_rate",
            self.max_loss_rate,
            Bound::AtMost,
            "",
            &|_, direction| ratio(direction.lost, direction.settled),
        );
        threshold(
            "min_goodput_bps",
            self.min_goodput_bps,
            Bound::AtLeast,
            " bit/s",
            &|_, direction| Some(direction.goodput_bps),
        );
        let (latency, percentile) = match self.max_latency_ms {
            Some(rule) => (Some(rule.ms), rule.percentile),
            None => (None, 0.0),
        };
        let unit = format!(" ms (p{percentile})");
        threshold(
            "max_latency_ms",
            latency,
            Bound::AtMost,
            &unit,
            &|_, direction| direction.latencies.percentile(percentile),
        );
        threshold(
            "max_ber",
            self.max_ber,
            Bound::AtMost,
            "",
            &|receiver, _| {
                let sums = measured.bit_errors[receiver.index()]?;
                ratio(sums.errors, sums.bits)
            },
        );
        threshold(
            "max_per",
            self.max_per,
            Bound::AtMost,
            "",
            &|_, direction| ratio(direction.bad_units, direction.units),
        );
        threshold(
            "min_lock_ratio",
            self.min_lock_ratio,
            Bound::AtLeast,
            "",
            &|receiver, _| measured.lock_ratios[receiver.index()],
        );
        if let Some(limit) = self.max_aead_fail {
            let [left, right] = measured.aead_failures;
            let total = left.saturating_add(right);
            checks.push(Check {
                name: "max_aead_fail".to_owned(),
                place: None,
                required: format!("at most {limit}"),
                measured: total.to_string(),
                missed_by: (total > limit).then(|| (total - limit).to_string()),
                passed: total <= limit,
            });
        }
        checks.extend(
            self.required_events
                .iter()
                .map(|rule| required_event(rule, measured)),
        );
        checks.extend(
            self.forbidden_events
                .iter()
                .map(|rule| forbidden_event(rule, measured)),
        );
        Verdict {
            passed: checks.iter().all(|check| check.passed),
            checks,
        }
    }
}

/// Reads a measurement of a direction, given its receiver.
type Read<'a> = dyn Fn(Side, &DirectionMeasured<'_>) -> Option<f64> + 'a;

/// A ratio of counts, if anything was counted.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A threshold against the worst of the directions that sent anything.
fn worst(
    name: &str,
    limit: f64,
    bound: Bound,
    unit: &str,
    measured: &Measured<'_>,
    read: &Read<'_>,
) -> Check {
    let words = match bound {
        Bound::AtMost => "at most",
        Bound::AtLeast => "at least",
    };
    let required = format!("{words} {}{unit}", decimal(limit));
    let mut worst: Option<(Direction, f64)> = None;
    let mut unmeasured = None;
    for direction in Direction::BOTH {
        let Some(sent) = &measured.directions[direction.index()] else {
            continue;
        };
        let Some(value) = read(direction.receiver(), sent).filter(|value| value.is_finite()) else {
            unmeasured = unmeasured.or(Some(direction));
            continue;
        };
        let worse = match (worst, bound) {
            (None, _) => true,
            (Some((_, other)), Bound::AtMost) => value > other,
            (Some((_, other)), Bound::AtLeast) => value < other,
        };
        if worse {
            worst = Some((direction, value));
        }
    }
    // What sent something and measured nothing is worse than any number.
    let found = match (unmeasured, worst) {
        (Some(direction), _) => Err(Some(direction.label())),
        (None, Some(found)) => Ok(found),
        (None, None) => Err(None),
    };
    match found {
        Err(place) => Check {
            name: name.to_owned(),
            place,
            required,
            measured: match place {
                Some(_) => "nothing of what was sent".to_owned(),
                None => "nothing".to_owned(),
            },
            missed_by: None,
            passed: false,
        },
        Ok((direction, value)) => {
            let passed = match bound {
                Bound::AtMost => value <= limit,
                Bound::AtLeast => value >= limit,
            };
            Check {
                name: name.to_owned(),
                place: Some(direction.label()),
                required,
                measured: format!("{}{unit}", decimal(value)),
                missed_by: (!passed).then(|| decimal((value - limit).abs())),
                passed,
            }
        }
    }
}

fn handshake(rule: &HandshakeRule, measured: &Measured<'_>, side: Side) -> Check {
    let mut required = "done".to_owned();
    if let Some(within_ms) = rule.within_ms {
        required.push_str(&format!(" within {within_ms} ms"));
    }
    if let Some(auth) = &rule.auth {
        required.push_str(&format!(" with auth {auth:?}"));
    }
    let (shown, missed_by, passed) = match &measured.handshakes[side.index()] {
        None => ("nothing".to_owned(), None, false),
        Some(done) => {
            let late = rule
                .within_ms
                .and_then(|within_ms| done.t_ms.checked_sub(within_ms))
                .filter(|late| *late > 0);
            let mut shown = format!("done at {} ms", done.t_ms);
            let agrees = match (&rule.auth, &done.auth) {
                (None, _) => true,
                (Some(wanted), Some(auth)) => {
                    shown.push_str(&format!(" with auth {auth:?}"));
                    auth == wanted
                }
                (Some(_), None) => {
                    shown.push_str(" without auth");
                    false
                }
            };
            let missed_by = late.map(|late| format!("{late} ms"));
            (shown, missed_by, late.is_none() && agrees)
        }
    };
    Check {
        name: "handshake_done".to_owned(),
        place: Some(side.letter()),
        required,
        measured: shown,
        missed_by,
        passed,
    }
}

fn required_event(rule: &EventRule, measured: &Measured<'_>) -> Check {
    let count = count(rule, measured);
    Check {
        name: format!("required_events {}", rule.kind),
        place: rule.side.map(Side::letter),
        required: format!("at least {}", rule.count),
        measured: count.to_string(),
        missed_by: (count < rule.count).then(|| (rule.count - count).to_string()),
        passed: count >= rule.count,
    }
}

fn forbidden_event(rule: &EventRule, measured: &Measured<'_>) -> Check {
    let count = count(rule, measured);
    Check {
        name: format!("forbidden_events {}", rule.kind),
        place: rule.side.map(Side::letter),
        required: "none".to_owned(),
        measured: count.to_string(),
        missed_by: (count > 0).then(|| count.to_string()),
        passed: count == 0,
    }
}

fn count(rule: &EventRule, measured: &Measured<'_>) -> u64 {
    Side::BOTH
        .into_iter()
        .filter(|side| rule.side.is_none_or(|wanted| wanted == *side))
        .map(|side| {
            let counts = measured.events.of(side);
            counts.get(&rule.kind).copied().unwrap_or(0)
        })
        .fold(0, u64::saturating_add)
}

/// A number with six decimals at most; smaller ones in scientific notation, so that none is a
/// misleading 0.
fn decimal(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-6 {
        return format!("{value:e}");
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}
