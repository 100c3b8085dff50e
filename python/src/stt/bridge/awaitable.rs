//! One awaitable (sections 5.1 to 5.3).

use core::{
    future::Future,
    mem,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
};
use std::{
    sync::{Arc, Mutex, PoisonError, TryLockError},
    task::Wake,
};

use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    prelude::*,
};

use super::{
    notes::{Notes, Waiting},
    runtime::Bridge,
};
use crate::stt::{
    name::{Kept, Name},
    process::OfProcess,
};

/// An error as Python has it.
pub(crate) trait ErrorToPython {
    /// The exception.
    fn to_python(self, py: Python<'_>) -> PyErr;
}

impl ErrorToPython for PyErr {
    fn to_python(self, _: Python<'_>) -> PyErr {
        self
    }
}

/// Turns what came out into an object, with the interpreter's lock.
type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// So many results at once, then the loop gets a turn.
const TURNS: u32 = 64;
static TURN: AtomicU32 = AtomicU32::new(0);

/// What `await` drives: a future that is polled where it is awaited.
///
/// Given up, by cancelling the task or by dropping it, the future is dropped at that moment, so
/// whatever it would have taken is still there.
#[pyclass(frozen)]
pub(crate) struct Awaitable {
    work: Mutex<OfProcess<Option<Work>>>,
    wake: Arc<WakeLoop>,
    bridge: Arc<Bridge>,
}

impl Awaitable {
    /// An awaitable of `future`; `convert` makes an object of its result.
    pub(crate) fn new<T, E>(
        py: Python<'_>,
        future: impl Future<Output = Result<T, E>> + Send + 'static,
        convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Self>
    where
        T: Send + 'static,
        E: ErrorToPython + Send + 'static,
    {
        let bridge = Bridge::get(py)?;
        let work: Work = Box::pin(async move {
            let result = future.await;
            Box::new(move |py: Python<'_>| match result {
                Ok(value) => convert(py, value),
                Err(error) => Err(error.to_python(py)),
            }) as Outcome
        });
        Ok(Self {
            work: Mutex::new(OfProcess::new(Some(work))),
            wake: Arc::new(WakeLoop {
                state: Mutex::new(WakeState::Idle),
                notes: bridge.notes().clone(),
            }),
            bridge,
        })
    }

    /// The same for work that is too long for an event loop: it runs on the runtime, and is aborted
    /// when the awaitable is given up.
    pub(crate) fn spawned<T, E>(
        py: Python<'_>,
        future: impl Future<Output = Result<T, E>> + Send + 'static,
        convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Self>
    where
        T: Send + 'static,
        E: ErrorToPython + Send + 'static,
    {
        let handle = Bridge::get(py)?.handle().clone();
        let task = async move {
            let mut task = AbortOnDrop(handle.spawn(future));
            match (&mut task.0).await {
                Ok(result) => result.map_err(Failed::Itself),
                Err(error) => Err(Failed::Ended(error.is_panic())),
            }
        };
        Self::new(py, task, convert)
    }

    /// Polls until there is a result, or something to wait for.
    fn step(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut slot = match self.work.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(slot)) => slot.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(PyRuntimeError::new_err("this is being awaited already"));
            }
        };
        slot.get("operation")?;
        let Some(Some(work)) = slot.value_mut() else {
            return Err(PyRuntimeError::new_err("this was awaited already"));
        };
        let waker = Waker::from(Arc::clone(&self.wake));
        loop {
            self.wake.set(WakeState::Idle);
            let polled = py.detach(|| {
                let _runtime = self.bridge.handle().enter();
                work.as_mut().poll(&mut Context::from_waker(&waker))
            });
            match polled {
                Poll::Ready(outcome) => {
                    let done = slot.value_mut().and_then(Option::take);
                    drop((slot, done));
                    return Err(PyStopIteration::new_err((outcome(py)?,)));
                }
                Poll::Pending => {
                    let (waiting, future) = wait_on_loop(py)?;
                    if self.wake.wait(waiting) {
                        return Ok(future);
                    }
                }
            }
        }
    }

    /// Lets go of the future, at once.
    fn give_up(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = work.value_mut() {
            let work = work.take();
            self.wake.set(WakeState::Idle);
            drop(work);
        }
    }
}

#[pymethods]
impl Awaitable {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        // Results that are there at once shall not keep the loop from its other tasks.
        if TURN.fetch_add(1, Ordering::Relaxed) % TURNS == TURNS - 1 {
            return Ok(py.None());
        }
        self.step(py)
    }

    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let _ = value;
        self.__next__(py)
    }

    #[pyo3(signature = (typ, value = None, traceback = None, /))]
    fn throw(
        &self,
        py: Python<'_>,
        typ: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = traceback;
        py.detach(|| self.give_up());
        let exception = match value {
            Some(value) if !value.is_none() => value.clone(),
            _ if typ.is_callable() => typ.call0()?,
            _ => typ.clone(),
        };
        Err(PyErr::from_value(exception))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.give_up());
    }
}

/// A fresh future of the running loop, marked as one that is being waited on.
fn wait_on_loop(py: Python<'_>) -> PyResult<(Waiting, Py<PyAny>)> {
    static RUNNING_LOOP: Kept<PyAny> = Kept::new();
    static CREATE_FUTURE: Name = Name::new("create_future");
    static BLOCKING: Name = Name::new("_asyncio_future_blocking");
    let running =
        RUNNING_LOOP.get_or_make(py, || py.import("asyncio")?.getattr("get_running_loop"))?;
    let event_loop = running.call0()?;
    let future = event_loop.call_method0(CREATE_FUTURE.get(py)?)?;
    future.setattr(BLOCKING.get(py)?, true)?;
    let waiting = Waiting {
        event_loop: event_loop.unbind(),
        future: future.clone().unbind(),
    };
    Ok((waiting, future.unbind()))
}

/// The waker of an awaitable.
struct WakeLoop {
    state: Mutex<WakeState>,
    notes: Notes,
}

enum WakeState {
    Idle,
    /// Woken before the loop began to wait.
    Woken,
    Waiting(Waiting),
}

impl WakeLoop {
    fn set(&self, state: WakeState) {
        let before = {
            let mut now = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            mem::replace(&mut *now, state)
        };
        drop(before);
    }

    /// Begins to wait, unless it was woken in the meantime.
    fn wait(&self, waiting: Waiting) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, WakeState::Woken) {
            return false;
        }
        *state = WakeState::Waiting(waiting);
        true
    }
}

impl Wake for WakeLoop {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let before = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            mem::replace(&mut *state, WakeState::Woken)
        };
        if let WakeState::Waiting(waiting) = before {
            self.notes.wake(waiting);
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why a spawned future has no result.
enum Failed<E> {
    Itself(E),
    /// It panicked, or else the runtime ended.
    Ended(bool),
}

impl<E: ErrorToPython> ErrorToPython for Failed<E> {
    fn to_python(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Itself(error) => error.to_python(py),
            Self::Ended(true) => PyRuntimeError::new_err("the operation failed inside Drywire"),
            Self::Ended(false) => PyRuntimeError::new_err("the interpreter is ending"),
        }
    }
}
