//! Events of the user's own (`docs/spec/stt-primitives.md` §5).

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;

use crate::handler::{self, BoxError, Handler, HandlerError};

/// Calls the handlers of an event, whose types are the user's (`docs/spec/stt-primitives.md` §5).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use stt::EventEmitter;
///
/// let emitter = EventEmitter::new();
/// emitter.on_sync("alert", |degrees: &f64| {
///     if *degrees > 90.0 { Err("too hot".into()) } else { Ok(()) }
/// });
/// let key = emitter.on("alert", |_degrees| async { Ok(()) });
/// let emitted = emitter.emit("alert", 95.3).await;
/// assert_eq!((emitted.called, emitted.failures.len()), (2, 1));
/// assert!(emitter.off("alert", key));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EventEmitter<T> {
    state: Mutex<State<T>>,
}

/// Names a handler, to take it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandlerKey(u64);

/// What came of [`EventEmitter::emit`].
#[derive(Debug)]
pub struct Emitted {
    /// How many handlers were called.
    pub called: usize,
    /// Those of them that failed, in the order of their calls.
    pub failures: Vec<HandlerFailure>,
}

/// A handler that failed.
#[derive(Debug, thiserror::Error)]
#[error("handler {key:?} of event {event:?}: {error}")]
pub struct HandlerFailure {
    /// The type of the event.
    pub event: String,
    /// Which handler.
    pub key: HandlerKey,
    /// How it failed.
    #[source]
    pub error: HandlerError,
}

type Entry<T> = (HandlerKey, Handler<Arc<T>>);

struct State<T> {
    handlers: BTreeMap<String, Vec<Entry<T>>>,
    next: u64,
}

impl<T: Send + Sync + 'static> EventEmitter<T> {
    /// An emitter without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler that may wait. It is called after those that are there.
    pub fn on<F, R>(&self, event_type: impl Into<String>, handler: F) -> HandlerKey
    where
        F: Fn(Arc<T>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let mut state = self.lock();
        let key = HandlerKey(state.next);
        state.next += 1;
        state
            .handlers
            .entry(event_type.into())
            .or_default()
            .push((key, handler::boxed(handler)));
        key
    }

    /// Adds a handler that doesn't wait.
    pub fn on_sync<F>(&self, event_type: impl Into<String>, handler: F) -> HandlerKey
    where
        F: Fn(&T) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        self.on(event_type, move |data| std::future::ready(handler(&data)))
    }

    /// Takes a handler away; `false` if it isn't there.
    pub fn off(&self, event_type: &str, key: HandlerKey) -> bool {
        let mut state = self.lock();
        let Some(handlers) = state.handlers.get_mut(event_type) else {
            return false;
        };
        let before = handlers.len();
        handlers.retain(|(held, _)| *held != key);
        let found = handlers.len() < before;
        if handlers.is_empty() {
            state.handlers.remove(event_type);
        }
        found
    }

    /// Calls every handler of the type with `data`, in the order in which they were added, and
    /// waits for all of them, side by side. No failure stops another.
    pub async fn emit(&self, event_type: &str, data: T) -> Emitted {
        let handlers = self.lock().handlers.get(event_type).cloned();
        let handlers = handlers.unwrap_or_default();
        let called = handlers.len();
        let data = Arc::new(data);
        let calls = handlers.into_iter().map(|(key, handler)| {
            let data = Arc::clone(&data);
            async move { (key, handler::call(handler, data).await) }
        });
        let failed = |(key, outcome): (HandlerKey, Result<(), HandlerError>)| {
            outcome.err().map(|error| HandlerFailure {
                event: event_type.to_owned(),
                key,
                error,
            })
        };
        let failures = join_all(calls).await.into_iter().filter_map(failed);
        Emitted {
            called,
            failures: failures.collect(),
        }
    }

    /// How many handlers an event of this type has.
    pub fn handlers(&self, event_type: &str) -> usize {
        self.lock().handlers.get(event_type).map_or(0, Vec::len)
    }
}

impl<T> EventEmitter<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for EventEmitter<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                handlers: BTreeMap::new(),
                next: 0,
            }),
        }
    }
}

impl<T> fmt::Debug for EventEmitter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let counts = state
            .handlers
            .iter()
            .map(|(event, held)| (event, held.len()));
        f.debug_map().entries(counts).finish()
    }
}

#[cfg(test)]
mod tests;
