//! Python adapters in this very process (`docs/spec/adapters.md`).
//!
//! The loader resolves an adapter's callbacks once; from then on a callback costs one call with a
//! ready tuple of arguments, and a look at the length of the list of events.

use std::rc::Rc;

use drybox::{
    adapter::{
        Adapter, AdapterConfig, AdapterFault, AudioParams, Capabilities, Context, Pulled, SduBatch,
    },
    radio::Block,
    scenario::Mode,
};
use drywire::adapters::contract::Limits;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyTuple},
};

use crate::{audio, config, host::PythonHost, json, sdu};

/// One side's Python adapter: a spec string, a class or an object.
pub(crate) struct PythonAdapter {
    host: Rc<PythonHost>,
    subject: Py<PyAny>,
    endpoint: Option<Endpoint>,
}

/// What is left to call once the adapter is loaded.
struct Endpoint {
    object: Py<PyAny>,
    events: Py<PyList>,
    on_timer: Option<Py<PyAny>>,
    poll_link_tx: Option<Py<PyAny>>,
    on_link_rx: Option<Py<PyAny>>,
    pull_tx_block: Option<Py<PyAny>>,
    push_rx_block: Option<Py<PyAny>>,
    is_handshake_complete: Option<Py<PyAny>>,
    send_sdu: Option<Py<PyAny>>,
    no_arguments: Py<PyTuple>,
    /// The budget and `(budget,)`.
    budget: (usize, Py<PyTuple>),
}

impl PythonAdapter {
    /// An adapter of the run that `host` serves.
    pub(crate) const fn new(host: Rc<PythonHost>, subject: Py<PyAny>) -> Self {
        Self {
            host,
            subject,
            endpoint: None,
        }
    }

    /// Calls one of the endpoint's callables and takes the events that it emitted.
    ///
    /// The result is handed to `take` before anything else runs in Python, so that what the adapter
    /// returned is copied at return.
    fn call<T>(
        &self,
        context: &mut Context,
        callable: impl FnOnce(&Endpoint) -> Option<&Py<PyAny>>,
        arguments: impl for<'py> FnOnce(Python<'py>, &Endpoint) -> PyResult<Bound<'py, PyTuple>>,
        take: impl FnOnce(&Bound<'_, PyAny>) -> Result<T, AdapterFault>,
    ) -> Result<Option<T>, AdapterFault> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(None);
        };
        let Some(callable) = callable(endpoint) else {
            return Ok(None);
        };
        Python::attach(|py| {
            let result = self
                .host
                .set_clock(py, context.now_ms())
                .and_then(|()| arguments(py, endpoint))
                .and_then(|arguments| callable.bind(py).call1(arguments));
            let result = match result {
                Ok(result) => take(&result).map(Some),
                Err(error) => Err(self.host.fault(py, error)),
            };
            // Also after an exception: what was emitted before it helps to understand it.
            let events = take_events(endpoint.events.bind(py), context);
            let result = result?;
            events.map_err(|error| self.host.fault(py, error))?;
            Ok(result)
        })
    }

    /// Calls one of the endpoint's life-cycle methods by name.
    fn call_method(
        &self,
        context: &mut Context,
        name: &str,
        argument: Option<Bound<'_, PyDict>>,
    ) -> Result<(), AdapterFault> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(());
        };
        Python::attach(|py| {
            let object = endpoint.object.bind(py);
            let result = self
                .host
                .set_clock(py, context.now_ms())
                .and_then(|()| match argument {
                    Some(argument) => object.call_method1(name, (argument,)),
                    None => object.call_method0(name),
                });
            let events = take_events(endpoint.events.bind(py), context);
            result
                .map(drop)
                .and(events)
                .map_err(|error| self.host.fault(py, error))
        })
    }

    fn load(&self, py: Python<'_>, config: &AdapterConfig) -> PyResult<(Endpoint, Capabilities)> {
        let seeds = PyDict::new(py);
        seeds.set_item("rng_seed", config.rng_seed)?;
        seeds.set_item("python_seed", config.python_seed)?;
        let cfg = config::to_dict(py, config)?;
        self.host.set_clock(py, 0)?;
        let object = self.host.module(py).getattr("Endpoint")?.call(
            (self.subject.bind(py), cfg, self.host.clock(py)),
            Some(&seeds),
        )?;
        let callback = |name: &str| -> PyResult<Option<Py<PyAny>>> {
            let callback = object.getattr(name)?;
            Ok((!callback.is_none()).then(|| callback.unbind()))
        };
        let endpoint = Endpoint {
            events: object.getattr("events")?.cast_into::<PyList>()?.unbind(),
            on_timer: callback("on_timer")?,
            poll_link_tx: callback("poll_link_tx")?,
            on_link_rx: callback("on_link_rx")?,
            pull_tx_block: callback("pull_tx_block")?,
            push_rx_block: callback("push_rx_block")?,
            is_handshake_complete: callback("is_handshake_complete")?,
            send_sdu: callback("send_sdu")?,
            no_arguments: PyTuple::empty(py).unbind(),
            budget: (0, PyTuple::new(py, [0])?.unbind()),
            object: object.clone().unbind(),
        };
        let capabilities = capabilities(&object.getattr("capabilities")?)?;
        Ok((endpoint, capabilities))
    }
}

impl Adapter for PythonAdapter {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let (endpoint, capabilities) = Python::attach(|py| {
            if config.mode == Mode::Audio {
                audio::require_numpy(py)?;
            }
            self.load(py, config)
                .map_err(|error| self.host.fault(py, error))
        })?;
        self.endpoint = Some(endpoint);
        Ok(capabilities)
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        Python::attach(|py| {
            let updates = PyDict::new(py);
            updates
                .set_item("sdu_max_bytes", context.config().sdu_max_bytes)
                .map_err(|error| self.host.fault(py, error))?;
            self.call_method(context, "init", Some(updates))
        })
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.call_method(context, "start", None)
    }

    fn on_timer(&mut self, context: &mut Context, _t_ms: u64) -> Result<(), AdapterFault> {
        self.call(
            context,
            |endpoint| endpoint.on_timer.as_ref(),
            |py, _| Ok(self.host.time_arguments(py).into_bound(py)),
            |_| Ok(()),
        )
        .map(drop)
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        if let Some(endpoint) = &mut self.endpoint
            && endpoint.budget.0 != budget
        {
            endpoint.budget = Python::attach(|py| {
                let arguments = PyTuple::new(py, [budget]);
                arguments
                    .map(|arguments| (budget, arguments.unbind()))
                    .map_err(|error| self.host.fault(py, error))
            })?;
        }
        let limits = Limits {
            budget,
            sdu_max_bytes: context.config().sdu_max_bytes,
        };
        self.call(
            context,
            |endpoint| endpoint.poll_link_tx.as_ref(),
            |py, endpoint| Ok(endpoint.budget.1.bind(py).clone()),
            |polled| sdu::take(polled, limits, out),
        )
        .map(drop)
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        for sdu in sdus.iter() {
            self.call(
                context,
                |endpoint| endpoint.on_link_rx.as_ref(),
                |py, _| PyTuple::new(py, [PyBytes::new(py, sdu)]),
                |_| Ok(()),
            )?;
        }
        Ok(())
    }

    fn pull_tx_block(
        &mut self,
        context: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        let limits = Limits {
            budget: 0,
            sdu_max_bytes: context.config().sdu_max_bytes,
        };
        let pulled = self.call(
            context,
            |endpoint| endpoint.pull_tx_block.as_ref(),
            |py, endpoint| Ok(endpoint.no_arguments.bind(py).clone()),
            |pulled| {
                if pulled.is_none() {
                    return Ok(Pulled::Nothing);
                }
                audio::copy_block(pulled, block).map_err(|wrong| wrong.fault(limits))?;
                Ok(Pulled::Block)
            },
        )?;
        Ok(pulled.unwrap_or(Pulled::Nothing))
    }

    fn push_rx_block(&mut self, context: &mut Context, block: &Block) -> Result<(), AdapterFault> {
        self.call(
            context,
            |endpoint| endpoint.push_rx_block.as_ref(),
            |py, _| PyTuple::new(py, [audio::to_array(py, block)]),
            |_| Ok(()),
        )
        .map(drop)
    }

    fn is_handshake_complete(
        &mut self,
        context: &mut Context,
    ) -> Result<Option<bool>, AdapterFault> {
        self.call(
            context,
            |endpoint| endpoint.is_handshake_complete.as_ref(),
            |py, endpoint| Ok(endpoint.no_arguments.bind(py).clone()),
            |complete| {
                complete
                    .is_truthy()
                    .map_err(|error| self.host.fault(complete.py(), error))
            },
        )
    }

    fn send_sdu(&mut self, context: &mut Context, sdu: &[u8]) -> Result<(), AdapterFault> {
        self.call(
            context,
            |endpoint| endpoint.send_sdu.as_ref(),
            |py, _| PyTuple::new(py, [PyBytes::new(py, sdu)]),
            |_| Ok(()),
        )
        .map(drop)
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.call_method(context, "stop", None)
    }
}

/// Moves the events emitted so far, `(type, plain payload)` each, to the context.
#[inline]
fn take_events(events: &Bound<'_, PyList>, context: &mut Context) -> PyResult<()> {
    match events.len() {
        0 => Ok(()),
        emitted => take_some_events(events, emitted, context),
    }
}

#[cold]
fn take_some_events(
    events: &Bound<'_, PyList>,
    emitted: usize,
    context: &mut Context,
) -> PyResult<()> {
    for event in events {
        let (kind, payload): (String, Bound<'_, PyAny>) = event.extract()?;
        context.emit_event(kind, json::from_python(&payload)?);
    }
    events.del_slice(0, emitted)
}

fn capabilities(found: &Bound<'_, PyAny>) -> PyResult<Capabilities> {
    let found = found.cast::<PyDict>()?;
    let get = |key: &str| -> PyResult<Bound<'_, PyAny>> {
        Ok(found
            .get_item(key)?
            .unwrap_or_else(|| found.py().None().into_bound(found.py())))
    };
    let audioparams = get("audioparams")?;
    let audioparams = if audioparams.is_none() {
        None
    } else {
        Some(AudioParams {
            sr: audioparams.get_item("sr")?.extract()?,
            block: audioparams.get_item("block")?.extract()?,
        })
    };
    Ok(Capabilities {
        abi_version: get("abi_version")?.extract()?,
        bytelink: get("bytelink")?.extract()?,
        audioblock: get("audioblock")?.extract()?,
        sdu_max_bytes: get("sdu_max_bytes")?.extract()?,
        audioparams,
        timer: get("timer")?.extract()?,
        takes_messages: get("takes_messages")?.extract()?,
        remarks: get("remarks")?.extract()?,
    })
}
