//! What a proxy is asked to do.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};

use drybox::{relay::RelayLimits, scenario::Scenario};

use super::ProxyError;

/// Everything that a proxy needs to know.
#[derive(Debug, Clone)]
pub struct ProxyOptions {
    /// Where clients send to.
    pub listen: SocketAddr,
    /// Where their datagrams go on to.
    pub to: SocketAddr,
    /// The scenario's name, for outputs.
    pub name: String,
    /// Its network and seed act.
    pub scenario: Scenario,
    /// What is held at most.
    pub limits: RelayLimits,
    /// Where outputs go.
    pub out: Option<PathBuf>,
    /// How many flows are recorded, the first ones.
    pub record_flows: u64,
    /// Whether datagrams are captured where flows are recorded.
    pub capture: bool,
    /// Where the control socket is made.
    pub control: Option<PathBuf>,
    /// When the proxy ends by itself.
    pub duration: Option<Duration>,
}

/// The first address that `given` names.
///
/// # Errors
/// [`ProxyError::Address`], naming `flag`.
pub fn resolve(flag: &'static str, given: &str) -> Result<SocketAddr, ProxyError> {
    let found = given.to_socket_addrs().and_then(|mut addresses| {
        let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        addresses.next().ok_or_else(none)
    });
    found.map_err(|cause| ProxyError::Address {
        flag,
        given: given.to_owned(),
        cause,
    })
}

impl ProxyOptions {
    /// Refuses a server address that the proxy itself listens on.
    pub(super) fn check_loop(&self, listening: SocketAddr) -> Result<(), ProxyError> {
        let local = listening.ip() == self.to.ip()
            || (listening.ip().is_unspecified()
                && (self.to.ip().is_loopback() || self.to.ip().is_unspecified()));
        if local && listening.port() == self.to.port() {
            return Err(ProxyError::Itself(self.to));
        }
        Ok(())
    }
}
