//! Endpoints on one clock, joined by nothing: the tests carry datagrams themselves.

use core::time::Duration;

use stt_core::{
    Ecn, LinkProfile, PathId, Timestamp,
    endpoint::{AnyPath, ConnectConfig, ConnectionHandle, Endpoint, EndpointConfig, EndpointEvent},
    handshake::Credentials,
};
use stt_crypto::{NodeId, secret::Seed};

/// A datagram with the path that it was sent to.
pub(crate) type Datagram = (PathId, Vec<u8>);

pub(crate) fn path(name: &str) -> PathId {
    PathId::new(name.as_bytes()).expect("a short name")
}

/// The shared seed with this number.
pub(crate) fn shared(number: u8) -> Seed {
    Seed::new(&[number; 32]).expect("not empty")
}

/// The node of this name, holding shared seed 1.
pub(crate) fn credentials(name: &str) -> Credentials {
    credentials_with(name, 1)
}

pub(crate) fn credentials_with(name: &str, seed: u8) -> Credentials {
    let own = Seed::new(&[200; 32]).expect("not empty");
    Credentials::new(own.node_key(name.as_bytes()), shared(seed).psk())
}

pub(crate) fn id_of(name: &str) -> NodeId {
    credentials(name).node_id()
}

/// An endpoint with the time that it has seen.
pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Timestamp,
}

impl Node {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(EndpointConfig::new(credentials(name)), name)
    }

    /// `luck` stands for the seed of randomness.
    pub(crate) fn with(config: EndpointConfig, luck: &str) -> Self {
        let mut seed = [0; 32];
        seed[..luck.len()].copy_from_slice(luck.as_bytes());
        Self {
            endpoint: Endpoint::new(config, seed),
            now: Timestamp::from_millis(1_000),
        }
    }

    pub(crate) fn connect(&mut self, to: &str) -> ConnectionHandle {
        self.connect_with(to, ConnectConfig::default())
    }

    pub(crate) fn connect_with(&mut self, to: &str, config: ConnectConfig) -> ConnectionHandle {
        let begun = self.endpoint.connect(self.now, path(to), config);
        begun.expect("there is room")
    }

    /// All that it has to send.
    pub(crate) fn sent(&mut self) -> Vec<Datagram> {
        let mut buf = vec![0; 2_000];
        let mut out = Vec::new();
        while let Some(transmit) = self.endpoint.poll_transmit(self.now, 1, &mut buf) {
            assert_eq!(transmit.segment_size, None);
            out.push((transmit.path, buf[..transmit.size].to_vec()));
        }
        out
    }

    /// The only datagram that it has to send.
    pub(crate) fn sent_one(&mut self) -> Vec<u8> {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1);
        sent.remove(0).1
    }

    /// The first of what it has to send; the others are lost.
    pub(crate) fn sent_first(&mut self) -> Vec<u8> {
        self.sent().remove(0).1
    }

    pub(crate) fn receive(&mut self, from: &str, datagram: &[u8]) {
        self.receive_on(path(from), datagram);
    }

    pub(crate) fn receive_on(&mut self, from: PathId, datagram: &[u8]) {
        let mut datagram = datagram.to_vec();
        self.endpoint
            .handle_datagram(self.now, from, Ecn::NotEct, &mut datagram);
    }

    pub(crate) fn events(&mut self) -> Vec<EndpointEvent> {
        core::iter::from_fn(|| self.endpoint.poll_event()).collect()
    }

    /// The sessions that were opened since events were polled last.
    pub(crate) fn opened(&mut self) -> Vec<(ConnectionHandle, NodeId)> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                EndpointEvent::Opened { handle, peer, .. } => Some((handle, peer)),
                _ => None,
            })
            .collect()
    }

    /// Goes on by `millis`, with every deadline on the way; gives what was sent meanwhile with the
    /// milliseconds that had passed.
    pub(crate) fn pass(&mut self, millis: u64) -> Vec<(u64, Datagram)> {
        let begin = self.now;
        let end = begin + Duration::from_millis(millis);
        let mut out = Vec::new();
        loop {
            let sent = self.sent();
            let passed = self.now.saturating_since(begin).as_millis() as u64;
            out.extend(sent.into_iter().map(|datagram| (passed, datagram)));
            match self.endpoint.poll_timeout() {
                Some(deadline) if deadline <= end => {
                    self.now = self.now.max(deadline);
                    self.endpoint.handle_timeout(self.now);
                }
                _ => break,
            }
        }
        self.now = end;
        out
    }
}

/// Carries everything between two nodes, which know each other by these names, until both are
/// silent.
pub(crate) fn settle(a: (&mut Node, &str), b: (&mut Node, &str)) {
    for _ in 0..100 {
        let to_b = a.0.sent();
        let to_a = b.0.sent();
        if to_a.is_empty() && to_b.is_empty() {
            return;
        }
        for (to, datagram) in to_b {
            if to == path(b.1) {
                b.0.receive(a.1, &datagram);
            }
        }
        for (to, datagram) in to_a {
            if to == path(a.1) {
                a.0.receive(b.1, &datagram);
            }
        }
    }
    panic!("they don't come to rest");
}

/// An endpoint's configuration for links of this kind.
pub(crate) fn config_on(name: &str, profile: LinkProfile) -> EndpointConfig {
    let mut config = EndpointConfig::new(credentials(name));
    config.paths = Box::new(AnyPath(profile));
    config
}
