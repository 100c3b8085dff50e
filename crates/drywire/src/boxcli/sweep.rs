//! All values of a sweep, each in a process of its own (`docs/spec/scenario.md`, section 7).
//!
//! A fresh process per value keeps one value's adapters from seeing what another's left behind in
//! an interpreter, and gives the same bytes whatever the number of jobs.

use std::{
    collections::VecDeque,
    io::{self, Write},
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use drybox::{
    ExitCode,
    scenario::{Plan, Point},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{args::RunArgs, error::BoxError, host::Host, print};

/// How often the host is asked whether the user wants to stop.
const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// What one value's process said.
pub(super) struct PointReport {
    /// The value's folder.
    pub(super) folder: String,
    /// Its exit code.
    pub(super) exit: ExitCode,
    /// Its summary; null where it could not make one.
    pub(super) summary: Value,
}

/// Runs every point and prints a line for each.
pub(super) fn run(
    args: &RunArgs,
    plan: &Plan,
    folder: &Path,
    host: &mut dyn Host,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<ExitCode, BoxError> {
    let mut waiting: VecDeque<&Point> = plan.points.iter().collect();
    let mut running: VecDeque<Running> = VecDeque::new();
    let mut reports: Vec<PointReport> = Vec::with_capacity(plan.points.len());
    let mut interrupted = false;
    loop {
        while !interrupted && running.len() < usize::from(args.jobs) {
            let Some(point) = waiting.pop_front() else {
                break;
            };
            running.push_back(Running::start(host.command(), args, point, folder)?);
        }
        // In the order of the plan: what is printed does not depend on which ends first.
        let Some(process) = running.pop_front() else {
            break;
        };
        let output = loop {
            match process.output.recv_timeout(ASK_INTERVAL) {
                Ok(output) => break output?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(BoxError::Internal(format!(
                        "{}: its waiter died",
                        process.folder
                    )));
                }
                Err(RecvTimeoutError::Timeout) if !interrupted && host.interrupted() => {
                    interrupted = true;
                    process.interrupt();
                    running.iter().for_each(Running::interrupt);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        err.write_all(&output.stderr)?;
        let report = PointReport {
            folder: process.folder,
            exit: output
                .status
                .code()
                .map_or(ExitCode::OurFault, ExitCode::from_code),
            summary: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        };
        interrupted |= report.exit == ExitCode::Interrupted;
        if !args.json {
            print::point(out, &report)?;
        }
        reports.push(report);
    }
    if args.json {
        print::sweep_json(out, &reports)?;
    }
    if interrupted {
        return Ok(ExitCode::Interrupted);
    }
    Ok(ExitCode::worst(reports.iter().map(|report| report.exit)))
}

/// A process that runs one value.
struct Running {
    folder: String,
    pid: Option<Pid>,
    output: Receiver<io::Result<Output>>,
}

impl Running {
    fn start(
        mut command: Command,
        args: &RunArgs,
        point: &Point,
        folder: &Path,
    ) -> Result<Self, BoxError> {
        let name = point.folder.clone().unwrap_or_default();
        command
            .arg("run")
            .arg(&args.scenario)
            .arg("--out")
            .arg(folder.join(&name));
        for (flag, spec) in [
            ("--left", &args.common.left),
            ("--right", &args.common.right),
        ] {
            if let Some(spec) = spec {
                command.arg(flag).arg(spec);
            }
        }
        for (flag, number) in [
            ("--tick-ms", args.common.tick_ms),
            ("--seed", args.common.seed),
        ] {
            if let Some(number) = number {
                command.arg(flag).arg(number.to_string());
            }
        }
        command.args(["--json", "--no-progress", "--point", &name]);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|cause| BoxError::Internal(format!("cannot start {name}: {cause}")))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            // Nobody listens any more when the sweep has failed.
            let _ = sender.send(child.wait_with_output());
        });
        Ok(Self {
            folder: name,
            pid,
            output,
        })
    }

    /// Asks the process to end with its outputs flushed.
    fn interrupt(&self) {
        if let Some(pid) = self.pid {
            // It may have ended in this moment.
            let _ = kill_process(pid, Signal::INT);
        }
    }
}
