use std::time::Duration;

use super::WsError;

/// Whose web pages may open a WebSocket (`docs/spec/stt-websocket.md` 2.4). Browsers tell the
/// origin of the page; other programs send none and are always let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// Nobody's: requests with an origin are refused.
    #[default]
    NoPages,
    /// Those of these origins, for instance `https://example.org`.
    Listed(Vec<String>),
    /// Everybody's. Any page that a user of this machine visits can then try to connect.
    AnyPage,
}

impl OriginPolicy {
    pub(super) fn allows(&self, origin: &[u8]) -> bool {
        match self {
            Self::NoPages => false,
            Self::Listed(listed) => listed
                .iter()
                .any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin)),
            Self::AnyPage => true,
        }
    }
}

/// How to listen for WebSockets (`docs/spec/stt-websocket.md`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WsListenOptions {
    /// The path that clients ask for, by default `/`; another is refused.
    pub path: String,
    /// Whose web pages may connect, by default nobody's.
    pub origins: OriginPolicy,
    /// How long the opening handshake may take, TLS included; 10 s by default.
    pub handshake_timeout: Duration,
    /// Connections at once; a further one is dropped. 1,024 by default.
    pub max_connections: usize,
    /// Of them, those whose handshake isn't done; 128 by default.
    pub max_handshakes: usize,
    /// How often a ping is sent. A peer that is silent for three times as long is gone. 20 s by
    /// default.
    pub keep_alive: Duration,
    /// The certificate; without it the connections are plain, which STT's own encryption allows.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::transport::tls::TlsServer>,
}

impl Default for WsListenOptions {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            origins: OriginPolicy::default(),
            handshake_timeout: HANDSHAKE_TIMEOUT,
            max_connections: 1_024,
            max_handshakes: 128,
            keep_alive: KEEP_ALIVE,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl WsListenOptions {
    /// Refuses a path that no client can ask for.
    pub(crate) fn check(&self) -> Result<(), WsError> {
        check_path(&self.path)
    }
}

/// Whether a request may ask for this path.
pub(super) fn check_path(path: &str) -> Result<(), WsError> {
    if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(WsError::Field {
        field: "the path",
        value: path.to_owned(),
    })
}

/// How long an opening handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a ping is sent: under the 30 s after which some proxies drop idle connections.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(20);
