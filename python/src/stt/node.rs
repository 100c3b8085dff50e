//! `STTNode` (section 4.9).

use std::{net::SocketAddr, path::PathBuf};

use pyo3::{
    IntoPyObjectExt as _,
    prelude::*,
    types::{PyBytes, PyDict},
};
use stt::{
    ConnectError, ConnectOptions, Node, NodeError, NodeId, WsConnectOptions, transport::WsError,
};

use super::{
    bridge::{Awaitable, ErrorToPython},
    crypto::warn_of_short_seed,
    data::{Data, Given, Number},
    endpoints::SttEndpoints,
    errors::{self, raise, raise_kind},
    messages::SttFrames,
    process::OfProcess,
    session::SttSession,
    transport::listen_options,
};

const ERROR: &str = "STTTransportError";

/// The compiled part of `STTNode`.
#[pyclass(frozen)]
pub(crate) struct SttNode(OfProcess<Node>);

impl SttNode {
    fn node(&self) -> PyResult<Node> {
        self.0.get("node").cloned()
    }
}

#[pymethods]
impl SttNode {
    #[new]
    #[pyo3(signature = (
        node_seed,
        shared_seed,
        host,
        port,
        chamber_path,
        identity,
        previous_shared_seeds,
        allowed_peers,
        max_sessions,
        backlog,
        accepts,
        busy_poll,
    ))]
    #[expect(clippy::too_many_arguments, reason = "what the Python class takes")]
    fn new(
        py: Python<'_>,
        node_seed: Given<Data>,
        shared_seed: Given<Data>,
        host: Given<String>,
        port: Given<Number>,
        chamber_path: Option<PathBuf>,
        identity: Given<Data>,
        previous_shared_seeds: Vec<Given<Data>>,
        allowed_peers: Option<Vec<Given<Data>>>,
        max_sessions: Given<Number>,
        backlog: Given<Number>,
        accepts: Given<bool>,
        busy_poll: Given<f64>,
    ) -> PyResult<Self> {
        let node_seed = node_seed.named(py, "node_seed")?;
        let shared_seed = shared_seed.named(py, "shared_seed")?;
        let identity = identity.named(py, "identity")?;
        let previous = previous_shared_seeds
            .into_iter()
            .map(|seed| seed.named(py, "previous_shared_seeds"))
            .collect::<PyResult<Vec<_>>>()?;
        let peers = match allowed_peers {
            Some(peers) => Some(node_ids(py, peers, "allowed_peers")?),
            None => None,
        };
        let host = host.named(py, "host")?;
        let port = port.within(py, ERROR, "port", 0, 65_535)?;
        let most = u64::from(u32::MAX);
        let max_sessions = max_sessions.within(py, ERROR, "max_sessions", 1, most)?;
        let backlog = backlog.within(py, ERROR, "backlog", 1, most)?;
        let accepts = accepts.named(py, "accepts")?;
        let busy_poll = busy_poll.seconds(py, ERROR, "busy_poll")?;
        // Short seeds are stretched here, which takes a while.
        let built = py.detach(|| {
            let mut builder = Node::builder(&node_seed[..], &shared_seed[..])
                .host(host)
                // In range by the checks above.
                .port(port as u16)
                .identity(&identity[..])
                .max_sessions(max_sessions as usize)
                .backlog(backlog as usize)
                .accepts(accepts)
                .busy_poll(busy_poll);
            for seed in &previous {
                builder = builder.further_shared_seed(&seed[..]);
            }
            if let Some(peers) = peers {
                builder = builder.allowed_peers(peers);
            }
            if let Some(path) = chamber_path {
                builder = builder.chamber_path(path);
            }
            builder.build()
        });
        let node = built.map_err(|error| error.to_python(py))?;
        if node.has_short_seed() {
            warn_of_short_seed(py, "node_seed or shared_seed")?;
        }
        Ok(Self(OfProcess::new(node)))
    }

    fn start(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let node = self.node()?;
        Awaitable::new(py, async move { node.start().await }, address)
    }

    fn stop(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let node = self.node()?;
        let stop = async move {
            node.stop().await;
            Ok::<_, NodeError>(())
        };
        Awaitable::new(py, stop, |py, ()| Ok(py.None()))
    }

    fn connect_udp(
        &self,
        py: Python<'_>,
        peer_host: Given<String>,
        peer_port: Given<Number>,
        expected_peer: Option<Given<Data>>,
        timeout: Given<f64>,
        resume: Given<bool>,
    ) -> PyResult<Awaitable> {
        let node = self.node()?;
        let host = peer_host.named(py, "peer_host")?;
        let port = peer_port.within(py, ERROR, "peer_port", 1, 65_535)?;
        let options = connect_options(py, expected_peer, timeout, resume)?;
        let connect = async move {
            // In range by the check above.
            node.connect_udp_with(&host, port as u16, options).await
        };
        Awaitable::new(py, connect, |py, session| {
            SttSession::new(session).into_py_any(py)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "what the Python method takes")]
    fn connect_ws(
        &self,
        py: Python<'_>,
        peer_host: Given<String>,
        peer_port: Given<Number>,
        path: Given<String>,
        origin: Option<Given<String>>,
        expected_peer: Option<Given<Data>>,
        timeout: Given<f64>,
        resume: Given<bool>,
    ) -> PyResult<Awaitable> {
        let node = self.node()?;
        let host = peer_host.named(py, "peer_host")?;
        let port = peer_port.within(py, ERROR, "peer_port", 1, 65_535)?;
        let mut options = WsConnectOptions::default();
        options.session = connect_options(py, expected_peer, timeout, resume)?;
        options.socket.timeout = options.session.timeout;
        options.socket.path = path.named(py, "path")?;
        options.socket.origin = origin
            .map(|origin| origin.named(py, "origin"))
            .transpose()?;
        let connect = async move {
            // In range by the check above.
            node.connect_ws_with(&host, port as u16, options).await
        };
        Awaitable::new(py, connect, |py, session| {
            SttSession::new(session).into_py_any(py)
        })
    }

    fn listen_ws(
        &self,
        py: Python<'_>,
        host: Given<String>,
        port: Given<Number>,
        path: Given<String>,
        origins: Option<Vec<Given<String>>>,
    ) -> PyResult<Awaitable> {
        let node = self.node()?;
        let host = host.named(py, "host")?;
        let port = port.within(py, ERROR, "port", 0, 65_535)?;
        let options = listen_options(py, path, origins)?;
        let listen = async move {
            // In range by the check above.
            node.listen_ws_with(&host, port as u16, options).await
        };
        Awaitable::new(py, listen, address)
    }

    /// The next session of a peer; None once the node is stopped.
    fn accept(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let node = self.node()?;
        let accept = async move { Ok::<_, NodeError>(node.accept().await) };
        Awaitable::new(py, accept, |py, session| {
            session.map(SttSession::new).into_py_any(py)
        })
    }

    #[pyo3(signature = (frames, /))]
    fn dispatch_frames(&self, frames: &SttFrames) -> PyResult<()> {
        self.node()?.dispatch_frames(frames.sink()?);
        Ok(())
    }

    #[pyo3(signature = (endpoints, /))]
    fn route_endpoints(&self, endpoints: &SttEndpoints) -> PyResult<()> {
        self.node()?.route_endpoints(endpoints.manager());
        Ok(())
    }

    #[getter]
    fn node_id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.node()?.node_id().as_bytes()))
    }

    #[getter]
    fn is_running(&self) -> PyResult<bool> {
        Ok(self.node()?.is_running())
    }

    /// Host and port; None while it isn't running.
    #[getter]
    fn local_address(&self) -> PyResult<Option<(String, u16)>> {
        let address = self.node()?.local_addr().ok();
        Ok(address.map(|address| (address.ip().to_string(), address.port())))
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let node = self.node()?;
        let stats = py.detach(|| node.stats());
        let dict = PyDict::new(py);
        let endpoint = stats.endpoint;
        for (name, value) in [
            ("sessions", stats.sessions as u64),
            ("half_open", stats.half_open as u64),
            ("to_accept", stats.to_accept as u64),
            ("web_sockets", stats.web_sockets as u64),
            ("datagrams_received", endpoint.datagrams),
            ("datagrams_dropped", endpoint.dropped),
            ("hellos_received", endpoint.hellos),
            ("hellos_refused", endpoint.refused),
            ("responses_sent", endpoint.responses),
            ("cookies_sent", endpoint.cookies),
            ("resets_sent", endpoint.resets),
            ("responses_forged", endpoint.forged_responses),
        ] {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }
}

/// What a caller says about a connection to be made.
pub(crate) fn connect_options(
    py: Python<'_>,
    expected_peer: Option<Given<Data>>,
    timeout: Given<f64>,
    resume: Given<bool>,
) -> PyResult<ConnectOptions> {
    let timeout = timeout.seconds(py, ERROR, "timeout")?;
    let mut options = ConnectOptions::default();
    if let Some(peer) = expected_peer {
        let id = peer.exactly(py, ERROR, "expected_peer")?;
        options.expected_peer = Some(NodeId::new(id));
    }
    options.timeout = timeout;
    options.resume = resume.named(py, "resume")?;
    Ok(options)
}

fn node_ids(py: Python<'_>, ids: Vec<Given<Data>>, name: &str) -> PyResult<Vec<NodeId>> {
    ids.into_iter()
        .map(|id| id.exactly(py, ERROR, name).map(NodeId::new))
        .collect()
}

/// Host and port.
pub(crate) fn address(py: Python<'_>, address: SocketAddr) -> PyResult<Py<PyAny>> {
    (address.ip().to_string(), address.port()).into_py_any(py)
}

impl ErrorToPython for NodeError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match self {
            Self::Chamber(error) => return errors::chamber(py, error),
            Self::EmptySeed { .. } | Self::TooManySeeds(_) => {
                return raise(py, "STTCryptoError", self);
            }
            Self::AlreadyStarted => "started",
            Self::NotStarted => "stopped",
            Self::Bind { .. } => "bind",
            Self::Resolve { .. } => "resolve",
            _ => "failed",
        };
        raise_kind(py, ERROR, self, kind)
    }
}

impl ErrorToPython for ConnectError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        if self.is_timeout() {
            return raise(py, "STTTimeoutError", self);
        }
        let kind = match self {
            _ if self.wrong_peer().is_some() => "wrong_peer",
            Self::Stopped => "stopped",
            Self::Resolve { .. } => "resolve",
            Self::Family { .. } => "family",
            Self::WebSocket(WsError::Refused { .. }) => "refused",
            _ => "failed",
        };
        raise_kind(py, "STTConnectError", self, kind)
    }
}
