//! Arguments as Python gives them: bytes-like objects and numbers with a range (section 2).

use core::{convert::Infallible, ops::Deref, time::Duration};

use bytes::Bytes;
use pyo3::{
    Borrowed,
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyMemoryView},
};

use super::errors::raise;

/// The bytes of any bytes-like object: those of `bytes` where they are, of others one copy, since
/// the stable interface of Python 3.9 has no buffers. Nothing where there are none.
pub(crate) struct Data(Option<PyBackedBytes>);

impl Data {
    /// No bytes.
    pub(crate) const EMPTY: Self = Self(None);

    /// Bytes to be kept, for instance by a task.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0.map_or_else(Bytes::new, Bytes::from_owner)
    }

    /// Exactly `N` bytes.
    pub(crate) fn exactly<const N: usize>(
        &self,
        py: Python<'_>,
        class: &str,
        name: &str,
    ) -> PyResult<[u8; N]> {
        self[..].try_into().map_err(|_| {
            let message = format!("{name} has {} bytes, it takes {N}", self.len());
            raise(py, class, message)
        })
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Data {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(Some(bytes.to_owned().into())));
        }
        let Ok(view) = PyMemoryView::from(&object) else {
            let name = object.get_type().name()?;
            let message = format!("a bytes-like object is required, not '{name}'");
            return Err(PyTypeError::new_err(message));
        };
        let copy = view.call_method0("tobytes")?;
        Ok(Self(Some(copy.cast_into::<PyBytes>()?.into())))
    }
}

/// An integer; nothing if it is negative or over 2⁶⁴ − 1.
pub(crate) struct Number(Option<u64>);

impl<'a, 'py> FromPyObject<'a, 'py> for Number {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<u64>() {
            Ok(value) => Ok(Self(Some(value))),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

impl Number {
    /// 0.
    pub(crate) const ZERO: Self = Self(Some(0));

    /// The integer, if it is in a range.
    pub(crate) fn within(
        &self,
        py: Python<'_>,
        class: &str,
        name: &str,
        least: u64,
        most: u64,
    ) -> PyResult<u64> {
        match self.0 {
            Some(value) if (least..=most).contains(&value) => Ok(value),
            found => {
                let found = found.map_or_else(|| "out of range".to_owned(), |v| v.to_string());
                let message = format!("{name} is {found}, it takes {least} to {most}");
                Err(raise(py, class, message))
            }
        }
    }
}

/// An argument that may be of a wrong type. pyo3 tells its name in a note, which Python has since
/// 3.11 only and which isn't part of the message: [`Self::named`] puts it there.
pub(crate) struct Given<T>(Result<T, PyErr>);

impl<'a, 'py, T: FromPyObject<'a, 'py>> FromPyObject<'a, 'py> for Given<T> {
    type Error = Infallible;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self(object.extract().map_err(Into::into)))
    }
}

impl<T> Given<T> {
    /// An argument that was left out.
    pub(crate) const fn left_out(value: T) -> Self {
        Self(Ok(value))
    }

    /// The argument.
    pub(crate) fn named(self, py: Python<'_>, name: &str) -> PyResult<T> {
        self.0.map_err(|error| {
            if error.is_instance_of::<PyTypeError>(py) {
                let text = error.value(py);
                PyTypeError::new_err(format!("argument '{name}': {text}"))
            } else {
                error
            }
        })
    }
}

impl Given<Number> {
    /// The integer, if it is in a range; what is out of it raises an exception of `class`.
    pub(crate) fn within(
        self,
        py: Python<'_>,
        class: &str,
        name: &str,
        least: u64,
        most: u64,
    ) -> PyResult<u64> {
        self.named(py, name)?.within(py, class, name, least, most)
    }
}

impl Given<Data> {
    /// Exactly `N` bytes; another number raises an exception of `class`.
    pub(crate) fn exactly<const N: usize>(
        self,
        py: Python<'_>,
        class: &str,
        name: &str,
    ) -> PyResult<[u8; N]> {
        self.named(py, name)?.exactly(py, class, name)
    }
}

impl Given<f64> {
    /// A time in seconds; a negative, endless or undefined one raises an exception of `class`.
    pub(crate) fn seconds(self, py: Python<'_>, class: &str, name: &str) -> PyResult<Duration> {
        let value = self.named(py, name)?;
        Duration::try_from_secs_f64(value).map_err(|_| {
            let message = format!("{name} is {value:?}, it takes 0 to 1e19 seconds");
            raise(py, class, message)
        })
    }
}
