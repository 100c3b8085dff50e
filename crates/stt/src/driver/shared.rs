use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast},
    task::{AbortHandle, JoinSet},
};

use super::{Phase, State, Wakes, state::Due};
use crate::{
    clock::Clock,
    error::CloseReason,
    message::Sinks,
    node::{NodeEvent, Tickets},
};

/// What the tasks of a node, its sessions and their streams share.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) clock: Clock,
    /// For how long drivers look for datagrams that are about to come.
    pub(crate) busy_poll: Duration,
    /// A session waits to be accepted, or none will any more.
    pub(crate) accepted: Notify,
    /// A session has gone.
    pub(crate) gone: Notify,
    pub(crate) events: broadcast::Sender<NodeEvent>,
    pub(crate) tickets: Option<Tickets>,
    pub(crate) runtime: Handle,
    /// Who takes messages.
    pub(crate) sinks: Arc<Sinks>,
    /// Messages that were dropped, or whose handlers failed.
    pub(crate) messages_failed: AtomicU64,
    /// Everything that runs for the node; ends with it.
    tasks: Mutex<JoinSet<()>>,
}

impl Shared {
    pub(crate) fn new(
        state: State,
        clock: Clock,
        busy_poll: Duration,
        events: broadcast::Sender<NodeEvent>,
        tickets: Option<Tickets>,
        runtime: Handle,
        sinks: Arc<Sinks>,
    ) -> Self {
        Self {
            state: Mutex::new(state),
            clock,
            busy_poll,
            accepted: Notify::new(),
            gone: Notify::new(),
            events,
            tickets,
            runtime,
            sinks,
            messages_failed: AtomicU64::new(0),
            tasks: Mutex::new(JoinSet::new()),
        }
    }

    /// The state, for the driver. Others use [`Shared::with`].
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics with the lock held; if it did, the others could still close.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on the state for an application, and sees to what follows from it. `act` drops no
    /// session handle.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = act(&mut state);
        let waker = match std::mem::take(&mut state.due) {
            Due::Nothing => None,
            Due::Turn => state.call_driver(),
            Due::ShortSend => self.flush_short(&mut state),
        };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        value
    }

    /// As [`Shared::with`], for what wakes others.
    pub(crate) fn with_wakes<T>(&self, act: impl FnOnce(&mut State, &mut Wakes) -> T) -> T {
        let mut wakes = Wakes::default();
        let value = self.with(|state| act(state, &mut wakes));
        wakes.fire(self);
        value
    }

    /// Runs a task that ends with the node.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.runtime)
    }

    /// Nothing goes on: every session that isn't over is, every socket and file is given back.
    pub(crate) fn tear_down(&self) {
        let left = self.with_wakes(|state, wakes| {
            state.phase = Phase::Stopped;
            let handles: Vec<_> = state.entries.keys().copied().collect();
            for handle in handles {
                state.on_closed(self, handle, CloseReason::Stopped, wakes);
            }
            wakes.accepted = true;
            wakes.gone = true;
            state.end();
            // Handles find nothing any more. Dropped without the lock, since some hold handles.
            let entries = std::mem::take(&mut state.entries);
            let opening = std::mem::take(&mut state.opening);
            (entries, opening, std::mem::take(&mut state.accepted))
        });
        if let Some(tickets) = &self.tickets {
            tickets.close();
        }
        drop(left);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.abort_all();
    }

    /// Ends all tasks and waits until they are gone.
    pub(crate) async fn end_tasks(&self) {
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }

    /// Tells whoever listens; nobody needs to.
    pub(crate) fn tell(&self, event: NodeEvent) {
        drop(self.events.send(event));
    }
}
