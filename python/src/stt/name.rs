//! Names of Python's that are looked up once.

use std::sync::OnceLock;

use pyo3::{prelude::*, types::PyString};

/// What is made by the first who needs it, and kept.
///
/// Unlike with `PyOnceLock` and `intern!` the interpreter isn't let go meanwhile: a process that another thread forks at that
/// moment would wait for it for ever (`docs/spec/stt-python.md` 5.5).
pub(crate) struct Kept<T>(OnceLock<Py<T>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(crate) fn get_or_make<'a, 'py>(
        &'a self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, T>>,
    ) -> PyResult<&'a Bound<'py, T>> {
        if let Some(kept) = self.0.get() {
            return Ok(kept.bind(py));
        }
        let made = make()?.unbind();
        // Nothing of Python's happens in here; of two that were made one is dropped.
        Ok(self.0.get_or_init(|| made).bind(py))
    }
}

/// A Python string.
pub(crate) struct Name {
    text: &'static str,
    kept: Kept<PyString>,
}

impl Name {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            text,
            kept: Kept::new(),
        }
    }

    pub(crate) fn get<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyString>> {
        self.kept
            .get_or_make(py, || Ok(PyString::intern(py, self.text)))
    }
}
