//! What belongs to one process (section 5.4).

use std::process;

use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// Something with threads, sockets or locks of other threads behind it, which a forked child must
/// neither use nor take apart: its descriptors are shared with the parent, and its locks may be
/// held by threads that the child doesn't have.
pub(crate) struct OfProcess<T> {
    value: Option<T>,
    process: u32,
}

impl<T> OfProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Some(value),
            process: process::id(),
        }
    }

    /// Whether this is the process it belongs to.
    pub(crate) fn is_here(&self) -> bool {
        self.process == process::id()
    }

    /// The value, in its process.
    pub(crate) fn get(&self, what: &str) -> PyResult<&T> {
        match &self.value {
            Some(value) if self.is_here() => Ok(value),
            _ => Err(PyRuntimeError::new_err(format!(
                "this {what} belongs to the process that forked this one: make one here"
            ))),
        }
    }

    /// The value where it was put, in its process.
    pub(crate) fn value_mut(&mut self) -> Option<&mut T> {
        if self.is_here() {
            self.value.as_mut()
        } else {
            None
        }
    }

    /// The value itself, in its process.
    pub(crate) fn into_inner(mut self) -> Option<T> {
        if self.is_here() {
            self.value.take()
        } else {
            None
        }
    }
}

impl<T> Drop for OfProcess<T> {
    fn drop(&mut self) {
        if !self.is_here() {
            core::mem::forget(self.value.take());
        }
    }
}
