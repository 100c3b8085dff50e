//! `STTFrame` (section 4.2).

use pyo3::{
    prelude::*,
    types::{PyBytes, PyType},
};
use stt_core::{SttFrame, SttFrameError, SttFrameRef};

use super::{
    crypto::{StcWrapper, lockless},
    data::{Data, Given, Number},
    environment::{random, since_epoch},
    errors::raise,
};

const ERROR: &str = "STTFrameError";

/// A standalone frame.
#[pyclass(
    subclass,
    eq,
    name = "STTFrame",
    module = "seigr_toolset_transmissions.frame"
)]
#[derive(PartialEq)]
pub(crate) struct PyFrame(pub(crate) SttFrame);

#[pymethods]
impl PyFrame {
    #[new]
    #[pyo3(signature = (
        frame_type,
        session_id,
        stream_id,
        sequence,
        flags = Given::left_out(Number::ZERO),
        payload = Given::left_out(Data::EMPTY),
        *,
        timestamp_ms = None,
    ), text_signature = "(frame_type, session_id, stream_id, sequence, flags=0, payload=b'', *, timestamp_ms=None)")]
    #[expect(clippy::too_many_arguments, reason = "the documented constructor")]
    fn new(
        py: Python<'_>,
        frame_type: Given<Number>,
        session_id: Given<Data>,
        stream_id: Given<Number>,
        sequence: Given<Number>,
        flags: Given<Number>,
        payload: Given<Data>,
        timestamp_ms: Option<Given<Number>>,
    ) -> PyResult<Self> {
        let timestamp_ms = match timestamp_ms {
            Some(time) => time.within(py, ERROR, "timestamp_ms", 0, u64::MAX)?,
            None => u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX),
        };
        let mut frame = Self(SttFrame {
            timestamp_ms,
            ..SttFrame::default()
        });
        frame.set_frame_type(py, frame_type)?;
        frame.set_session_id(py, session_id)?;
        frame.set_stream_id(py, stream_id)?;
        frame.set_sequence(py, sequence)?;
        frame.set_flags(py, flags)?;
        frame.set_payload(py, payload)?;
        Ok(frame)
    }

    #[getter]
    fn frame_type(&self) -> u8 {
        self.0.frame_type
    }

    #[setter]
    fn set_frame_type(&mut self, py: Python<'_>, frame_type: Given<Number>) -> PyResult<()> {
        let value = frame_type.within(py, ERROR, "frame_type", 1, 255)?;
        // In range by the check above; so below.
        self.0.frame_type = value as u8;
        Ok(())
    }

    #[getter]
    fn flags(&self) -> u8 {
        self.0.flags
    }

    #[setter]
    fn set_flags(&mut self, py: Python<'_>, flags: Given<Number>) -> PyResult<()> {
        self.0.flags = flags.within(py, ERROR, "flags", 0, 255)? as u8;
        Ok(())
    }

    #[getter]
    fn session_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.session_id)
    }

    #[setter]
    fn set_session_id(&mut self, py: Python<'_>, session_id: Given<Data>) -> PyResult<()> {
        self.0.session_id = session_id.exactly(py, ERROR, "session_id")?;
        Ok(())
    }

    #[getter]
    fn stream_id(&self) -> u32 {
        self.0.stream_id
    }

    #[setter]
    fn set_stream_id(&mut self, py: Python<'_>, stream_id: Given<Number>) -> PyResult<()> {
        self.0.stream_id = stream_id.within(py, ERROR, "stream_id", 0, u32::MAX.into())? as u32;
        Ok(())
    }

    #[getter]
    fn sequence(&self) -> u64 {
        self.0.sequence
    }

    #[setter]
    fn set_sequence(&mut self, py: Python<'_>, sequence: Given<Number>) -> PyResult<()> {
        self.0.sequence = sequence.within(py, ERROR, "sequence", 0, u64::MAX)?;
        Ok(())
    }

    #[getter]
    fn timestamp_ms(&self) -> u64 {
        self.0.timestamp_ms
    }

    #[setter]
    fn set_timestamp_ms(&mut self, py: Python<'_>, timestamp_ms: Given<Number>) -> PyResult<()> {
        self.0.timestamp_ms = timestamp_ms.within(py, ERROR, "timestamp_ms", 0, u64::MAX)?;
        Ok(())
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.payload)
    }

    #[setter]
    fn set_payload(&mut self, py: Python<'_>, payload: Given<Data>) -> PyResult<()> {
        let (payload, most) = (payload.named(py, "payload")?, SttFrame::MAX_PAYLOAD);
        if self.0.metadata.is_empty() && payload.len() > most {
            let len = payload.len();
            return Err(error(py, &SttFrameError::PayloadTooLong { len, max: most }));
        }
        self.0.payload = payload.to_vec();
        Ok(())
    }

    /// What opening the payload takes; empty if it is plain.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.metadata)
    }

    /// Whether the payload is sealed.
    #[getter]
    fn is_encrypted(&self) -> bool {
        !self.0.metadata.is_empty()
    }

    /// Seals the payload, bound to the other fields.
    #[pyo3(signature = (stc_wrapper))]
    fn encrypt_payload(
        &mut self,
        py: Python<'_>,
        stc_wrapper: Given<Py<StcWrapper>>,
    ) -> PyResult<()> {
        let stc_wrapper = stc_wrapper.named(py, "stc_wrapper")?;
        let (nonce, stc) = (random()?, stc_wrapper.get().stc());
        let frame = &mut self.0;
        lockless(py, frame.payload.len(), || {
            frame.encrypt_payload(stc, &nonce)
        })
        .map_err(|e| error(py, &e))
    }

    /// The payload, opened; the frame stays sealed.
    #[pyo3(signature = (stc_wrapper))]
    fn decrypt_payload<'py>(
        &self,
        py: Python<'py>,
        stc_wrapper: Given<Py<StcWrapper>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let stc_wrapper = stc_wrapper.named(py, "stc_wrapper")?;
        let (frame, stc) = (&self.0, stc_wrapper.get().stc());
        let payload = lockless(py, frame.payload.len(), || frame.decrypt_payload(stc))
            .map_err(|e| error(py, &e))?;
        Ok(PyBytes::new(py, &payload))
    }

    /// The frame as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let frame = self.0.as_ref();
        PyBytes::new_with(py, frame.encoded_len(), |out| {
            frame.encode_into(out).map_err(|e| error(py, &e))?;
            Ok(())
        })
    }

    /// The frame at the start of `data`; what follows is left alone.
    #[classmethod]
    #[pyo3(
        signature = (data, decrypt = Given::left_out(false), stc_wrapper = None),
        text_signature = "($cls, data, decrypt=False, stc_wrapper=None)"
    )]
    fn from_bytes(
        class: &Bound<'_, PyType>,
        data: Given<Data>,
        decrypt: Given<bool>,
        stc_wrapper: Option<Given<Py<StcWrapper>>>,
    ) -> PyResult<Py<PyAny>> {
        Ok(Self::read(class, data, decrypt, stc_wrapper)?.0)
    }

    /// The frame at the start of `data`, and how many bytes it takes.
    #[classmethod]
    #[pyo3(
        signature = (data, decrypt = Given::left_out(false), stc_wrapper = None),
        text_signature = "($cls, data, decrypt=False, stc_wrapper=None)"
    )]
    fn read_from(
        class: &Bound<'_, PyType>,
        data: Given<Data>,
        decrypt: Given<bool>,
        stc_wrapper: Option<Given<Py<StcWrapper>>>,
    ) -> PyResult<(Py<PyAny>, usize)> {
        Self::read(class, data, decrypt, stc_wrapper)
    }

    fn __repr__(&self) -> String {
        let frame = &self.0;
        format!(
            "<STTFrame type={:#04x} stream={} sequence={} payload={} bytes{}>",
            frame.frame_type,
            frame.stream_id,
            frame.sequence,
            frame.payload.len(),
            if frame.metadata.is_empty() {
                ""
            } else {
                ", sealed"
            },
        )
    }
}

impl PyFrame {
    fn read(
        class: &Bound<'_, PyType>,
        data: Given<Data>,
        decrypt: Given<bool>,
        stc_wrapper: Option<Given<Py<StcWrapper>>>,
    ) -> PyResult<(Py<PyAny>, usize)> {
        let py = class.py();
        let data = data.named(py, "data")?;
        let decrypt = decrypt.named(py, "decrypt")?;
        let stc_wrapper = stc_wrapper.map(|stc| stc.named(py, "stc_wrapper"));
        let stc_wrapper = stc_wrapper.transpose()?;
        let (frame, used) = SttFrameRef::from_bytes(&data).map_err(|e| error(py, &e))?;
        let frame = if decrypt {
            let Some(stc) = stc_wrapper else {
                let message = "decrypt=True takes an stc_wrapper to decrypt with";
                return Err(raise(py, ERROR, message));
            };
            let stc = stc.get().stc();
            let payload = lockless(py, frame.payload.len(), || frame.decrypt_payload(stc))
                .map_err(|e| error(py, &e))?;
            SttFrame {
                metadata: Vec::new(),
                payload,
                ..SttFrameRef {
                    metadata: &[],
                    payload: &[],
                    ..frame
                }
                .to_frame()
            }
        } else {
            frame.to_frame()
        };
        let object = if class.is(py.get_type::<Self>()) {
            Py::new(py, Self(frame))?.into_any()
        } else {
            // A subclass, whose constructor takes what ours does.
            let session_id = PyBytes::new(py, &frame.session_id);
            let (kind, stream, sequence) = (frame.frame_type, frame.stream_id, frame.sequence);
            let object = class.call1((kind, session_id, stream, sequence))?;
            object.cast::<Self>()?.borrow_mut().0 = frame;
            object.unbind()
        };
        Ok((object, used))
    }
}

fn error(py: Python<'_>, error: &SttFrameError) -> PyErr {
    let class = match error {
        SttFrameError::Open(_) | SttFrameError::NotSealed => "STTCryptoError",
        SttFrameError::Incomplete { .. } => "STTIncompleteFrameError",
        _ => ERROR,
    };
    raise(py, class, error)
}
