use core::time::Duration;
use std::sync::Arc;

use drybox::{
    adapter::{Adapter, AdapterConfig, AdapterFault, Capabilities, Context, SduBatch},
    rng::Streams,
};
use serde_json::json;
use stt_core::{
    Connection, ConnectionHandle, Ecn, Endpoint, EndpointConfig, EndpointEvent, Event, PathId,
    SessionConfig, Stats, Timestamp,
    endpoint::{AnyPath, ConnectConfig},
    handshake::Credentials,
};
use stt_crypto::secret::Seed;

use super::{settings::SttSettings, traffic::Traffic};

/// Opens a session from left to right and sends `bytes` on a stream, a request every `request_ms`,
/// a datagram of `datagram_bytes` every `datagram_ms`; asks for new keys every `rekey_ms`. The
/// other settings are in `docs/spec/adapters.md`, section 7.5.
#[derive(Default)]
pub struct Stt {
    running: Option<Running>,
}

struct Running {
    settings: SttSettings,
    endpoint: Endpoint,
    /// The sessions in the order of their confirmation: this side sends on the first.
    sessions: Vec<Session>,
    buf: Vec<u8>,
    peer: PathId,
}

struct Session {
    handle: ConnectionHandle,
    traffic: Traffic,
    /// As of its end, once it has ended.
    stats: Option<Stats>,
    failed_opens: u64,
}

fn path(name: &[u8]) -> PathId {
    PathId::new(name).expect("a few bytes are few enough")
}

impl Adapter for Stt {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let settings = SttSettings::read(config)?;
        let fault = |error: &dyn core::fmt::Display| AdapterFault::Load(error.to_string());
        let seed = Seed::new(&settings.seed).map_err(|error| fault(&error))?;
        let identity = config.side.name().as_bytes();
        let credentials = Credentials::new(seed.node_key(identity), seed.psk());
        let mut endpoint = EndpointConfig::new(credentials);
        endpoint.paths = Box::new(AnyPath(settings.profile));
        endpoint.session = Arc::new(SessionConfig {
            controller: settings.controller,
            max_mtu: settings.profile.mtu,
            ..SessionConfig::default()
        });
        let mtu = usize::from(settings.profile.mtu);
        self.running = Some(Running {
            endpoint: Endpoint::new(endpoint, endpoint_seed(config)),
            sessions: Vec::new(),
            buf: vec![0; mtu.max(256)],
            peer: path(b"peer"),
            settings,
        });
        Ok(Capabilities {
            bytelink: true,
            sdu_max_bytes: mtu,
            ..Capabilities::default()
        })
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let running = self.running()?;
        let (mtu, limit) = (
            usize::from(running.settings.profile.mtu),
            context.config().sdu_max_bytes,
        );
        if mtu > limit {
            let side = context.config().side.name();
            return Err(AdapterFault::Load(format!(
                "{side}.mtu: {mtu} is over this link's sdu_max_bytes of {limit}"
            )));
        }
        Ok(())
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let running = self.running()?;
        if !running.settings.connects {
            return Ok(());
        }
        let config = ConnectConfig {
            profile: running.settings.profile,
            timeout: Duration::from_secs(60),
            ..ConnectConfig::default()
        };
        let now = running.now(context);
        running
            .endpoint
            .connect(now, running.peer, config)
            .map(|_| ())
            .map_err(|error| AdapterFault::Load(error.to_string()))
    }

    fn on_timer(&mut self, context: &mut Context, _: u64) -> Result<(), AdapterFault> {
        let running = self.running()?;
        let now = running.now(context);
        if running.settings.peer_moves_ms == Some(context.now_ms()) {
            running.peer = path(b"moved peer");
        }
        if running.endpoint.poll_timeout().is_some_and(|at| at <= now) {
            running.endpoint.handle_timeout(now);
        }
        running.act(context);
        Ok(())
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        let running = self.running()?;
        let now = running.now(context);
        for _ in 0..budget {
            let Some(transmit) = running.endpoint.poll_transmit(now, 1, &mut running.buf) else {
                break;
            };
            // Where the peer was before it moved, nobody listens.
            if transmit.path == running.peer {
                out.push(&running.buf[..transmit.size]);
            }
        }
        running.tell(context);
        Ok(())
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        let running = self.running()?;
        let now = running.now(context);
        for sdu in sdus.iter() {
            let mut datagram = sdu.to_vec();
            running
                .endpoint
                .handle_datagram(now, running.peer, Ecn::NotEct, &mut datagram);
        }
        running.tell(context);
        running.act(context);
        Ok(())
    }

    fn is_handshake_complete(&mut self, _: &mut Context) -> Result<Option<bool>, AdapterFault> {
        Ok(Some(!self.running()?.sessions.is_empty()))
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        if let Ok(running) = self.running() {
            running.summarise(context);
        }
        Ok(())
    }
}

impl Stt {
    fn running(&mut self) -> Result<&mut Running, AdapterFault> {
        self.running
            .as_mut()
            .ok_or_else(|| AdapterFault::Contract("called before open".to_owned()))
    }
}

impl Running {
    fn now(&self, context: &Context) -> Timestamp {
        Timestamp::from_millis(self.settings.clock_ms.saturating_add(context.now_ms()))
    }

    fn act(&mut self, context: &mut Context) {
        let now_ms = context.now_ms();
        for session in &mut self.sessions {
            if let Some(connection) = self.endpoint.connection(session.handle) {
                session.traffic.act(connection, now_ms);
            }
        }
    }

    /// Passes on what happened.
    fn tell(&mut self, context: &mut Context) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                EndpointEvent::Opened { handle, peer, .. } => {
                    let time = context.now_ms();
                    let settings = if self.sessions.is_empty() {
                        self.settings.clone()
                    } else {
                        self.settings.passive()
                    };
                    self.sessions.push(Session {
                        handle,
                        traffic: Traffic::new(settings, time),
                        stats: None,
                        failed_opens: 0,
                    });
                    context.emit_event(
                        "hs_done",
                        json!({"auth": "ok", "time_ms": time, "peer": peer.to_string()}),
                    );
                }
                EndpointEvent::Failed { error, .. } => context.emit_event(
                    "hs_fail",
                    json!({"reason": error.to_string(), "time_ms": context.now_ms()}),
                ),
                EndpointEvent::Refused { refusal, .. } => {
                    context.emit_event("refused", json!({"reason": refusal.to_string()}));
                }
                EndpointEvent::Session { handle, event } => {
                    self.on_session_event(context, handle, &event);
                }
                _ => {}
            }
        }
    }

    fn on_session_event(&mut self, context: &mut Context, handle: ConnectionHandle, event: &Event) {
        let now = context.now_ms();
        let Some(session) = self.sessions.iter_mut().find(|one| one.handle == handle) else {
            return;
        };
        let connection = self.endpoint.connection(handle);
        match event {
            Event::KeysUpdated { epoch } => {
                context.emit_event("rekey_done", json!({"time_ms": now, "epoch": epoch}));
            }
            Event::OpenFailed { total } => {
                let news = total - session.failed_opens;
                session.failed_opens = *total;
                context.emit_event("aead_fail", json!({"count": news}));
            }
            Event::PathChanged(_) => context.emit_event("path_changed", json!({"time_ms": now})),
            Event::Closed(error) => {
                context.emit_event("closed", json!({"reason": error.to_string()}));
                session.stats = connection.as_ref().map(|connection| connection.stats());
            }
            _ => {}
        }
        if let Some(connection) = connection {
            session.traffic.on_event(context, connection, event);
        }
    }

    fn summarise(&mut self, context: &mut Context) {
        for session in &self.sessions {
            let running = self.endpoint.connection_ref(session.handle);
            let stats = session.stats.or_else(|| running.map(Connection::stats));
            session.summarise(context, &stats.unwrap_or_default());
        }
    }
}

impl Session {
    fn summarise(&self, context: &mut Context, stats: &Stats) {
        if stats.failed_opens > self.failed_opens {
            let news = stats.failed_opens - self.failed_opens;
            context.emit_event("aead_fail", json!({"count": news}));
        }
        let totals = self.traffic.totals;
        context.emit_event(
            "stt_summary",
            json!({
                "received_bytes": totals.received,
                "wrong_bytes": totals.wrong,
                "answers": totals.answered,
                "datagrams_sent": totals.datagrams_sent,
                "datagrams_received": totals.datagrams_received,
                "packets_sent": stats.packets_sent,
                "packets_lost": stats.packets_lost,
                "duplicates": stats.duplicates,
                "probes": stats.probes,
                "rtt_ms": stats.rtt.as_secs_f64() * 1e3,
                "key_epoch": stats.key_epoch,
                "mtu": stats.mtu,
            }),
        );
    }
}

/// The endpoint's seed: of the run's seed and the side, so that runs repeat.
fn endpoint_seed(config: &AdapterConfig) -> [u8; 32] {
    Streams::new(config.seed).key(&format!("{}/stt", config.side.name()))
}
