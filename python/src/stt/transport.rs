//! `UDPTransport` and `WebSocketTransport` (section 4.12).

use std::{
    future::{Future, poll_fn},
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use pyo3::{IntoPyObjectExt as _, prelude::*, types::PyDict};
use stt::{
    core::SttFrame,
    transport::{
        FrameTransportError, OriginPolicy, UdpTransport, WebSocketListener, WebSocketTransport,
        WsClientOptions, WsError, WsListenOptions,
    },
};
use tokio::{net::lookup_host, sync::watch};

use super::{
    bridge::{Awaitable, ErrorToPython},
    data::{Given, Number},
    errors::{raise, raise_kind},
    frame::PyFrame,
    node::address,
    process::OfProcess,
};

const ERROR: &str = "STTTransportError";

/// A frame, or something of a class derived from it.
type Frame = Given<Py<PyFrame>>;

/// Something that is closed once, whoever waits for it.
struct Open<T> {
    inner: T,
    closed: watch::Sender<bool>,
}

impl<T> Open<T> {
    fn new(inner: T) -> OfProcess<Arc<Self>> {
        let closed = watch::Sender::new(false);
        OfProcess::new(Arc::new(Self { inner, closed }))
    }

    /// What `work` gives, unless this is closed first.
    async fn unless_closed<R>(
        &self,
        work: impl Future<Output = Result<R, FrameTransportError>>,
    ) -> Result<R, FrameTransportError> {
        let mut watching = self.closed.subscribe();
        let (mut closed, mut work) = (pin!(watching.wait_for(|closed| *closed)), pin!(work));
        poll_fn(|cx| match closed.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(Err(FrameTransportError::Closed)),
            Poll::Pending => work.as_mut().poll(cx),
        })
        .await
    }
}

/// Binds a socket for standalone frames.
#[pyfunction]
#[pyo3(signature = (host, port, /))]
pub(crate) fn stt_bind_udp(
    py: Python<'_>,
    host: Given<String>,
    port: Given<Number>,
) -> PyResult<Awaitable> {
    let host = host.named(py, "host")?;
    let port = port.within(py, ERROR, "port", 0, 65_535)? as u16;
    let bind = async move {
        let transport = UdpTransport::bind((host.as_str(), port)).await?;
        let local = transport.local_addr()?;
        Ok::<_, FrameTransportError>((transport, local))
    };
    Awaitable::new(py, bind, |py, (transport, local)| {
        SttUdp {
            transport: Open::new(transport),
            local,
        }
        .into_py_any(py)
    })
}

/// The compiled part of `UDPTransport`.
#[pyclass(frozen)]
pub(crate) struct SttUdp {
    transport: OfProcess<Arc<Open<UdpTransport>>>,
    local: SocketAddr,
}

#[pymethods]
impl SttUdp {
    #[getter]
    fn local_address(&self) -> (String, u16) {
        (self.local.ip().to_string(), self.local.port())
    }

    #[pyo3(signature = (frame, host, port, /))]
    fn send_frame(
        &self,
        py: Python<'_>,
        frame: Frame,
        host: Given<String>,
        port: Given<Number>,
    ) -> PyResult<Awaitable> {
        let transport = Arc::clone(self.transport.get("transport")?);
        let frame = copied(py, frame)?;
        let host = host.named(py, "address")?;
        let port = port.within(py, ERROR, "address", 1, 65_535)? as u16;
        let is_ipv4 = self.local.is_ipv4();
        let send = async move {
            let to = match host.parse::<IpAddr>() {
                Ok(ip) => SocketAddr::new(ip, port),
                Err(_) => {
                    let mut found = lookup_host((host.as_str(), port)).await?;
                    let missing = || {
                        io::Error::new(
                            io::ErrorKind::NotFound,
                            "no address that the socket can send to",
                        )
                    };
                    found
                        .find(|found| found.is_ipv4() == is_ipv4)
                        .ok_or_else(missing)?
                }
            };
            let sending = transport.inner.send_frame(&frame, to);
            transport.unless_closed(sending).await
        };
        Awaitable::new(py, send, |py, ()| Ok(py.None()))
    }

    fn receive_frame(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let transport = Arc::clone(self.transport.get("transport")?);
        let receive = async move {
            let receiving = transport.inner.receive_frame();
            transport.unless_closed(receiving).await
        };
        Awaitable::new(py, receive, |py, (frame, from)| {
            (PyFrame(frame), address(py, from)?).into_py_any(py)
        })
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.transport.get("transport")?.inner.stats();
        let dict = PyDict::new(py);
        dict.set_item("frames_sent", stats.sent)?;
        dict.set_item("frames_received", stats.received)?;
        dict.set_item("datagrams_refused", stats.refused)?;
        Ok(dict)
    }

    /// Whoever waits is told; the socket goes with the object.
    fn close(&self) -> PyResult<()> {
        self.transport.get("transport")?.closed.send_replace(true);
        Ok(())
    }
}

/// Connects to a listener of standalone frames.
#[pyfunction]
#[pyo3(signature = (host, port, path, origin, timeout, /))]
pub(crate) fn stt_connect_frames(
    py: Python<'_>,
    host: Given<String>,
    port: Given<Number>,
    path: Given<String>,
    origin: Option<Given<String>>,
    timeout: Given<f64>,
) -> PyResult<Awaitable> {
    let host = host.named(py, "host")?;
    let port = port.within(py, ERROR, "port", 1, 65_535)? as u16;
    let options = client_options(py, path, origin, timeout)?;
    let connect = async move { WebSocketTransport::connect_with(&host, port, &options).await };
    Awaitable::new(py, connect, web_socket)
}

/// What a caller says about a WebSocket to be opened.
pub(crate) fn client_options(
    py: Python<'_>,
    path: Given<String>,
    origin: Option<Given<String>>,
    timeout: Given<f64>,
) -> PyResult<WsClientOptions> {
    let mut options = WsClientOptions::default();
    options.path = path.named(py, "path")?;
    options.origin = origin
        .map(|origin| origin.named(py, "origin"))
        .transpose()?;
    options.timeout = timeout.seconds(py, ERROR, "timeout")?;
    Ok(options)
}

/// What a caller says about WebSockets to be accepted; no origins are all.
pub(crate) fn listen_options(
    py: Python<'_>,
    path: Given<String>,
    origins: Option<Vec<Given<String>>>,
) -> PyResult<WsListenOptions> {
    let mut options = WsListenOptions::default();
    options.path = path.named(py, "path")?;
    options.origins = match origins {
        None => OriginPolicy::AnyPage,
        Some(listed) if listed.is_empty() => OriginPolicy::NoPages,
        Some(listed) => OriginPolicy::Listed(
            listed
                .into_iter()
                .map(|origin| origin.named(py, "origins"))
                .collect::<PyResult<_>>()?,
        ),
    };
    Ok(options)
}

/// The compiled part of `WebSocketTransport`.
#[pyclass(frozen)]
pub(crate) struct SttWebSocket(OfProcess<Arc<WebSocketTransport>>);

fn web_socket(py: Python<'_>, transport: WebSocketTransport) -> PyResult<Py<PyAny>> {
    SttWebSocket(OfProcess::new(Arc::new(transport))).into_py_any(py)
}

#[pymethods]
impl SttWebSocket {
    #[getter]
    fn remote_address(&self) -> PyResult<(String, u16)> {
        let remote = self.0.get("transport")?.remote_addr();
        Ok((remote.ip().to_string(), remote.port()))
    }

    #[pyo3(signature = (frame, /))]
    fn send_frame(&self, py: Python<'_>, frame: Frame) -> PyResult<Awaitable> {
        let transport = Arc::clone(self.0.get("transport")?);
        let frame = copied(py, frame)?;
        Awaitable::new(
            py,
            async move { transport.send_frame(&frame).await },
            |py, ()| Ok(py.None()),
        )
    }

    fn receive_frame(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let transport = Arc::clone(self.0.get("transport")?);
        Awaitable::new(
            py,
            async move { transport.receive_frame().await },
            |py, frame| PyFrame(frame).into_py_any(py),
        )
    }

    fn close(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let transport = Arc::clone(self.0.get("transport")?);
        let close = async move {
            transport.close().await;
            Ok::<_, FrameTransportError>(())
        };
        Awaitable::new(py, close, |py, ()| Ok(py.None()))
    }
}

/// Listens for WebSockets with standalone frames.
#[pyfunction]
#[pyo3(signature = (host, port, path, origins, /))]
pub(crate) fn stt_listen_frames(
    py: Python<'_>,
    host: Given<String>,
    port: Given<Number>,
    path: Given<String>,
    origins: Option<Vec<Given<String>>>,
) -> PyResult<Awaitable> {
    let host = host.named(py, "host")?;
    let port = port.within(py, ERROR, "port", 0, 65_535)? as u16;
    let options = listen_options(py, path, origins)?;
    let bind = async move { WebSocketListener::bind((host.as_str(), port), options).await };
    Awaitable::new(py, bind, |py, listener| {
        let local = listener.local_addr();
        SttWebSocketListener {
            listener: Open::new(listener),
            local,
        }
        .into_py_any(py)
    })
}

/// The compiled part of `WebSocketListener`.
#[pyclass(frozen)]
pub(crate) struct SttWebSocketListener {
    listener: OfProcess<Arc<Open<WebSocketListener>>>,
    local: SocketAddr,
}

#[pymethods]
impl SttWebSocketListener {
    #[getter]
    fn local_address(&self) -> (String, u16) {
        (self.local.ip().to_string(), self.local.port())
    }

    fn accept(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let listener = Arc::clone(self.listener.get("listener")?);
        let accept = async move {
            let accepting = listener.inner.accept();
            listener.unless_closed(accepting).await
        };
        Awaitable::new(py, accept, web_socket)
    }

    /// Whoever waits is told; listening ends with the object.
    fn close(&self) -> PyResult<()> {
        self.listener.get("listener")?.closed.send_replace(true);
        Ok(())
    }
}

/// A frame as it is now.
fn copied(py: Python<'_>, frame: Frame) -> PyResult<SttFrame> {
    Ok(frame.named(py, "frame")?.borrow(py).0.clone())
}

impl ErrorToPython for FrameTransportError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match &self {
            Self::Frame(_) | Self::Partial { .. } | Self::Trailing { .. } => {
                return raise(py, "STTFrameError", self);
            }
            Self::TooLong { .. } => "too_large",
            Self::WebSocket(WsError::TimedOut(_)) => {
                return raise(py, "STTTimeoutError", self);
            }
            Self::WebSocket(WsError::Connect { .. }) => {
                return raise_kind(py, "STTConnectError", self, "failed");
            }
            Self::WebSocket(WsError::Refused { .. }) => {
                return raise_kind(py, "STTConnectError", self, "refused");
            }
            Self::Closed => "closed",
            _ => "failed",
        };
        raise_kind(py, ERROR, self, kind)
    }
}
