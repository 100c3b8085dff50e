//! The runtime, made on first use and again in a forked child.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use pyo3::{exceptions::PyRuntimeError, prelude::*};
use tokio::runtime::{Builder, Handle, Runtime};

use super::notes::Notes;
use crate::stt::process::OfProcess;

/// Threads of the runtime: enough to drive several sockets, few enough for a library.
const MOST_THREADS: usize = 4;
/// Threads for work that blocks on files.
const MOST_BLOCKING: usize = 32;
/// How long tasks may take to go when the interpreter ends.
const END: Duration = Duration::from_secs(2);

/// The runtime of this process. Taken with the interpreter's lock held, and only for as long as
/// nothing gives that up: so no other thread has it when a process forks.
static BRIDGE: Mutex<State> = Mutex::new(State {
    bridge: None,
    ended: false,
});

struct State {
    bridge: Option<Arc<Bridge>>,
    ended: bool,
}

/// The runtime, and the thread that speaks to event loops.
pub(crate) struct Bridge {
    handle: Handle,
    notes: Notes,
    threads: Mutex<OfProcess<Option<Threads>>>,
}

struct Threads {
    runtime: Runtime,
    speaker: JoinHandle<()>,
}

impl Bridge {
    /// The bridge of this process.
    pub(crate) fn get(py: Python<'_>) -> PyResult<Arc<Self>> {
        let mut state = BRIDGE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bridge) = &state.bridge
            && bridge.is_here()
        {
            return Ok(Arc::clone(bridge));
        }
        if state.ended {
            let message = "the interpreter is ending: nothing more can be awaited";
            return Err(PyRuntimeError::new_err(message));
        }
        let bridge = Arc::new(Self::new()?);
        // That of the parent, if there is one, stays as it is for ever: its locks may be taken.
        std::mem::forget(state.bridge.replace(Arc::clone(&bridge)));
        drop(state);
        let end = pyo3::wrap_pyfunction!(stt_shut_down, py)?;
        py.import("atexit")?.call_method1("register", (end,))?;
        Ok(bridge)
    }

    fn new() -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.min(MOST_THREADS))
            .max_blocking_threads(MOST_BLOCKING)
            .thread_name("stt")
            .enable_all()
            .build()?;
        let (notes, speaker) = Notes::start()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            notes,
            threads: Mutex::new(OfProcess::new(Some(Threads { runtime, speaker }))),
        })
    }

    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) const fn notes(&self) -> &Notes {
        &self.notes
    }

    fn is_here(&self) -> bool {
        // Only the end of the interpreter holds this lock, with `ended` set.
        self.threads
            .try_lock()
            .is_ok_and(|threads| threads.is_here())
    }

    /// Ends every task and thread. Blocks; without the interpreter's lock, which they may need.
    fn end(&self) {
        self.notes.end();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = std::mem::replace(&mut *threads, OfProcess::new(None)).into_inner();
        if let Some(Some(Threads { runtime, speaker })) = threads {
            runtime.shutdown_timeout(END);
            // It ended by the note above; a panic in it was printed.
            speaker.join().ok();
        }
    }
}

/// Run by the interpreter before it ends.
#[pyfunction]
pub(crate) fn stt_shut_down(py: Python<'_>) {
    let bridge = {
        let mut state = BRIDGE.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended = true;
        state.bridge.take()
    };
    if let Some(bridge) = bridge {
        py.detach(|| bridge.end());
    }
}
