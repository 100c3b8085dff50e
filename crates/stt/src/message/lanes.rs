use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use stt_core::message::{EncodeMessageError, Message, MessageDecoder, MessageEncoder};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::SendMessageError;
use crate::{error::WriteError, session::SessionCore, stream::SendStream};

/// What a session keeps to send messages. Most send none: it is made with the first.
#[derive(Debug, Default)]
pub(crate) struct Outgoing(OnceLock<Box<Lanes>>);

/// A lane for user frames, and 32 for endpoints.
#[derive(Debug, Default)]
struct Lanes {
    frames: Arc<AsyncMutex<Lane>>,
    endpoints: [Arc<AsyncMutex<Lane>>; ENDPOINT_LANES],
    names: Mutex<BTreeMap<String, usize>>,
}

/// A stream of messages, once it is open.
#[derive(Debug, Default)]
struct Lane {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    stream: SendStream,
    /// Of messages that the stream has not taken as a whole.
    encoder: MessageEncoder,
}

impl Outgoing {
    /// Sends a message behind those of its lane that were sent before.
    pub(super) async fn send(
        &self,
        core: &Arc<SessionCore>,
        message: Message<'_>,
    ) -> Result<(), SendMessageError> {
        check(&message)?;
        let lanes = self.0.get_or_init(Box::default);
        let lane = match message {
            Message::User { .. } => &lanes.frames,
            Message::Endpoint { name, .. } => &lanes.endpoints[lanes.lane_of(name)],
        };
        let mut lane = Arc::clone(lane).lock_owned().await;
        if lane.open.is_none() {
            let stream = core.open_messages(message.preface()).await?;
            let encoder = MessageEncoder::new(message.preface());
            lane.open = Some(Open { stream, encoder });
        }
        if let Some(open) = &mut lane.open {
            open.encoder.push(&message)?;
        }
        // From here on the message goes as a whole, whether or not anybody waits for it.
        let mut sending = Sending {
            core,
            lane: Some(lane),
        };
        let written = match &mut sending.lane {
            Some(lane) => lane.flush().await,
            None => Ok(()),
        };
        sending.lane = None;
        Ok(written?)
    }
}

impl Lanes {
    /// The lane of an endpoint, always the same. The first ones have lanes to themselves.
    fn lane_of(&self, name: &str) -> usize {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&lane) = names.get(name) {
            return lane;
        }
        if names.len() < NAMES {
            let lane = names.len() % ENDPOINT_LANES;
            names.insert(name.to_owned(), lane);
            return lane;
        }
        let sum = name.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        sum % ENDPOINT_LANES
    }
}

impl Lane {
    /// Writes what waits. A failed stream is given up, with what waited for it.
    async fn flush(&mut self) -> Result<(), WriteError> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        while !open.encoder.bytes().is_empty() {
            match open.stream.write(open.encoder.bytes()).await {
                Ok(written) => open.encoder.advance(written),
                Err(error) => {
                    self.open = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn has_waiting(&self) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|open| !open.encoder.bytes().is_empty())
    }
}

/// A message on its way. Dropped before its end, the rest is written by a task of the node.
struct Sending<'a> {
    core: &'a Arc<SessionCore>,
    lane: Option<OwnedMutexGuard<Lane>>,
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if let Some(mut lane) = self.lane.take()
            && lane.has_waiting()
        {
            self.core.shared.spawn(async move {
                // Whoever sends next hears of it.
                drop(lane.flush().await);
            });
        }
    }
}

/// Before a lane is taken: what the encoder would refuse, and what the peer would.
fn check(message: &Message<'_>) -> Result<(), SendMessageError> {
    let len = match *message {
        Message::Endpoint { name, payload } => {
            if !(1..=255).contains(&name.len()) {
                return Err(EncodeMessageError::Name(name.len()).into());
            }
            1 + name.len() + payload.len()
        }
        Message::User { kind, payload } => {
            if kind < Message::MIN_KIND {
                return Err(EncodeMessageError::Kind(kind).into());
            }
            1 + payload.len()
        }
    };
    let max = MessageDecoder::DEFAULT_MAX_LEN;
    if len > max {
        return Err(SendMessageError::TooLong { len, max });
    }
    Ok(())
}

/// Streams for endpoint messages.
const ENDPOINT_LANES: usize = 32;
/// Endpoints whose lane is remembered; that of others follows from their name.
const NAMES: usize = 1_024;
