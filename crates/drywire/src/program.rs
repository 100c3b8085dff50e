//! The `drywire` binary as the host of the DryBox commands.

use std::{
    io,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use drybox::adapter::Adapter;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{
    adapters::{Adapters, SidecarOptions, SpecKind},
    boxcli::Host,
};

/// Names the Python interpreter that hosts `.py` adapters.
const PYTHON: &str = "DRYBOX_PYTHON";

/// This program: Python adapters are sidecars, interrupts are signals.
#[derive(Debug)]
pub struct Program {
    interrupted: Arc<AtomicBool>,
    options: SidecarOptions,
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
        Ok(Self {
            options: SidecarOptions {
                python: python.unwrap_or_else(|_| defaults.python.clone()),
                interrupt: Some(Arc::clone(&interrupted)),
                ..defaults
            },
            interrupted,
        })
    }
}

impl Host for Program {
    fn adapters(&mut self, [left, right]: &[String; 2]) -> [Box<dyn Adapter>; 2] {
        Adapters::connect(left, right, self.options.clone())
    }

    fn runs_in_process(&self, spec: &str) -> bool {
        matches!(SpecKind::of(spec), SpecKind::Native(_))
    }

    fn watch_entropy(&mut self, _: bool) -> bool {
        false
    }

    fn take_entropy_uses(&mut self) -> Vec<String> {
        Vec::new()
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
