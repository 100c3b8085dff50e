use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use stt_core::message::{MessageDecoder, MessageError, Preface};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{MessageSink, PeerMessage, Sinks};
use crate::{node::NodeEvent, session::SessionCore, stream::RecvStream};

/// What a session keeps to receive messages.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(super) sinks: Sinks,
    /// Streams that nothing receives yet, in the order in which they came.
    waiting: Mutex<Vec<(Preface, RecvStream)>>,
    /// Streams that are received.
    streams: AtomicUsize,
    /// The right to hold a large message; one stream at a time has it.
    large: Arc<Semaphore>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            sinks: Sinks::default(),
            waiting: Mutex::default(),
            streams: AtomicUsize::new(0),
            large: Arc::new(Semaphore::new(1)),
        }
    }
}

/// The peer has opened a stream of messages.
pub(crate) fn incoming(core: &Arc<SessionCore>, preface: Preface, mut stream: RecvStream) {
    let inbox = core.inbox();
    // Taken first: nothing set meanwhile is missed.
    let mut waiting = inbox.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sink) = sink(core, preface) {
        drop(waiting);
        start(core, preface, stream, sink);
    } else if core.close_reason().is_none() && waiting.len() < WAITING {
        waiting.push((preface, stream));
    } else {
        drop(waiting);
        stream.stop(Preface::UNKNOWN);
    }
}

/// A sink was set: begins to receive what waited for it.
pub(crate) fn resume(core: &Arc<SessionCore>) {
    let ready: Vec<_> = {
        let inbox = core.inbox();
        let mut waiting = inbox.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (ready, rest) = std::mem::take(&mut *waiting)
            .into_iter()
            .partition(|&(preface, _)| sink(core, preface).is_some());
        *waiting = rest;
        ready
    };
    for (preface, stream) in ready {
        if let Some(sink) = sink(core, preface) {
            start(core, preface, stream, sink);
        }
    }
}

/// The session is over: what waits is let go, and with it this session. Not with the node's lock
/// held.
pub(crate) fn clear(core: &SessionCore) {
    let inbox = core.inbox();
    let mut waiting = inbox.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = std::mem::take(&mut *waiting);
    drop(waiting);
}

/// The session's own sink, or the node's.
fn sink(core: &SessionCore, preface: Preface) -> Option<Arc<dyn MessageSink>> {
    let own = core.inbox().sinks.sink(preface);
    own.or_else(|| core.shared.sinks.sink(preface))
}

fn start(
    core: &Arc<SessionCore>,
    preface: Preface,
    mut stream: RecvStream,
    sink: Arc<dyn MessageSink>,
) {
    let count = Streams::of(core);
    if core.inbox().streams.load(Relaxed) > STREAMS {
        stream.stop(Preface::UNKNOWN);
        return;
    }
    core.shared.spawn(async move {
        if let Err(error) = receive(&count.0, preface, &mut stream, &*sink).await {
            stream.stop(BAD_MESSAGE);
            fail(&count.0, error.to_string());
        }
    });
}

/// Receives messages until their stream ends, or nobody has the session any more.
async fn receive(
    core: &Arc<SessionCore>,
    preface: Preface,
    stream: &mut RecvStream,
    sink: &dyn MessageSink,
) -> Result<(), MessageError> {
    let mut decoder = MessageDecoder::new(preface, MessageDecoder::DEFAULT_MAX_LEN);
    let mut held = Held {
        inbox: core.inbox(),
        len: 0,
        permit: None,
    };
    loop {
        let chunk = match stream.read_chunk(CHUNK).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return decoder.finish(),
            // The session is over, or the peer gave the stream up.
            Err(_) => return Ok(()),
        };
        held.add(chunk.len()).await;
        let mut input = &chunk[..];
        while let Some(message) = decoder.push(&mut input)? {
            let message = PeerMessage::new(&message);
            held.reset(input.len());
            let Some(session) = core.session() else {
                return Ok(());
            };
            if let Err(error) = sink.deliver(&session, message).await {
                fail(core, error.to_string());
            }
        }
    }
}

fn fail(core: &SessionCore, reason: String) {
    core.shared.messages_failed.fetch_add(1, Relaxed);
    core.shared.tell(NodeEvent::MessageFailed {
        session: core.id(),
        reason,
    });
}

/// Counts a stream that is received.
struct Streams(Arc<SessionCore>);

impl Streams {
    fn of(core: &Arc<SessionCore>) -> Self {
        core.inbox().streams.fetch_add(1, Relaxed);
        Self(Arc::clone(core))
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.0.inbox().streams.fetch_sub(1, Relaxed);
    }
}

/// Bytes of a message that isn't whole.
struct Held<'a> {
    inbox: &'a Inbox,
    len: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Held<'_> {
    /// Waits, if the message gets large, until no other is. So a peer that begins many makes this
    /// end hold one of them and the beginnings of the others.
    async fn add(&mut self, len: usize) {
        self.len += len;
        if self.len > LARGE && self.permit.is_none() {
            // Never closed.
            self.permit = Arc::clone(&self.inbox.large).acquire_owned().await.ok();
        }
    }

    /// A message is whole; `rest` bytes of the next are here.
    fn reset(&mut self, rest: usize) {
        self.len = rest;
        self.permit = None;
    }
}

/// The code for streams whose messages are none (`docs/spec/stt-primitives.md` 7.3).
const BAD_MESSAGE: u64 = 0x22;
/// Streams that wait for something that receives them.
const WAITING: usize = 64;
/// Streams that are received at once: more than a sender of ours opens.
const STREAMS: usize = 64;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// A message is large from here on, bytes.
const LARGE: usize = 1 << 20;
