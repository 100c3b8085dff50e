use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    task::Waker,
};

use stt_core::{
    Connection, ConnectionHandle, Endpoint, PathId, Timestamp, Transmit, endpoint::ConnectConfig,
    endpoint::ConnectError as BeginError,
};
use tokio::sync::oneshot;

use super::{Entry, sockets::Sockets, watch::Watch};
use crate::{
    error::ConnectError,
    session::Session,
    transport::{
        links::{LinkTable, Output},
        path::Route,
        udp::{Envelope, UdpSocket},
    },
};

/// Everything of a node that its tasks change, behind one lock.
pub(crate) struct State {
    pub(crate) endpoint: Endpoint,
    pub(crate) phase: Phase,
    /// Sessions that have a handle somewhere, or are not over.
    pub(crate) entries: BTreeMap<ConnectionHandle, Entry>,
    pub(crate) opening: BTreeMap<ConnectionHandle, Attempt>,
    /// Opened by peers, and not accepted yet.
    pub(crate) accepted: VecDeque<Session>,
    pub(crate) backlog: usize,
    pub(crate) watched: BTreeMap<ConnectionHandle, Watch>,
    pub(crate) sockets: Sockets,
    /// Remote addresses that this node has opened sessions to, and how many.
    dialled: BTreeMap<SocketAddr, usize>,
    pub(crate) links: LinkTable,
    /// What its socket didn't take.
    pub(super) stalled: Option<Stalled>,
    /// What the application's call has left to do.
    pub(crate) due: Due,
    pub(super) driver: Option<Waker>,
    /// The driver waits, and has to be woken if something is to be done.
    pub(super) is_idle: bool,
    /// When the driver wakes by itself, at the latest.
    pub(super) armed: Option<Timestamp>,
}

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// No handle of the node is left, or it stops: nothing new.
    Ending,
    Stopped,
}

/// What follows from an application's call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    #[default]
    Nothing,
    /// A little is to be sent by a session that has nothing in flight: in the caller's turn.
    ShortSend,
    /// The driver's turn.
    Turn,
}

/// An attempt to open a session, and who waits for it.
pub(crate) struct Attempt {
    pub(crate) done: oneshot::Sender<Result<Session, ConnectError>>,
    pub(crate) remote: Option<SocketAddr>,
    /// The link that it is made over.
    pub(crate) link: Option<u64>,
}

/// Datagrams that wait for room in their socket.
pub(super) struct Stalled {
    pub(super) socket: Arc<UdpSocket>,
    pub(super) envelope: Envelope,
    pub(super) contents: Vec<u8>,
}

impl State {
    pub(crate) fn new(endpoint: Endpoint, backlog: usize) -> Self {
        Self {
            endpoint,
            phase: Phase::Running,
            entries: BTreeMap::new(),
            opening: BTreeMap::new(),
            accepted: VecDeque::new(),
            backlog,
            watched: BTreeMap::new(),
            sockets: Sockets::default(),
            dialled: BTreeMap::new(),
            links: LinkTable::default(),
            stalled: None,
            due: Due::Nothing,
            driver: None,
            is_idle: false,
            armed: None,
        }
    }

    /// The driver is to take a turn.
    pub(crate) fn wants_turn(&mut self) {
        self.due = Due::Turn;
    }

    /// Something is to be sent; `is_short` if it is little and its session has nothing in flight.
    pub(crate) fn sends(&mut self, is_short: bool) {
        let due = if is_short { Due::ShortSend } else { Due::Turn };
        self.due = self.due.max(due);
    }

    /// A session's connection, for a call that may give the driver something to do.
    pub(crate) fn connection(&mut self, handle: ConnectionHandle) -> Option<&mut Connection> {
        self.endpoint.connection(handle)
    }

    pub(crate) fn entry(&mut self, handle: ConnectionHandle) -> Option<&mut Entry> {
        self.entries.get_mut(&handle)
    }

    /// Begins to open a session; `done` is told what becomes of it.
    pub(crate) fn begin(
        &mut self,
        now: Timestamp,
        route: Route,
        config: ConnectConfig,
        done: oneshot::Sender<Result<Session, ConnectError>>,
    ) -> Result<ConnectionHandle, BeginError> {
        let (remote, link) = match route {
            Route::Udp { remote, .. } => (Some(remote), None),
            Route::Link(number) => (None, Some(number)),
        };
        let handle = self.endpoint.connect(now, route.to_path(), config)?;
        if let Some(remote) = remote {
            self.dial(remote);
        }
        let attempt = Attempt { done, remote, link };
        self.opening.insert(handle, attempt);
        self.wants_turn();
        Ok(handle)
    }

    /// From now on datagrams of `remote` count as its answers, whatever address they come to.
    pub(crate) fn dial(&mut self, remote: SocketAddr) {
        *self.dialled.entry(remote).or_default() += 1;
    }

    /// The attempt or session to `remote` is over.
    pub(crate) fn hang_up(&mut self, remote: Option<SocketAddr>) {
        if let Some(remote) = remote
            && let Some(count) = self.dialled.get_mut(&remote)
        {
            *count -= 1;
            if *count == 0 {
                self.dialled.remove(&remote);
            }
        }
    }

    pub(super) fn is_dialled(&self, remote: &SocketAddr) -> bool {
        !self.dialled.is_empty() && self.dialled.contains_key(remote)
    }

    /// The driver's waker, if it waits.
    pub(crate) fn call_driver(&mut self) -> Option<Waker> {
        if std::mem::take(&mut self.is_idle) {
            self.driver.clone()
        } else {
            None
        }
    }

    /// The socket for `transmit` and what to write on it. Puts packets for links into their queues
    /// itself; what has nowhere to go is lost.
    pub(super) fn dispatch(
        &mut self,
        transmit: &Transmit,
        contents: Output<'_>,
    ) -> Option<(Arc<UdpSocket>, Envelope)> {
        match Route::from_path(&transmit.path)? {
            Route::Link(number) => {
                if self.links.push(number, contents) {
                    self.endpoint.block_path(transmit.path);
                }
                None
            }
            Route::Udp {
                remote,
                socket,
                local,
            } => {
                let socket = self.sockets.get(socket)?;
                let envelope = Envelope {
                    remote,
                    local,
                    ecn: transmit.ecn,
                    segment_size: transmit.segment_size,
                };
                Some((Arc::clone(socket), envelope))
            }
        }
    }

    /// Gives the sockets back.
    pub(super) fn end(&mut self) {
        self.sockets.clear();
        self.stalled = None;
        self.is_idle = false;
        self.driver = None;
    }

    /// Whether a session is over, if it is known at all.
    pub(crate) fn is_over(&self, handle: ConnectionHandle) -> bool {
        self.entries
            .get(&handle)
            .is_none_or(|entry| entry.core.close_reason().is_some())
    }

    /// A link takes packets again.
    pub(crate) fn unblock(&mut self, path: &PathId) {
        self.endpoint.unblock_path(path);
        self.wants_turn();
    }
}
