//! Nodes of commands: options, start, addresses, who the peer is.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use serde_json::json;
use stt::{
    Builder, CloseReason, ConnectOptions, Node, NodeId, Session, SessionConfig, WsConnectOptions,
};

use super::{
    error::SttCliError,
    line::eprintln_line,
    seed::{NodeSeed, SharedSeed},
};

/// The code that a session with another node than the expected one is closed with.
const WRONG_PEER: u64 = 1;
/// After so much silence each end asks whether the other is there, well within the idle time-out of 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(8);
/// The code of a session that its user ended.
const INTERRUPTED: u64 = 2;
/// The code of a session that failed at this end.
const FAILED: u64 = 3;

/// What every command with a session takes.
#[derive(Args, Debug)]
pub(super) struct NodeArgs {
    #[command(flatten)]
    shared: SharedSeed,
    #[command(flatten)]
    own: NodeSeed,
    /// Accept only peers with these node ids (64 hexadecimal digits each)
    #[arg(long = "allow", value_name = "NODE-ID", value_parser = node_id)]
    allow: Vec<NodeId>,
    /// Seconds until an attempt to connect is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    timeout: f64,
    /// Go over WebSocket instead of UDP; both ends alike
    #[arg(long)]
    ws: bool,
    /// Print results and the address as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Draw no progress bar
    #[arg(long)]
    pub(super) no_progress: bool,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    pub(super) host: String,
    pub(super) port: u16,
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads `HOST:PORT`, `[V6]:PORT`; `:PORT` is every address of this machine.
pub(super) fn host_port(text: &str) -> Result<HostPort, String> {
    let (host, port) = text
        .rsplit_once(':')
        .ok_or("write it as HOST:PORT, 127.0.0.1:4000 for instance")?;
    let host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(host) => host,
        None if host.contains(':') => return Err("write an IPv6 address as [::1]:4000".to_owned()),
        None => host,
    };
    let port = port
        .parse()
        .map_err(|_| format!("{port:?} is no port, a number from 0 to 65535"))?;
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    Ok(HostPort {
        host: host.to_owned(),
        port,
    })
}

/// Reads a node id.
pub(super) fn node_id(text: &str) -> Result<NodeId, String> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return Err(format!(
            "a node id has 64 hexadecimal digits, this has {}",
            digits.len()
        ));
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = value(pair[0])
            .zip(value(pair[1]))
            .map(|(high, low)| (high << 4 | low) as u8)
            .ok_or("a node id has 64 hexadecimal digits")?;
    }
    Ok(NodeId::new(bytes))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.001..=86_400.0).contains(&value) => Ok(value),
        _ => Err("a number of seconds from 0.001 to 86400".to_owned()),
    }
}

impl NodeArgs {
    /// A running node, bound there; over WebSocket it listens there too if `accepts`.
    pub(super) async fn start(
        &self,
        at: &HostPort,
        accepts: bool,
    ) -> Result<Listening, SttCliError> {
        let (own, shared) = (self.own.read()?, self.shared.read()?);
        let mut builder = Node::builder(&*own, &*shared)
            .host(at.host.as_str())
            .port(if self.ws { 0 } else { at.port })
            .accepts(accepts)
            .session(session_config());
        if !self.allow.is_empty() {
            builder = builder.allowed_peers(self.allow.iter().copied());
        }
        let node = builder.build()?;
        if node.has_short_seed() {
            eprintln_line(
                "warning: a seed of under 32 bytes can be guessed by whoever watches a handshake: `drywire keygen FILE` makes a better one",
            );
        }
        let mut address = node.start().await?;
        if self.ws && accepts {
            address = node.listen_ws(&at.host, at.port).await?;
        }
        Ok(Listening { node, address })
    }

    /// A session with the node at this address.
    pub(super) async fn connect(
        &self,
        node: &Node,
        to: &HostPort,
        expect: Option<NodeId>,
    ) -> Result<Session, SttCliError> {
        let mut options = ConnectOptions::default();
        options.expected_peer = expect;
        options.timeout = Duration::from_secs_f64(self.timeout);
        let session = if self.ws {
            let mut over_ws = WsConnectOptions::default();
            over_ws.socket.timeout = options.timeout;
            over_ws.session = options;
            node.connect_ws_with(&to.host, to.port, over_ws).await
        } else {
            node.connect_udp_with(&to.host, to.port, options).await
        };
        session.map_err(|cause| SttCliError::Connect {
            peer: to.to_string(),
            cause,
        })
    }

    /// A session with the peer that is called, or with the first one that calls.
    pub(super) async fn meet(
        &self,
        to: Option<&HostPort>,
        at: Option<&HostPort>,
        expect: Option<NodeId>,
    ) -> Result<(Listening, Session), SttCliError> {
        if let Some(to) = to {
            let any = HostPort {
                host: unspecified(to).await,
                port: 0,
            };
            let listening = self.start(&any, false).await?;
            let session = self.connect(&listening.node, to, expect).await?;
            return Ok((listening, session));
        }
        let at = at.ok_or_else(|| SttCliError::Usage("give --to or --listen".to_owned()))?;
        let listening = self.start(at, true).await?;
        self.announce(&listening);
        loop {
            let session = listening.node.accept().await.ok_or(CloseReason::Stopped)?;
            if expect.is_none_or(|expected| expected == session.peer()) {
                return Ok((listening, session));
            }
            session.close(WRONG_PEER, "another node is expected");
        }
    }

    /// Tells on standard error where the node listens and who it is.
    pub(super) fn announce(&self, listening: &Listening) {
        let (address, id) = (listening.address, listening.node.node_id());
        if self.json {
            eprintln_line(
                &json!({"listening": address.to_string(), "node_id": id.to_string()}).to_string(),
            );
        } else {
            eprintln_line(&format!("listening at {address}, node {id}"));
        }
    }
}

/// A pipe may be silent for as long as its user likes.
fn session_config() -> SessionConfig {
    SessionConfig {
        keep_alive: Some(KEEP_ALIVE),
        ..Builder::default_session()
    }
}

/// Tells the peer that it was all, or that something went wrong.
pub(super) fn close(session: &Session, error: Option<&SttCliError>) {
    match error {
        None | Some(SttCliError::Some { .. }) => session.close(0, ""),
        Some(SttCliError::Interrupted) => session.close(INTERRUPTED, "interrupted"),
        Some(_) => session.close(FAILED, "given up"),
    }
}

/// The address of this machine that reaches the peer's family.
async fn unspecified(to: &HostPort) -> String {
    let found = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
    // A name that isn't found is told when it is called.
    found.map_or("0.0.0.0", reaching).to_owned()
}

/// Where to bind for a peer with these addresses: a socket for IPv4, unless only IPv6 will do.
fn reaching(peer: impl IntoIterator<Item = SocketAddr>) -> &'static str {
    let mut addresses = peer.into_iter().peekable();
    if addresses.peek().is_some() && addresses.all(|address| address.is_ipv6()) {
        "::"
    } else {
        "0.0.0.0"
    }
}

/// A node and where it can be reached.
pub(super) struct Listening {
    pub(super) node: Node,
    pub(super) address: SocketAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let read = |text| host_port(text).map(|at| (at.host, at.port));
        assert_eq!(read("127.0.0.1:80"), Ok(("127.0.0.1".to_owned(), 80)));
        assert_eq!(read("[::1]:80"), Ok(("::1".to_owned(), 80)));
        assert_eq!(read(":0"), Ok(("0.0.0.0".to_owned(), 0)));
        for wrong in ["", "host", "::1:80", "h:65536", "h:", "h:-1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(host_port("[::1]:80").unwrap().to_string(), "[::1]:80");
    }

    #[test]
    fn a_name_with_ipv6_alone_is_reached_by_ipv6() {
        let (v4, v6) = (
            SocketAddr::from(([127, 0, 0, 1], 1)),
            SocketAddr::from(([0; 16], 1)),
        );
        assert_eq!(reaching([v6, v6]), "::");
        for peer in [&[v4][..], &[v6, v4], &[v4, v6], &[]] {
            assert_eq!(reaching(peer.iter().copied()), "0.0.0.0", "{peer:?}");
        }
    }

    #[test]
    fn node_ids() {
        let id = node_id(&"0f".repeat(32)).unwrap();
        assert_eq!(id.to_string(), "0f".repeat(32));
        for wrong in [
            String::new(),
            "0".repeat(63),
            "g".repeat(64),
            "é".repeat(32),
        ] {
            assert!(node_id(&wrong).is_err());
        }
    }
}
