use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use stt_core::{
    LinkProfile, SessionConfig,
    endpoint::{EndpointConfig, HalfOpenLimits, ResetConfig},
    handshake::{Credentials, TooManySeeds},
    wire::Limits,
};
use stt_crypto::{
    Aead, NodeId,
    secret::{EmptySeed, ResetKey, Seed},
};

use super::Node;
use crate::{error::NodeError, transport::path::NodePaths};

/// How a node is to be; made by [`Node::builder`].
#[derive(Debug)]
pub struct Builder {
    pub(super) setup: Setup,
    /// The first thing that was wrong.
    error: Option<NodeError>,
}

/// What a node is started with, as often as that is.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) node_seed: Option<Seed>,
    pub(super) shared_seeds: Vec<Seed>,
    pub(super) identity: Vec<u8>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) chamber_path: Option<PathBuf>,
    pub(super) allowed_peers: Option<BTreeSet<NodeId>>,
    pub(super) accepts: bool,
    pub(super) backlog: usize,
    pub(super) max_sessions: usize,
    pub(super) half_open: HalfOpenLimits,
    pub(super) session: SessionConfig,
    pub(super) profile: LinkProfile,
    pub(super) aeads: Vec<Aead>,
    pub(super) busy_poll: Duration,
}

impl Builder {
    pub(super) fn new(node_seed: &[u8], shared_seed: &[u8]) -> Self {
        let session = Self::default_session();
        let builder = Self {
            setup: Setup {
                node_seed: None,
                shared_seeds: Vec::new(),
                identity: Vec::new(),
                host: String::from("0.0.0.0"),
                port: 0,
                chamber_path: None,
                allowed_peers: None,
                accepts: true,
                backlog: 1_024,
                max_sessions: 65_536,
                half_open: HalfOpenLimits::default(),
                session,
                profile: LinkProfile::INTERNET,
                aeads: Aead::ALL.to_vec(),
                busy_poll: BUSY_POLL,
            },
            error: None,
        };
        let mut builder = builder.further_shared_seed(shared_seed);
        builder.setup.node_seed = builder.take(Seed::new(node_seed), "node seed");
        builder
    }

    fn take(&mut self, seed: Result<Seed, EmptySeed>, which: &'static str) -> Option<Seed> {
        match seed {
            Ok(seed) => Some(seed),
            Err(source) => {
                self.error
                    .get_or_insert(NodeError::EmptySeed { which, source });
                None
            }
        }
    }

    /// Also answers peers that use another shared seed, for instance the one before: so seeds can
    /// be changed. At most four in all.
    #[must_use]
    pub fn further_shared_seed(mut self, shared_seed: impl AsRef<[u8]>) -> Self {
        let seed = self.take(Seed::new(shared_seed.as_ref()), "shared seed");
        if self.setup.shared_seeds.len() == Credentials::MAX_SEEDS {
            self.error.get_or_insert(TooManySeeds.into());
        } else {
            self.setup.shared_seeds.extend(seed);
        }
        self
    }

    /// Which node of its seed it is: equal seeds and identities give equal node ids. Default: no
    /// bytes.
    #[must_use]
    pub fn identity(mut self, identity: impl AsRef<[u8]>) -> Self {
        self.setup.identity = identity.as_ref().to_vec();
        self
    }

    /// The local address or name to bind. Default `0.0.0.0`; `::` takes IPv4 and IPv6.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.setup.host = host.into();
        self
    }

    /// The UDP port to bind. Default 0: one that is free.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.setup.port = port;
        self
    }

    /// A file to keep tickets and the count of starts in, sealed: sessions are resumed, and peers
    /// notice a restart at once. Its folder has to be there. Default: none.
    #[must_use]
    pub fn chamber_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.setup.chamber_path = Some(path.into());
        self
    }

    /// Who may open sessions to the node and be opened to. Default: every holder of a shared seed.
    #[must_use]
    pub fn allowed_peers(mut self, peers: impl IntoIterator<Item = NodeId>) -> Self {
        self.setup.allowed_peers = Some(peers.into_iter().collect());
        self
    }

    /// Whether peers may open sessions to the node. Default true.
    #[must_use]
    pub const fn accepts(mut self, accepts: bool) -> Self {
        self.setup.accepts = accepts;
        self
    }

    /// Sessions that wait to be accepted, at most. Default 1,024.
    #[must_use]
    pub const fn backlog(mut self, sessions: usize) -> Self {
        self.setup.backlog = sessions;
        self
    }

    /// Sessions and attempts under way, at most. Default 65,536.
    #[must_use]
    pub const fn max_sessions(mut self, sessions: usize) -> Self {
        self.setup.max_sessions = sessions;
        self
    }

    /// What a stranger's HELLO may cost.
    #[must_use]
    pub const fn half_open(mut self, limits: HalfOpenLimits) -> Self {
        self.setup.half_open = limits;
        self
    }

    /// What a peer may do in a session: windows, streams, idle time-out, largest packet. Default:
    /// as [`Limits::default`], but 8 MiB for a session and 2 MiB for each stream, which fill a fast
    /// network from the start.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.setup.session.limits = limits;
        self
    }

    /// What [`Builder::session`] starts from: [`SessionConfig::default`] with ECN and the windows of
    /// [`Builder::limits`].
    pub fn default_session() -> SessionConfig {
        SessionConfig {
            ecn: true,
            limits: Limits::default()
                .with_max_data(WINDOW)
                .with_max_stream_data(STREAM_WINDOW),
            ..SessionConfig::default()
        }
    }

    /// Everything about sessions: limits, memory, keys, congestion control. Default
    /// [`Builder::default_session`].
    #[must_use]
    pub fn session(mut self, config: SessionConfig) -> Self {
        self.setup.session = config;
        self
    }

    /// What is known of the links by which peers open sessions over UDP. Default
    /// [`LinkProfile::INTERNET`].
    #[must_use]
    pub const fn profile(mut self, profile: LinkProfile) -> Self {
        self.setup.profile = profile;
        self
    }

    /// AEADs to use, the preferred one first. Default AES-256-GCM, ChaCha20-Poly1305; no AEAD is
    /// the same as the default.
    #[must_use]
    pub fn aeads(mut self, aeads: &[Aead]) -> Self {
        if !aeads.is_empty() {
            self.setup.aeads = aeads.to_vec();
        }
        self
    }

    /// For how long the node looks for further datagrams before it lets the system wake it, while they come that close
    /// together: a request on a fast network is answered in half the time. Default 50 µs; zero saves the processor's time.
    #[must_use]
    pub const fn busy_poll(mut self, window: Duration) -> Self {
        self.setup.busy_poll = window;
        self
    }

    /// A node like this, not started.
    ///
    /// # Errors
    ///
    /// A seed is empty, or there are more than four shared seeds.
    pub fn build(self) -> Result<Node, NodeError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Node::new(self.setup)),
        }
    }
}

impl Setup {
    /// The node's own seed, which every built node has.
    pub(super) const fn seed(&self) -> &Seed {
        self.node_seed
            .as_ref()
            .expect("a node is built with its seed only")
    }

    pub(super) fn node_id(&self) -> NodeId {
        self.seed().node_key(&self.identity).node_id()
    }

    /// Whether one of its seeds was short and had to be stretched.
    pub(super) fn has_short_seed(&self) -> bool {
        self.seed().is_short() || self.shared_seeds.iter().any(Seed::is_short)
    }

    /// `run` counts the starts, if somebody does.
    pub(super) fn endpoint(&self, run: Option<u32>) -> Result<EndpointConfig, NodeError> {
        let key = self.seed().node_key(&self.identity);
        let mut seeds = self.shared_seeds.iter();
        let first = seeds.next().expect("a node is built with a shared seed");
        let mut credentials = Credentials::new(key, first.psk());
        for seed in seeds {
            credentials = credentials.with_further_seed(seed.psk())?;
        }
        let reset_key = || -> ResetKey { self.seed().reset_key(&self.identity) };
        Ok(EndpointConfig {
            session: Arc::new(self.session.clone()),
            aeads: self.aeads.clone(),
            accepts: self.accepts,
            allowed_peers: self.allowed_peers.clone(),
            paths: Box::new(NodePaths { udp: self.profile }),
            max_sessions: self.max_sessions,
            half_open: self.half_open,
            reset: run.map(|run| ResetConfig {
                key: reset_key(),
                run,
            }),
            ..EndpointConfig::new(credentials)
        })
    }
}

/// A lock that outlives a panic: what it holds is replaced as a whole.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What Linux recommends for its own busy polling.
const BUSY_POLL: Duration = Duration::from_micros(50);
/// What a peer may send at first, bytes: of all streams, and of each.
const WINDOW: u64 = 8 << 20;
const STREAM_WINDOW: u64 = 2 << 20;
