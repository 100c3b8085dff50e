//! The compiled side of `st_protocol`: frames, the push decoder and addresses.

use std::collections::VecDeque;

use pyo3::{prelude::*, types::PyBytes};
use st_protocol::{
    Address, AddressError, DecodeError, Decoder, FieldReader, FrameRef, HostIndex, InlineAddress,
    Skipped, Verb,
};

use crate::errors::raise_from as raise;

/// A frame as Python gets it: the verb's byte and the unescaped payload.
type PyFrame = (u8, Py<PyBytes>);

/// What was skipped: from, length, kind of error.
type PySkipped = (u64, u64, &'static str);

/// Most of these that one push gives: `Decoder.KEPT`.
const SKIPPED_MOST: usize = 64;

/// Byte, mnemonic, name and the two levels of every verb.
#[pyfunction]
pub(crate) fn st_verbs() -> Vec<(u8, &'static str, &'static str, u8, u8)> {
    let row = |verb: &Verb| {
        let levels = (verb.level().as_byte(), verb.remote_level().as_byte());
        (
            verb.as_byte(),
            verb.mnemonic(),
            verb.name(),
            levels.0,
            levels.1,
        )
    };
    Verb::ALL.iter().map(row).collect()
}

/// The wire form of a frame.
#[pyfunction]
#[pyo3(signature = (verb, payload, /))]
pub(crate) fn st_encode<'py>(
    py: Python<'py>,
    verb: u8,
    payload: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let encode_error = |message: String| raise(py, MODULE, "EncodeError", (message,));
    let verb = Verb::try_from(verb).map_err(|error| encode_error(error.to_string()))?;
    let frame = FrameRef::new(verb, payload).map_err(|error| encode_error(error.to_string()))?;
    PyBytes::new_with(py, frame.encoded_len(), |out| {
        frame
            .encode_into(out)
            .map_err(|error| encode_error(error.to_string()))?;
        Ok(())
    })
}

/// The one frame that `data` is.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn st_decode(py: Python<'_>, data: &[u8]) -> PyResult<PyFrame> {
    FrameRef::decode(data)
        .map(|frame| py_frame(py, frame))
        .map_err(|error| decode_error(py, error, Vec::new()))
}

/// Where the length-prefixed field at `at` starts, and where it ends.
#[pyfunction]
#[pyo3(signature = (payload, at, /))]
pub(crate) fn st_read_lbytes(
    py: Python<'_>,
    payload: &[u8],
    at: usize,
) -> PyResult<(usize, usize)> {
    let rest = payload.get(at..).unwrap_or_default();
    let mut reader = FieldReader::new(rest);
    match reader.lbytes() {
        Ok(field) => {
            let end = at + reader.position();
            Ok((end - field.len(), end))
        }
        Err(error) => Err(raise(
            py,
            MODULE,
            "FieldError",
            (format!("{error} (counted from byte {at})"),),
        )),
    }
}

/// The address at the head of `data`: its kind, its index, its text, and its length.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn st_address_decode(
    py: Python<'_>,
    data: &[u8],
) -> PyResult<(&'static str, Option<u8>, Option<String>, usize)> {
    let (address, len) = Address::decode(data).map_err(|error| address_error(py, error))?;
    Ok(match address {
        Address::Local => ("local", None, None, len),
        Address::Cached(index) => ("cached", Some(index.get()), None, len),
        Address::Inline(inline) => ("inline", None, Some(inline.as_str().to_owned()), len),
        Address::Broadcast => ("broadcast", None, None, len),
    })
}

/// The wire form of an address.
#[pyfunction]
#[pyo3(signature = (kind, index, text, /))]
pub(crate) fn st_address_encode<'py>(
    py: Python<'py>,
    kind: &str,
    index: Option<u8>,
    text: Option<&str>,
) -> PyResult<Bound<'py, PyBytes>> {
    let address = match (kind, index.and_then(HostIndex::new), text) {
        ("local", None, None) => Address::Local,
        ("broadcast", None, None) => Address::Broadcast,
        ("cached", Some(index), None) => Address::Cached(index),
        ("inline", None, Some(text)) => {
            Address::Inline(InlineAddress::new(text).map_err(|error| address_error(py, error))?)
        }
        _ => {
            let message =
                "an address is local, broadcast, a cached host from 1 to 127, or an inline text";
            return Err(raise(py, MODULE, "AddressError", (message, false)));
        }
    };
    let mut out = [0; Address::MAX_LEN];
    let len = address
        .encode_into(&mut out)
        .map_err(|error| raise(py, MODULE, "AddressError", (error.to_string(), false)))?;
    Ok(PyBytes::new(py, &out[..len]))
}

/// A push decoder.
#[pyclass]
pub(crate) struct StDecoder {
    decoder: Decoder,
    resync: bool,
    /// Stretches passed over, and their bytes.
    #[pyo3(get)]
    skipped_count: u64,
    #[pyo3(get)]
    skipped_bytes: u64,
}

#[pymethods]
impl StDecoder {
    #[new]
    fn new(max_payload: usize, resync: bool) -> Self {
        Self {
            decoder: Decoder::new().max_payload_len(max_payload),
            resync,
            skipped_count: 0,
            skipped_bytes: 0,
        }
    }

    /// The frames that `data` completes, and the last stretches that were skipped.
    #[pyo3(signature = (data, /))]
    fn push(
        &mut self,
        py: Python<'_>,
        mut data: &[u8],
    ) -> PyResult<(Vec<PyFrame>, Vec<PySkipped>)> {
        let (mut frames, mut skipped) = (Vec::new(), VecDeque::new());
        loop {
            let result = self
                .decoder
                .next_frame(&mut data)
                .map(|frame| frame.map(|f| py_frame(py, f)));
            if let Some(Skipped { from, len, cause }) = self.decoder.take_skipped() {
                self.skipped_count += 1;
                self.skipped_bytes += len;
                if skipped.len() == SKIPPED_MOST {
                    skipped.pop_front();
                }
                skipped.push_back((from, len, cause.kind()));
            }
            match result {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return Ok((frames, skipped.into())),
                Err(_) if self.resync => self.decoder.resync(),
                Err(error) => return Err(decode_error(py, error, frames)),
            }
        }
    }

    /// Raises if the stream may not end here.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.decoder
            .finish()
            .map_err(|error| decode_error(py, error, Vec::new()))
    }
}

const MODULE: &str = "st_protocol._errors";

fn py_frame(py: Python<'_>, frame: FrameRef<'_>) -> PyFrame {
    (
        frame.verb().as_byte(),
        PyBytes::new(py, &frame.payload().to_cow()).unbind(),
    )
}

/// `DecodeError(message, kind, needs_more, frames)`.
fn decode_error(py: Python<'_>, error: DecodeError, frames: Vec<PyFrame>) -> PyErr {
    raise(
        py,
        MODULE,
        "DecodeError",
        (error.to_string(), error.kind(), error.needs_more(), frames),
    )
}

/// `AddressError(message, needs_more)`.
fn address_error(py: Python<'_>, error: AddressError) -> PyErr {
    raise(
        py,
        MODULE,
        "AddressError",
        (error.to_string(), error.needs_more()),
    )
}
