//! Errors as the exceptions of `drybox.errors`.

use drybox::adapter::{AdapterFault, EndpointError};
use pyo3::{prelude::*, types::PyTuple};

/// `ScenarioError(message)`.
pub(crate) fn scenario(py: Python<'_>, message: String) -> PyErr {
    raise(py, "ScenarioError", (message,))
}

/// `OutputError(message)`.
pub(crate) fn output(py: Python<'_>, message: String) -> PyErr {
    raise(py, "OutputError", (message,))
}

/// `DryBoxError(message)`: our own fault.
pub(crate) fn internal(py: Python<'_>, message: String) -> PyErr {
    raise(py, "DryBoxError", (message,))
}

/// `EndpointError(message, side, callback, t_ms, traceback)`.
pub(crate) fn endpoint(py: Python<'_>, error: &EndpointError) -> PyErr {
    let traceback = match &error.fault {
        AdapterFault::Raised { traceback, .. } => traceback.as_deref(),
        _ => None,
    };
    let callback = error.callback.to_string();
    let place = (error.side.letter(), callback, error.t_ms, traceback);
    let (side, callback, t_ms, traceback) = place;
    raise(
        py,
        "EndpointError",
        (error.to_string(), side, callback, t_ms, traceback),
    )
}

fn raise<'py>(
    py: Python<'py>,
    class: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyErr {
    raise_from(py, "drybox.errors", class, arguments)
}

/// An exception of this class of a Python module.
pub(crate) fn raise_from<'py>(
    py: Python<'py>,
    module: &str,
    class: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyErr {
    let made = py
        .import(module)
        .and_then(|errors| errors.getattr(class))
        .and_then(|class| class.call1(arguments.into_pyobject(py)?));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
