//! `EndpointManager` (section 4.7).

use std::sync::Arc;

use pyo3::{IntoPyObjectExt as _, prelude::*, types::PyBytes};
use stt::{EndpointError, EndpointLimits, EndpointManager};

use super::{
    bridge::{Awaitable, ErrorToPython},
    data::{Data, Given, Number},
    errors::raise_kind,
};

const ERROR: &str = "STTRoutingError";

/// Named queues of messages.
#[pyclass(frozen)]
pub(crate) struct SttEndpoints(Arc<EndpointManager>);

impl SttEndpoints {
    pub(crate) fn manager(&self) -> Arc<EndpointManager> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl SttEndpoints {
    #[new]
    fn new(
        py: Python<'_>,
        max_endpoints: Given<Number>,
        max_messages: Given<Number>,
        max_bytes: Given<Number>,
    ) -> PyResult<Self> {
        let most = u64::from(u32::MAX);
        let limits = EndpointLimits {
            // In range by the checks.
            endpoints: max_endpoints.within(py, ERROR, "max_endpoints", 1, most)? as usize,
            messages: max_messages.within(py, ERROR, "max_messages", 1, most)? as usize,
            bytes: max_bytes.within(py, ERROR, "max_bytes", 1, most)? as usize,
        };
        Ok(Self(Arc::new(EndpointManager::with_limits(limits))))
    }

    #[pyo3(signature = (endpoint_id, data))]
    fn route_to_endpoint(
        &self,
        py: Python<'_>,
        endpoint_id: Given<String>,
        data: Given<Data>,
    ) -> PyResult<Awaitable> {
        let endpoint_id = endpoint_id.named(py, "endpoint_id")?;
        let (endpoints, data) = (Arc::clone(&self.0), data.named(py, "data")?.into_bytes());
        Awaitable::new(
            py,
            async move { endpoints.route_to_endpoint(&endpoint_id, data).await },
            |py, ()| Ok(py.None()),
        )
    }

    #[pyo3(signature = (endpoint_id))]
    fn receive_from_endpoint(
        &self,
        py: Python<'_>,
        endpoint_id: Given<String>,
    ) -> PyResult<Awaitable> {
        let endpoint_id = endpoint_id.named(py, "endpoint_id")?;
        let endpoints = Arc::clone(&self.0);
        Awaitable::new(
            py,
            async move { endpoints.receive_from_endpoint(&endpoint_id).await },
            |py, data| PyBytes::new(py, &data).into_py_any(py),
        )
    }

    fn list_endpoints(&self) -> Vec<String> {
        self.0.list_endpoints()
    }

    #[pyo3(signature = (endpoint_id))]
    fn pending(&self, py: Python<'_>, endpoint_id: Given<String>) -> PyResult<usize> {
        Ok(self.0.pending(&endpoint_id.named(py, "endpoint_id")?))
    }

    #[pyo3(signature = (endpoint_id))]
    fn open_endpoint(&self, py: Python<'_>, endpoint_id: Given<String>) -> PyResult<()> {
        let opened = self.0.open_endpoint(&endpoint_id.named(py, "endpoint_id")?);
        opened.map_err(|error| error.to_python(py))
    }

    #[pyo3(signature = (endpoint_id))]
    fn close_endpoint(&self, py: Python<'_>, endpoint_id: Given<String>) -> PyResult<()> {
        self.0
            .close_endpoint(&endpoint_id.named(py, "endpoint_id")?);
        Ok(())
    }

    fn close(&self) {
        self.0.close();
    }
}

impl ErrorToPython for EndpointError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        let kind = match &self {
            Self::Closed { .. } | Self::ManagerClosed => "closed",
            Self::Id { .. } | Self::TooMany { .. } => "limit",
            _ => "failed",
        };
        raise_kind(py, ERROR, self, kind)
    }
}
