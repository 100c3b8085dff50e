//! Tickets and the count of starts, in the chamber (`docs/spec/stt-node.md` section 7).

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use stt_core::{Connection, PathId, endpoint::TicketRequest, handshake::Ticket};
use stt_crypto::{NodeId, secret::Key32};
use stt_store::{Chamber, ChamberError, Environment};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::{
    SystemEnvironment,
    builder::{Setup, locked},
    connect::MaybeTicket,
    run::Turn,
};
use crate::{driver::Shared, error::NodeError};

/// The tickets of a node: in its chamber and, without their secrets, by peer.
pub(crate) struct Tickets {
    /// Closed when the node stops: its file is for the next start then.
    chamber: Mutex<Option<Arc<Chamber>>>,
    /// Held for reading by whoever is at the chamber.
    users: Arc<RwLock<()>>,
    /// The newest last.
    index: Mutex<Vec<Known>>,
}

/// A ticket that the endpoint and the chamber have.
struct Known {
    id: [u8; 16],
    peer: NodeId,
    path: Vec<u8>,
}

/// The chamber, in use.
struct Use {
    chamber: Arc<Chamber>,
    /// Dropped after it.
    _user: OwnedRwLockReadGuard<()>,
}

impl Deref for Use {
    type Target = Chamber;

    fn deref(&self) -> &Chamber {
        &self.chamber
    }
}

/// What the chamber held when it was opened.
pub(super) struct Opened {
    pub(super) keeper: Tickets,
    pub(super) tickets: Vec<Ticket>,
    /// Starts before this one.
    pub(super) run: u32,
}

impl Tickets {
    /// Opens the chamber, counts the start, and reads the tickets.
    ///
    /// Given up halfway, it goes on until the file is closed again; so long nobody else has the turn.
    pub(super) async fn open(
        path: PathBuf,
        setup: &Setup,
        turn: Turn,
    ) -> Result<(Opened, Turn), NodeError> {
        let key = setup.seed().chamber_key(setup.node_id().as_bytes());
        let work = move || -> Result<(Opened, Turn), ChamberError> {
            let chamber = Chamber::open(&path, key, Arc::new(SystemEnvironment))?;
            let before = chamber.retrieve_key(RUN)?;
            let before = before.and_then(|bytes| bytes.expose().try_into().ok());
            let run = before.map_or(0, u32::from_be_bytes).saturating_add(1);
            chamber.store_key(RUN, &run.to_be_bytes())?;
            chamber.expire_tickets()?;
            let (mut tickets, mut index) = (Vec::new(), Vec::new());
            for (name, value) in chamber.list_tickets()? {
                if let Some((ticket, path)) = decode(&name, value.expose()) {
                    index.push(Known {
                        id: *ticket.id(),
                        peer: ticket.peer(),
                        path,
                    });
                    tickets.push(ticket);
                }
            }
            let opened = Opened {
                keeper: Self {
                    chamber: Mutex::new(Some(Arc::new(chamber))),
                    users: Arc::default(),
                    index: Mutex::new(index),
                },
                tickets,
                run,
            };
            Ok((opened, turn))
        };
        Ok(blocking(work).await?)
    }

    fn chamber(&self) -> Option<Use> {
        let chamber = locked(&self.chamber).clone()?;
        let user = Arc::clone(&self.users).try_read_owned().ok()?;
        Some(Use {
            chamber,
            _user: user,
        })
    }

    /// The node stops: gives the chamber's file back.
    pub(crate) fn close(&self) {
        drop(locked(&self.chamber).take());
    }

    /// Waits until nobody is at the chamber any more, after [`Tickets::close`].
    pub(crate) async fn closed(&self) {
        drop(self.users.write().await);
    }

    /// The ticket of a session that has begun: for the endpoint now, for the chamber soon.
    pub(crate) fn keep(&self, shared: &Shared, connection: &Connection) -> Ticket {
        let (peer, path) = (*connection.peer(), connection.path());
        let ticket = Ticket::of(connection.exporter(), peer);
        let id = *ticket.id();
        let mut index = locked(&self.index);
        if index.len() >= MAX_TICKETS {
            index.remove(0);
        }
        index.push(Known {
            id,
            peer,
            path: path.as_bytes().to_vec(),
        });
        drop(index);
        let Some(chamber) = self.chamber() else {
            return ticket;
        };
        let value = encode(&ticket, &path);
        shared.spawn(async move {
            // A full disk costs the resumption, not the session.
            let stored = blocking(move || {
                let expiry = SystemEnvironment.now() + LIFETIME;
                chamber.store_ticket(&id, &value, expiry)
            });
            drop(stored.await);
        });
        ticket
    }

    /// Takes the newest ticket for a peer, or for whoever was on `path`: gone from the disk when
    /// this returns. One that can't be deleted isn't used: a disk that fails costs the resumption, not
    /// the session.
    pub(crate) async fn take(
        &self,
        shared: &Shared,
        expected: Option<NodeId>,
        path: &PathId,
    ) -> MaybeTicket {
        let id = {
            let mut index = locked(&self.index);
            let newest = index.iter().rposition(|known| match expected {
                Some(peer) => known.peer == peer,
                None => known.path == path.as_bytes(),
            });
            newest.map(|place| index.remove(place).id)
        };
        let id = id?;
        // From now on nobody else uses it.
        let ticket = shared.with(|state| state.endpoint.remove_ticket(&id))?;
        let chamber = self.chamber()?;
        let taken = blocking(move || chamber.take_ticket(&id)).await;
        taken.ok().flatten().map(|_| ticket)
    }

    /// A peer resumes: answers once its ticket is gone from the disk.
    pub(crate) fn take_for_peer(&self, shared: &Arc<Shared>, request: TicketRequest, id: [u8; 16]) {
        locked(&self.index).retain(|known| known.id != id);
        let Some(chamber) = self.chamber() else {
            return;
        };
        let node = Arc::clone(shared);
        shared.spawn(async move {
            let taken = blocking(move || chamber.take_ticket(&id)).await;
            let is_deleted = matches!(taken, Ok(Some(_)));
            node.with(|state| {
                let now = node.clock.now();
                state.endpoint.ticket_taken(now, request, is_deleted);
                state.wants_turn();
            });
        });
    }
}

/// `01 · peer 32 · secret 32 · path`.
fn encode(ticket: &Ticket, path: &PathId) -> Vec<u8> {
    let mut value = vec![FORMAT];
    value.extend_from_slice(ticket.peer().as_bytes());
    value.extend_from_slice(ticket.secret().expose());
    value.extend_from_slice(path.as_bytes());
    value
}

/// `None` for what a later version has written.
fn decode(name: &[u8], value: &[u8]) -> Option<(Ticket, Vec<u8>)> {
    let (&FORMAT, rest) = value.split_first()? else {
        return None;
    };
    let (peer, rest) = rest.split_first_chunk()?;
    let (secret, path) = rest.split_first_chunk()?;
    let ticket = Ticket::new(
        name.try_into().ok()?,
        Key32::new(*secret),
        NodeId::new(*peer),
    );
    Some((ticket, path.to_vec()))
}

/// Runs what waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // Blocking work is not cancelled once it runs, and the runtime waits for it.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

const FORMAT: u8 = 1;
/// The chamber's key of the count of starts.
const RUN: &str = "stt run";
const MAX_TICKETS: usize = 1_024;
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);
