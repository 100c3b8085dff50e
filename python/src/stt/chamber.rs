//! `Chamber` (section 4.5).

use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
};

use pyo3::{prelude::*, types::PyBytes};
use stt_store::{Chamber, ChamberError};

use super::{
    crypto::StcWrapper,
    data::{Data, Given},
    environment::System,
    errors::{self, raise},
};

/// The compiled part of `Chamber`. Every call blocks on the disk, without the interpreter's lock.
#[pyclass(frozen)]
pub(crate) struct SttChamber(RwLock<Option<Chamber>>);

#[pymethods]
impl SttChamber {
    #[new]
    fn new(
        py: Python<'_>,
        chamber_path: PathBuf,
        node_id: Given<Data>,
        stc_wrapper: Given<Py<StcWrapper>>,
    ) -> PyResult<Self> {
        let node_id = node_id.exactly(py, "STTChamberError", "node_id")?;
        let stc_wrapper = stc_wrapper.named(py, "stc_wrapper")?;
        let key = stc_wrapper.get().stc().seed().chamber_key(&node_id);
        let opened = py.detach(|| Chamber::open(&chamber_path, key, Arc::new(System)));
        let chamber = opened.map_err(|error| errors::chamber(py, error))?;
        Ok(Self(RwLock::new(Some(chamber))))
    }

    #[pyo3(signature = (session, name, value, /))]
    fn put(&self, py: Python<'_>, session: bool, name: &str, value: Given<Data>) -> PyResult<()> {
        let value = value.named(py, "key_data")?;
        self.with(py, |chamber| {
            if session {
                chamber.store_session(name, &value)
            } else {
                chamber.store_key(name, &value)
            }
        })
    }

    #[pyo3(signature = (session, name, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        session: bool,
        name: &str,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let value = self.with(py, |chamber| {
            if session {
                chamber.retrieve_session(name)
            } else {
                chamber.retrieve_key(name)
            }
        })?;
        Ok(value.map(|value| PyBytes::new(py, value.expose())))
    }

    #[pyo3(signature = (session, name, /))]
    fn remove(&self, py: Python<'_>, session: bool, name: &str) -> PyResult<bool> {
        self.with(py, |chamber| {
            if session {
                chamber.remove_session(name)
            } else {
                chamber.remove_key(name)
            }
        })
    }

    /// All names; the first damaged entry is an error.
    #[pyo3(signature = (session, /))]
    fn names(&self, py: Python<'_>, session: bool) -> PyResult<Vec<String>> {
        self.with(py, |chamber| {
            let names = if session {
                chamber.list_sessions()
            } else {
                chamber.list_keys()
            };
            names?.into_iter().collect()
        })
    }

    /// Reads every page and opens every entry; how many there are.
    fn check(&self, py: Python<'_>) -> PyResult<u64> {
        let checked = py.detach(|| {
            let mut chamber = self.0.write().unwrap_or_else(|lock| lock.into_inner());
            chamber.as_mut().map(Chamber::check)
        });
        finish(py, checked)
    }

    /// Lets go of the file.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            drop(
                self.0
                    .write()
                    .unwrap_or_else(|lock| lock.into_inner())
                    .take(),
            )
        });
    }

    #[getter]
    fn is_closed(&self, py: Python<'_>) -> bool {
        py.detach(|| {
            self.0
                .read()
                .unwrap_or_else(|lock| lock.into_inner())
                .is_none()
        })
    }
}

impl SttChamber {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Chamber) -> Result<T, ChamberError> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| {
            let chamber = self.0.read().unwrap_or_else(|lock| lock.into_inner());
            chamber.as_ref().map(work)
        });
        finish(py, done)
    }
}

fn finish<T>(py: Python<'_>, done: Option<Result<T, ChamberError>>) -> PyResult<T> {
    match done {
        Some(done) => done.map_err(|error| errors::chamber(py, error)),
        None => Err(raise(py, "STTChamberError", "the chamber is closed")),
    }
}
