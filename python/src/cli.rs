//! The commands in a Python interpreter.

use std::{ffi::OsString, io, process::Command};

use drybox::adapter::Adapter;
use drywire::{
    adapters::SpecKind,
    boxcli::{self, Host},
};
use pyo3::{exceptions::PyKeyboardInterrupt, prelude::*};

use crate::{adapters, host};

/// Runs a command, its name (`drybox` or `drybox-run`) first; returns its exit code.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let mut host = Interpreter {
        program: py.import("sys")?.getattr("executable")?.extract()?,
        raised: None,
    };
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let field_form = arguments
        .first()
        .is_some_and(|program| program == "drybox-run");
    let exit = if field_form {
        boxcli::drybox_run(arguments, &mut host, &mut out, &mut err)
    } else {
        boxcli::main(arguments, &mut host, &mut out, &mut err)
    };
    match host.raised {
        // KeyboardInterrupt is what the exit code says already.
        Some(error) if !error.is_instance_of::<PyKeyboardInterrupt>(py) => Err(error),
        _ => Ok(exit.code()),
    }
}

/// Starts `drybox` anew. The empty entry of `sys.path` is the working folder, from which nothing of
/// ours should come.
const START: &str = "import sys; sys.path[:] = [p for p in sys.path if p]; \
                     from drybox._cli import drybox; sys.exit(drybox())";

/// This interpreter as the host of a run.
struct Interpreter {
    program: OsString,
    raised: Option<PyErr>,
}

impl Host for Interpreter {
    fn adapters(&mut self, specs: &[String; 2]) -> [Box<dyn Adapter>; 2] {
        Python::attach(|py| adapters::pair(py, specs, [None, None]))
    }

    fn runs_in_process(&self, spec: &str) -> bool {
        !matches!(SpecKind::of(spec), SpecKind::Command(_))
    }

    fn watch_entropy(&mut self, watch: bool) -> bool {
        let watched =
            Python::attach(|py| host::entropy(py)?.call_method1("watch", (watch,)).map(drop));
        watched.is_ok()
    }

    fn take_entropy_uses(&mut self) -> Vec<String> {
        let uses = Python::attach(|py| host::entropy(py)?.call_method0("take")?.extract());
        // Noting cannot fail but for want of memory.
        uses.unwrap_or_default()
    }

    fn interrupted(&mut self) -> bool {
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => self.raised.is_some(),
            Err(error) => {
                self.raised = Some(error);
                true
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-c", START]);
        command
    }
}
