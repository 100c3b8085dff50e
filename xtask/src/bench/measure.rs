//! Measuring a command: wall time and peak memory, in turns.

use std::{process::Command, time::Duration};

use anyhow::Result;

use crate::steps;

/// Which way a figure is good.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One row of the table.
pub(super) struct Figure {
    /// What was measured.
    pub(super) name: &'static str,
    /// The unit of the value and of its bound.
    pub(super) unit: &'static str,
    /// What was found.
    pub(super) value: f64,
    /// What it is held to.
    pub(super) bound: Bound,
}

impl Figure {
    /// Whether the figure reaches what it is held to.
    pub(super) fn holds(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.value >= bound,
            Bound::AtMost(bound) => self.value <= bound,
        }
    }
}

/// The shortest wall time of several runs: what disturbs a run only ever lengthens it.
pub(super) fn shortest(runs: u32, mut command: impl FnMut() -> Command) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..runs {
        let mut command = command();
        let begin = steps::now();
        steps::capture(&mut command)?;
        best = best.min(begin.elapsed());
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_on_its_bound_holds() {
        let figure = |value, bound| Figure {
            name: "x",
            unit: "ms",
            value,
            bound,
        };
        assert!(figure(5.0, Bound::AtLeast(5.0)).holds());
        assert!(!figure(4.9, Bound::AtLeast(5.0)).holds());
        assert!(figure(5.0, Bound::AtMost(5.0)).holds());
        assert!(!figure(5.1, Bound::AtMost(5.0)).holds());
    }
}
