//! The progress bar: simulated time, loss, goodput, SNR.

use std::{fmt::Write as _, time::Duration};

use drybox::engine::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; invisible where that is no terminal.
#[derive(Debug)]
pub struct RunBar {
    bar: ProgressBar,
}

impl RunBar {
    /// A bar for a run of `duration_ms`, hidden when not `visible`.
    pub fn new(duration_ms: u64, visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(duration_ms.max(1)), target);
        let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}  ({elapsed})");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Draws a run's progress.
    pub fn show(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(progress.t_ms);
        self.bar.set_message(message(progress));
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn message(progress: &Progress) -> String {
    let simulated = Duration::from_millis(progress.t_ms).as_secs_f64();
    let mut text = format!("{simulated:.1} s simulated");
    if let Some(loss) = progress.loss_rate {
        let _ = write!(text, " · loss {:.2} %", loss * 100.0);
    }
    if let Some(bps) = progress.goodput_bps {
        let _ = write!(text, " · {bps:.0} bit/s");
    }
    if let Some(snr) = progress.snr_db {
        let _ = write!(text, " · SNR {snr:.1} dB");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_known() {
        let mut progress = Progress {
            t_ms: 1500,
            duration_ms: 3000,
            ..Progress::default()
        };
        assert_eq!(message(&progress), "1.5 s simulated");
        progress.loss_rate = Some(0.0125);
        progress.goodput_bps = Some(1234.4);
        assert_eq!(
            message(&progress),
            "1.5 s simulated · loss 1.25 % · 1234 bit/s"
        );
    }
}
