//! The control socket: requests and answers, one JSON line each (`docs/spec/drybox-proxy.md`,
//! section 5).

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use drybox::Direction;
use serde_json::{Map, Value, json};

use super::ProxyError;

/// The longest request, its LF included.
pub const MAX_LINE_BYTES: usize = 65_536;

/// Connections at a time.
pub(super) const MAX_CONNECTIONS: usize = 16;

/// Requests of one connection in one turn, so that a flood of them does not hold up datagrams.
const TURN: usize = 16;

/// What a proxy can be asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Change settings.
    Set(Map<String, Value>),
    /// Show settings.
    Get,
    /// Cut these directions.
    Cut(Vec<Direction>),
    /// Heal these directions.
    Heal(Vec<Direction>),
    /// Show statistics.
    Stats,
    /// End.
    Stop,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it and what to do, in words.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| format!("a request is a JSON object on one line: {error}"))?;
        let Value::Object(mut keys) = value else {
            return Err("a request is a JSON object, such as {\"do\": \"stats\"}".to_owned());
        };
        let Some(Value::String(what)) = keys.remove("do") else {
            return Err("the key \"do\" is missing, or no text".to_owned());
        };
        let request = match what.as_str() {
            "set" => match keys.remove("settings") {
                Some(Value::Object(settings)) if !settings.is_empty() => Self::Set(settings),
                _ => {
                    return Err("set needs \"settings\", an object such as \
                                {\"network.loss_rate\": 0.1}"
                        .to_owned());
                }
            },
            "get" => Self::Get,
            "cut" => Self::Cut(directions(&mut keys)?),
            "heal" => Self::Heal(directions(&mut keys)?),
            "stats" => Self::Stats,
            "stop" => Self::Stop,
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(format!(
                    "there is no {shown:?}; use set, get, cut, heal, stats or stop"
                ));
            }
        };
        match keys.keys().next() {
            None => Ok(request),
            Some(key) => {
                let shown: String = key.chars().take(40).collect();
                Err(format!("{what} takes no key {shown:?}"))
            }
        }
    }

    /// The request as a line with its LF.
    pub fn to_line(&self) -> String {
        let value = match self {
            Self::Set(settings) => json!({ "do": "set", "settings": settings }),
            Self::Get => json!({ "do": "get" }),
            Self::Cut(directions) => with_direction("cut", directions),
            Self::Heal(directions) => with_direction("heal", directions),
            Self::Stats => json!({ "do": "stats" }),
            Self::Stop => json!({ "do": "stop" }),
        };
        format!("{value}\n")
    }
}

fn with_direction(what: &str, directions: &[Direction]) -> Value {
    match directions {
        [one] => json!({ "do": what, "direction": one.label() }),
        _ => json!({ "do": what }),
    }
}

fn directions(keys: &mut Map<String, Value>) -> Result<Vec<Direction>, String> {
    let Some(given) = keys.remove("direction") else {
        return Ok(Direction::BOTH.to_vec());
    };
    Direction::BOTH
        .into_iter()
        .find(|direction| given == direction.label())
        .map(|direction| vec![direction])
        .ok_or_else(|| "the direction is \"L>R\" or \"R>L\"; leave it out for both".to_owned())
}

/// The listening socket and its connections.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    pub(super) listener: UnixListener,
    pub(super) connections: Vec<Connection>,
}

impl Control {
    /// Makes the socket; one that nobody answers at any more is replaced.
    pub(super) fn bind(path: &Path) -> Result<Self, ProxyError> {
        let make = || {
            remove_stale(path)?;
            let listener = UnixListener::bind(path)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        match make() {
            Ok(listener) => Ok(Self {
                path: path.to_owned(),
                listener,
                connections: Vec::new(),
            }),
            Err(cause) => Err(ProxyError::Control {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    /// Whether another connection may come.
    pub(super) const fn has_room(&self) -> bool {
        self.connections.len() < MAX_CONNECTIONS
    }

    /// Takes in who waits.
    pub(super) fn accept(&mut self) {
        while self.has_room() {
            // Whatever prevents it, the proxy goes on; who waits can try again.
            let Ok((stream, _)) = self.listener.accept() else {
                return;
            };
            if stream.set_nonblocking(true).is_ok() {
                self.connections.push(Connection::new(stream));
            }
        }
    }

    /// Serves what has come; says whether more requests wait for the next turn.
    pub(super) fn serve(&mut self, mut answer: impl FnMut(&[u8]) -> Value) -> bool {
        let mut more = false;
        self.connections.retain_mut(|connection| {
            more |= connection.serve(&mut answer);
            !connection.is_done()
        });
        more
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Best effort: somebody else may have removed it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes a socket that is left from a proxy that is gone.
fn remove_stale(path: &Path) -> io::Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !meta.file_type().is_socket() {
        let what = "something else than a socket is there";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => {
            let what = "another proxy listens there";
            Err(io::Error::new(io::ErrorKind::AddrInUse, what))
        }
    }
}

/// Somebody who asks.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    /// No more is read; it goes when its answers are out.
    closing: bool,
    broken: bool,
}

impl Connection {
    const fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            input: Vec::new(),
            output: Vec::new(),
            closing: false,
            broken: false,
        }
    }

    /// Whether an answer waits to be taken.
    pub(super) const fn is_writing(&self) -> bool {
        !self.output.is_empty()
    }

    const fn is_done(&self) -> bool {
        self.broken || (self.closing && self.output.is_empty())
    }

    /// Reads, answers and writes as far as it goes without waiting.
    fn serve(&mut self, answer: &mut dyn FnMut(&[u8]) -> Value) -> bool {
        for _ in 0..TURN {
            self.write();
            if self.is_writing() || self.is_done() {
                return false;
            }
            if let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                self.reply(&answer(&line));
                continue;
            }
            if self.input.len() >= MAX_LINE_BYTES {
                let error = format!("a request takes at most {MAX_LINE_BYTES} bytes");
                self.reply(&json!({ "ok": false, "error": error }));
                self.input.clear();
                self.closing = true;
                continue;
            }
            if self.closing || !self.read() {
                return false;
            }
        }
        self.write();
        !self.is_writing() && !self.is_done()
    }

    /// Reads what there is, at most a line's length; says whether anything came.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let room = buffer.len().min(MAX_LINE_BYTES - self.input.len());
        match self.stream.read(&mut buffer[..room]) {
            Ok(0) => {
                self.closing = true;
                true
            }
            Ok(count) => {
                self.input.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) => {
                self.broken = error.kind() != io::ErrorKind::WouldBlock;
                false
            }
        }
    }

    fn reply(&mut self, answer: &Value) {
        self.output.extend_from_slice(answer.to_string().as_bytes());
        self.output.push(b'\n');
    }

    fn write(&mut self) {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(count) => {
                    self.output.drain(..count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.broken = true;
                    return;
                }
            }
        }
    }
}
