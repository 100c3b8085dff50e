//! Settings of sidecar processes.

use std::{
    fmt,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::stderr::LogSink;

/// How sidecars are started and watched.
#[derive(Clone)]
pub struct SidecarOptions {
    /// The Python interpreter that hosts `.py` specs: the caller's `DRYBOX_PYTHON`, else `python3`.
    pub python: String,
    /// Whether the Python host notes which clocks and unseeded random sources the adapters use and
    /// writes them to the log when it ends, a line each, after [`ENTROPY_PREFIX`](super::ENTROPY_PREFIX).
    pub watch_entropy: bool,
    /// The longest wall-clock time that one request may take; 30 s by default. A watchdog: nothing
    /// in a run depends on it.
    pub timeout: Duration,
    /// How long a process may take to end by itself once its input is closed; 2 s by default. Then
    /// its whole process group is killed.
    pub grace: Duration,
    /// Set when the user interrupts: a request that waits gives up within 250 ms.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// Takes the lines of the processes' stderr; our own stderr by default.
    pub log: LogSink,
}

impl SidecarOptions {
    pub(super) fn is_interrupted(&self) -> bool {
        let flag = self.interrupt.as_ref();
        flag.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

impl Default for SidecarOptions {
    fn default() -> Self {
        Self {
            python: "python3".to_owned(),
            watch_entropy: false,
            timeout: Duration::from_secs(30),
            grace: Duration::from_secs(2),
            interrupt: None,
            // A closed stderr loses the lines: there is nowhere left to say so.
            log: Arc::new(|line| drop(writeln!(std::io::stderr(), "{line}"))),
        }
    }
}

impl fmt::Debug for SidecarOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            python,
            watch_entropy,
            timeout,
            grace,
            interrupt,
            log: _,
        } = self;
        f.debug_struct("SidecarOptions")
            .field("python", python)
            .field("watch_entropy", watch_entropy)
            .field("timeout", timeout)
            .field("grace", grace)
            .field("interrupt", interrupt)
            .finish_non_exhaustive()
    }
}
