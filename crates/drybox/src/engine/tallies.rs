//! What the engine keeps of adapters' events for acceptance (`docs/spec/engine.md`, section 5).

use serde_json::Value;

use crate::Side;

/// A side's first completed handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The tick at which the side said so, in ms.
    pub t_ms: u64,
    /// Its `auth` field, if it is a string.
    pub auth: Option<String>,
}

/// How long a side's modem was locked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockClock {
    since_ms: Option<u64>,
    total_ms: u64,
    reported: bool,
}

impl LockClock {
    fn set(&mut self, t_ms: u64, locked: bool) {
        self.reported = true;
        self.total_ms = self.locked_ms(t_ms);
        self.since_ms = locked.then_some(t_ms);
    }

    /// Locked time up to `t_ms`.
    pub const fn locked_ms(&self, t_ms: u64) -> u64 {
        match self.since_ms {
            Some(since) => self.total_ms + (t_ms - since),
            None => self.total_ms,
        }
    }

    /// Locked time over `t_ms`; `None` where the side never reported its lock or no time passed.
    pub fn ratio(&self, t_ms: u64) -> Option<f64> {
        (self.reported && t_ms > 0).then(|| self.locked_ms(t_ms) as f64 / t_ms as f64)
    }
}

/// One side's tally.
#[derive(Debug, Clone, Default)]
pub struct SideTally {
    /// The first completed handshake.
    pub handshake: Option<Handshake>,
    /// Key changes that were reported.
    pub rekeys: u64,
    /// Authentication failures that were reported.
    pub aead_failures: u64,
    /// Wrong bits.
    pub bit_errors: u64,
    /// Bits compared.
    pub bits: u64,
    /// The modem's lock.
    pub lock: LockClock,
}

/// Both sides' tallies.
#[derive(Debug, Clone, Default)]
pub struct Tallies {
    sides: [SideTally; 2],
}

/// What an event says beyond itself: the columns of its metrics row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Derived {
    pub(super) hs_time_ms: Option<f64>,
    pub(super) rekey_ms: Option<f64>,
    pub(super) aead_fail_cnt: Option<f64>,
    pub(super) lock_ratio: Option<f64>,
    pub(super) cfo_hz_est: Option<f64>,
    pub(super) ber: Option<f64>,
}

/// What became of an event that has a meaning to DryBox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// An adapter's own event.
    None,
    /// Understood: these columns make a row.
    Row(Derived),
    /// A known type without the numbers it needs.
    Malformed,
}

impl Tallies {
    /// One side's tally.
    pub const fn side(&self, side: Side) -> &SideTally {
        &self.sides[side.index()]
    }

    /// Takes what an adapter's event means.
    pub(super) fn take(&mut self, t_ms: u64, side: Side, kind: &str, payload: &Value) -> Meaning {
        let tally = &mut self.sides[side.index()];
        let derived = match kind {
            "hs_done" | "handshake_done" => tally.handshake(t_ms, payload),
            "rekey_done" => tally.rekey(payload),
            "aead_fail" => tally.aead_fail(payload),
            "modem_lock" => tally.modem_lock(t_ms, payload),
            "ber" => tally.ber(payload),
            _ => return Meaning::None,
        };
        derived.map_or(Meaning::Malformed, Meaning::Row)
    }
}

impl SideTally {
    fn handshake(&mut self, t_ms: u64, payload: &Value) -> Option<Derived> {
        let took = match given(payload, ["time_ms", "t_ms"]) {
            None => t_ms as f64,
            Some(value) => duration(value)?,
        };
        let auth = payload
            .get("auth")
            .and_then(Value::as_str)
            .map(str::to_owned);
        self.handshake.get_or_insert(Handshake { t_ms, auth });
        Some(Derived {
            hs_time_ms: Some(took),
            ..Derived::default()
        })
    }

    fn rekey(&mut self, payload: &Value) -> Option<Derived> {
        let took = duration(given(payload, ["time_ms", "rekey_ms"])?)?;
        self.rekeys += 1;
        Some(Derived {
            rekey_ms: Some(took),
            ..Derived::default()
        })
    }

    fn aead_fail(&mut self, payload: &Value) -> Option<Derived> {
        let count = match payload.get("count") {
            None => 1,
            Some(count) => count.as_u64()?,
        };
        self.aead_failures = self.aead_failures.saturating_add(count).min(MOST_COUNTED);
        Some(Derived {
            aead_fail_cnt: Some(self.aead_failures as f64),
            ..Derived::default()
        })
    }

    fn modem_lock(&mut self, t_ms: u64, payload: &Value) -> Option<Derived> {
        let locked = payload.get("locked")?.as_bool()?;
        self.lock.set(t_ms, locked);
        Some(Derived {
            lock_ratio: self.lock.ratio(t_ms),
            cfo_hz_est: frequency(payload, "cfo_hz"),
            ..Derived::default()
        })
    }

    fn ber(&mut self, payload: &Value) -> Option<Derived> {
        let errors = payload.get("errors")?.as_u64()?;
        let bits = payload.get("bits")?.as_u64()?;
        if errors > bits {
            return None;
        }
        self.bit_errors = self.bit_errors.saturating_add(errors);
        self.bits = self.bits.saturating_add(bits);
        Some(Derived {
            ber: self.bit_error_ratio(),
            ..Derived::default()
        })
    }

    /// Σ errors / Σ bits, where any bit was compared.
    pub fn bit_error_ratio(&self) -> Option<f64> {
        (self.bits > 0).then(|| self.bit_errors as f64 / self.bits as f64)
    }
}

/// Where a count stays: the largest number up to which a row shows every one exactly.
const MOST_COUNTED: u64 = 1 << 53;

/// The largest time and the largest frequency that an event may tell, in ms and Hz.
const LARGEST: f64 = 1e12;

/// The first of two keys that has a value.
fn given<'p>(payload: &'p Value, keys: [&str; 2]) -> Option<&'p Value> {
    keys.iter()
        .filter_map(|key| payload.get(key))
        .find(|value| !value.is_null())
}

/// A time in ms.
fn duration(value: &Value) -> Option<f64> {
    value.as_f64().filter(|ms| (0.0..=LARGEST).contains(ms))
}

/// A frequency in Hz.
fn frequency(payload: &Value, key: &str) -> Option<f64> {
    let hz = payload.get(key)?.as_f64();
    hz.filter(|hz| hz.abs() <= LARGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_handshake_counts_at_its_tick() {
        let mut tallies = Tallies::default();
        let first = tallies.take(
            120,
            Side::Left,
            "hs_done",
            &json!({"auth": "ok", "time_ms": 90}),
        );
        assert_eq!(
            first,
            Meaning::Row(Derived {
                hs_time_ms: Some(90.0),
                ..Derived::default()
            })
        );
        tallies.take(300, Side::Left, "handshake_done", &json!({}));
        let handshake = tallies.side(Side::Left).handshake.clone();
        assert_eq!(
            handshake,
            Some(Handshake {
                t_ms: 120,
                auth: Some("ok".to_owned())
            })
        );
    }

    #[test]
    fn lock_ratio_is_locked_time_over_the_run() {
        let mut tallies = Tallies::default();
        assert_eq!(tallies.side(Side::Left).lock.ratio(100), None);
        tallies.take(100, Side::Left, "modem_lock", &json!({"locked": true}));
        tallies.take(150, Side::Left, "modem_lock", &json!({"locked": true}));
        tallies.take(300, Side::Left, "modem_lock", &json!({"locked": false}));
        assert_eq!(tallies.side(Side::Left).lock.ratio(400), Some(0.5));
    }

    #[test]
    fn failures_beyond_what_a_row_can_show_stay_at_the_most() {
        let mut tallies = Tallies::default();
        for _ in 0..2 {
            let row = tallies.take(0, Side::Left, "aead_fail", &json!({"count": u64::MAX}));
            let Meaning::Row(derived) = row else {
                panic!("{row:?}")
            };
            assert_eq!(derived.aead_fail_cnt, Some(9_007_199_254_740_992.0));
        }
        assert_eq!(tallies.side(Side::Left).aead_failures, MOST_COUNTED);
    }

    #[test]
    fn counts_that_make_no_sense_are_malformed() {
        let mut tallies = Tallies::default();
        let cases = [
            ("ber", json!({"errors": 3, "bits": 2})),
            ("ber", json!({"bits": 2})),
            ("aead_fail", json!({"count": -1})),
            ("modem_lock", json!({"locked": "yes"})),
            ("rekey_done", json!(null)),
            ("rekey_done", json!({"time_ms": -1})),
            ("hs_done", json!({"time_ms": 1e300})),
            ("hs_done", json!({"t_ms": "soon"})),
        ];
        for (kind, payload) in cases {
            assert_eq!(
                tallies.take(0, Side::Left, kind, &payload),
                Meaning::Malformed,
                "{kind}"
            );
        }
        assert_eq!(tallies.side(Side::Left).bit_error_ratio(), None);
    }
}
