//! Python objects as values and back (section 2.3 of the page; `docs/spec/stt-value.md`).

use core::fmt::Write as _;

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};
use stt_core::value::{Dict, MAX_DEPTH, Value, deserialize, serialize};

use super::{
    data::{Data, Given},
    errors::{self, raise},
};

/// The canonical bytes of an object.
#[pyfunction]
#[pyo3(signature = (data))]
pub(crate) fn serialize_stt<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = canonical(data, "data")?;
    Ok(PyBytes::new(data.py(), &bytes))
}

/// The object that canonical bytes are.
#[pyfunction]
#[pyo3(signature = (data))]
pub(crate) fn deserialize_stt(py: Python<'_>, data: Given<Data>) -> PyResult<Bound<'_, PyAny>> {
    let data = data.named(py, "data")?;
    let value = deserialize(&data).map_err(|error| errors::value(py, error))?;
    to_python(py, value)
}

/// The canonical bytes of an object that the parameter `name` is.
pub(crate) fn canonical(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<u8>> {
    let mut path = Path {
        name,
        steps: Vec::new(),
    };
    let value = from_python(object, &mut path)?;
    serialize(&value).map_err(|error| errors::value(object.py(), error))
}

/// The canonical bytes of a dict; none at all for None.
pub(crate) fn context(
    py: Python<'_>,
    dict: Option<Given<Bound<'_, PyDict>>>,
    name: &str,
) -> PyResult<Vec<u8>> {
    match dict {
        Some(dict) => canonical(dict.named(py, name)?.as_any(), name),
        None => Ok(Vec::new()),
    }
}

/// Where in an argument something is, for messages.
struct Path<'a> {
    name: &'a str,
    steps: Vec<String>,
}

impl Path<'_> {
    fn text(&self) -> String {
        let mut text = self.name.to_owned();
        for step in &self.steps {
            // Writing to a string doesn't fail.
            write!(text, "[{step}]").ok();
        }
        text
    }

    /// The value of an element one step further in.
    fn inside(
        &mut self,
        step: impl FnOnce() -> String,
        object: &Bound<'_, PyAny>,
    ) -> PyResult<Value> {
        self.steps.push(step());
        let value = from_python(object, self)?;
        self.steps.pop();
        Ok(value)
    }
}

fn from_python(object: &Bound<'_, PyAny>, path: &mut Path<'_>) -> PyResult<Value> {
    let py = object.py();
    if path.steps.len() > MAX_DEPTH {
        let message = format!(
            "{}: lists and dicts nested deeper than {MAX_DEPTH}",
            path.name
        );
        return Err(raise(py, "STTSerializationError", message));
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if object.is_instance_of::<PyInt>() {
        return integer(object, path);
    }
    if let Ok(value) = object.cast::<PyFloat>() {
        return Ok(Value::F64(value.value()));
    }
    if let Ok(value) = object.cast::<PyString>() {
        return text(value, path).map(Value::Str);
    }
    if let Ok(value) = object.cast::<PyBytes>() {
        return Ok(Value::Bytes(value.as_bytes().to_vec()));
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        let mut pairs = Vec::with_capacity(dict.len());
        for (key, value) in dict {
            let Ok(key) = key.cast::<PyString>() else {
                let (place, kind) = (path.text(), key.get_type().name()?.to_string());
                return Err(PyTypeError::new_err(format!(
                    "{place}: a key is a '{kind}', only 'str' can be one"
                )));
            };
            let key = text(key, path)?;
            let value = path.inside(|| format!("{key:?}"), &value)?;
            pairs.push((key, value));
        }
        return Ok(Value::Dict(pairs.into_iter().collect::<Dict>()));
    }
    if let Ok(list) = object.cast::<PyList>() {
        return elements(list.iter(), path);
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return elements(tuple.iter(), path);
    }
    if object.hasattr("__index__")? {
        return integer(object, path);
    }
    match object.extract::<Data>() {
        Ok(data) => Ok(Value::Bytes(data.to_vec())),
        Err(_) => {
            let (place, kind) = (path.text(), object.get_type().name()?.to_string());
            Err(PyTypeError::new_err(format!(
                "{place}: a '{kind}' can't be serialized; None, bool, int, float, str, bytes-like, \
                 list, tuple and dict can"
            )))
        }
    }
}

fn elements<'py>(
    objects: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    path: &mut Path<'_>,
) -> PyResult<Value> {
    let mut values = Vec::with_capacity(objects.len());
    for (i, object) in objects.enumerate() {
        values.push(path.inside(|| i.to_string(), &object)?);
    }
    Ok(Value::List(values))
}

fn integer(object: &Bound<'_, PyAny>, path: &Path<'_>) -> PyResult<Value> {
    let py = object.py();
    if let Ok(value) = object.extract::<i64>() {
        return Ok(Value::I64(value));
    }
    match object.extract::<u64>() {
        Ok(value) => Ok(Value::from(value)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            let message = format!(
                "{}: an integer outside -2^63 to 2^64 - 1; write it as text or bytes",
                path.text()
            );
            Err(raise(py, "STTSerializationError", message))
        }
        Err(error) => Err(error),
    }
}

/// Text; a lone surrogate is none.
fn text(object: &Bound<'_, PyString>, path: &Path<'_>) -> PyResult<String> {
    object.extract::<String>().map_err(|_| {
        let message = format!("{}: text with a lone surrogate", path.text());
        raise(object.py(), "STTSerializationError", message)
    })
}

pub(crate) fn to_python(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Value::I64(value) => value.into_pyobject(py)?.into_any(),
        Value::U64(value) => value.into_pyobject(py)?.into_any(),
        Value::F64(value) => PyFloat::new(py, value).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Value::Str(text) => PyString::new(py, &text).into_any(),
        Value::List(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(to_python(py, value)?)?;
            }
            list.into_any()
        }
        Value::Dict(pairs) => {
            let dict = PyDict::new(py);
            for (key, value) in pairs {
                dict.set_item(key, to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}
