use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{
    EndpointError,
    queue::{Popped, Queue},
};

/// How much the endpoints of a manager may hold (`docs/spec/stt-primitives.md` §4.2, §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointLimits {
    /// Endpoints at once; 1,024 by default.
    pub endpoints: usize,
    /// Messages in one queue; 1,024 by default, at least 1.
    pub messages: usize,
    /// Bytes in one queue, but for a single message that has more; 16 MiB by default.
    pub bytes: usize,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self {
            endpoints: 1_024,
            messages: 1_024,
            bytes: 16 << 20,
        }
    }
}

/// Named queues of messages, for any number of tasks (`docs/spec/stt-primitives.md` §4).
///
/// Nothing of it needs a runtime, and payloads are never looked into.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use stt::EndpointManager;
///
/// let endpoints = EndpointManager::new();
/// endpoints.route_to_endpoint("telemetry", "21 degrees").await?;
/// assert_eq!(endpoints.receive_from_endpoint("telemetry").await?, "21 degrees");
/// # Ok::<(), stt::EndpointError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct EndpointManager {
    limits: EndpointLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, Arc<Queue>>,
    /// Ids that were closed and are empty, the last of them at the end.
    closed: VecDeque<String>,
    all_closed: bool,
}

impl EndpointManager {
    /// The most bytes of an endpoint's id: what a message to a peer's endpoint has room for.
    pub const MAX_ID: usize = 255;
    /// How many closed ids are remembered.
    const REMEMBERED: usize = 1_024;

    /// A manager without endpoints, with the limits that are the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// A manager that holds as much as `limits` say.
    pub fn with_limits(limits: EndpointLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    /// Puts a message into an endpoint's queue, once there is room. Cancelled, it leaves it out.
    ///
    /// # Errors
    ///
    /// No such endpoint can be, or it is closed ([`EndpointError`]).
    pub async fn route_to_endpoint(
        &self,
        id: &str,
        data: impl Into<Bytes>,
    ) -> Result<(), EndpointError> {
        let queue = self.queue(id)?;
        if queue.push(data.into(), &self.limits).await {
            Ok(())
        } else {
            Err(self.closed(id))
        }
    }

    /// Takes the next message from an endpoint's queue, once there is one.
    ///
    /// # Errors
    ///
    /// No such endpoint can be, or it is closed and empty ([`EndpointError`]).
    pub async fn receive_from_endpoint(&self, id: &str) -> Result<Bytes, EndpointError> {
        let queue = self.queue(id)?;
        let message = queue.pop().await;
        self.forget(id, &queue);
        message.ok_or_else(|| self.closed(id))
    }

    /// [`Self::receive_from_endpoint`] without waiting: `None` if the queue is empty.
    ///
    /// # Errors
    ///
    /// As [`Self::receive_from_endpoint`].
    pub fn try_receive_from_endpoint(&self, id: &str) -> Result<Option<Bytes>, EndpointError> {
        let queue = self.queue(id)?;
        let popped = queue.try_pop();
        self.forget(id, &queue);
        match popped {
            Popped::Message(message) => Ok(Some(message)),
            Popped::Empty => Ok(None),
            Popped::Closed => Err(self.closed(id)),
        }
    }

    /// Makes an endpoint that is closed usable again, or a new one.
    ///
    /// # Errors
    ///
    /// No such endpoint can be ([`EndpointError`]), or it is closed and not empty yet.
    pub fn open_endpoint(&self, id: &str) -> Result<(), EndpointError> {
        check(id)?;
        let mut state = self.lock();
        state.closed.retain(|closed| closed != id);
        let queue = state.queue(id, &self.limits)?;
        drop(state);
        if queue.is_closed() {
            return Err(EndpointError::Closed { id: id.to_owned() });
        }
        Ok(())
    }

    /// Ends an endpoint; what lies in its queue can be received still. Without such an endpoint
    /// the id is closed all the same.
    pub fn close_endpoint(&self, id: &str) {
        let mut state = self.lock();
        let Some(queue) = state.queues.get(id).cloned() else {
            state.remember(id);
            return;
        };
        if queue.close() {
            state.queues.remove(id);
            state.remember(id);
        }
    }

    /// Ends all endpoints, for good.
    pub fn close(&self) {
        let mut state = self.lock();
        state.all_closed = true;
        state.queues.retain(|_, queue| !queue.close());
    }

    /// The ids of all endpoints, sorted by their bytes.
    pub fn list_endpoints(&self) -> Vec<String> {
        self.lock().queues.keys().cloned().collect()
    }

    /// How many messages wait at an endpoint.
    pub fn pending(&self, id: &str) -> usize {
        let queue = self.lock().queues.get(id).cloned();
        queue.map_or(0, |queue| queue.len())
    }

    fn queue(&self, id: &str) -> Result<Arc<Queue>, EndpointError> {
        check(id)?;
        self.lock().queue(id, &self.limits)
    }

    /// Drops a queue that is closed and empty.
    fn forget(&self, id: &str, queue: &Arc<Queue>) {
        if !queue.is_spent() {
            return;
        }
        let mut state = self.lock();
        // Somebody else may have done so, and opened the endpoint anew.
        if state
            .queues
            .get(id)
            .is_some_and(|held| Arc::ptr_eq(held, queue))
        {
            state.queues.remove(id);
            state.remember(id);
        }
    }

    fn closed(&self, id: &str) -> EndpointError {
        if self.lock().all_closed {
            return EndpointError::ManagerClosed;
        }
        EndpointError::Closed { id: id.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The queue of an endpoint, made if it isn't there.
    fn queue(&mut self, id: &str, limits: &EndpointLimits) -> Result<Arc<Queue>, EndpointError> {
        if let Some(queue) = self.queues.get(id) {
            return Ok(Arc::clone(queue));
        }
        if self.all_closed {
            return Err(EndpointError::ManagerClosed);
        }
        if self.closed.iter().any(|closed| closed == id) {
            return Err(EndpointError::Closed { id: id.to_owned() });
        }
        if self.queues.len() >= limits.endpoints {
            return Err(EndpointError::TooMany {
                id: id.to_owned(),
                limit: limits.endpoints,
            });
        }
        let queue = Arc::new(Queue::default());
        self.queues.insert(id.to_owned(), Arc::clone(&queue));
        Ok(queue)
    }

    fn remember(&mut self, id: &str) {
        if check(id).is_err() || self.closed.iter().any(|closed| closed == id) {
            return;
        }
        if self.closed.len() >= EndpointManager::REMEMBERED {
            self.closed.pop_front();
        }
        self.closed.push_back(id.to_owned());
    }
}

fn check(id: &str) -> Result<(), EndpointError> {
    if (1..=EndpointManager::MAX_ID).contains(&id.len()) {
        Ok(())
    } else {
        Err(EndpointError::Id { len: id.len() })
    }
}

#[cfg(test)]
mod tests;
