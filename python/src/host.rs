//! The bundled loader `drybox._host`: one module for the wheel and the sidecar.

use std::{
    cell::RefCell,
    ffi::{CStr, CString},
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
};

use drybox::adapter::AdapterFault;
use drywire::adapters::{PYTHON_ENTROPY, PYTHON_HOST};
use pyo3::{
    exceptions::PyKeyboardInterrupt,
    prelude::*,
    sync::PyOnceLock,
    types::{PyList, PyTuple},
};

/// How many runs have begun.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// What the adapters of one run share: the loader, from `reset()` to `reset()`, and the clock.
pub(crate) struct PythonHost {
    run: u64,
    module: Py<PyModule>,
    clock: RefCell<Clock>,
}

/// Logical time as Python sees it.
struct Clock {
    t_ms: u64,
    /// `[t_ms]`, which the adapters' contexts read.
    list: Py<PyList>,
    /// `(t_ms,)`, made once a tick for both sides' `on_timer`.
    arguments: Py<PyTuple>,
}

impl PythonHost {
    /// Begins a run. The loader forgets it when the host is dropped.
    pub(crate) fn begin(py: Python<'_>) -> PyResult<Rc<Self>> {
        let module = module(py)?;
        module.bind(py).call_method0("reset")?;
        Ok(Rc::new(Self {
            run: RUNS.fetch_add(1, Ordering::Relaxed) + 1,
            module,
            clock: RefCell::new(Clock {
                t_ms: 0,
                list: PyList::new(py, [0])?.unbind(),
                arguments: PyTuple::new(py, [0])?.unbind(),
            }),
        }))
    }

    /// The loader.
    pub(crate) fn module<'py>(&self, py: Python<'py>) -> &Bound<'py, PyModule> {
        self.module.bind(py)
    }

    /// The list that holds logical time.
    pub(crate) fn clock(&self, py: Python<'_>) -> Py<PyList> {
        self.clock.borrow().list.clone_ref(py)
    }

    /// Moves the clock. Costs a comparison when it stands there already.
    pub(crate) fn set_clock(&self, py: Python<'_>, t_ms: u64) -> PyResult<()> {
        let mut clock = self.clock.borrow_mut();
        if clock.t_ms != t_ms {
            let time = t_ms.into_pyobject(py)?;
            clock.list.bind(py).set_item(0, &time)?;
            clock.arguments = PyTuple::new(py, [time])?.unbind();
            clock.t_ms = t_ms;
        }
        Ok(())
    }

    /// `(t_ms,)` of the current time.
    pub(crate) fn time_arguments(&self, py: Python<'_>) -> Py<PyTuple> {
        self.clock.borrow().arguments.clone_ref(py)
    }

    /// An adapter's exception as the fault that ends the run.
    ///
    /// The loader's own two exceptions become [`AdapterFault::Load`] and [`AdapterFault::Contract`].
    pub(crate) fn fault(&self, py: Python<'_>, error: PyErr) -> AdapterFault {
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            return AdapterFault::Interrupted;
        }
        // With its traceback attached, which `value()` alone does not promise.
        let value = error.into_value(py).into_bound(py);
        let is = |class: &str| {
            let class = self.module(py).getattr(class);
            class.is_ok_and(|class| value.is_exact_instance(&class))
        };
        if is("LoadError") {
            return AdapterFault::Load(value.to_string());
        }
        if is("ContractError") {
            return AdapterFault::Contract(value.to_string());
        }
        let described = self
            .module(py)
            .call_method1("describe_exception", (&value,));
        match described.and_then(|described| described.extract::<(String, String)>()) {
            Ok((message, traceback)) => AdapterFault::Raised {
                message,
                traceback: Some(traceback),
            },
            // Describing calls the exception's own `__str__`, which may fail in turn.
            Err(_) => AdapterFault::raised(
                value
                    .get_type()
                    .name()
                    .map_or_else(|_| "an exception".to_owned(), |name| name.to_string()),
            ),
        }
    }
}

impl Drop for PythonHost {
    fn drop(&mut self) {
        // The loader knows one run: what a later one loaded is not ours to forget.
        if RUNS.load(Ordering::Relaxed) != self.run {
            return;
        }
        Python::attach(|py| {
            if let Err(error) = self.module(py).call_method0("reset") {
                error.write_unraisable(py, None);
            }
        });
    }
}

/// `drybox._host`, executed on first use.
fn module(py: Python<'_>) -> PyResult<Py<PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || {
            embedded(py, PYTHON_HOST, c"drybox/_host.py", c"drybox._host")
        })
        .map(|module| module.clone_ref(py))
}

/// `drybox._entropy`, which notes clocks and unseeded random sources, executed on first use.
pub(crate) fn entropy(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || {
            embedded(
                py,
                PYTHON_ENTROPY,
                c"drybox/_entropy.py",
                c"drybox._entropy",
            )
        })
        .map(|module| module.bind(py).clone())
}

fn embedded(py: Python<'_>, source: &str, file: &CStr, name: &CStr) -> PyResult<Py<PyModule>> {
    let source = CString::new(source)?;
    Ok(PyModule::from_code(py, &source, file, name)?.unbind())
}
