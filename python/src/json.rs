//! Plain JSON values to Python objects and back.

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString},
};
use serde_json::{Map, Number, Value};

/// The Python object of a JSON value.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => {
            if let Some(value) = number.as_i64() {
                value.into_pyobject(py)?.into_any()
            } else if let Some(value) = number.as_u64() {
                value.into_pyobject(py)?.into_any()
            } else {
                // Without arbitrary precision every other number is a float.
                number.as_f64().into_pyobject(py)?
            }
        }
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| to_python(py, item));
            PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
        Value::Object(fields) => fields_to_python(py, fields)?.into_any(),
    })
}

/// The dict of a JSON object, in its order.
pub(crate) fn fields_to_python<'py>(
    py: Python<'py>,
    fields: &Map<String, Value>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in fields {
        dict.set_item(key, to_python(py, value)?)?;
    }
    Ok(dict)
}

/// The JSON value of a Python object that is already plain: what the loader's `plain()` gives, which
/// also bounds the depth. A float that JSON cannot express is null.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::String(text.to_cow()?.into_owned()));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    // Before int, which bool derives from.
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if let Ok(value) = value.cast::<PyInt>() {
        return match value.extract::<i64>() {
            Ok(value) => Ok(value.into()),
            Err(_) => Ok(value.extract::<u64>()?.into()),
        };
    }
    if let Ok(value) = value.cast::<PyFloat>() {
        return Ok(Number::from_f64(value.value()).map_or(Value::Null, Value::Number));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let mut fields = Map::with_capacity(dict.len());
        for (key, value) in dict {
            let key = key.cast::<PyString>()?.to_cow()?.into_owned();
            fields.insert(key, from_python(&value)?);
        }
        return Ok(Value::Object(fields));
    }
    if let Ok(items) = value.cast::<PyList>() {
        let items = items.iter().map(|item| from_python(&item));
        return Ok(Value::Array(items.collect::<PyResult<_>>()?));
    }
    let kind = value.get_type().name()?;
    Err(PyTypeError::new_err(format!("{kind} is not plain JSON")))
}
