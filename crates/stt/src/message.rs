//! Messages on streams (`docs/spec/stt-node.md` 6.4).

use std::sync::Arc;

use stt_core::message::Preface;

use crate::{session::SessionCore, stream::RecvStream};

/// What a session keeps to send messages.
#[derive(Debug, Default)]
pub(crate) struct Outgoing;

/// The peer has opened a stream of messages.
pub(crate) fn incoming(_: &Arc<SessionCore>, _: Preface, mut stream: RecvStream) {
    stream.stop(Preface::UNKNOWN);
}
