//! Steps of a task: run one after the other, timed, summed up at the end.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How a step ended.
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// The steps of one task. All run even if an earlier one fails, so that one round shows everything.
pub(crate) struct Steps {
    task: &'static str,
    done: Vec<(String, Outcome, Duration)>,
}

impl Steps {
    /// No steps yet.
    pub(crate) const fn new(task: &'static str) -> Self {
        Self {
            task,
            done: Vec::new(),
        }
    }

    /// Runs a step; says whether it passed.
    pub(crate) fn step(&mut self, name: &str, body: impl FnOnce() -> Result<()>) -> bool {
        println!("\n== {}: {name}", self.task);
        let begin = now();
        let outcome = match body() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("{name}: {error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        let passed = matches!(outcome, Outcome::Passed);
        self.done.push((name.to_owned(), outcome, begin.elapsed()));
        passed
    }

    /// Runs a command as a step.
    pub(crate) fn command(&mut self, name: &str, command: &mut Command) -> bool {
        self.step(name, || run(command))
    }

    /// Notes a step that does not run, and why.
    pub(crate) fn skip(&mut self, name: &str, why: impl Into<String>) {
        let why = why.into();
        println!("\n== {}: {name}: skipped: {why}", self.task);
        self.done
            .push((name.to_owned(), Outcome::Skipped(why), Duration::ZERO));
    }

    /// Prints the summary; says whether no step failed.
    pub(crate) fn finish(self) -> bool {
        println!("\n== {}: summary", self.task);
        let mut fine = true;
        for (name, outcome, took) in &self.done {
            let seconds = took.as_secs_f64();
            match outcome {
                Outcome::Passed => println!("  ok      {seconds:7.1} s  {name}"),
                Outcome::Skipped(why) => println!("  skipped            {name}: {why}"),
                Outcome::Failed(why) => {
                    fine = false;
                    let line = why.lines().next().unwrap_or_default();
                    println!("  FAILED  {seconds:7.1} s  {name}: {line}");
                }
            }
        }
        let verdict = if fine { "passed" } else { "FAILED" };
        println!("{}: {verdict}", self.task);
        fine
    }
}

/// Runs a command to its end; its output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
    if !status.success() {
        bail!("`{}`: {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and takes its output; an error holds what it printed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
    if !output.status.success() {
        bail!(
            "`{}`: {}\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not UTF-8", shown(command)))
}

/// The time, for durations shown to people.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask is an edge: it tells how long its steps take"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The command as one would type it, without the folder of its program.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
