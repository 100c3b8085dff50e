//! The halves of `STTStream` (section 4.11).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::{Buf as _, BytesMut};
use pyo3::{IntoPyObjectExt as _, prelude::*, types::PyBytes};
use stt::{ReadError, RecvStream, SendStream, WriteError};
use tokio::sync::{Mutex, MutexGuard};

use super::{
    bridge::{Awaitable, ErrorToPython},
    data::{Data, Given, Number},
    errors::{raise, raise_kind},
    process::OfProcess,
};

const CODE: u64 = (1 << 62) - 1;
const ERROR: &str = "STTStreamError";
/// The most that one read gives.
const MOST: u64 = 1 << 30;
/// Bytes taken from the stream at a time.
const PIECE: usize = 128 << 10;

/// The sending half of a stream.
#[pyclass(frozen)]
pub(crate) struct SttSendStream(OfProcess<Arc<Sending>>);

struct Sending {
    id: u64,
    stream: Mutex<SendStream>,
    written: AtomicU64,
}

impl SttSendStream {
    pub(crate) fn new(stream: SendStream) -> Self {
        Self(OfProcess::new(Arc::new(Sending {
            id: stream.id(),
            stream: Mutex::new(stream),
            written: AtomicU64::new(0),
        })))
    }

    /// The stream, unless a write is under way.
    fn idle<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(MutexGuard<'_, SendStream>) -> Result<T, WriteError>,
    ) -> PyResult<T> {
        let sending = self.0.get("stream")?;
        let Ok(stream) = sending.stream.try_lock() else {
            let message = "another task is writing to the stream, or waits for its end";
            return Err(raise_kind(py, ERROR, message, "busy"));
        };
        work(stream).map_err(|error| error.to_python(py))
    }
}

#[pymethods]
impl SttSendStream {
    #[getter]
    fn id(&self) -> PyResult<u64> {
        Ok(self.0.get("stream")?.id)
    }

    /// Bytes written so far.
    #[getter]
    fn written(&self) -> PyResult<u64> {
        Ok(self.0.get("stream")?.written.load(Ordering::Relaxed))
    }

    #[pyo3(signature = (data, /))]
    fn write(&self, py: Python<'_>, data: Given<Data>) -> PyResult<Awaitable> {
        let sending = Arc::clone(self.0.get("stream")?);
        let data = data.named(py, "data")?.into_bytes();
        let write = async move {
            let mut stream = sending.stream.lock().await;
            let mut rest = &data[..];
            while !rest.is_empty() {
                let len = stream.write(rest).await?;
                sending.written.fetch_add(len as u64, Ordering::Relaxed);
                rest = &rest[len..];
            }
            Ok::<_, WriteError>(())
        };
        Awaitable::new(py, write, |py, ()| Ok(py.None()))
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.idle(py, |mut stream| stream.finish())
    }

    #[pyo3(signature = (code, /))]
    fn reset(&self, py: Python<'_>, code: Given<Number>) -> PyResult<()> {
        let code = code.within(py, ERROR, "code", 0, CODE)?;
        self.idle(py, |mut stream| stream.reset(code))
    }

    #[pyo3(signature = (priority, /))]
    fn set_priority(&self, py: Python<'_>, priority: i32) -> PyResult<()> {
        self.idle(py, |mut stream| stream.set_priority(priority))
    }

    /// Waits until the peer has everything, or has stopped the stream: the code then.
    fn stopped(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let sending = Arc::clone(self.0.get("stream")?);
        Awaitable::new(
            py,
            async move { sending.stream.lock().await.stopped().await },
            |py, code| code.into_py_any(py),
        )
    }
}

/// The receiving half of a stream.
#[pyclass(frozen)]
pub(crate) struct SttRecvStream(OfProcess<Arc<Receiving>>);

struct Receiving {
    id: u64,
    state: Mutex<Reader>,
}

struct Reader {
    stream: RecvStream,
    /// Read, and not given yet: a call that wanted more was given up.
    held: BytesMut,
}

impl SttRecvStream {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self(OfProcess::new(Arc::new(Receiving {
            id: stream.id(),
            state: Mutex::new(Reader {
                stream,
                held: BytesMut::new(),
            }),
        })))
    }
}

#[pymethods]
impl SttRecvStream {
    #[getter]
    fn id(&self) -> PyResult<u64> {
        Ok(self.0.get("stream")?.id)
    }

    /// Some bytes, at most so many; none at the end.
    #[pyo3(signature = (max_bytes, /))]
    fn read(&self, py: Python<'_>, max_bytes: Given<Number>) -> PyResult<Awaitable> {
        let receiving = Arc::clone(self.0.get("stream")?);
        let most = max_bytes.within(py, ERROR, "max_bytes", 1, MOST)?;
        let read = async move {
            let mut reader = receiving.state.lock().await;
            // In range by the check above.
            reader.some(most as usize).await
        };
        Awaitable::new(py, read, |py, bytes| {
            PyBytes::new(py, &bytes).into_py_any(py)
        })
    }

    /// Exactly so many bytes.
    #[pyo3(signature = (count, /))]
    fn read_exactly(&self, py: Python<'_>, count: Given<Number>) -> PyResult<Awaitable> {
        let receiving = Arc::clone(self.0.get("stream")?);
        let count = count.within(py, ERROR, "count", 0, MOST)? as usize;
        let read = async move {
            let mut reader = receiving.state.lock().await;
            while reader.held.len() < count {
                let missing = count - reader.held.len();
                if reader.more(missing).await? == 0 {
                    let held = reader.held.len();
                    return Err(ReadFailure::Ended { held, count });
                }
            }
            Ok(reader.held.split_to(count))
        };
        Awaitable::new(py, read, |py, bytes| {
            PyBytes::new(py, &bytes).into_py_any(py)
        })
    }

    /// Everything up to the end, if that is no more than so many bytes.
    #[pyo3(signature = (limit, /))]
    fn read_to_end(&self, py: Python<'_>, limit: Given<Number>) -> PyResult<Awaitable> {
        let receiving = Arc::clone(self.0.get("stream")?);
        let limit = limit.within(py, ERROR, "limit", 0, u64::MAX)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let read = async move {
            let mut reader = receiving.state.lock().await;
            loop {
                let room = limit.saturating_sub(reader.held.len()).saturating_add(1);
                if reader.more(room).await? == 0 {
                    return Ok(reader.held.split());
                }
                if reader.held.len() > limit {
                    return Err(ReadFailure::TooLong { limit });
                }
            }
        };
        Awaitable::new(py, read, |py, bytes| {
            PyBytes::new(py, &bytes).into_py_any(py)
        })
    }

    #[pyo3(signature = (code, /))]
    fn stop(&self, py: Python<'_>, code: Given<Number>) -> PyResult<()> {
        let code = code.within(py, ERROR, "code", 0, CODE)?;
        let Ok(mut reader) = self.0.get("stream")?.state.try_lock() else {
            let message = "another task is reading from the stream";
            return Err(raise_kind(py, ERROR, message, "busy"));
        };
        reader.stream.stop(code);
        reader.held.clear();
        Ok(())
    }
}

impl Reader {
    async fn some(&mut self, most: usize) -> Result<bytes::Bytes, ReadFailure> {
        if !self.held.is_empty() {
            let len = self.held.len().min(most);
            return Ok(self.held.split_to(len).freeze());
        }
        let chunk = self.stream.read_chunk(most.min(PIECE)).await?;
        Ok(chunk.unwrap_or_default())
    }

    /// Holds some more bytes; tells how many.
    async fn more(&mut self, most: usize) -> Result<usize, ReadFailure> {
        let chunk = self.stream.read_chunk(most.min(PIECE)).await?;
        let chunk = chunk.unwrap_or_default();
        self.held.extend_from_slice(&chunk);
        Ok(chunk.remaining())
    }
}

/// Why a read failed.
enum ReadFailure {
    Read(ReadError),
    /// The stream ended too early.
    Ended {
        held: usize,
        count: usize,
    },
    TooLong {
        limit: usize,
    },
}

impl From<ReadError> for ReadFailure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl ErrorToPython for ReadFailure {
    fn to_python(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Read(ReadError::Session(reason)) => reason.to_python(py),
            Self::Read(error @ ReadError::Reset(_)) => raise_kind(py, ERROR, error, "reset"),
            Self::Read(error @ ReadError::Closed) => raise_kind(py, ERROR, error, "closed"),
            Self::Read(error) => raise(py, ERROR, error),
            Self::Ended { held, count } => {
                let message = format!("the stream ended after {held} of {count} bytes");
                raise_kind(py, ERROR, message, "incomplete")
            }
            Self::TooLong { limit } => {
                let message = format!(
                    "the stream holds more than the {limit} bytes allowed: raise the limit, or \
                     read it in pieces"
                );
                raise_kind(py, ERROR, message, "too_long")
            }
        }
    }
}

impl ErrorToPython for WriteError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match self {
            Self::Session(reason) => return reason.to_python(py),
            Self::Stopped(_) => "stopped",
            Self::Closed => "closed",
            _ => "failed",
        };
        raise_kind(py, ERROR, self, kind)
    }
}
