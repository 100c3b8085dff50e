use core::{fmt, time::Duration};
use std::{collections::BTreeSet, sync::Arc};

use stt_crypto::{Aead, NodeId, secret::ResetKey};

use super::HalfOpenLimits;
use crate::{
    LinkProfile, PathId, SessionConfig,
    handshake::{Credentials, Terms, Ticket},
};

/// What an [`Endpoint`](super::Endpoint) is and allows.
pub struct EndpointConfig {
    /// Who it is, and the seeds that it shares.
    pub credentials: Credentials,
    /// What it asks of its sessions.
    pub session: Arc<SessionConfig>,
    /// AEADs that it uses, the preferred one first. Default AES-256-GCM, ChaCha20-Poly1305.
    pub aeads: Vec<Aead>,
    /// Whether it answers HELLOs. Default true.
    pub accepts: bool,
    /// Who may open sessions to it and be opened to; `None`, the default, for every holder of a
    /// seed.
    pub allowed_peers: Option<BTreeSet<NodeId>>,
    /// What it must know of paths. Default [`AnyPath`]: the Internet, each path its own address.
    pub paths: Box<dyn Paths>,
    /// Bytes of its wire ids, 1 to 8; another value counts as the nearest of these. Default 4;
    /// fewer save a byte in each packet and allow fewer sessions.
    pub wire_id_len: usize,
    /// Sessions and attempts under way, at most. Default 65,536.
    pub max_sessions: usize,
    /// Bounds of what a stranger's HELLO may cost.
    pub half_open: HalfOpenLimits,
    /// Tickets that [`Endpoint::add_ticket`](super::Endpoint::add_ticket) keeps, at most. Default
    /// 1,024.
    pub max_tickets: usize,
    /// Lets peers notice at once that this node restarted. Default `None`: they notice by their
    /// idle time-out.
    pub reset: Option<ResetConfig>,
}

impl EndpointConfig {
    /// A node with these credentials; everything else as by default.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            session: Arc::default(),
            aeads: Aead::ALL.to_vec(),
            accepts: true,
            allowed_peers: None,
            paths: Box::new(AnyPath(LinkProfile::INTERNET)),
            wire_id_len: 4,
            max_sessions: 65_536,
            half_open: HalfOpenLimits::default(),
            max_tickets: 1_024,
            reset: None,
        }
    }

    pub(super) fn is_allowed(&self, peer: &NodeId) -> bool {
        self.allowed_peers
            .as_ref()
            .is_none_or(|allowed| allowed.contains(peer))
    }

    /// What is offered, or answered, on a link of this kind.
    pub(super) fn terms(&self, profile: &LinkProfile) -> Terms {
        let mut limits = self.session.limits;
        let timers = profile.timers();
        if timers.is_narrow() {
            limits = limits.with_max_ack_delay(timers.max_ack_delay());
        }
        Terms {
            aeads: self.aeads.clone(),
            limits,
        }
    }
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The reset key and what can't be printed are left out.
        f.debug_struct("EndpointConfig")
            .field("credentials", &self.credentials)
            .field("session", &self.session)
            .field("aeads", &self.aeads)
            .field("accepts", &self.accepts)
            .field("allowed_peers", &self.allowed_peers)
            .field("wire_id_len", &self.wire_id_len)
            .field("max_sessions", &self.max_sessions)
            .field("half_open", &self.half_open)
            .field("max_tickets", &self.max_tickets)
            .finish_non_exhaustive()
    }
}

/// What an endpoint asks its driver about paths, which are opaque to it.
pub trait Paths: Send + Sync {
    /// The link that a HELLO came by.
    fn profile(&self, path: &PathId) -> LinkProfile;

    /// What counts as one address when half-open handshakes are shared out
    /// (`docs/spec/stt-handshake.md` §9.2): of an Internet path, for instance, the remote address
    /// without its port, the upper half of it for IPv6.
    fn address(&self, path: &PathId) -> PathId {
        *path
    }
}

/// All paths are links of one kind, and each is an address of its own.
#[derive(Clone, Copy, Debug)]
pub struct AnyPath(pub LinkProfile);

impl Paths for AnyPath {
    fn profile(&self, _: &PathId) -> LinkProfile {
        self.0
    }
}

/// What stateless resets need (`docs/spec/stt-handshake.md` §14.3).
#[derive(Debug)]
pub struct ResetConfig {
    /// The key of the node's seed and identity, the same in every run.
    pub key: ResetKey,
    /// How often the endpoint was started before: kept by the caller, one more each time.
    pub run: u32,
}

/// How to open a session.
#[derive(Debug)]
pub struct ConnectConfig {
    /// What is known of the link. Default [`LinkProfile::INTERNET`].
    pub profile: LinkProfile,
    /// Who must answer: anybody else is WrongPeer. Default `None`: whoever holds the seed.
    pub expected_peer: Option<NodeId>,
    /// Resumes an earlier session. The caller has deleted it durably already; a ticket of another
    /// peer than the expected one is not used.
    pub ticket: Option<Ticket>,
    /// When to give up. Default 20 s.
    pub timeout: Duration,
}

impl Default for ConnectConfig {
    fn default() -> Self {
        Self {
            profile: LinkProfile::default(),
            expected_peer: None,
            ticket: None,
            timeout: Duration::from_secs(20),
        }
    }
}
