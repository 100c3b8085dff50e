//! The `drywire` binary as the host of the DryBox commands.

use std::{
    io,
    process::Command,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use drybox::adapter::Adapter;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{
    adapters::{Adapters, ENTROPY_PREFIX, SidecarOptions, SpecKind},
    boxcli::Host,
};

/// Names the Python interpreter that hosts `.py` adapters.
const PYTHON: &str = "DRYBOX_PYTHON";

/// This program: Python adapters are sidecars, interrupts are signals.
#[derive(Debug)]
pub struct Program {
    interrupted: Arc<AtomicBool>,
    options: SidecarOptions,
    entropy_uses: Arc<Mutex<Vec<String>>>,
}

impl Program {
    /// Takes over SIGINT and SIGTERM: from now on they ask a run to end and write its outputs.
    pub fn new() -> io::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the edge: where settings come in"
        )]
        let python = std::env::var(PYTHON);
        let defaults = SidecarOptions::default();
        let entropy_uses = Arc::new(Mutex::new(Vec::new()));
        let (uses, to_stderr) = (Arc::clone(&entropy_uses), Arc::clone(&defaults.log));
        Ok(Self {
            options: SidecarOptions {
                python: python.unwrap_or_else(|_| defaults.python.clone()),
                interrupt: Some(Arc::clone(&interrupted)),
                log: Arc::new(move |line| match line.split_once(ENTROPY_PREFIX) {
                    Some((_, used)) => lock(&uses).push(used.to_owned()),
                    None => to_stderr(line),
                }),
                ..defaults
            },
            interrupted,
            entropy_uses,
        })
    }
}

/// A thread that panicked while it pushed a line leaves a list of lines.
fn lock(uses: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    uses.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host for Program {
    fn adapters(&mut self, [left, right]: &[String; 2]) -> [Box<dyn Adapter>; 2] {
        Adapters::connect(left, right, self.options.clone())
    }

    fn runs_in_process(&self, spec: &str) -> bool {
        matches!(SpecKind::of(spec), SpecKind::Native(_))
    }

    fn watch_entropy(&mut self, watch: bool) -> bool {
        self.options.watch_entropy = watch;
        true
    }

    fn take_entropy_uses(&mut self) -> Vec<String> {
        std::mem::take(&mut lock(&self.entropy_uses))
    }

    fn interrupted(&mut self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn command(&self) -> Command {
        // Without a path of its own, it is found as it was found this time.
        let program = std::env::current_exe().unwrap_or_else(|_| "drywire".into());
        let mut command = Command::new(program);
        command.arg("box");
        command
    }
}
