//! `STCWrapper` and `StreamContext` (section 4.1).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use pyo3::{
    exceptions::{PyTypeError, PyUserWarning},
    prelude::*,
    types::{PyBytes, PyDict},
};
use stt_crypto::{
    FrameMetadata, NodeId, Stc,
    secret::{Key32, NodeKey, Seed, StreamContext},
};

use super::{
    data::{Data, Given, Number},
    environment::random,
    errors::{self, raise},
    name::Name,
    value::context,
};

type Dict<'py> = Given<Bound<'py, PyDict>>;

static SUITE: Name = Name::new("suite");
static NONCE: Name = Name::new("nonce");

const ERROR: &str = "STTCryptoError";
/// Node ids whose keys a wrapper remembers.
const IDS: usize = 1024;
/// Payloads from this size on are sealed and opened without the interpreter's lock.
const LARGE: usize = 16 << 10;

/// The STC suite from one seed.
#[pyclass(
    frozen,
    subclass,
    name = "STCWrapper",
    module = "seigr_toolset_transmissions.crypto"
)]
pub(crate) struct StcWrapper {
    stc: Arc<Stc>,
    /// The ids generated last, so that a handshake can prove them.
    ids: Mutex<VecDeque<(NodeId, NodeKey)>>,
}

impl StcWrapper {
    pub(crate) fn stc(&self) -> &Arc<Stc> {
        &self.stc
    }

    /// The key behind an id that this wrapper has generated.
    pub(crate) fn node_key(&self, id: &NodeId) -> Option<NodeKey> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ids.iter().find(|(known, _)| known == id);
        found.map(|(_, key)| key.clone())
    }
}

/// A seed, which may take a while; warns of a short one.
pub(crate) fn seed(py: Python<'_>, bytes: Given<Data>, name: &str) -> PyResult<Seed> {
    let bytes = bytes.named(py, name)?;
    let seed = py
        .detach(|| Seed::new(&bytes))
        .map_err(|error| raise(py, ERROR, format!("{name}: {error}")))?;
    if seed.is_short() {
        warn_of_short_seed(py, name)?;
    }
    Ok(seed)
}

/// Reports a seed under 32 bytes (section 2.4).
pub(crate) fn warn_of_short_seed(py: Python<'_>, name: &str) -> PyResult<()> {
    let message =
        format!("{name} has fewer than 32 bytes: who watches a handshake can try guesses of it");
    let category =
        errors::seed_warning(py).unwrap_or_else(|_| py.get_type::<PyUserWarning>().into_any());
    let message = std::ffi::CString::new(message).expect("the text holds no zero byte");
    PyErr::warn(py, &category, &message, 1)
}

#[pymethods]
impl StcWrapper {
    #[new]
    #[pyo3(signature = (seed))]
    fn new(py: Python<'_>, seed: Given<Data>) -> PyResult<Self> {
        let seed = self::seed(py, seed, "seed")?;
        Ok(Self {
            stc: Arc::new(Stc::from_seed(seed)),
            ids: Mutex::default(),
        })
    }

    /// 32 bytes of keyed hash over `data`, bound to `context`.
    #[pyo3(signature = (data, context=None))]
    fn hash_data<'py>(
        &self,
        py: Python<'py>,
        data: Given<Data>,
        context: Option<Dict<'py>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let data = data.named(py, "data")?;
        let context = self::context(py, context, "context")?;
        let hash = lockless(py, data.len(), || self.stc.hash_data(&data, &context));
        Ok(PyBytes::new(py, &hash))
    }

    /// The 32-byte id of the node with this identity. Equal seeds and identities give equal ids,
    /// and a handshake proves them.
    #[pyo3(signature = (identity))]
    fn generate_node_id<'py>(
        &self,
        py: Python<'py>,
        identity: Given<Data>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let identity = identity.named(py, "identity")?;
        let key = self.stc.node_key(&identity);
        let id = key.node_id();
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.iter().any(|(known, _)| *known == id) {
            if ids.len() == IDS {
                ids.pop_front();
            }
            ids.push_back((id, key));
        }
        Ok(PyBytes::new(py, id.as_bytes()))
    }

    /// A 32-byte key bound to `context_data`.
    #[pyo3(signature = (context_data))]
    fn derive_session_key<'py>(
        &self,
        py: Python<'py>,
        context_data: Dict<'py>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let context = context(py, Some(context_data), "context_data")?;
        let key = self.stc.derive_session_key(&context);
        Ok(PyBytes::new(py, key.expose()))
    }

    /// The 32-byte key that follows `current_key`; both peers can derive it.
    #[pyo3(signature = (current_key, nonce))]
    fn rotate_session_key<'py>(
        &self,
        py: Python<'py>,
        current_key: Given<Data>,
        nonce: Given<Data>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let key = Key32::new(current_key.exactly(py, ERROR, "current_key")?);
        let nonce = nonce.named(py, "nonce")?;
        let next = Stc::rotate_session_key(&key, &nonce);
        Ok(PyBytes::new(py, next.expose()))
    }

    /// Seals `payload`, bound to `associated_data`: the sealed bytes, and the metadata that opening
    /// them takes.
    #[pyo3(signature = (payload, associated_data))]
    fn encrypt_frame<'py>(
        &self,
        py: Python<'py>,
        payload: Given<Data>,
        associated_data: Dict<'py>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyDict>)> {
        let payload = payload.named(py, "payload")?;
        let associated = context(py, Some(associated_data), "associated_data")?;
        let nonce = random()?;
        let (sealed, metadata) = lockless(py, payload.len(), || {
            self.stc.encrypt_frame(&payload, &associated, &nonce)
        });
        let dict = PyDict::new(py);
        dict.set_item(SUITE.get(py)?, metadata.suite)?;
        dict.set_item(NONCE.get(py)?, PyBytes::new(py, &metadata.nonce))?;
        Ok((PyBytes::new(py, &sealed), dict))
    }

    /// Opens what `encrypt_frame` has sealed.
    #[pyo3(signature = (encrypted, metadata, associated_data))]
    fn decrypt_frame<'py>(
        &self,
        py: Python<'py>,
        encrypted: Given<Data>,
        metadata: Dict<'py>,
        associated_data: Dict<'py>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let encrypted = encrypted.named(py, "encrypted")?;
        let metadata = metadata.named(py, "metadata")?;
        let associated = context(py, Some(associated_data), "associated_data")?;
        let metadata = frame_metadata(&metadata)?;
        let opened = lockless(py, encrypted.len(), || {
            self.stc.decrypt_frame(&encrypted, &metadata, &associated)
        });
        let payload = opened.map_err(|error| raise(py, ERROR, error))?;
        Ok(PyBytes::new(py, &payload))
    }

    /// The context of one stream, with keys of its own.
    #[pyo3(signature = (session_id, stream_id))]
    fn create_stream_context(
        &self,
        py: Python<'_>,
        session_id: Given<Data>,
        stream_id: Given<Number>,
    ) -> PyResult<PyStreamContext> {
        let session_id = session_id.named(py, "session_id")?;
        let stream_id = stream_id.within(py, ERROR, "stream_id", 0, u64::MAX)?;
        let context = self
            .stc
            .create_stream_context(&session_id, stream_id)
            .map_err(|error| raise(py, ERROR, error))?;
        Ok(PyStreamContext {
            context,
            session_id: session_id.to_vec(),
            stream_id,
        })
    }

    /// Whether the seed has fewer than 32 bytes.
    #[getter]
    fn is_short_seed(&self) -> bool {
        self.stc.seed().is_short()
    }

    fn __repr__(&self) -> &'static str {
        "<STCWrapper>"
    }
}

/// The isolated keys of one stream.
#[pyclass(
    frozen,
    name = "StreamContext",
    module = "seigr_toolset_transmissions.crypto"
)]
pub(crate) struct PyStreamContext {
    context: StreamContext,
    session_id: Vec<u8>,
    #[pyo3(get)]
    stream_id: u64,
}

impl PyStreamContext {
    pub(crate) fn context(&self) -> &StreamContext {
        &self.context
    }
}

#[pymethods]
impl PyStreamContext {
    /// The session id that it was made with.
    #[getter]
    fn session_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.session_id)
    }

    fn __repr__(&self) -> String {
        format!("<StreamContext of stream {}>", self.stream_id)
    }
}

/// Runs without the interpreter's lock if there is much to do.
pub(crate) fn lockless<T: Send>(py: Python<'_>, len: usize, work: impl FnOnce() -> T + Send) -> T {
    if len >= LARGE {
        py.detach(work)
    } else {
        work()
    }
}

fn frame_metadata(metadata: &Bound<'_, PyDict>) -> PyResult<FrameMetadata> {
    let py = metadata.py();
    let field = |name: &str| {
        metadata.get_item(name)?.ok_or_else(|| {
            let message = format!("metadata has no {name:?}: it is not what encrypt_frame gave");
            raise(py, ERROR, message)
        })
    };
    let wrong = |name: &str, error: PyErr| {
        PyTypeError::new_err(format!("metadata[{name:?}]: {}", error.value(py)))
    };
    let suite = field("suite")?;
    let suite = suite.extract::<Number>().map_err(|e| wrong("suite", e))?;
    let suite = suite.within(py, ERROR, "metadata[\"suite\"]", 0, 255)?;
    let nonce = field("nonce")?;
    let nonce = nonce.extract::<Data>().map_err(|e| wrong("nonce", e))?;
    Ok(FrameMetadata {
        // In range by the check above.
        suite: suite as u8,
        nonce: nonce.exactly(py, ERROR, "metadata[\"nonce\"]")?,
    })
}
