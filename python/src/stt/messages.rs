//! User frames and endpoint messages of sessions (section 4.13).

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use pyo3::{IntoPyObjectExt as _, exceptions::PyRuntimeError, prelude::*, types::PyBytes};
use stt::{MessageFuture, MessageSink, PeerMessage, SendMessageError, Session};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    bridge::{Awaitable, ErrorToPython},
    errors::{raise, raise_kind},
    process::OfProcess,
    session::{SttSession, SttSessionEnd},
};

/// Frames handed over and not yet taken; each session waits for the end of its own.
const WAITING: usize = 64;

/// Hands the frames of peers to Python, each until its handler has ended. None come any more once
/// whoever took the sink, a node or a session, has let go of it.
#[pyclass(frozen)]
pub(crate) struct SttFrames(OfProcess<Ends>);

struct Ends {
    /// Until it is taken. Kept here, it would outlive the node that frames come from.
    sink: std::sync::Mutex<Option<Arc<FrameSink>>>,
    receiver: Arc<Mutex<mpsc::Receiver<Delivery>>>,
}

struct FrameSink(mpsc::Sender<Delivery>);

struct Delivery {
    session: Session,
    frame_type: u8,
    payload: Bytes,
    done: oneshot::Sender<Result<(), String>>,
}

impl SttFrames {
    /// What puts frames in; can be taken once.
    pub(crate) fn sink(&self) -> PyResult<Arc<dyn MessageSink>> {
        let sink = &self.0.get("dispatcher")?.sink;
        let sink = sink.lock().unwrap_or_else(PoisonError::into_inner).take();
        match sink {
            Some(sink) => Ok(sink),
            None => Err(PyRuntimeError::new_err(
                "frames come from somewhere already",
            )),
        }
    }
}

#[pymethods]
impl SttFrames {
    #[new]
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self(OfProcess::new(Ends {
            sink: std::sync::Mutex::new(Some(Arc::new(FrameSink(sender)))),
            receiver: Arc::new(Mutex::new(receiver)),
        }))
    }

    /// The next frame: session, type, payload, and what is to be told of its end. None when no more
    /// can come, and at the end of a session, if that is given.
    #[pyo3(signature = (end, /))]
    fn next(&self, py: Python<'_>, end: Option<&SttSessionEnd>) -> PyResult<Awaitable> {
        let receiver = Arc::clone(&self.0.get("dispatcher")?.receiver);
        let end = end.map(SttSessionEnd::end).transpose()?;
        let next = async move {
            let mut receiver = receiver.lock().await;
            let Some(end) = end else {
                return Ok::<_, SendMessageError>(receiver.recv().await);
            };
            Ok(tokio::select! {
                biased;
                delivery = receiver.recv() => delivery,
                _ = end.wait() => None,
            })
        };
        Awaitable::new(py, next, |py, delivery| {
            let Some(delivery) = delivery else {
                return Ok(py.None());
            };
            let done = SttFrameDone(std::sync::Mutex::new(Some(delivery.done)));
            let payload = PyBytes::new(py, &delivery.payload);
            let session = SttSession::new(delivery.session);
            (session, delivery.frame_type, payload, done).into_py_any(py)
        })
    }
}

/// Tells of the end of a handler; dropped, it tells of a failure.
#[pyclass(frozen)]
pub(crate) struct SttFrameDone(std::sync::Mutex<Option<oneshot::Sender<Result<(), String>>>>);

#[pymethods]
impl SttFrameDone {
    #[pyo3(signature = (error, /))]
    fn done(&self, error: Option<String>) {
        let mut done = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = done.take() {
            // Nobody may be left to hear it: the session is over.
            done.send(error.map_or(Ok(()), Err)).ok();
        }
    }
}

impl MessageSink for FrameSink {
    fn deliver<'a>(&'a self, session: &'a Session, message: PeerMessage) -> MessageFuture<'a> {
        Box::pin(async move {
            let PeerMessage::Frame {
                frame_type,
                payload,
                ..
            } = message
            else {
                return Err("a frame dispatcher takes user frames only".into());
            };
            let (done, ended) = oneshot::channel();
            let delivery = Delivery {
                session: session.clone(),
                frame_type,
                payload,
                done,
            };
            let gone = "nothing dispatches frames any more";
            self.0.send(delivery).await.map_err(|_| gone)?;
            ended.await.map_err(|_| gone)??;
            Ok(())
        })
    }
}

impl ErrorToPython for SendMessageError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match self {
            Self::Session(reason) => return reason.to_python(py),
            Self::Invalid(_) => return raise(py, "STTFrameError", self),
            Self::TooLong { .. } => "too_large",
            Self::NotReceived => "not_received",
            _ => "stopped",
        };
        raise_kind(py, "STTSessionError", self, kind)
    }
}
