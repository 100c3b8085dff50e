//! Notes to event loops: "this future of yours is done".

use std::{
    io,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
};

use pyo3::{prelude::*, types::PyList};

use crate::stt::name::Name;

static CALL_SOON: Name = Name::new("call_soon_threadsafe");
static DONE: Name = Name::new("done");
static SET_RESULT: Name = Name::new("set_result");

/// Notes taken together under the interpreter's lock.
const BATCH: usize = 256;

/// A future of asyncio that an awaitable waits on, and its loop.
pub(super) struct Waiting {
    pub(super) event_loop: Py<PyAny>,
    pub(super) future: Py<PyAny>,
}

enum Note {
    Wake(Waiting),
    End,
}

/// Where notes are left. Leaving one takes no lock of the interpreter and never blocks.
#[derive(Clone)]
pub(crate) struct Notes(Sender<Note>);

impl Notes {
    /// Starts the thread that hands them on.
    pub(super) fn start() -> io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let speaker = thread::Builder::new()
            .name("stt-asyncio".to_owned())
            .spawn(move || speak(&receiver))?;
        Ok((Self(sender), speaker))
    }

    /// The loop of `waiting` shall go on. Nothing happens once the interpreter is ending.
    pub(super) fn wake(&self, waiting: Waiting) {
        self.0.send(Note::Wake(waiting)).ok();
    }

    pub(super) fn end(&self) {
        self.0.send(Note::End).ok();
    }
}

fn speak(receiver: &Receiver<Note>) {
    while let Ok(first) = receiver.recv() {
        let mut batch = Vec::new();
        let mut ended = false;
        for note in std::iter::once(first).chain(receiver.try_iter().take(BATCH)) {
            match note {
                Note::Wake(waiting) => batch.push(waiting),
                Note::End => ended = true,
            }
        }
        let attached = Python::try_attach(|py| hand_on(py, batch));
        if ended || attached.is_none() {
            return;
        }
    }
}

/// One call to each loop.
fn hand_on(py: Python<'_>, mut batch: Vec<Waiting>) {
    while let Some(first) = batch.first() {
        let event_loop = first.event_loop.clone_ref(py);
        let (same, others): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|waiting| waiting.event_loop.is(&event_loop));
        batch = others;
        let futures = same.into_iter().map(|waiting| waiting.future);
        // A loop that is closed has nobody waiting.
        call(py, &event_loop, futures.collect()).ok();
    }
}

fn call(py: Python<'_>, event_loop: &Py<PyAny>, futures: Vec<Py<PyAny>>) -> PyResult<()> {
    let wake = pyo3::wrap_pyfunction!(stt_wake, py)?;
    let futures = PyList::new(py, futures)?;
    event_loop.call_method1(py, CALL_SOON.get(py)?, (wake, futures))?;
    Ok(())
}

/// Ends the waiting of futures, on their loop.
#[pyfunction]
#[pyo3(signature = (futures, /))]
pub(crate) fn stt_wake(futures: &Bound<'_, PyList>) -> PyResult<()> {
    let py = futures.py();
    for future in futures {
        if !future.call_method0(DONE.get(py)?)?.is_truthy()? {
            future.call_method1(SET_RESULT.get(py)?, (py.None(),))?;
        }
    }
    Ok(())
}
