//! How the outside watches and interrupts a run.

use std::ops::ControlFlow;

/// What a progress bar shows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Logical time in ms.
    pub t_ms: u64,
    /// The run's length in ms.
    pub duration_ms: u64,
    /// Loss so far, both directions together, where anything is settled.
    pub loss_rate: Option<f64>,
    /// Mode A: bits per second delivered so far, both directions together.
    pub goodput_bps: Option<f64>,
    /// Mode B: mean estimated signal-to-noise ratio in dB, of the worse direction.
    pub snr_db: Option<f64>,
}

/// Called by the engine every 256 ticks and at the end of a run.
pub trait Hooks {
    /// Shows progress; [`ControlFlow::Break`] interrupts the run at this tick.
    fn tick(&mut self, progress: &Progress) -> ControlFlow<()>;
}

/// Watches nothing and never interrupts.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn tick(&mut self, _progress: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
