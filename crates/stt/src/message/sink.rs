use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use stt_core::message::{Message, Preface};

use crate::{BoxError, EndpointManager, FrameDispatcher, Session};

/// A message that the peer has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerMessage {
    /// For an endpoint.
    Endpoint {
        /// Its name, 1 to 255 bytes.
        name: String,
        /// Anything.
        payload: Bytes,
    },
    /// A user's frame.
    Frame {
        /// Its type, 0x80 to 0xFF.
        frame_type: u8,
        /// Anything.
        payload: Bytes,
    },
}

/// What [`MessageSink::deliver`] gives.
pub type MessageFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// Takes the messages of peers. [`FrameDispatcher`] and [`EndpointManager`] are such sinks.
///
/// ```
/// use stt::{MessageFuture, MessageSink, PeerMessage, Session};
///
/// struct Printer;
///
/// impl MessageSink for Printer {
///     fn deliver<'a>(&'a self, session: &'a Session, message: PeerMessage) -> MessageFuture<'a> {
///         Box::pin(async move {
///             println!("{:?} from {}", message, session.peer());
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait MessageSink: Send + Sync + 'static {
    /// Takes a message. The stream that it came on isn't read until the future ends, so the peer's
    /// sender waits. An error is counted and told as an event of the node; the next message
    /// follows all the same.
    fn deliver<'a>(&'a self, session: &'a Session, message: PeerMessage) -> MessageFuture<'a>;
}

impl PeerMessage {
    pub(super) fn new(message: &Message<'_>) -> Self {
        match *message {
            Message::Endpoint { name, payload } => Self::Endpoint {
                name: name.to_owned(),
                payload: Bytes::copy_from_slice(payload),
            },
            Message::User { kind, payload } => Self::Frame {
                frame_type: kind,
                payload: Bytes::copy_from_slice(payload),
            },
        }
    }
}

impl MessageSink for FrameDispatcher {
    fn deliver<'a>(&'a self, session: &'a Session, message: PeerMessage) -> MessageFuture<'a> {
        Box::pin(async move {
            match message {
                PeerMessage::Frame {
                    frame_type,
                    payload,
                } => {
                    let session = Some(session.clone());
                    self.dispatch_from(session, frame_type, payload).await?;
                    Ok(())
                }
                PeerMessage::Endpoint { name, .. } => {
                    Err(format!("a frame dispatcher takes no message to endpoint {name:?}").into())
                }
            }
        })
    }
}

impl MessageSink for EndpointManager {
    fn deliver<'a>(&'a self, _: &'a Session, message: PeerMessage) -> MessageFuture<'a> {
        Box::pin(async move {
            match message {
                PeerMessage::Endpoint { name, payload } => {
                    self.route_to_endpoint(&name, payload).await?;
                    Ok(())
                }
                PeerMessage::Frame { frame_type, .. } => Err(format!(
                    "an endpoint manager takes no frame of type {frame_type:#04x}"
                )
                .into()),
            }
        })
    }
}

/// Who takes messages of each kind.
#[derive(Default)]
pub(crate) struct Sinks {
    frames: Mutex<Option<Arc<dyn MessageSink>>>,
    endpoints: Mutex<Option<Arc<dyn MessageSink>>>,
}

impl Sinks {
    pub(crate) fn set(&self, preface: Preface, sink: Option<Arc<dyn MessageSink>>) {
        if let Some(mut place) = self.place(preface) {
            *place = sink;
        }
    }

    pub(super) fn sink(&self, preface: Preface) -> Option<Arc<dyn MessageSink>> {
        self.place(preface)?.clone()
    }

    fn place(&self, preface: Preface) -> Option<MutexGuard<'_, Option<Arc<dyn MessageSink>>>> {
        let place = match preface {
            Preface::User => &self.frames,
            Preface::Endpoint => &self.endpoints,
            Preface::Application => return None,
        };
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        Some(place.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sinks")
            .field("frames", &self.sink(Preface::User).is_some())
            .field("endpoints", &self.sink(Preface::Endpoint).is_some())
            .finish()
    }
}
