//! How often each type of event occurred.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::side::Side;

/// The types that are told apart per side (`docs/spec/outputs.md`, section 5.3).
pub const MAX_EVENT_TYPES: usize = 1024;
/// Where further types are counted.
pub const OTHER_EVENTS: &str = "(other)";

/// Numbers of events per side and type, in bounded memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EventCounts {
    #[serde(rename = "L")]
    left: BTreeMap<String, u64>,
    #[serde(rename = "R")]
    right: BTreeMap<String, u64>,
}

impl EventCounts {
    /// Counts one.
    pub fn add(&mut self, side: Side, kind: &str) {
        let types = match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        };
        if let Some(count) = types.get_mut(kind) {
            *count += 1;
            return;
        }
        let name = if types.len() < MAX_EVENT_TYPES {
            kind
        } else {
            OTHER_EVENTS
        };
        *types.entry(name.to_owned()).or_default() += 1;
    }

    /// Every type of a side with its number, sorted by type.
    pub const fn of(&self, side: Side) -> &BTreeMap<String, u64> {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_beyond_the_limit_are_counted_together() {
        let mut counts = EventCounts::default();
        for i in 0..MAX_EVENT_TYPES + 10 {
            counts.add(Side::Left, &format!("type{i}"));
        }
        counts.add(Side::Left, "type0");
        counts.add(Side::Right, "x");
        assert_eq!(counts.of(Side::Left).len(), MAX_EVENT_TYPES + 1);
        assert_eq!(counts.of(Side::Left)[OTHER_EVENTS], 10);
        assert_eq!(counts.of(Side::Left)["type0"], 2);
        assert_eq!(counts.of(Side::Right)["x"], 1);
    }
}
