//! Stream codecs (section 4.4).

use std::sync::Arc;

use pyo3::{IntoPyObjectExt as _, prelude::*, types::PyBytes};
use stt::streaming::{
    BinaryStreamDecoder, BinaryStreamEncoder, ChunkOpener, DecodeError, EncodeError,
    ReassemblyLimits, StreamDecoder, StreamMode,
};

use super::{
    bridge::{Awaitable, ErrorToPython},
    crypto::{PyStreamContext, lockless},
    data::{Data, Given, Number},
    errors::{raise, raise_kind},
};

type Context = Given<Py<PyStreamContext>>;

const ERROR: &str = "STTStreamError";

/// Cuts bytes into segments and seals each.
#[pyclass]
pub(crate) struct SttStreamEncoder(BinaryStreamEncoder);

type PySegment<'py> = (u64, Bound<'py, PyBytes>);

#[pymethods]
impl SttStreamEncoder {
    #[new]
    fn new(
        py: Python<'_>,
        stc_context: Context,
        live: bool,
        segment_size: Given<Number>,
    ) -> PyResult<Self> {
        let most = stt::streaming::MAX_SEGMENT_SIZE as u64;
        let size = segment_size.within(py, ERROR, "segment_size", 1, most)?;
        let mode = if live {
            StreamMode::Live
        } else {
            StreamMode::Bounded
        };
        // In range by the check above.
        let encoder = BinaryStreamEncoder::new(
            stc_context.named(py, "stc_context")?.get().context(),
            mode,
            size as usize,
        );
        encoder.map(Self).map_err(|error| encode_error(py, &error))
    }

    /// The segments that `data` fills.
    #[pyo3(signature = (data, /))]
    fn push<'py>(&mut self, py: Python<'py>, data: Given<Data>) -> PyResult<Vec<PySegment<'py>>> {
        let data = data.named(py, "data_source")?;
        let segments = lockless(py, data.len(), || {
            let mut input = &data[..];
            let mut segments = Vec::new();
            while let Some(segment) = self.0.push(&mut input)? {
                segments.push(segment);
            }
            Ok(segments)
        });
        let segments = segments.map_err(|error: EncodeError| encode_error(py, &error))?;
        let objects = segments
            .into_iter()
            .map(|(number, segment)| (number, PyBytes::new(py, &segment)));
        Ok(objects.collect())
    }

    /// The last segment.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<PySegment<'py>> {
        let (number, segment) = self.0.finish().map_err(|error| encode_error(py, &error))?;
        Ok((number, PyBytes::new(py, &segment)))
    }
}

/// Takes segments in any order.
#[pyclass(frozen)]
pub(crate) struct SttStreamDecoder(Arc<BinaryStreamDecoder>);

#[pymethods]
impl SttStreamDecoder {
    #[new]
    fn new(
        py: Python<'_>,
        stc_context: Context,
        reorder_bytes: Option<Given<Number>>,
        ready_bytes: Option<Given<Number>>,
    ) -> PyResult<Self> {
        let mut limits = ReassemblyLimits::default();
        let most = u64::from(u32::MAX);
        if let Some(bytes) = reorder_bytes {
            limits.reorder_bytes = bytes.within(py, ERROR, "reorder_bytes", 0, most)? as usize;
        }
        if let Some(bytes) = ready_bytes {
            limits.ready_bytes = bytes.within(py, ERROR, "ready_bytes", 1, most)? as usize;
        }
        let decoder = BinaryStreamDecoder::with_limits(
            stc_context.named(py, "stc_context")?.get().context(),
            limits,
        );
        Ok(Self(Arc::new(decoder)))
    }

    #[pyo3(signature = (encrypted_bytes, sequence))]
    fn receive_segment(
        &self,
        py: Python<'_>,
        encrypted_bytes: Given<Data>,
        sequence: Given<Number>,
    ) -> PyResult<()> {
        let encrypted_bytes = encrypted_bytes.named(py, "encrypted_bytes")?;
        let sequence = sequence.within(py, ERROR, "sequence", 0, (1 << 62) - 1)?;
        let received = lockless(py, encrypted_bytes.len(), || {
            self.0.receive_segment(&encrypted_bytes, sequence)
        });
        received.map(drop).map_err(|error| error.to_python(py))
    }

    fn receive_all(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let decoder = Arc::clone(&self.0);
        Awaitable::new(
            py,
            async move { decoder.receive_all().await },
            |py, bytes| PyBytes::new(py, &bytes).into_py_any(py),
        )
    }

    /// Bytes in order; None at the end.
    fn read(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let decoder = Arc::clone(&self.0);
        Awaitable::new(py, async move { decoder.read().await }, |py, bytes| {
            bytes.map(|bytes| PyBytes::new(py, &bytes)).into_py_any(py)
        })
    }

    fn close(&self) {
        self.0.close();
    }

    #[getter]
    fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    #[getter]
    fn missing(&self) -> u64 {
        self.0.missing()
    }
}

/// Opens the chunks of one message in order.
#[pyclass]
pub(crate) struct SttChunkOpener(Option<ChunkOpener>);

#[pymethods]
impl SttChunkOpener {
    #[new]
    fn new(py: Python<'_>, stc_context: Context) -> PyResult<Self> {
        let stc_context = stc_context.named(py, "stc_context")?;
        let decoder = StreamDecoder::new(stc_context.get().context());
        Ok(Self(Some(decoder.chunks())))
    }

    #[pyo3(signature = (chunk, /))]
    fn open<'py>(&mut self, py: Python<'py>, chunk: Given<Data>) -> PyResult<Bound<'py, PyBytes>> {
        let chunk = chunk.named(py, "encrypted_chunks")?;
        let opener = self.0.as_mut();
        let opener = opener.ok_or_else(|| DecodeError::Closed.to_python(py))?;
        let plain = lockless(py, chunk.len(), || {
            let mut bytes = chunk.to_vec();
            opener.open(&mut bytes).map(<[u8]>::to_vec)
        });
        let plain = plain.map_err(|error| error.to_python(py))?;
        Ok(PyBytes::new(py, &plain))
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<()> {
        match self.0.take() {
            Some(opener) => opener.finish().map_err(|error| error.to_python(py)),
            None => Ok(()),
        }
    }
}

fn encode_error(py: Python<'_>, error: &EncodeError) -> PyErr {
    raise(py, ERROR, error)
}

impl ErrorToPython for DecodeError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match self {
            Self::Segment { .. } => return raise(py, "STTCryptoError", self),
            Self::Beyond { .. } => "beyond",
            Self::ReorderFull { .. } | Self::ReadyFull { .. } => "full",
            Self::Incomplete { .. } => "incomplete",
            Self::Closed => "closed",
            _ => "failed",
        };
        raise_kind(py, ERROR, self, kind)
    }
}
