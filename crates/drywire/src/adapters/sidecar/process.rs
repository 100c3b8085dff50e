//! A sidecar process: spawned into its own group, spoken to in frames, watched and killed
//! (`docs/spec/sidecar.md`, sections 2 and 6).

use std::{
    io,
    os::{fd::AsFd, unix::process::CommandExt},
    process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use drybox::adapter::AdapterFault;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, kill_process_group},
};

use super::{SidecarOptions, launch::Launch, message, stderr::Stderr};

/// The largest body of a frame.
pub(super) const MAX_FRAME: usize = 16 << 20;
/// How often a waiting DryBox looks whether it was interrupted.
const SLICE: Duration = Duration::from_millis(250);
/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// How long a process may take to flush its stderr once it has failed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One running sidecar.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    /// Closed, to tell the process to end, before it is waited for.
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: Stderr,
    options: SidecarOptions,
    received: Vec<u8>,
}

/// Why an exchange did not come to its end.
enum Failure {
    Ended,
    TimedOut,
    Interrupted,
    Framing(String),
    System(io::Error),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::PIPE | Errno::CONNRESET => Self::Ended,
            other => Self::System(other.into()),
        }
    }
}

impl Process {
    /// Starts the process and greets it. `sides` is the prefix of its stderr lines.
    pub(super) fn start(
        launch: &Launch,
        sides: &str,
        options: &SidecarOptions,
    ) -> Result<Self, AdapterFault> {
        let (mut command, preamble) = launch.command();
        let failed = |error: io::Error| {
            let hint = match launch {
                Launch::Python { .. } => "; DRYBOX_PYTHON names another interpreter",
                Launch::Command(_) => "",
            };
            AdapterFault::Load(format!("cannot start {}: {error}{hint}", launch.name()))
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group: Ctrl-C reaches DryBox alone, and what it spawned dies with it.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            kill(&mut child);
            return Err(failed(io::Error::other("no pipes")));
        };
        // Never blocked in a write to a process that does not read.
        let drained = rustix::io::ioctl_fionbio(&stdin, true)
            .map_err(io::Error::from)
            .and_then(|()| Stderr::drain(stderr, format!("[{sides}]"), options.log.clone()));
        let stderr = match drained {
            Ok(stderr) => stderr,
            Err(error) => {
                kill(&mut child);
                return Err(failed(error));
            }
        };
        let mut process = Self {
            name: launch.name(),
            child,
            stdin: Some(stdin),
            stdout,
            stderr,
            options: options.clone(),
            received: Vec::new(),
        };
        process.greet(preamble)?;
        Ok(process)
    }

    fn greet(&mut self, mut opening: Vec<u8>) -> Result<(), AdapterFault> {
        let mut hello = Vec::new();
        message::hello(&mut hello);
        opening.extend_from_slice(&hello);
        let version = message::read_hello(self.exchange(&opening)?);
        match version {
            Ok(message::PROTOCOL_VERSION) => Ok(()),
            Ok(other) => Err(AdapterFault::Process(format!(
                "{} speaks version {other} of the sidecar protocol, this DryBox version {}",
                self.name,
                message::PROTOCOL_VERSION
            ))),
            Err(error) => Err(self.broken(&error.to_string())),
        }
    }

    /// Sends one request, whole frame and all, and returns the body of the reply.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Result<&[u8], AdapterFault> {
        let range = match self.try_exchange(request) {
            Ok(range) => range,
            Err(failure) => return Err(self.fault(failure)),
        };
        Ok(&self.received[range])
    }

    fn try_exchange(&mut self, request: &[u8]) -> Result<std::ops::Range<usize>, Failure> {
        let watchdog = Watchdog::new(&self.options);
        let Some(stdin) = &self.stdin else {
            return Err(Failure::Ended);
        };
        let mut rest = request;
        while !rest.is_empty() {
            match rustix::io::write(stdin, rest) {
                Ok(n) => rest = &rest[n..],
                Err(Errno::AGAIN) => watchdog.wait(stdin, PollFlags::OUT)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.received.clear();
        let mut need = 4;
        while self.received.len() < need {
            watchdog.wait(&self.stdout, PollFlags::IN)?;
            let room = CHUNK.max(need - self.received.len());
            self.received.reserve(room);
            let spare = rustix::buffer::spare_capacity(&mut self.received);
            match rustix::io::read(&self.stdout, spare) {
                Ok(0) => return Err(Failure::Ended),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            if let Some(head) = self.received.first_chunk() {
                let len = u32::from_le_bytes(*head) as usize;
                if len > MAX_FRAME {
                    return Err(Failure::Framing(format!(
                        "announced a frame of {len} bytes, over the limit of {MAX_FRAME}"
                    )));
                }
                need = 4 + len;
            }
        }
        if self.received.len() > need {
            return Err(Failure::Framing(
                "sent more than one reply to a request".to_owned(),
            ));
        }
        Ok(4..need)
    }

    /// The process broke the protocol: `what` it did.
    pub(super) fn broken(&mut self, what: &str) -> AdapterFault {
        self.fault(Failure::Framing(format!("sent {what}")))
    }

    /// Ends the process and says what was wrong with it.
    fn fault(&mut self, failure: Failure) -> AdapterFault {
        // Looked at before it is killed, so that a status of its own is told from ours.
        let own = self.child.try_wait().ok().flatten();
        let status = kill(&mut self.child);
        self.stdin = None;
        let what = match failure {
            Failure::Interrupted => return AdapterFault::Interrupted,
            Failure::Ended => ending(own.or(status)),
            Failure::TimedOut => format!(
                "did not answer within {} s",
                self.options.timeout.as_secs_f64()
            ),
            Failure::Framing(what) => format!("broke the framing: it {what}"),
            Failure::System(error) => format!("cannot be reached: {error}"),
        };
        let last_words = self.stderr.last_words(LAST_WORDS);
        AdapterFault::Process(format!("{} {what}{last_words}", self.name))
    }
}

/// Ends the process whatever happens: first politely, by closing its input.
impl Drop for Process {
    fn drop(&mut self) {
        if self.stdin.take().is_some() {
            let watchdog = Watchdog {
                deadline: after(self.options.grace),
                options: &SidecarOptions::default(),
            };
            let mut rest = vec![0; CHUNK];
            while watchdog.wait(&self.stdout, PollFlags::IN).is_ok() {
                if !matches!(rustix::io::read(&self.stdout, &mut rest[..]), Ok(1..)) {
                    break;
                }
            }
        }
        kill(&mut self.child);
    }
}

/// Kills the whole group and reaps the process.
fn kill(child: &mut Child) -> Option<ExitStatus> {
    // Gone already is fine: its group may live on, and is killed by the same call.
    let _gone = kill_process_group(Pid::from_child(child), Signal::KILL);
    child.wait().ok()
}

fn ending(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => format!("ended ({status}) before its reply"),
        None => "ended before its reply".to_owned(),
    }
}

/// The limit on wall-clock time that one exchange may take.
struct Watchdog<'a> {
    deadline: Instant,
    options: &'a SidecarOptions,
}

impl<'a> Watchdog<'a> {
    fn new(options: &'a SidecarOptions) -> Self {
        Self {
            deadline: after(options.timeout),
            options,
        }
    }

    /// Waits until the pipe is ready, closed, or the time is up.
    fn wait(&self, pipe: impl AsFd, flags: PollFlags) -> Result<(), Failure> {
        loop {
            if self.options.is_interrupted() {
                return Err(Failure::Interrupted);
            }
            let left = self
                .deadline
                .saturating_duration_since(after(Duration::ZERO));
            let slice = Timespec::try_from(left.min(SLICE)).unwrap_or_default();
            match poll(&mut [PollFd::new(&pipe, flags)], Some(&slice)) {
                Ok(0) if left.is_zero() => return Err(Failure::TimedOut),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a watchdog over another process is about wall-clock time; nothing in a run sees it"
)]
fn after(duration: Duration) -> Instant {
    Instant::now() + duration
}
