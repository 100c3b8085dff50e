//! Many sessions behind one door (`docs/spec/stt-handshake.md` §14).

mod accept;
mod config;
mod connect;
mod cookies;
mod deadlines;
mod demux;
mod drive;
mod event;
mod half_open;
mod ids;
mod limiter;
mod opening;
mod ready;
mod refusals;
mod reset;
mod slab;
mod stats;
mod tickets;

use core::fmt;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use stt_crypto::{
    NodeId,
    secret::{Key32, ResetKey},
};

pub use config::{AnyPath, ConnectConfig, EndpointConfig, Paths, ResetConfig};
pub use event::{ConnectError, EndpointEvent, OpenError, TicketRequest};
pub use half_open::HalfOpenLimits;
pub use slab::ConnectionHandle;
pub use stats::EndpointStats;

use self::{
    cookies::Cookies,
    deadlines::Deadlines,
    half_open::HalfOpenTable,
    ids::IdTable,
    limiter::PerSecond,
    opening::Opening,
    ready::Ready,
    refusals::Refusals,
    reset::{Resets, TokenHash},
    slab::Slab,
    tickets::Tickets,
};
use crate::{PathId, connection::Connection, handshake::Icid, scalar, wire::WireId};

/// All sessions of one node on any number of paths, and the handshakes that lead to them.
///
/// # Driving it
///
/// After anything that may act (`connect`, `connection`, `handle_*`, `ticket_taken`) poll
/// [`Endpoint::poll_transmit`] until it gives nothing, then [`Endpoint::poll_event`] until it gives
/// nothing, then wait for a datagram or for [`Endpoint::poll_timeout`]. Time never goes backwards.
///
/// It holds no socket, reads no clock and draws all its randomness from the seed that it is made
/// with: the same calls give the same bytes.
pub struct Endpoint {
    config: EndpointConfig,
    rng: ChaCha20Rng,
    slots: Slab<Slot>,
    ids: IdTable,
    /// Attempts under way, by the names that their answers carry.
    icids: BTreeMap<Icid, u32>,
    /// Public ephemeral keys of attempts under way and of sessions: a HELLO with one of them is an
    /// echo or a replay.
    ephemerals: BTreeSet<[u8; 32]>,
    half_open: HalfOpenTable,
    cookies: Cookies,
    resets: Resets,
    reset_limit: PerSecond,
    tries: PerSecond,
    tickets: Tickets,
    /// Half-open handshakes whose ticket the caller has yet to be asked for.
    ticket_requests: VecDeque<u64>,
    refusals: Refusals,
    /// Answers to strangers that wait to be sent, at most [`MAX_ANSWERS`].
    answers: VecDeque<(PathId, Vec<u8>)>,
    deadlines: Deadlines,
    /// Slots that may have something to send, and those that may have something to tell.
    sending: Ready,
    telling: Ready,
    /// Reliable links that take nothing now, and the sessions that wait for them.
    blocked: BTreeSet<PathId>,
    held: Ready,
    stats: EndpointStats,
}

enum Slot {
    Opening(Box<Opening>),
    Live(Box<Live>),
    /// Over before it began; goes when that has been told.
    Failed(OpenError),
}

struct Live {
    connection: Connection,
    /// The initiator's public ephemeral key.
    e: [u8; 32],
    tokens: VecDeque<TokenHash>,
    is_told: bool,
}

impl Endpoint {
    /// An endpoint without sessions. `seed` is 32 bytes from a cryptographic generator, never used
    /// again.
    pub fn new(mut config: EndpointConfig, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut random = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let hash = ResetKey::new(random());
        let (key, run) = match config.reset.take() {
            Some(reset) => (reset.key, reset.run),
            None => (ResetKey::new(random()), 0),
        };
        config.wire_id_len = config.wire_id_len.clamp(1, WireId::MAX_LEN);
        Self {
            rng,
            slots: Slab::new(),
            ids: IdTable::new(config.wire_id_len),
            icids: BTreeMap::new(),
            ephemerals: BTreeSet::new(),
            half_open: HalfOpenTable::new(config.half_open),
            cookies: Cookies::new(),
            resets: Resets::new(key, run, hash),
            reset_limit: PerSecond::new(RESETS_PER_SECOND),
            tries: PerSecond::new(config.half_open.tries_per_second),
            tickets: Tickets::new(config.max_tickets),
            ticket_requests: VecDeque::new(),
            refusals: Refusals::default(),
            answers: VecDeque::new(),
            deadlines: Deadlines::default(),
            sending: Ready::default(),
            telling: Ready::default(),
            blocked: BTreeSet::new(),
            held: Ready::default(),
            stats: EndpointStats::default(),
            config,
        }
    }

    /// Its own node id.
    pub fn node_id(&self) -> NodeId {
        self.config.credentials.node_id()
    }

    /// The session of this handle, `None` before it is opened and after it is gone. What the caller
    /// does with it takes effect with the next polls.
    pub fn connection(&mut self, handle: ConnectionHandle) -> Option<&mut Connection> {
        match self.slots.get_mut(handle)? {
            Slot::Live(live) => {
                self.sending.push(handle.index());
                self.telling.push(handle.index());
                Some(&mut live.connection)
            }
            Slot::Opening(_) | Slot::Failed(_) => None,
        }
    }

    /// The session of this handle, to look at.
    pub fn connection_ref(&self, handle: ConnectionHandle) -> Option<&Connection> {
        match self.slots.get(handle)? {
            Slot::Live(live) => Some(&live.connection),
            Slot::Opening(_) | Slot::Failed(_) => None,
        }
    }

    /// A reliable link takes no more for now: its sessions are asked for nothing, whatever waits in
    /// them, until [`Endpoint::unblock_path`]. So nothing that its protocol relies on is lost.
    pub fn block_path(&mut self, path: PathId) {
        self.blocked.insert(path);
    }

    /// The link takes datagrams again, or is gone.
    pub fn unblock_path(&mut self, path: &PathId) {
        if self.blocked.remove(path) {
            while let Some(index) = self.held.pop() {
                self.sending.push(index);
            }
        }
    }

    /// Sessions and attempts under way.
    pub fn sessions(&self) -> usize {
        self.slots.len()
    }

    /// Handshakes that were answered and not confirmed.
    pub fn half_open(&self) -> usize {
        self.half_open.len()
    }

    /// Figures since the endpoint began.
    pub fn stats(&self) -> EndpointStats {
        self.stats
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A secret scalar, which nobody draws again.
    fn scalar(&mut self) -> Key32 {
        scalar::draw(&mut self.rng)
    }

    /// Queues an answer; `false` if there is no room.
    fn answer(&mut self, path: PathId, datagram: Vec<u8>) -> bool {
        let has_room = self.answers.len() < MAX_ANSWERS;
        if has_room {
            self.answers.push_back((path, datagram));
        }
        has_room
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sessions, keys and the generator are left out.
        f.debug_struct("Endpoint")
            .field("node_id", &self.node_id())
            .field("sessions", &self.sessions())
            .field("half_open", &self.half_open())
            .field("wire_ids", &self.ids.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// Answers that wait: enough for a burst, and a bound on what a flood can pile up.
const MAX_ANSWERS: usize = 256;
/// Resets that are sent in a second.
const RESETS_PER_SECOND: u32 = 100;
