//! What the commands need from the program that they run in.

use std::process::Command;

use drybox::adapter::Adapter;

/// The `drywire` binary or a Python interpreter.
pub trait Host {
    /// The adapters of one run, left first. What can't be found is reported when it is opened.
    fn adapters(&mut self, specs: &[String; 2]) -> [Box<dyn Adapter>; 2];

    /// Whether an adapter's callbacks take their CPU time on this thread.
    fn runs_in_process(&self, spec: &str) -> bool;

    /// Notes, or no longer notes, which unseeded sources of randomness and clocks the next
    /// adapters use. False where this host can't.
    fn watch_entropy(&mut self, watch: bool) -> bool;

    /// What was noted since this was last asked: the source and the place, such as
    /// `os.urandom (adapter.py:12)`, each once.
    fn take_entropy_uses(&mut self) -> Vec<String>;

    /// Whether the user asked to stop.
    fn interrupted(&mut self) -> bool;

    /// The command that starts this program's DryBox commands anew, up to and without the
    /// sub-command: each value of a sweep runs in a fresh process.
    fn command(&self) -> Command;
}
