use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use super::{
    StreamConfig,
    control::{Control, ControlQueue},
    event::{EventQueue, Pending},
    flow::{Clock, Window},
    pool::{Packet, Pool},
    recv::Recv,
    scheduler::Scheduler,
    send::Send,
};
use crate::{Dir, Side, StreamId, Timestamp, wire::Limits};

/// The streams of one session.
///
/// Four groups of methods. The application's: `open` to `poll_event`. What the peer sent: `on_stream`
/// to `on_max_streams`; an error ends the session. What goes to the peer: [`Streams::has_pending`]
/// and [`Streams::write_frames`]. What became of it: [`Streams::on_acked`] and
/// [`Streams::on_lost`]. [`Streams::set_clock`] before the latter three lets windows grow.
#[derive(Debug)]
pub struct Streams {
    pub(super) side: Side,
    pub(super) config: StreamConfig,
    pub(super) clock: Clock,
    pub(super) streams: BTreeMap<StreamId, Box<Stream>>,
    /// Streams that this end opens, by direction.
    pub(super) local: [Local; 2],
    /// Streams that the peer opens, by direction.
    pub(super) remote: [Remote; 2],
    pub(super) pool: Pool,
    /// The packet whose frames are being taken, if parts of it may be kept.
    pub(super) lent: Option<Packet>,
    pub(super) events: EventQueue,

    /// Credit granted to the peer.
    pub(super) window: Window,
    pub(super) stream_window: u64,
    /// What counts against it: the largest offsets of all streams.
    pub(super) received: u64,
    /// The latest MAX_DATA was lost.
    pub(super) window_lost: bool,

    /// Credit granted by the peer.
    pub(super) max_data: u64,
    pub(super) max_stream_data: u64,
    /// What counts against it.
    pub(super) sent: u64,

    /// Bytes in send buffers.
    pub(super) held: u64,
    /// Streams whose writer the session's cap holds back.
    pub(super) starved: VecDeque<StreamId>,
    pub(super) scheduler: Scheduler,
    pub(super) control: ControlQueue,
}

/// A stream that is not forgotten. A half that is `None` never was, or is in a terminal state.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) send: Option<Send>,
    pub(super) recv: Option<Recv>,
    /// The code of the peer's STOP.
    pub(super) stopped: Option<u64>,
    pub(super) pending: Pending,
    pub(super) control: Control,
}

/// Streams of one direction that this end opens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Local {
    /// Index of the next.
    pub(super) next: u64,
    /// The peer's limit.
    pub(super) max: u64,
    /// `open` yielded nothing: `Available` is owed.
    pub(super) wanted: bool,
    /// `Available` is to be told.
    pub(super) available: bool,
}

/// Streams of one direction that the peer opens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remote {
    /// How many were opened.
    pub(super) opened: u64,
    /// How many the application accepted.
    pub(super) accepted: u64,
    /// How many may be.
    pub(super) max: u64,
    /// How many the peer was told that may be.
    pub(super) announced: u64,
    /// How much more is worth a frame.
    pub(super) step: u64,
    /// The latest MAX_STREAMS was lost.
    pub(super) lost: bool,
    /// `Opened` is to be told.
    pub(super) news: bool,
}

impl Streams {
    /// Every stream may hold this much, however full the session's send buffers are.
    pub(super) const SHARE: u64 = 4096;
    /// Streams with events that nobody polls, above which none is opened.
    const MAX_UNPOLLED: usize = 65_536;
    /// The most streams of a kind (RFC 9000 §19.11).
    pub(super) const MAX_COUNT: u64 = 1 << 60;

    /// No streams yet, of the end `side`, which grants `local` to its peer. The peer grants nothing
    /// until [`Streams::set_peer`].
    pub fn new(side: Side, local: &Limits, config: StreamConfig) -> Self {
        let remote = |dir| {
            let max = local.max_streams(dir);
            Remote {
                opened: 0,
                accepted: 0,
                max,
                announced: max,
                step: (max / 8).max(1),
                lost: false,
                news: false,
            }
        };
        Self {
            side,
            config,
            clock: Clock::default(),
            streams: BTreeMap::new(),
            local: [Local::default(); 2],
            remote: [remote(Dir::Bi), remote(Dir::Uni)],
            pool: Pool::default(),
            lent: None,
            events: EventQueue::default(),
            window: Window::new(local.max_data(), config.max_window, Timestamp::ZERO),
            stream_window: local.max_stream_data(),
            received: 0,
            window_lost: false,
            max_data: 0,
            max_stream_data: 0,
            sent: 0,
            held: 0,
            starved: VecDeque::new(),
            scheduler: Scheduler::default(),
            control: ControlQueue::default(),
        }
    }

    /// What the peer grants, from its transport parameters. Before the first stream.
    pub fn set_peer(&mut self, peer: &Limits) {
        self.max_data = peer.max_data();
        self.max_stream_data = peer.max_stream_data();
        for dir in [Dir::Bi, Dir::Uni] {
            self.local[dir as usize].max = peer.max_streams(dir);
        }
    }

    /// The time and the smoothed round-trip time, by which receive windows grow (§4.4). Without it
    /// they stay as they began.
    pub fn set_clock(&mut self, now: Timestamp, rtt: Duration) {
        self.clock = Clock { now, rtt };
    }

    /// Gives spare memory back to the allocator: for a session that fell idle.
    pub fn trim(&mut self) {
        self.pool.trim();
        self.scheduler.trim();
        self.events.trim();
        self.control.trim();
        self.starved.shrink_to_fit();
    }

    /// Streams that are not forgotten.
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Bytes written that were not acknowledged, of all streams.
    pub fn unacknowledged(&self) -> u64 {
        self.held
    }

    /// Bytes of memory that stream data takes, free blocks included.
    pub fn buffer_memory(&self) -> usize {
        self.pool.allocated()
    }

    /// Bytes that the application read, or that were dropped, of all streams.
    #[cfg(test)]
    pub(super) fn window_consumed(&self) -> u64 {
        self.window.consumed()
    }

    /// What may still be sent for the first time, of all streams together.
    pub(super) fn credit(&self) -> u64 {
        self.max_data - self.sent
    }

    /// Whether `open` has to wait for events to be polled.
    pub(super) fn is_unpolled(&self) -> bool {
        self.events.len() >= Self::MAX_UNPOLLED
    }

    /// Makes the stream known, with the halves that its id says.
    pub(super) fn create(&mut self, id: StreamId) {
        let send = self.sends(id).then(|| Send::new(self.max_stream_data));
        let recv = self.receives(id).then(|| {
            let ceiling = self.config.max_stream_window;
            Recv::new(Window::new(self.stream_window, ceiling, self.clock.now))
        });
        let stream = Stream {
            send,
            recv,
            stopped: None,
            pending: Pending::default(),
            control: Control::default(),
        };
        self.streams.insert(id, Box::new(stream));
    }

    /// Whether this end sends on the stream.
    pub(super) fn sends(&self, id: StreamId) -> bool {
        id.dir() == Dir::Bi || id.initiator() == self.side
    }

    /// Whether this end receives on the stream.
    pub(super) fn receives(&self, id: StreamId) -> bool {
        id.dir() == Dir::Bi || id.initiator() != self.side
    }

    /// Forgets the stream if nothing is left to do about it (§1.4).
    pub(super) fn settle(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if stream.send.is_some() || stream.recv.is_some() || !stream.pending.is_settled() {
            return;
        }
        debug_assert!(stream.control.is_empty(), "no half, nothing to say of it");
        if id.initiator() != self.side {
            let remote = &mut self.remote[id.dir() as usize];
            if id.index() >= remote.accepted {
                return;
            }
            remote.max = (remote.max + 1).min(Self::MAX_COUNT);
        }
        self.streams.remove(&id);
        if self.streams.is_empty() {
            self.pool.trim();
        }
    }

    /// `bytes` of the stream's send buffer were freed: tells writers that wait for room (§8.1).
    pub(super) fn on_freed(&mut self, id: StreamId, bytes: u64) {
        self.held -= bytes;
        if let Some(stream) = self.streams.get_mut(&id)
            && let Some(send) = &mut stream.send
            && send.wants_room
            && (send.held() == 0 || (!send.starved && send.is_roomy(&self.config)))
        {
            send.wants_room = false;
            self.events
                .raise(id, &mut stream.pending, Pending::WRITABLE);
        }
        if self.held > self.config.session_send_buffer as u64 / 4 * 3 {
            return;
        }
        while let Some(id) = self.starved.pop_front() {
            let Some(stream) = self.streams.get_mut(&id) else {
                continue;
            };
            let Some(send) = &mut stream.send else {
                continue;
            };
            send.starved = false;
            if send.wants_room {
                send.wants_room = false;
                self.events
                    .raise(id, &mut stream.pending, Pending::WRITABLE);
            }
        }
    }
}

impl Remote {
    /// MAX_STREAMS is to be sent (§5.2).
    pub(super) fn is_due(&self) -> bool {
        let more = self.max - self.announced;
        self.lost || (more > 0 && (more >= self.step || self.announced - self.opened <= self.step))
    }
}
