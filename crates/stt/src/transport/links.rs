//! Reliable links that carry packets as messages (`docs/spec/stt-node.md` section 4).

use std::{collections::BTreeMap, sync::Arc};

use stt_core::{Ecn, PathId};
use tokio::sync::{Notify, futures::Notified, mpsc};

use super::path::Route;
use crate::{
    driver::Shared,
    error::{CloseReason, ConnectError},
};

/// The links of a node, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct LinkTable {
    links: BTreeMap<u64, Outgoing>,
    next: u64,
    /// The node stops: what waits is sent, nothing new begins.
    is_ending: bool,
}

#[derive(Debug)]
struct Outgoing {
    /// Gone once the link is to end.
    queue: Option<mpsc::Sender<Vec<u8>>>,
    is_blocked: bool,
    /// Buffers that came back.
    spare: Vec<Vec<u8>>,
    /// Sessions on it that are open.
    sessions: usize,
    /// Their number has changed.
    changed: Arc<Notify>,
}

/// The end of a link that packets come in by. The link closes when it is dropped.
pub(crate) struct Link {
    shared: Arc<Shared>,
    number: u64,
    path: PathId,
}

/// The packets that go out by a link, one message each.
pub(crate) struct LinkQueue {
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Vec<u8>>,
    number: u64,
    path: PathId,
    capacity: usize,
    changed: Arc<Notify>,
}

/// How many sessions are open on a link, for one who waits.
pub(crate) struct LinkUsage {
    shared: Arc<Shared>,
    number: u64,
    changed: Arc<Notify>,
}

/// Packets that must still fit when sessions are held: answers to HELLOs don't wait.
const RESERVE: usize = 2;
/// The shortest queue.
const MIN_CAPACITY: usize = 8;

impl LinkTable {
    /// Puts a packet into a link's queue. Whether its sessions are to be held from now on.
    pub(crate) fn push(&mut self, number: u64, packet: &[u8]) -> bool {
        let Some(link) = self.links.get_mut(&number) else {
            return false;
        };
        let Some(queue) = &link.queue else {
            return false;
        };
        let mut buffer = link.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(packet);
        // Full only for answers to strangers, which may be lost; sessions were held before.
        drop(queue.try_send(buffer));
        let is_full = queue.capacity() <= RESERVE;
        is_full && !std::mem::replace(&mut link.is_blocked, true)
    }

    /// A session on this link has opened, or has ended.
    pub(crate) fn count(&mut self, number: u64, is_open: bool) {
        if let Some(link) = self.links.get_mut(&number) {
            link.sessions = if is_open {
                link.sessions + 1
            } else {
                link.sessions.saturating_sub(1)
            };
            link.changed.notify_one();
        }
    }

    /// Has every link closed in order, once what waits was sent.
    pub(crate) fn end(&mut self) {
        self.is_ending = true;
        for link in self.links.values_mut() {
            link.queue = None;
        }
    }

    /// Whether none is to be opened any more.
    pub(crate) const fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// How many links there are.
    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }
}

impl Link {
    /// A link whose outgoing packets wait in a queue of `capacity`, at least 8.
    pub(crate) fn open(shared: &Arc<Shared>, capacity: usize) -> (Self, LinkQueue) {
        let capacity = capacity.max(MIN_CAPACITY);
        let (sender, queue) = mpsc::channel(capacity);
        let changed = Arc::new(Notify::new());
        let number = shared.with(|state| {
            let number = state.links.next;
            state.links.next += 1;
            let link = Outgoing {
                queue: (!state.links.is_ending).then_some(sender),
                is_blocked: false,
                spare: Vec::new(),
                sessions: 0,
                changed: Arc::clone(&changed),
            };
            state.links.links.insert(number, link);
            number
        });
        let path = Route::Link(number).to_path();
        let link = Self {
            shared: Arc::clone(shared),
            number,
            path,
        };
        let outgoing = LinkQueue {
            shared: Arc::clone(shared),
            queue,
            number,
            path,
            capacity,
            changed,
        };
        (link, outgoing)
    }

    /// Where sessions over this link go.
    pub(crate) const fn route(&self) -> Route {
        Route::Link(self.number)
    }

    /// Takes a message that came; it is opened in place.
    pub(crate) fn received(&self, packet: &mut [u8]) {
        let shared = &self.shared;
        shared.with(|state| {
            let now = shared.clock.now();
            state
                .endpoint
                .handle_datagram(now, self.path, Ecn::NotEct, packet);
            state.wants_turn();
        });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let shared = Arc::clone(&self.shared);
        shared.close_link(self.number, self.path);
    }
}

impl Shared {
    fn close_link(&self, number: u64, path: PathId) {
        self.with_wakes(|state, wakes| {
            state.links.links.remove(&number);
            state.unblock(&path);
            let handles = state.entries.keys().copied();
            let on_it: Vec<_> = handles
                .filter(|&handle| {
                    let connection = state.endpoint.connection_ref(handle);
                    connection.is_some_and(|connection| connection.path() == path)
                })
                .collect();
            for handle in on_it {
                if !state.is_over(handle) {
                    state.on_closed(self, handle, CloseReason::LinkClosed, wakes);
                }
                state.endpoint.abandon(handle);
            }
            let attempts = state.opening.iter();
            let on_it: Vec<_> = attempts
                .filter(|(_, attempt)| attempt.link == Some(number))
                .map(|(&handle, _)| handle)
                .collect();
            for handle in on_it {
                if let Some(attempt) = state.opening.remove(&handle) {
                    drop(attempt.done.send(Err(ConnectError::LinkClosed)));
                }
                state.endpoint.abandon(handle);
            }
            wakes.gone = true;
        });
    }
}

impl LinkUsage {
    pub(crate) fn sessions(&self) -> usize {
        self.shared.with(|state| {
            let link = state.links.links.get(&self.number);
            link.map_or(0, |link| link.sessions)
        })
    }

    /// The next change of their number; counts from this call on.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}

impl LinkQueue {
    /// The next packet to send; `None` once the link is closed.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let packet = self.queue.recv().await;
        self.make_room();
        packet
    }

    /// The next packet, if one waits: to send several before flushing.
    pub(crate) fn try_next(&mut self) -> Option<Vec<u8>> {
        let packet = self.queue.try_recv().ok();
        self.make_room();
        packet
    }

    /// Tells how much the link is used.
    pub(crate) fn usage(&self) -> LinkUsage {
        LinkUsage {
            shared: Arc::clone(&self.shared),
            number: self.number,
            changed: Arc::clone(&self.changed),
        }
    }

    /// Gives a buffer back to be used again.
    pub(crate) fn recycle(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.shared.with(|state| {
            if let Some(link) = state.links.links.get_mut(&self.number)
                && link.spare.len() < MIN_CAPACITY
            {
                link.spare.push(buffer);
            }
        });
    }

    /// Lets the held sessions go on once half of the queue is free.
    fn make_room(&self) {
        if self.queue.len() > self.capacity / 2 {
            return;
        }
        self.shared.with(|state| {
            if let Some(link) = state.links.links.get_mut(&self.number)
                && std::mem::take(&mut link.is_blocked)
            {
                state.unblock(&self.path);
            }
        });
    }
}
