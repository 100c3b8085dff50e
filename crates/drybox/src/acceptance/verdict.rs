//! The outcome of judging a run.

use std::fmt;

use serde::Serialize;

/// Whether a run achieved what it must. Prints one line per check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every check passed; true without any.
    pub passed: bool,
    /// One entry per threshold, in the order of the documentation.
    pub checks: Vec<Check>,
}

/// One threshold against what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The scenario's key.
    pub name: String,
    /// Where the worst was measured: a direction (`L>R`) or a side (`L`); `None` for both together.
    pub place: Option<&'static str>,
    /// What was required, in words.
    pub required: String,
    /// What was measured, in words; `nothing` where there was nothing, and `nothing of what was sent`
    /// where nothing of it had settled.
    pub measured: String,
    /// By how much a threshold was missed, where that is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_by: Option<String>,
    /// Whether the threshold was met.
    pub passed: bool,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, check) in self.checks.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{check}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed { "passed" } else { "MISSED" };
        write!(f, "{word} {}", self.name)?;
        if let Some(place) = self.place {
            write!(f, " ({place})")?;
        }
        write!(
            f,
            ": measured {}, required {}",
            self.measured, self.required
        )?;
        if let Some(missed_by) = &self.missed_by {
            write!(f, ", missed by {missed_by}")?;
        }
        Ok(())
    }
}
