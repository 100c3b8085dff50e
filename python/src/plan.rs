//! Running a scenario's points from Python.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use drybox::{
    engine::{End, Hooks, Progress},
    scenario::{self, Overrides, Point, Source},
};
use drywire::{
    boxcli::BoxError,
    session::{self, Job, Report},
};
use pyo3::{
    exceptions::PyKeyboardInterrupt,
    prelude::*,
    types::{PyBytes, PyTuple},
};

use crate::{adapters, errors};

/// A scenario with its overrides, read and checked.
#[pyclass(frozen, module = "drywire._native")]
pub(crate) struct Plan {
    name: String,
    plan: scenario::Plan,
}

#[pymethods]
impl Plan {
    /// Reads `text`, the scenario called `name` in messages. `specs` (left, right), `seed` and
    /// `tick_ms` beat the scenario's where they are not None.
    ///
    /// Raises `ScenarioError`.
    #[new]
    fn new(
        py: Python<'_>,
        name: String,
        text: String,
        specs: (Option<String>, Option<String>),
        seed: Option<u64>,
        tick_ms: Option<u64>,
    ) -> PyResult<Self> {
        let (left, right) = specs;
        let overrides = Overrides {
            left,
            right,
            seed,
            tick_ms,
        };
        let source = Source { name, text };
        let plan = scenario::load(&source, &overrides)
            .map_err(|error| errors::scenario(py, error.to_string()))?;
        Ok(Self {
            name: source.name,
            plan,
        })
    }

    /// Whether the outputs go into one folder per point.
    #[getter]
    fn is_sweep(&self) -> bool {
        self.plan.is_sweep
    }

    /// The folders of the points, in order; None for the one point of a scenario without a sweep.
    #[getter]
    fn points(&self) -> Vec<Option<&str>> {
        let points = self.plan.points.iter();
        points.map(|point| point.folder.as_deref()).collect()
    }

    /// Runs one point: `(summary.json, metrics.csv, events.jsonl)`, the latter two only when there
    /// is no `out`.
    ///
    /// `base` is the folder to which key files are relative. `objects` (left, right) are classes or
    /// objects to use instead of what the specs name.
    ///
    /// Raises `ScenarioError`, `EndpointError`, `OutputError`, and KeyboardInterrupt after the
    /// outputs are written.
    fn run<'py>(
        &self,
        py: Python<'py>,
        point: Option<&str>,
        base: PathBuf,
        out: Option<PathBuf>,
        objects: (Option<Py<PyAny>>, Option<Py<PyAny>>),
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut signals = Signals::default();
        let report = self.report(py, point, &base, out.as_deref(), objects, &mut signals)?;
        // Before all else: a handler of the user's may have raised something of its own.
        if let Some(error) = signals.raised {
            return Err(error);
        }
        match &report.end {
            End::Completed => {}
            End::Endpoint(error) => return Err(errors::endpoint(py, error)),
            End::Output(error) => return Err(errors::output(py, error.to_string())),
            _ => {
                // Python may hold the same signal; it must not be heard of twice.
                py.check_signals()?;
                return Err(PyKeyboardInterrupt::new_err(()));
            }
        }
        let recorded = report.recorded.as_ref();
        (
            report.summary_json.as_str(),
            recorded.map(|recorded| PyBytes::new(py, &recorded.metrics)),
            recorded.map(|recorded| PyBytes::new(py, &recorded.events)),
        )
            .into_pyobject(py)
    }
}

impl Plan {
    fn report(
        &self,
        py: Python<'_>,
        point: Option<&str>,
        base: &Path,
        out: Option<&Path>,
        objects: (Option<Py<PyAny>>, Option<Py<PyAny>>),
        signals: &mut Signals,
    ) -> PyResult<Report> {
        let fail = |error: BoxError| match error {
            BoxError::Output(error) => errors::output(py, error.to_string()),
            BoxError::Io(_) | BoxError::Internal(_) => errors::internal(py, error.to_string()),
            _ => errors::scenario(py, error.to_string()),
        };
        let point = self.point(point).ok_or_else(|| {
            errors::internal(py, format!("{}: there is no such point", self.name))
        })?;
        let specs = session::specs(&point.scenario).map_err(fail)?;
        let name = session::scenario_name(Path::new(&self.name));
        let warnings: Vec<String> = self.plan.warnings.iter().map(ToString::to_string).collect();
        let job = Job {
            name: &name,
            scenario: &point.scenario,
            specs: &specs,
            base,
            out,
            warnings: &warnings,
        };
        let [mut left, mut right] = adapters::pair(py, &specs, [objects.0, objects.1]);
        session::run(&job, [&mut *left, &mut *right], signals).map_err(fail)
    }

    fn point(&self, name: Option<&str>) -> Option<&Point> {
        let mut points = self.plan.points.iter();
        points.find(|point| point.folder.as_deref() == name)
    }
}

/// Lets Python handle its signals while a run goes on.
#[derive(Default)]
struct Signals {
    raised: Option<PyErr>,
}

impl Hooks for Signals {
    fn tick(&mut self, _progress: &Progress) -> ControlFlow<()> {
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
