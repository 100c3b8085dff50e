//! `STTHandshake` (section 4.3).

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::{prelude::*, types::PyBytes};
use stt_core::handshake::{Credentials, SttHandshake};
use stt_crypto::NodeId;

use super::{
    crypto::{StcWrapper, seed},
    data::{Data, Given},
    environment::random,
    errors::{self, raise},
};

/// The two ends of a handshake, carried by the caller.
#[pyclass(
    frozen,
    subclass,
    name = "STTHandshake",
    module = "seigr_toolset_transmissions.handshake"
)]
pub(crate) struct PyHandshake(Mutex<SttHandshake>);

impl PyHandshake {
    fn lock(&self) -> MutexGuard<'_, SttHandshake> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyHandshake {
    #[new]
    #[pyo3(signature = (stc_wrapper, shared_seed, node_id, *, identity = None))]
    fn new(
        py: Python<'_>,
        stc_wrapper: Given<Py<StcWrapper>>,
        shared_seed: Given<Data>,
        node_id: Given<Data>,
        identity: Option<Given<Data>>,
    ) -> PyResult<Self> {
        let class = "STTHandshakeError";
        let stc_wrapper = stc_wrapper.named(py, "stc_wrapper")?;
        let stc_wrapper = stc_wrapper.get();
        let id = NodeId::new(node_id.exactly(py, class, "node_id")?);
        let key = match identity {
            Some(identity) => {
                let identity = identity.named(py, "identity")?;
                Some(stc_wrapper.stc().node_key(&identity))
            }
            None => stc_wrapper.node_key(&id),
        };
        let Some(key) = key.filter(|key| key.node_id() == id) else {
            let message = "node_id is none that stc_wrapper.generate_node_id gave: call it first, \
                           or pass the identity that it was made of";
            return Err(raise(py, class, message));
        };
        let shared = seed(py, shared_seed, "shared_seed")?;
        let credentials = Credentials::new(key, shared.psk());
        Ok(Self(Mutex::new(SttHandshake::new(credentials, random()?))))
    }

    /// The HELLO for the peer. Begins anew.
    fn initiate_handshake<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let hello = self.lock().initiate_handshake();
        let hello = hello.map_err(|error| errors::handshake(py, error))?;
        Ok(PyBytes::new(py, &hello))
    }

    /// Answers a HELLO with a HELLO_RESP.
    #[pyo3(signature = (hello_bytes))]
    fn handle_hello<'py>(
        &self,
        py: Python<'py>,
        hello_bytes: Given<Data>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let response = self
            .lock()
            .handle_hello(&hello_bytes.named(py, "hello_bytes")?);
        let response = response.map_err(|error| errors::handshake(py, error))?;
        Ok(PyBytes::new(py, &response))
    }

    /// Reads the HELLO_RESP: the session key and the peer's node id, which it has proven.
    #[pyo3(signature = (response_bytes))]
    fn handle_response<'py>(
        &self,
        py: Python<'py>,
        response_bytes: Given<Data>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let done = self
            .lock()
            .handle_response(&response_bytes.named(py, "response_bytes")?);
        let (key, peer) = done.map_err(|error| errors::handshake(py, error))?;
        let peer = PyBytes::new(py, peer.as_bytes());
        Ok((PyBytes::new(py, key.expose()), peer))
    }

    /// What proves to the responder that it is us.
    fn confirm<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let confirm = self.lock().confirm();
        let confirm = confirm.map_err(|error| errors::handshake(py, error))?;
        Ok(PyBytes::new(py, &confirm))
    }

    /// Checks the initiator's confirmation and gives its node id.
    #[pyo3(signature = (confirm_bytes))]
    fn handle_confirm<'py>(
        &self,
        py: Python<'py>,
        confirm_bytes: Given<Data>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let peer = self
            .lock()
            .handle_confirm(&confirm_bytes.named(py, "confirm_bytes")?);
        let peer = peer.map_err(|error| errors::handshake(py, error))?;
        Ok(PyBytes::new(py, peer.as_bytes()))
    }

    /// The session key, once there is one.
    fn get_session_key<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let key = self.lock().session_key();
        key.map(|key| PyBytes::new(py, key.expose()))
    }

    /// The session's id, 8 bytes, the same at both ends, once there is one.
    #[getter]
    fn session_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let id = self.lock().session_id();
        id.map(|id| PyBytes::new(py, &id))
    }

    /// The peer's node id, once it is proven.
    #[getter]
    fn peer_node_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let id = self.lock().peer_node_id();
        id.map(|id| PyBytes::new(py, id.as_bytes()))
    }

    /// Our own node id.
    #[getter]
    fn node_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let id = self.lock().node_id();
        PyBytes::new(py, id.as_bytes())
    }

    fn __repr__(&self) -> String {
        format!("<STTHandshake of node {}>", self.lock().node_id())
    }
}
