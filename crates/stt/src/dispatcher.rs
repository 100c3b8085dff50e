//! Handlers for the user's frame types (`docs/spec/stt-primitives.md` §6).

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use stt_core::message::Message;
use thiserror::Error;

use crate::{
    Session,
    handler::{self, BoxError, Handler, HandlerError},
};

/// Calls one handler for each frame type of the user, 0x80 to 0xFF
/// (`docs/spec/stt-primitives.md` §6).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use stt::{DispatchError, FrameDispatcher};
///
/// let dispatcher = FrameDispatcher::new();
/// dispatcher.register_handler(0x80, |payload| async move {
///     if payload.is_empty() { Err("empty".into()) } else { Ok(()) }
/// })?;
/// dispatcher.dispatch(0x80, "bytes").await?;
/// assert!(matches!(dispatcher.dispatch(0x81, "").await, Err(DispatchError::NoHandler { .. })));
/// # Ok::<(), DispatchError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct FrameDispatcher {
    handlers: Mutex<BTreeMap<u8, Handler<Frame>>>,
}

/// A payload, and the session it came by.
type Frame = (Bytes, Option<Session>);

/// Why a frame reached no handler, or its handler failed (`docs/spec/stt-primitives.md` §6).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The type is one of STT's.
    #[error("frame type {frame_type:#04x} is reserved: 0x80 to 0xff are the user's")]
    Reserved {
        /// The type.
        frame_type: u8,
    },
    /// Nobody registered for the type.
    #[error("no handler for frame type {frame_type:#04x}")]
    NoHandler {
        /// The type.
        frame_type: u8,
    },
    /// The handler failed.
    #[error("handler of frame type {frame_type:#04x}: {error}")]
    Handler {
        /// The type.
        frame_type: u8,
        /// How it failed.
        #[source]
        error: HandlerError,
    },
}

impl FrameDispatcher {
    /// A dispatcher without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has `handler` called for frames of the type. Tells whether it took the place of another.
    ///
    /// # Errors
    ///
    /// The type is below 0x80.
    pub fn register_handler<F, R>(&self, frame_type: u8, handler: F) -> Result<bool, DispatchError>
    where
        F: Fn(Bytes) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        check(frame_type)?;
        let handler = handler::boxed(move |(payload, _): Frame| handler(payload));
        Ok(self.lock().insert(frame_type, handler).is_some())
    }

    /// The same for a handler that is told by which session the frame came, to answer by it. It
    /// fails for frames that came by none: those given to [`Self::dispatch`].
    ///
    /// # Errors
    ///
    /// The type is below 0x80.
    pub fn register_session_handler<F, R>(
        &self,
        frame_type: u8,
        handler: F,
    ) -> Result<bool, DispatchError>
    where
        F: Fn(Session, Bytes) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        check(frame_type)?;
        let handler = handler::boxed(move |(payload, session): Frame| {
            let handled = session.map(|session| handler(session, payload));
            async {
                match handled {
                    Some(handled) => handled.await,
                    None => Err("the frame came by no session".into()),
                }
            }
        });
        Ok(self.lock().insert(frame_type, handler).is_some())
    }

    /// Has no handler called any more for the type; `false` if there was none.
    pub fn unregister_handler(&self, frame_type: u8) -> bool {
        self.lock().remove(&frame_type).is_some()
    }

    /// Calls the handler of the type and waits for it.
    ///
    /// # Errors
    ///
    /// The type is below 0x80 or has no handler; the handler failed.
    pub async fn dispatch(
        &self,
        frame_type: u8,
        payload: impl Into<Bytes>,
    ) -> Result<(), DispatchError> {
        self.dispatch_from(None, frame_type, payload.into()).await
    }

    pub(crate) async fn dispatch_from(
        &self,
        session: Option<Session>,
        frame_type: u8,
        payload: Bytes,
    ) -> Result<(), DispatchError> {
        check(frame_type)?;
        let handler = self.lock().get(&frame_type).cloned();
        let handler = handler.ok_or(DispatchError::NoHandler { frame_type })?;
        handler::call(handler, (payload, session))
            .await
            .map_err(|error| DispatchError::Handler { frame_type, error })
    }

    /// The types that have a handler, from the lowest on.
    pub fn frame_types(&self) -> Vec<u8> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u8, Handler<Frame>>> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FrameDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FrameDispatcher")
            .field(&self.frame_types())
            .finish()
    }
}

/// 0x00 to 0x7F are STT's.
fn check(frame_type: u8) -> Result<(), DispatchError> {
    if frame_type < Message::MIN_KIND {
        return Err(DispatchError::Reserved { frame_type });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
