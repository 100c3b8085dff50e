//! What people and machines see of a transfer.

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::super::{
    error::SttCliError,
    line::{eprintln_line, printable, println_line},
    peer::NodeArgs,
};

/// A bar on standard error and a line for each file on standard output.
pub(super) struct Report {
    bar: ProgressBar,
    json: bool,
}

impl Report {
    /// For so many bytes, or for nobody knows how many.
    pub(super) fn new(args: &NodeArgs, bytes: Option<u64>) -> Self {
        let target = if args.no_progress || args.json {
            ProgressDrawTarget::hidden()
        } else {
            // Hidden as well where standard error is no terminal.
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let (bar, template) = match bytes {
            Some(bytes) => (
                ProgressBar::with_draw_target(Some(bytes), target),
                "{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
            ),
            None => (
                ProgressBar::with_draw_target(None, target),
                "{bytes} {bytes_per_sec} {msg}",
            ),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            json: args.json,
        }
    }

    /// So many bytes more have gone or come.
    pub(super) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Bytes that are at the receiver already do not count as sent, but are done.
    pub(super) fn skip(&self, bytes: u64) {
        self.bar.inc(bytes);
        self.bar.reset_eta();
    }

    pub(super) fn name(&self, name: &str) {
        self.bar.set_message(printable(name).into_owned());
    }

    /// A file is whole at the receiver.
    pub(super) fn done(&self, name: &str, size: u64, moved: u64) -> Result<(), SttCliError> {
        let line = if self.json {
            json!({"file": name, "bytes": size, "moved": moved}).to_string()
        } else if moved == size {
            format!("{}: {}", printable(name), HumanBytes(size))
        } else {
            format!(
                "{}: {}, of which {} were there",
                printable(name),
                HumanBytes(size),
                HumanBytes(size - moved)
            )
        };
        self.bar.suspend(|| println_line(&line))
    }

    /// A file failed.
    pub(super) fn failed(&self, error: &SttCliError) {
        self.bar
            .suspend(|| eprintln_line(&format!("error: {error}")));
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
