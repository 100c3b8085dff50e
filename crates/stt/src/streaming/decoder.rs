use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use stt_crypto::secret::StreamContext;
use tokio::sync::Notify;

use super::{DecodeError, Reassembly, ReassemblyLimits, Received};

/// Takes segments in any order, from any task, and gives the bytes in theirs
/// (`docs/spec/stt-primitives.md` §2).
///
/// Any number of tasks may share it. Nothing of it needs a runtime.
pub struct BinaryStreamDecoder {
    state: Mutex<State>,
    /// Something became ready, complete or closed.
    changed: Notify,
}

struct State {
    reassembly: Reassembly,
    closed: bool,
}

impl BinaryStreamDecoder {
    /// A decoder for one encoder on `context`, with the limits that are the default.
    pub fn new(context: &StreamContext) -> Self {
        Self::with_limits(context, ReassemblyLimits::default())
    }

    /// A decoder that holds as much as `limits` say.
    pub fn with_limits(context: &StreamContext, limits: ReassemblyLimits) -> Self {
        Self {
            state: Mutex::new(State {
                reassembly: Reassembly::new(context, limits),
                closed: false,
            }),
            changed: Notify::new(),
        }
    }

    /// Takes segment `sequence`.
    ///
    /// # Errors
    ///
    /// It is refused ([`DecodeError`]); the decoder is as it was, and others may follow.
    pub fn receive_segment(&self, segment: &[u8], sequence: u64) -> Result<Received, DecodeError> {
        let mut state = self.lock();
        if state.closed {
            return Err(DecodeError::Closed);
        }
        let received = state.reassembly.receive(segment, sequence)?;
        if received == Received::Ready {
            drop(state);
            self.changed.notify_waiters();
        }
        Ok(received)
    }

    /// Waits for the whole stream and gives the bytes that were not taken before.
    ///
    /// # Errors
    ///
    /// The decoder was closed before the end arrived.
    pub async fn receive_all(&self) -> Result<Vec<u8>, DecodeError> {
        self.wait(Self::try_receive_all).await
    }

    /// [`Self::receive_all`] without waiting: `None` if segments are missing still.
    ///
    /// # Errors
    ///
    /// As [`Self::receive_all`].
    pub fn try_receive_all(&self) -> Option<Result<Vec<u8>, DecodeError>> {
        let mut state = self.lock();
        if state.reassembly.is_complete() {
            return Some(Ok(state.reassembly.take()));
        }
        let missing = state.reassembly.missing();
        state
            .closed
            .then_some(Err(DecodeError::Incomplete { missing }))
    }

    /// Waits for bytes in order and gives all there are; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// The decoder was closed before the end arrived, and everything in order was taken.
    pub async fn read(&self) -> Result<Option<Vec<u8>>, DecodeError> {
        self.wait(Self::try_read).await
    }

    /// [`Self::read`] without waiting: the outer `None` if there is nothing yet.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn try_read(&self) -> Option<Result<Option<Vec<u8>>, DecodeError>> {
        let mut state = self.lock();
        if state.reassembly.is_ready() {
            return Some(Ok(Some(state.reassembly.take())));
        }
        if state.reassembly.is_complete() {
            return Some(Ok(None));
        }
        let missing = state.reassembly.missing();
        state
            .closed
            .then_some(Err(DecodeError::Incomplete { missing }))
    }

    /// No more segments come: whoever waits learns what is missing.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// Whether every segment has arrived.
    pub fn is_complete(&self) -> bool {
        self.lock().reassembly.is_complete()
    }

    /// The first segment that is missing.
    pub fn missing(&self) -> u64 {
        self.lock().reassembly.missing()
    }

    async fn wait<T>(&self, attempt: impl Fn(&Self) -> Option<T>) -> T {
        loop {
            // Made before the attempt, so that no change falls between them.
            let changed = self.changed.notified();
            if let Some(value) = attempt(self) {
                return value;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for BinaryStreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BinaryStreamDecoder")
            .field("missing", &self.missing())
            .finish_non_exhaustive()
    }
}
