//! Reliable links that carry packets as messages (`docs/spec/stt-node.md` section 4).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

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
    queue: Option<mpsc::Sender<Packet>>,
    /// Bytes in the queue.
    queued: Arc<AtomicUsize>,
    is_blocked: bool,
    /// Buffers that came back: for packets that were copied, and as long as a driver's own.
    spare: [Vec<Vec<u8>>; 2],
    /// Sessions on it that are open.
    sessions: usize,
    /// Their number has changed.
    changed: Arc<Notify>,
}

/// A packet in a queue.
pub(crate) struct Packet {
    buffer: Vec<u8>,
    len: usize,
    is_copy: bool,
}

impl AsMut<[u8]> for Packet {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.len]
    }
}

/// Where a packet to send lies.
pub(crate) enum Output<'a> {
    /// To be copied.
    Lent(&'a [u8]),
    /// The first bytes of the driver's own buffer, which may be taken for another one as long.
    Own(&'a mut Vec<u8>, usize),
}

impl Output<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Lent(packet) => packet.len(),
            Self::Own(_, len) => *len,
        }
    }

    /// A long packet goes with its buffer, a short one is copied.
    fn take(self, spare: &mut [Vec<Vec<u8>>; 2]) -> Packet {
        let packet = match self {
            Self::Lent(packet) => packet,
            Self::Own(buffer, len) if len < LONG => &buffer[..len],
            Self::Own(buffer, len) => {
                let other = spare[1].pop().filter(|other| other.len() == buffer.len());
                let other = other.unwrap_or_else(|| vec![0; buffer.len()]);
                return Packet {
                    buffer: std::mem::replace(buffer, other),
                    len,
                    is_copy: false,
                };
            }
        };
        let mut buffer = spare[0].pop().unwrap_or_default();
        buffer.extend_from_slice(packet);
        Packet {
            buffer,
            len: packet.len(),
            is_copy: true,
        }
    }
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
    queue: mpsc::Receiver<Packet>,
    /// Bytes in it.
    queued: Arc<AtomicUsize>,
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
/// From here on a packet's copy costs more than another buffer.
const LONG: usize = 16 << 10;
/// Bytes in a queue from which on sessions are held: a few of the longest packets. More would only wait
/// longer, and leave the processor's caches.
const MAX_QUEUED: usize = 256 << 10;

impl LinkTable {
    /// Puts a packet into a link's queue. Whether its sessions are to be held from now on.
    pub(crate) fn push(&mut self, number: u64, packet: Output<'_>) -> bool {
        let Some(link) = self.links.get_mut(&number) else {
            return false;
        };
        let Some(queue) = &link.queue else {
            return false;
        };
        let len = packet.len();
        let packet = packet.take(&mut link.spare);
        // Counted before it can be taken. Full only for answers to strangers, which may be lost; sessions were held before.
        let mut queued = link.queued.fetch_add(len, Relaxed) + len;
        if queue.try_send(packet).is_err() {
            queued = link.queued.fetch_sub(len, Relaxed) - len;
        }
        let is_full = queue.capacity() <= RESERVE || queued >= MAX_QUEUED;
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
        let queued = Arc::new(AtomicUsize::new(0));
        let number = shared.with(|state| {
            let number = state.links.next;
            state.links.next += 1;
            let link = Outgoing {
                queue: (!state.links.is_ending).then_some(sender),
                queued: Arc::clone(&queued),
                is_blocked: false,
                spare: [Vec::new(), Vec::new()],
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
            queued,
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

    /// Takes a message that came; it may be opened in place.
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
    pub(crate) async fn next(&mut self) -> Option<Packet> {
        let packet = self.queue.recv().await;
        self.taken(packet)
    }

    /// The next packet, if one waits: to send several before flushing.
    pub(crate) fn try_next(&mut self) -> Option<Packet> {
        let packet = self.queue.try_recv().ok();
        self.taken(packet)
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
    pub(crate) fn recycle(&self, packet: Packet) {
        let Packet {
            mut buffer,
            is_copy,
            ..
        } = packet;
        if is_copy {
            buffer.clear();
        }
        self.shared.with(|state| {
            if let Some(link) = state.links.links.get_mut(&self.number)
                && let spare = &mut link.spare[usize::from(!is_copy)]
                && spare.len() < MIN_CAPACITY
            {
                spare.push(buffer);
            }
        });
    }

    /// Lets the held sessions go on once half of the queue is free.
    fn taken(&self, packet: Option<Packet>) -> Option<Packet> {
        let len = packet.as_ref().map_or(0, |packet| packet.len);
        let queued = self.queued.fetch_sub(len, Relaxed) - len;
        if self.queue.len() > self.capacity / 2 || queued > MAX_QUEUED / 2 {
            return packet;
        }
        self.shared.with(|state| {
            if let Some(link) = state.links.links.get_mut(&self.number)
                && std::mem::take(&mut link.is_blocked)
            {
                state.unblock(&self.path);
            }
        });
        packet
    }
}
