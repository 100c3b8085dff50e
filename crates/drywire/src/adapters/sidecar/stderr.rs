//! Drains a sidecar's stderr: forwards it line by line and remembers the end of it.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    process::ChildStderr,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// Takes one line of a sidecar's stderr, with its prefix and without its end.
pub type LogSink = Arc<dyn Fn(&str) + Send + Sync>;

/// Lines kept for the message when the process fails.
const KEPT_LINES: usize = 20;
/// Longer lines are cut, so that a process that never ends a line needs no memory.
const MAX_LINE: u64 = 8192;

/// The reading end, and what it remembers.
#[derive(Debug)]
pub(super) struct Stderr {
    tail: Arc<Mutex<VecDeque<String>>>,
    ended: mpsc::Receiver<()>,
}

impl Stderr {
    /// Starts to drain `stderr` on a thread of its own.
    pub(super) fn drain(
        stderr: ChildStderr,
        prefix: String,
        log: LogSink,
    ) -> std::io::Result<Self> {
        let tail = Arc::new(Mutex::new(VecDeque::with_capacity(KEPT_LINES)));
        let (end, ended) = mpsc::sync_channel(1);
        let kept = Arc::clone(&tail);
        thread::Builder::new()
            .name("sidecar-stderr".to_owned())
            .spawn(move || {
                forward(stderr, &prefix, &log, &kept);
                // Nobody listens any more when the sidecar was dropped: nothing to do then.
                let _unheard = end.send(());
            })?;
        Ok(Self { tail, ended })
    }

    /// The last lines, after waiting a moment for the process's output to end. Indented, each on a
    /// line of its own, after a heading; nothing when there are none.
    pub(super) fn last_words(&self, patience: Duration) -> String {
        let _ended_or_not = self.ended.recv_timeout(patience);
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.is_empty() {
            return String::new();
        }
        let lines: String = tail.iter().map(|line| format!("\n  {line}")).collect();
        format!("; its last lines on stderr:{lines}")
    }
}

fn forward(stderr: ChildStderr, prefix: &str, log: &LogSink, kept: &Mutex<VecDeque<String>>) {
    let mut input = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        log(&format!("{prefix} {text}"));
        let mut tail = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == KEPT_LINES {
            tail.pop_front();
        }
        tail.push_back(text.to_owned());
    }
}
