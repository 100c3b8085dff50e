use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    task::Waker,
};

use stt_core::{Connection, PathId, ReadError, StreamId};

use crate::session::SessionCore;

/// What the node keeps of a session beside its connection.
pub(crate) struct Entry {
    pub(crate) core: Arc<SessionCore>,
    /// No handle is left: it goes with the session's end.
    pub(crate) is_orphan: bool,
    /// Of a session that this node opened over UDP.
    pub(crate) remote: Option<SocketAddr>,
    /// The link that it was opened over.
    pub(crate) link: Option<u64>,
    /// Sending halves that have a handle.
    pub(crate) sending: BTreeMap<StreamId, Sending>,
    /// Receiving halves that have a handle, and who waits for them.
    pub(crate) receiving: BTreeMap<StreamId, Option<Waker>>,
    /// Streams of the peer whose first byte has not come.
    pub(crate) arriving: Vec<StreamId>,
    /// Streams of the application that wait to be accepted, by direction.
    pub(crate) accepted: [VecDeque<StreamId>; 2],
    /// Keys that both ends use.
    pub(crate) epoch: u64,
    /// Where this end wants to go.
    pub(crate) moving: Option<PathId>,
    /// Where this end wanted to go and the peer was not reached from.
    pub(crate) failed_path: Option<PathId>,
    /// What came before the end and was not read.
    pub(crate) rest: Option<Box<Rest>>,
}

/// A sending half that has a handle.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// Waits for room, or for the outcome.
    pub(crate) waker: Option<Waker>,
    pub(crate) outcome: Option<Outcome>,
}

/// What became of a sending half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The peer has everything.
    Finished,
    /// The peer wants no more.
    Stopped(u64),
}

/// What came before the end of a session and was not read.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    pub(crate) streams: BTreeMap<StreamId, RestOfStream>,
    pub(crate) datagrams: VecDeque<Vec<u8>>,
}

/// The same of a stream.
#[derive(Debug)]
pub(crate) struct RestOfStream {
    bytes: Vec<u8>,
    taken: usize,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The session ended first.
    Cut,
    Fin,
    Reset(u64),
}

impl Entry {
    pub(crate) fn new(
        core: Arc<SessionCore>,
        remote: Option<SocketAddr>,
        link: Option<u64>,
    ) -> Self {
        Self {
            core,
            is_orphan: false,
            remote,
            link,
            sending: BTreeMap::new(),
            receiving: BTreeMap::new(),
            arriving: Vec::new(),
            accepted: [VecDeque::new(), VecDeque::new()],
            epoch: 0,
            moving: None,
            failed_path: None,
            rest: None,
        }
    }

    /// Moves what can still be read out of a connection that is about to go.
    pub(super) fn save(&mut self, connection: &mut Connection) {
        let mut rest = Rest::default();
        let queued = self.accepted.iter().flatten();
        for id in self.receiving.keys().chain(queued) {
            if let Some(stream) = RestOfStream::save(connection, *id) {
                rest.streams.insert(*id, stream);
            }
        }
        while let Some(datagram) = connection.datagrams().recv() {
            rest.datagrams.push_back(datagram);
        }
        self.rest = Some(Box::new(rest));
    }
}

impl RestOfStream {
    fn save(connection: &mut Connection, id: StreamId) -> Option<Self> {
        let streams = connection.streams();
        let mut bytes = Vec::new();
        let end = loop {
            match streams.peek(id) {
                Ok(Some(piece)) => {
                    let len = piece.len();
                    bytes.extend_from_slice(piece);
                    streams.consume(id, len);
                }
                Ok(None) => break End::Fin,
                Err(ReadError::Reset(code)) => break End::Reset(code),
                Err(ReadError::Blocked) => break End::Cut,
                // Read to its end, or stopped, before.
                Err(_) => return None,
            }
        };
        Some(Self {
            bytes,
            taken: 0,
            end,
        })
    }

    /// The bytes that are left.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub(crate) fn consume(&mut self, len: usize) {
        self.taken += len;
    }

    /// What follows the bytes: the end, a reset, or nothing that is known.
    pub(crate) const fn end(&self) -> Result<bool, u64> {
        match self.end {
            End::Fin => Ok(true),
            End::Cut => Ok(false),
            End::Reset(code) => Err(code),
        }
    }
}
