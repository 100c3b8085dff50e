//! The proxy's loop: sockets, clock, relay.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use drybox::{
    Direction, ExitCode,
    output::{self, OutputError, Recorder, RecorderOptions},
    relay::{FlowId, Relay, RelaySummary, UnsentCounts, Wants},
    scenario::Mode,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use serde_json::{Value, json};

use super::{
    ProxyError, ProxyOptions,
    clock::{Clock, micros},
    control::{Control, MAX_CONNECTIONS, Request},
    ports::{self, Ports},
};

/// How often it is asked whether the user wants to stop.
const ASK_US: u64 = 50_000;

/// Datagrams taken from one socket in one turn, so that none keeps the others waiting.
const BATCH: usize = 64;

/// Descriptors of a flow: its socket, and three files while it is recorded.
const FLOW_DESCRIPTORS: usize = 4;

/// Descriptors that flows leave: for those who ask for statistics or stop the proxy, and for what is
/// written at the end.
const SPARE_DESCRIPTORS: usize = MAX_CONNECTIONS + 4;

/// How often it is said that flows are refused for want of descriptors, at most.
const SAY_US: u64 = 60_000_000;

/// No UDP datagram is longer.
const MAX_DATAGRAM: usize = 65_536;

/// What `DIR/proxy.json` is called.
const SUMMARY: &str = "proxy.json";

/// A proxy that is bound to its sockets.
#[derive(Debug)]
pub struct Proxy {
    options: ProxyOptions,
    clock: Clock,
    relay: Relay,
    ports: Ports,
    control: Option<Control>,
    buffer: Vec<u8>,
    stopped: bool,
    /// When it is said again that descriptors are wanting.
    silent_until_us: u64,
}

/// Who runs a proxy.
pub trait ProxyHost {
    /// Whether the user wants to stop; asked at least twenty times a second.
    fn interrupted(&mut self) -> bool;

    /// Something that the user should know; the proxy goes on.
    fn warn(&mut self, message: &str);
}

/// How a proxy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyEnd {
    /// Its control socket said so, or its time was over.
    Stopped,
    /// The user.
    Interrupted,
}

impl ProxyEnd {
    /// The exit code that says so.
    pub const fn exit(self) -> ExitCode {
        match self {
            Self::Stopped => ExitCode::Passed,
            Self::Interrupted => ExitCode::Interrupted,
        }
    }
}

/// What a proxy leaves behind.
#[derive(Debug)]
pub struct ProxyReport {
    /// How it ended.
    pub end: ProxyEnd,
    /// What it counted.
    pub summary: RelaySummary,
}

/// Which sockets have something.
struct Ready {
    listener: bool,
    flows: Vec<FlowId>,
    control: bool,
}

impl Proxy {
    /// Takes the sockets. Outputs of an earlier proxy in the output folder are removed.
    ///
    /// # Errors
    /// What prevents it: addresses, the scenario's mode, the control socket, the output folder.
    pub fn bind(options: ProxyOptions) -> Result<Self, ProxyError> {
        if options.scenario.mode == Mode::Audio {
            return Err(ProxyError::Audio);
        }
        let listen = |cause| ProxyError::Listen {
            address: options.listen,
            cause,
        };
        let ports = Ports::bind(options.listen, options.to).map_err(listen)?;
        let listening = ports.listener.local_addr().map_err(listen)?;
        options.check_loop(listening)?;
        let control = options.control.as_deref().map(Control::bind).transpose()?;
        if let Some(out) = &options.out {
            prepare(out)?;
        }
        Ok(Self {
            relay: Relay::new(&options.name, &options.scenario, options.limits),
            clock: Clock::start(),
            ports,
            control,
            buffer: vec![0; MAX_DATAGRAM],
            stopped: false,
            silent_until_us: 0,
            options,
        })
    }

    /// Where it listens.
    pub fn listen_addr(&self) -> io::Result<SocketAddr> {
        self.ports.listener.local_addr()
    }

    /// Forwards until it is stopped.
    ///
    /// # Errors
    /// Outputs or sockets that fail. Outputs are completed as far as possible all the same.
    pub fn run(mut self, host: &mut dyn ProxyHost) -> Result<ProxyReport, ProxyError> {
        let ran = self.forward(host);
        let was_interrupted = matches!(ran, Ok(ProxyEnd::Interrupted));
        let now_us = self.clock.now_us();
        // Before flows are closed: what is on its way is still in flight then.
        let summary = self.relay.summary(now_us);
        let closed = self.relay.close_all(now_us, was_interrupted);
        let written = match &self.options.out {
            Some(out) => output::write_whole(out, SUMMARY, summary.to_json().as_bytes()),
            None => Ok(()),
        };
        let end = ran?;
        closed?;
        written?;
        Ok(ProxyReport { end, summary })
    }

    fn forward(&mut self, host: &mut dyn ProxyHost) -> Result<ProxyEnd, ProxyError> {
        let deadline_us = self.options.duration.map_or(u64::MAX, micros);
        let mut asked_us = 0;
        let mut hurry = false;
        loop {
            let now_us = self.clock.now_us();
            self.deliver(now_us)?;
            while let Some(id) = self.relay.expired(now_us) {
                self.ports.remove(id);
                self.relay.close(now_us, id)?;
            }
            if self.stopped || now_us >= deadline_us {
                return Ok(ProxyEnd::Stopped);
            }
            if now_us >= asked_us {
                if host.interrupted() {
                    return Ok(ProxyEnd::Interrupted);
                }
                asked_us = now_us + ASK_US;
            }
            let next_us = self.relay.next_event_us().unwrap_or(u64::MAX);
            let until_us = next_us.min(asked_us).min(deadline_us);
            let wait_us = if hurry {
                0
            } else {
                until_us.saturating_sub(self.clock.now_us())
            };
            let ready = self.wait(wait_us)?;
            if ready.listener {
                self.take_from_clients(host)?;
            }
            for id in ready.flows {
                self.take_from_server(id)?;
            }
            hurry = (hurry || ready.control) && self.serve_control()?;
        }
    }

    /// Waits for a socket, at most for `wait_us`.
    fn wait(&mut self, wait_us: u64) -> Result<Ready, ProxyError> {
        let timeout = Timespec {
            tv_sec: (wait_us / 1_000_000) as i64,
            tv_nsec: (wait_us % 1_000_000 * 1000) as _,
        };
        let mut polled: Vec<PollFd<'_>> = Vec::with_capacity(self.ports.flows.len() + 20);
        polled.push(PollFd::new(&self.ports.listener, PollFlags::IN));
        for port in self.ports.flows.values() {
            polled.push(PollFd::new(&port.socket, PollFlags::IN));
        }
        if let Some(control) = &self.control {
            if control.has_room() {
                polled.push(PollFd::new(&control.listener, PollFlags::IN));
            }
            for connection in &control.connections {
                let flags = if connection.is_writing() {
                    PollFlags::OUT
                } else {
                    PollFlags::IN
                };
                polled.push(PollFd::new(&connection.stream, flags));
            }
        }
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) => {}
            // A signal: the loop asks what it means.
            Err(Errno::INTR) => {
                return Ok(Ready {
                    listener: false,
                    flows: Vec::new(),
                    control: false,
                });
            }
            Err(error) => return Err(ProxyError::Socket(error.into())),
        }
        let has = |polled: &PollFd<'_>| !polled.revents().is_empty();
        let (flow_sockets, control) = polled[1..].split_at(self.ports.flows.len());
        let flows = self.ports.flows.keys().zip(flow_sockets);
        Ok(Ready {
            listener: has(&polled[0]),
            flows: flows
                .filter(|(_, polled)| has(polled))
                .map(|(&id, _)| id)
                .collect(),
            control: control.iter().any(has),
        })
    }

    /// Sends what is due.
    fn deliver(&mut self, now_us: u64) -> Result<(), OutputError> {
        let mut unsent = UnsentCounts::default();
        let ports = &self.ports;
        let delivered = self.relay.deliver(now_us, |id, direction, datagram| {
            ports.send(id, direction, datagram, &mut unsent);
        });
        self.relay.unsent(unsent);
        delivered
    }

    /// Reads what clients sent, opening flows for new ones.
    fn take_from_clients(&mut self, host: &mut dyn ProxyHost) -> Result<(), ProxyError> {
        for _ in 0..BATCH {
            let (length, client) = match self.ports.listener.recv_from(&mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if ports::is_report(&error) => continue,
                Err(error) => return Err(ProxyError::Socket(error)),
            };
            let now_us = self.clock.now_us();
            let id = match self.ports.flow_of(client) {
                Some(id) => id,
                None => match self.open(now_us, client)? {
                    Ok(id) => id,
                    Err(wants) => {
                        self.relay.refuse(wants);
                        self.say(now_us, wants, host);
                        continue;
                    }
                },
            };
            let datagram = &self.buffer[..length];
            self.relay
                .send(now_us, id, Direction::LeftToRight, datagram)?;
        }
        Ok(())
    }

    /// Reads what the server sent to one flow.
    fn take_from_server(&mut self, id: FlowId) -> Result<(), ProxyError> {
        for _ in 0..BATCH {
            let Some(port) = self.ports.flows.get(&id) else {
                return Ok(());
            };
            match port.socket.recv(&mut self.buffer) {
                Ok(length) => {
                    let now_us = self.clock.now_us();
                    let datagram = &self.buffer[..length];
                    self.relay
                        .send(now_us, id, Direction::RightToLeft, datagram)?;
                }
                Err(error) if ports::is_report(&error) => {}
                // Nothing more, or nothing that a flow's socket could be blamed for.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Opens a flow, or says what is wanting for it.
    fn open(
        &mut self,
        now_us: u64,
        client: SocketAddr,
    ) -> Result<Result<FlowId, Wants>, ProxyError> {
        let Some(id) = self.relay.next_flow() else {
            return Ok(Err(Wants::Flow));
        };
        // Before anything is made: what was begun would have to be removed for each datagram.
        let needs = FLOW_DESCRIPTORS + SPARE_DESCRIPTORS;
        if !self.ports.has_descriptors(needs) {
            return Ok(Err(Wants::Descriptors));
        }
        let socket = match self.ports.connect() {
            Ok(socket) => socket,
            Err(error) if ports::is_out_of_descriptors(&error) => {
                return Ok(Err(Wants::Descriptors));
            }
            Err(_) => return Ok(Err(Wants::Flow)),
        };
        let recorder = match self.recorder(id) {
            Ok(recorder) => recorder,
            // Another part of the process, or of the system, was faster.
            Err(error) if is_out_of_descriptors(&error) => {
                self.remove_folder(id);
                return Ok(Err(Wants::Descriptors));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(id) = self.relay.open(now_us, recorder) else {
            return Ok(Err(Wants::Flow));
        };
        self.ports.add(id, client, socket);
        Ok(Ok(id))
    }

    /// Says that descriptors are wanting, now and then.
    fn say(&mut self, now_us: u64, wants: Wants, host: &mut dyn ProxyHost) {
        if wants != Wants::Descriptors || now_us < self.silent_until_us {
            return;
        }
        self.silent_until_us = now_us + SAY_US;
        let open = self.ports.flows.len();
        host.warn(&format!(
            "no file descriptors are left beside those of {open} flows: further ones are refused \
             until some end; raise the limit (ulimit -n), or record fewer flows (--record-flows)"
        ));
    }

    /// The folder of a flow's outputs, if it has any.
    fn folder(&self, id: FlowId) -> Option<PathBuf> {
        let out = self.options.out.as_ref()?;
        (id < self.options.record_flows).then(|| out.join(format!("flow_{id}")))
    }

    fn recorder(&self, id: FlowId) -> Result<Option<Recorder>, OutputError> {
        let Some(folder) = self.folder(id) else {
            return Ok(None);
        };
        let options = RecorderOptions {
            capture: self.options.capture,
            ..RecorderOptions::default()
        };
        Recorder::to_dir(&folder, options).map(Some)
    }

    /// Takes away what a flow that wasn't opened has left.
    fn remove_folder(&self, id: FlowId) {
        if let Some(folder) = self.folder(id) {
            // Best effort: the next flow, which has the same number, does it again.
            let _ = output::clear(&folder);
            let _ = std::fs::remove_dir(&folder);
        }
    }

    /// Answers requests; says whether more wait.
    fn serve_control(&mut self) -> Result<bool, ProxyError> {
        let Some(mut control) = self.control.take() else {
            return Ok(false);
        };
        control.accept();
        let mut result = Ok(());
        let more = control.serve(|line| match self.answer(line) {
            Ok(answer) => answer,
            Err(error) => {
                let answer = refusal(&error.to_string());
                result = Err(error);
                answer
            }
        });
        self.control = Some(control);
        result?;
        Ok(more)
    }

    /// Does what a request says.
    fn answer(&mut self, line: &[u8]) -> Result<Value, OutputError> {
        let now_us = self.clock.now_us();
        Ok(match Request::parse(line) {
            Err(message) => refusal(&message),
            Ok(Request::Set(settings)) => match self.relay.set(now_us, &settings) {
                Err(error) => refusal(&error.to_string()),
                Ok(recorded) => {
                    recorded?;
                    json!({ "ok": true, "network": self.relay.network() })
                }
            },
            Ok(Request::Get) => json!({ "ok": true, "network": self.relay.network() }),
            Ok(Request::Cut(directions)) => self.cut(now_us, &directions, true)?,
            Ok(Request::Heal(directions)) => self.cut(now_us, &directions, false)?,
            Ok(Request::Stats) => json!({ "ok": true, "stats": self.relay.summary(now_us) }),
            Ok(Request::Stop) => {
                self.stopped = true;
                json!({ "ok": true })
            }
        })
    }

    fn cut(
        &mut self,
        now_us: u64,
        directions: &[Direction],
        cut: bool,
    ) -> Result<Value, OutputError> {
        for &direction in directions {
            self.relay.cut(now_us, direction, cut)?;
        }
        Ok(json!({ "ok": true, "cut": self.relay.cuts() }))
    }
}

fn is_out_of_descriptors(error: &OutputError) -> bool {
    match error {
        OutputError::Folder { cause, .. }
        | OutputError::Create { cause, .. }
        | OutputError::Write { cause, .. } => ports::is_out_of_descriptors(cause),
        _ => false,
    }
}

fn refusal(message: &str) -> Value {
    json!({ "ok": false, "error": message })
}

/// Makes the output folder and takes the outputs of an earlier proxy out of it.
fn prepare(out: &Path) -> Result<(), OutputError> {
    let folder = |cause| OutputError::Folder {
        path: out.to_owned(),
        cause,
    };
    std::fs::create_dir_all(out).map_err(folder)?;
    for entry in std::fs::read_dir(out).map_err(folder)? {
        let entry = entry.map_err(folder)?;
        let name = entry.file_name();
        let is_flow = name
            .to_str()
            .and_then(|name| name.strip_prefix("flow_"))
            .is_some_and(|number| number.parse::<FlowId>().is_ok());
        if is_flow {
            output::clear(&entry.path())?;
            // Who put notes there keeps them, and the folder.
            let _ = std::fs::remove_dir(entry.path());
        }
    }
    let summary = out.join(SUMMARY);
    match std::fs::remove_file(&summary) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(OutputError::Create {
            path: summary,
            cause,
        }),
        _ => Ok(()),
    }
}
