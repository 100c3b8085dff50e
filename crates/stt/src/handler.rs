//! What users hand over to be called: futures that may fail or panic, and stop nothing else.

use std::{any::Any, error::Error, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use futures_util::FutureExt as _;
use thiserror::Error;

/// Any error of a handler.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// How a handler ended that didn't end well.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// It gave an error.
    #[error("{0}")]
    Failed(#[source] BoxError),
    /// It panicked.
    #[error("the handler panicked: {0}")]
    Panicked(String),
}

pub(crate) type Outcome = Result<(), BoxError>;
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;
/// A handler, whatever it does with what it is given.
pub(crate) type Handler<T> = Arc<dyn Fn(T) -> HandlerFuture + Send + Sync>;

/// The one form of all handlers, from a function that gives a future.
pub(crate) fn boxed<T, F, R>(handler: F) -> Handler<T>
where
    F: Fn(T) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    Arc::new(move |argument| Box::pin(handler(argument)))
}

/// Calls a handler and waits for it. A panic, in the call or in the future, is its error: nothing
/// of ours is in an unknown state then, and the handler's own state is the handler's.
pub(crate) async fn call<T>(handler: Handler<T>, argument: T) -> Result<(), HandlerError> {
    let outcome = AssertUnwindSafe(async move { handler(argument).await })
        .catch_unwind()
        .await;
    match outcome {
        Ok(outcome) => outcome.map_err(HandlerError::Failed),
        Err(payload) => Err(HandlerError::Panicked(text(payload.as_ref()))),
    }
}

/// What `panic!` was given.
fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}
