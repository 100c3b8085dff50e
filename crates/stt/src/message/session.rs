//! What applications call.

use std::sync::Arc;

use stt_core::message::{Message, Preface};

use super::{MessageSink, SendMessageError, inbox};
use crate::{Node, Session, driver::Shared};

impl Session {
    /// Sends a frame of a type of the user's, 0x80 to 0xFF, to the peer, where a
    /// [`FrameDispatcher`](crate::FrameDispatcher) or another sink takes it. Frames arrive in the
    /// order in which they are sent. Waits while the peer takes no more; cancelled, it has sent
    /// the frame as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`SendMessageError`]. No error doesn't mean that the peer has handled it.
    pub async fn send_frame(
        &self,
        frame_type: u8,
        payload: impl AsRef<[u8]>,
    ) -> Result<(), SendMessageError> {
        let message = Message::User {
            kind: frame_type,
            payload: payload.as_ref(),
        };
        self.outgoing().send(self.core(), message).await
    }

    /// Sends a message to the peer's endpoint of this name, 1 to 255 bytes, where an
    /// [`EndpointManager`](crate::EndpointManager) or another sink takes it. Messages to one
    /// endpoint arrive in the order in which they are sent. Waits while the peer takes no more;
    /// cancelled, it has sent the message as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`SendMessageError`]. No error doesn't mean that the peer has received it.
    pub async fn send_to_endpoint(
        &self,
        name: &str,
        payload: impl AsRef<[u8]>,
    ) -> Result<(), SendMessageError> {
        let payload = payload.as_ref();
        let message = Message::Endpoint { name, payload };
        self.outgoing().send(self.core(), message).await
    }

    /// Has the peer's user frames taken by `sink`, in place of the node's. What came before waits
    /// for it.
    pub fn dispatch_frames(&self, sink: Arc<dyn MessageSink>) {
        self.set_sink(Preface::User, sink);
    }

    /// Has the peer's endpoint messages taken by `sink`, in place of the node's. What came before
    /// waits for it.
    pub fn route_endpoints(&self, sink: Arc<dyn MessageSink>) {
        self.set_sink(Preface::Endpoint, sink);
    }

    fn set_sink(&self, preface: Preface, sink: Arc<dyn MessageSink>) {
        let core = self.core();
        core.inbox().sinks.set(preface, Some(sink));
        inbox::resume(core);
    }
}

impl Node {
    /// Has the user frames of all sessions taken by `sink`, but of those that have another. Stays
    /// over stops and starts.
    pub fn dispatch_frames(&self, sink: Arc<dyn MessageSink>) {
        self.set_sink(Preface::User, sink);
    }

    /// Has the endpoint messages of all sessions taken by `sink`, but of those that have another.
    /// Stays over stops and starts.
    pub fn route_endpoints(&self, sink: Arc<dyn MessageSink>) {
        self.set_sink(Preface::Endpoint, sink);
    }

    fn set_sink(&self, preface: Preface, sink: Arc<dyn MessageSink>) {
        self.sinks().set(preface, Some(sink));
        if let Some(shared) = self.shared() {
            resume_all(&shared);
        }
    }
}

fn resume_all(shared: &Shared) {
    let cores: Vec<_> = shared.with(|state| {
        let entries = state.entries.values();
        entries.map(|entry| Arc::clone(&entry.core)).collect()
    });
    for core in cores {
        inbox::resume(&core);
    }
}
