//! From specs and objects to the adapters of one run.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use drybox::{
    Side,
    adapter::{Adapter, AdapterFault},
};
use drywire::adapters::{Adapters, SidecarOptions, SpecKind, Unavailable};
use pyo3::{prelude::*, types::PyString};
use signal_hook::consts::SIGINT;

use crate::{adapter::PythonAdapter, host::PythonHost};

/// The adapters of one run, left first: `objects` where given, else what the specs name. Python runs
/// in this process, the others as in the `drywire` binary.
///
/// What cannot be found is reported when it is opened.
pub(crate) fn pair(
    py: Python<'_>,
    specs: &[String; 2],
    objects: [Option<Py<PyAny>>; 2],
) -> [Box<dyn Adapter>; 2] {
    let host = PythonHost::begin(py).map_err(|error| AdapterFault::Load(error.to_string()));
    let mut others = Adapters::new(SidecarOptions {
        interrupt: interrupt_flag(specs),
        ..SidecarOptions::default()
    });
    let mut adapter = |side: Side, object: Option<Py<PyAny>>| -> Box<dyn Adapter> {
        let spec = &specs[side.index()];
        let object = match (object, SpecKind::of(spec)) {
            (Some(object), _) => object,
            (None, SpecKind::Python) => PyString::new(py, spec).into_any().unbind(),
            (None, _) => return others.adapter(side, spec),
        };
        match &host {
            Ok(host) => Box::new(PythonAdapter::new(host.clone(), object)),
            Err(fault) => Box::new(Unavailable(fault.clone())),
        }
    };
    let [left, right] = objects;
    [adapter(Side::Left, left), adapter(Side::Right, right)]
}

/// A flag that SIGINT sets, for sidecars: they wait outside of Python, which would otherwise hear of
/// the signal only afterwards. Python's own handler is called as well.
fn interrupt_flag(specs: &[String; 2]) -> Option<Arc<AtomicBool>> {
    static FLAG: OnceLock<Option<Arc<AtomicBool>>> = OnceLock::new();
    let waits = |spec: &String| matches!(SpecKind::of(spec), SpecKind::Command(_));
    if !specs.iter().any(waits) {
        return None;
    }
    let flag = FLAG.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        // Without it an interrupt takes until the sidecar's next answer.
        let registered = signal_hook::flag::register(SIGINT, Arc::clone(&flag));
        registered.is_ok().then_some(flag)
    });
    if let Some(flag) = flag {
        flag.store(false, Ordering::Relaxed);
    }
    flag.clone()
}
