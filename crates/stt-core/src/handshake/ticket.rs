use stt_crypto::{
    NodeId,
    secret::{Exporter, Key32},
};

use super::envelope::TICKET_ID_LEN;

/// Resumes a session, once, from either side (`docs/spec/stt-handshake.md` §11).
///
/// Delete it durably before it is used. Whoever has it and the shared seed can pass as the peer.
#[derive(Debug)]
pub struct Ticket {
    id: [u8; TICKET_ID_LEN],
    secret: Key32,
    peer: NodeId,
}

impl Ticket {
    /// The ticket that both ends of a session with `peer` derive.
    pub fn of(exporter: &Exporter, peer: NodeId) -> Self {
        let exported = exporter
            .export(LABEL, b"")
            .expect("the label is short enough");
        let mut id = [0; TICKET_ID_LEN];
        id.copy_from_slice(&exported.expose()[..TICKET_ID_LEN]);
        Self {
            id,
            secret: exporter.resumption_secret(),
            peer,
        }
    }

    /// A ticket that was kept.
    pub const fn new(id: [u8; TICKET_ID_LEN], secret: Key32, peer: NodeId) -> Self {
        Self { id, secret, peer }
    }

    /// What a HELLO calls it by; not secret.
    pub const fn id(&self) -> &[u8; TICKET_ID_LEN] {
        &self.id
    }

    /// The resumption secret, to be kept.
    pub const fn secret(&self) -> &Key32 {
        &self.secret
    }

    /// Who the other end is.
    pub const fn peer(&self) -> NodeId {
        self.peer
    }
}

/// Exporter label of a ticket's id.
const LABEL: &[u8] = b"stt ticket id";
