//! From specs and objects to the adapters of one run.

use drybox::{
    Side,
    adapter::{Adapter, AdapterFault},
};
use pyo3::{prelude::*, types::PyString};

use crate::{adapter::PythonAdapter, host::PythonHost, unavailable::Unavailable};

/// The adapters of one run, left first: `objects` where given, else what the specs name.
///
/// What cannot be found is reported when it is opened.
pub(crate) fn pair(
    py: Python<'_>,
    specs: &[String; 2],
    objects: [Option<Py<PyAny>>; 2],
) -> [Box<dyn Adapter>; 2] {
    let host = PythonHost::begin(py).map_err(|error| AdapterFault::Load(error.to_string()));
    let adapter = |side: Side, object: Option<Py<PyAny>>| -> Box<dyn Adapter> {
        let spec = || PyString::new(py, &specs[side.index()]).into_any().unbind();
        match &host {
            Ok(host) => Box::new(PythonAdapter::new(
                host.clone(),
                object.unwrap_or_else(spec),
            )),
            Err(fault) => Box::new(Unavailable(fault.clone())),
        }
    };
    let [left, right] = objects;
    [adapter(Side::Left, left), adapter(Side::Right, right)]
}
