//! `STTSession` (section 4.10).

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use pyo3::{
    IntoPyObjectExt as _,
    prelude::*,
    types::{PyBytes, PyDict},
};
use stt::{
    CloseReason, ConnectionError, DatagramError, RecvStream, SendStream, Session, SessionEnd, Side,
};

use super::{
    bridge::{Awaitable, ErrorToPython},
    data::{Data, Given, Number},
    endpoints::SttEndpoints,
    errors::{raise_closed, raise_kind},
    messages::SttFrames,
    process::OfProcess,
    stream::{SttRecvStream, SttSendStream},
};

/// Largest code of a close, a reset or a stop.
const CODE: u64 = (1 << 62) - 1;
const ERROR: &str = "STTSessionError";

/// The compiled part of `STTSession`.
#[pyclass(frozen)]
pub(crate) struct SttSession(OfProcess<Session>);

/// Tells of a session's end, and doesn't keep the session open.
#[pyclass(frozen)]
pub(crate) struct SttSessionEnd(OfProcess<SessionEnd>);

impl SttSessionEnd {
    pub(crate) fn end(&self) -> PyResult<SessionEnd> {
        self.0.get("session").cloned()
    }
}

type Halves = (Option<SendStream>, Option<RecvStream>);

impl SttSession {
    pub(crate) fn new(session: Session) -> Self {
        Self(OfProcess::new(session))
    }

    pub(crate) fn session(&self) -> PyResult<Session> {
        self.0.get("session").cloned()
    }
}

#[pymethods]
impl SttSession {
    #[getter]
    fn session_id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.session()?.id()))
    }

    #[getter]
    fn peer_node_id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.session()?.peer().as_bytes()))
    }

    #[getter]
    fn session_key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.session()?.session_key().expose()))
    }

    #[getter]
    fn is_initiator(&self) -> PyResult<bool> {
        Ok(self.session()?.side() == Side::Initiator)
    }

    /// Why the session is over; None while it isn't.
    #[getter]
    fn close_reason(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let reason = self.session()?.close_reason();
        Ok(reason.map(|reason| reason.to_python(py).into_value(py).into_any()))
    }

    #[getter]
    fn remote_address(&self) -> PyResult<Option<(String, u16)>> {
        let address = self.session()?.remote_address();
        Ok(address.map(|address| (address.ip().to_string(), address.port())))
    }

    #[getter]
    fn max_datagram(&self) -> PyResult<usize> {
        Ok(self.session()?.max_datagram())
    }

    #[pyo3(signature = (unidirectional, /))]
    fn open_stream(&self, py: Python<'_>, unidirectional: Given<bool>) -> PyResult<Awaitable> {
        let session = self.session()?;
        let unidirectional = unidirectional.named(py, "unidirectional")?;
        let open = async move {
            Ok::<Halves, CloseReason>(if unidirectional {
                (Some(session.open_uni().await?), None)
            } else {
                let (send, recv) = session.open_bi().await?;
                (Some(send), Some(recv))
            })
        };
        Awaitable::new(py, open, halves)
    }

    /// The next stream of the peer, of either kind.
    fn accept_stream(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let session = self.session()?;
        let accept = async move {
            let (mut bi, mut uni) = (pin!(session.accept_bi()), pin!(session.accept_uni()));
            poll_fn(|cx| {
                let bi = bi.as_mut().poll(cx);
                if let Poll::Ready(Ok((send, recv))) = bi {
                    return Poll::Ready(Ok((Some(send), Some(recv))));
                }
                // Of a session that is over, streams of the other kind may be left.
                let uni = uni.as_mut().poll(cx);
                match (bi, uni) {
                    (_, Poll::Ready(Ok(recv))) => Poll::Ready(Ok((None, Some(recv)))),
                    (Poll::Ready(Err(reason)), _) | (_, Poll::Ready(Err(reason))) => {
                        Poll::Ready(Err(reason))
                    }
                    _ => Poll::Pending,
                }
            })
            .await
        };
        Awaitable::new(py, accept, halves)
    }

    #[pyo3(signature = (data, /))]
    fn send_datagram(&self, py: Python<'_>, data: Given<Data>) -> PyResult<()> {
        let (session, data) = (self.session()?, data.named(py, "data")?);
        let sent = py.detach(|| session.send_datagram(&data));
        sent.map_err(|error| error.to_python(py))
    }

    fn recv_datagram(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let session = self.session()?;
        Awaitable::new(
            py,
            async move { session.recv_datagram().await },
            |py, data| PyBytes::new(py, &data).into_py_any(py),
        )
    }

    fn send_frame(
        &self,
        py: Python<'_>,
        frame_type: Given<Number>,
        payload: Given<Data>,
    ) -> PyResult<Awaitable> {
        let session = self.session()?;
        let kind = frame_type.within(py, "STTFrameError", "frame_type", 0x80, 0xff)?;
        let payload = payload.named(py, "payload")?.into_bytes();
        // In range by the check above.
        let send = async move { session.send_frame(kind as u8, payload).await };
        Awaitable::new(py, send, |py, ()| Ok(py.None()))
    }

    fn send_to_endpoint(
        &self,
        py: Python<'_>,
        endpoint_id: Given<String>,
        data: Given<Data>,
    ) -> PyResult<Awaitable> {
        let session = self.session()?;
        let name = endpoint_id.named(py, "endpoint_id")?;
        let data = data.named(py, "data")?.into_bytes();
        let send = async move { session.send_to_endpoint(&name, data).await };
        Awaitable::new(py, send, |py, ()| Ok(py.None()))
    }

    #[pyo3(signature = (frames, /))]
    fn dispatch_frames(&self, frames: &SttFrames) -> PyResult<()> {
        self.session()?.dispatch_frames(frames.sink()?);
        Ok(())
    }

    #[pyo3(signature = (endpoints, /))]
    fn route_endpoints(&self, endpoints: &SttEndpoints) -> PyResult<()> {
        self.session()?.route_endpoints(endpoints.manager());
        Ok(())
    }

    fn rekey(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let session = self.session()?;
        Awaitable::new(py, async move { session.rekey().await }, |py, ()| {
            Ok(py.None())
        })
    }

    fn flushed(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let session = self.session()?;
        Awaitable::new(py, async move { session.flushed().await }, |py, ()| {
            Ok(py.None())
        })
    }

    /// Closes at once, or once the peer has what was written, if that takes no longer than
    /// `timeout` seconds.
    #[pyo3(signature = (code, reason, timeout, /))]
    fn close(
        &self,
        py: Python<'_>,
        code: Given<Number>,
        reason: Given<String>,
        timeout: Given<f64>,
    ) -> PyResult<Awaitable> {
        let session = self.session()?;
        let code = code.within(py, ERROR, "code", 0, CODE)?;
        let reason = reason.named(py, "reason")?;
        let wait = timeout.seconds(py, ERROR, "timeout")?;
        let close = async move {
            // Also when this is given up halfway.
            let _closing = OnDrop(|| session.close(code, &reason));
            if !wait.is_zero() {
                // Over before, or too slow: closed all the same.
                let _ = tokio::time::timeout(wait, session.flushed()).await;
            }
            Ok::<_, CloseReason>(())
        };
        Awaitable::new(py, close, |py, ()| Ok(py.None()))
    }

    /// Waits until the session is over; the reason as an exception.
    fn closed(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let session = self.session()?;
        let closed = async move { Ok::<_, CloseReason>(session.closed().await) };
        Awaitable::new(py, closed, |py, reason| {
            Ok(reason.to_python(py).into_value(py).into_any())
        })
    }

    /// What tells of the session's end without keeping it open.
    fn end(&self) -> PyResult<SttSessionEnd> {
        Ok(SttSessionEnd(OfProcess::new(self.session()?.end())))
    }

    fn ping(&self) -> PyResult<()> {
        self.session()?.ping();
        Ok(())
    }

    /// Figures; None once the session is over and forgotten.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(stats) = self.session()?.stats() else {
            return Ok(None);
        };
        let dict = PyDict::new(py);
        for (name, value) in [
            ("packets_sent", stats.packets_sent),
            ("bytes_sent", stats.bytes_sent),
            ("packets_received", stats.packets_received),
            ("bytes_received", stats.bytes_received),
            ("packets_lost", stats.packets_lost),
            ("failed_opens", stats.failed_opens),
            ("duplicates", stats.duplicates),
            ("probes", stats.probes),
            ("congestion_window", stats.congestion_window),
            ("bytes_in_flight", stats.bytes_in_flight),
            ("mtu", stats.mtu.into()),
            ("key_epoch", stats.key_epoch),
            ("path_changes", stats.path_changes),
            ("datagrams_dropped", stats.datagrams_dropped),
        ] {
            dict.set_item(name, value)?;
        }
        dict.set_item("rtt", stats.rtt.as_secs_f64())?;
        dict.set_item("min_rtt", stats.min_rtt.as_secs_f64())?;
        Ok(Some(dict))
    }
}

/// Runs when it goes.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn halves(py: Python<'_>, (send, recv): Halves) -> PyResult<Py<PyAny>> {
    let send = send.map(SttSendStream::new);
    let recv = recv.map(SttRecvStream::new);
    (send, recv).into_py_any(py)
}

impl ErrorToPython for CloseReason {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match &self {
            Self::LinkClosed => "link_closed",
            Self::Stopped => "stopped",
            Self::Session(reason) => match reason {
                ConnectionError::LocallyClosed | ConnectionError::ApplicationClosed { .. } => {
                    "closed"
                }
                ConnectionError::TimedOut => "timed_out",
                ConnectionError::Reset => "reset",
                ConnectionError::NoPath => "no_path",
                _ => "protocol",
            },
            _ => "failed",
        };
        let code = self.peer_code();
        raise_closed(py, self, kind, code)
    }
}

impl ErrorToPython for DatagramError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Session(reason) => reason.to_python(py),
            _ => raise_kind(py, ERROR, self, "too_large"),
        }
    }
}
