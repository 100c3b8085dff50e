//! quinn-proto's end: its state machine, with rustls and aws-lc-rs for its TLS.

use std::{
    net::{Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use quinn_proto::{
    AckFrequencyConfig, ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint,
    EndpointConfig, Event, ServerConfig, StreamEvent, StreamId, Transmit, TransportConfig, VarInt,
    congestion::CubicConfig,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use rustls::{
    RootCertStore,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::PrivatePkcs8KeyDer,
    quic::Suite,
};

use crate::{
    Settings,
    world::{BATCH, Batch, End, Time},
};

pub struct Peer {
    endpoint: Endpoint,
    client: ClientConfig,
    other: SocketAddr,
    begin: Instant,
    sessions: Vec<Option<Box<Connection>>>,
    /// Sessions that something happened to.
    stirred: Vec<usize>,
    confirmed: usize,
    /// Answers of the endpoint itself.
    answers: Vec<Vec<u8>>,
    sends: Option<StreamId>,
    blocked: bool,
    data: Vec<u8>,
    received: u64,
}

/// The client and the server.
pub fn pair(settings: &Settings) -> [Peer; 2] {
    let identity = rcgen::generate_simple_self_signed(vec!["peer".to_owned()]).expect("a name");
    let certificate = identity.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der());

    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        ..aws_lc_rs::default_provider()
    });
    let initial = || -> Suite {
        let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
        suite
            .and_then(|suite| suite.quic_suite())
            .expect("for QUIC")
    };
    let transport = Arc::new(transport(settings));

    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("a suite of TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Whole handshakes, not resumed ones.
    tls.resumption = Resumption::disabled();
    let tls = QuicClientConfig::with_initial(Arc::new(tls), initial()).expect("the initial suite");
    let mut client = ClientConfig::new(Arc::new(tls));
    client.transport_config(Arc::clone(&transport));

    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("a suite of TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .expect("the certificate's key");
    tls.send_tls13_tickets = 0;
    let tls = QuicServerConfig::with_initial(Arc::new(tls), initial()).expect("the initial suite");
    let mut server = ServerConfig::with_crypto(Arc::new(tls));
    server.transport_config(transport);
    let server = Arc::new(server);

    let begin = Instant::now();
    [0_u8, 1].map(|name| {
        let mut config = EndpointConfig::default();
        config.rng_seed(Some([name + 1; 32]));
        let port = 4_000 + u16::from(1 - name);
        Peer {
            endpoint: Endpoint::new(
                Arc::new(config),
                (name == 1).then(|| Arc::clone(&server)),
                false,
                None,
            ),
            client: client.clone(),
            other: SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            begin,
            sessions: Vec::new(),
            stirred: Vec::new(),
            confirmed: 0,
            answers: Vec::new(),
            sends: None,
            blocked: false,
            data: vec![0x5a; 16 << 10],
            received: 0,
        }
    })
}

fn transport(settings: &Settings) -> TransportConfig {
    let window = VarInt::from_u64(settings.window).expect("a window");
    let mut transport = TransportConfig::default();
    transport
        .initial_mtu(settings.mtu)
        .mtu_discovery_config(None)
        .stream_receive_window(window)
        .receive_window(window)
        .send_window(settings.window)
        .max_idle_timeout(None)
        .congestion_controller_factory(Arc::new(CubicConfig::default()));
    if let Some(packets) = settings.peer_ack_every {
        let mut frequency = AckFrequencyConfig::default();
        frequency.ack_eliciting_threshold(VarInt::from_u32(packets - 1));
        transport.ack_frequency_config(Some(frequency));
    }
    transport
}

impl Peer {
    fn at(&self, now: Time) -> Instant {
        self.begin + Duration::from_nanos(now)
    }

    fn insert(&mut self, handle: ConnectionHandle, connection: Connection) {
        if self.sessions.len() <= handle.0 {
            self.sessions.resize_with(handle.0 + 1, || None);
        }
        self.sessions[handle.0] = Some(Box::new(connection));
        self.stir(handle.0);
    }

    fn stir(&mut self, session: usize) {
        if !self.stirred.contains(&session) {
            self.stirred.push(session);
        }
    }

    fn write(&mut self) {
        if let (Some(id), false, Some(Some(connection))) =
            (self.sends, self.blocked, self.sessions.first_mut())
        {
            let mut stream = connection.send_stream(id);
            while stream.write(&self.data).is_ok() {}
            self.blocked = true;
            self.stir(0);
        }
    }

    /// Events of a session, and what they ask for.
    fn attend(&mut self, session: usize) {
        let handle = ConnectionHandle(session);
        while let Some(Some(connection)) = self.sessions.get_mut(session) {
            while let Some(event) = connection.poll_endpoint_events() {
                if let Some(event) = self.endpoint.handle_event(handle, event) {
                    connection.handle_event(event);
                }
            }
            let Some(event) = connection.poll() else {
                return;
            };
            match event {
                Event::Connected => self.confirmed += 1,
                Event::Stream(StreamEvent::Opened { dir }) => {
                    if let Some(id) = connection.streams().accept(dir) {
                        self.received += read(connection, id);
                    }
                }
                Event::Stream(StreamEvent::Readable { id }) => {
                    self.received += read(connection, id);
                }
                Event::Stream(StreamEvent::Writable { .. }) => {
                    self.blocked = false;
                    self.write();
                }
                Event::ConnectionLost { reason } => panic!("{reason}"),
                _ => {}
            }
        }
    }
}

/// Reads all there is.
fn read(connection: &mut Connection, id: StreamId) -> u64 {
    let mut stream = connection.recv_stream(id);
    let mut bytes = 0;
    if let Ok(mut chunks) = stream.read(true) {
        while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
            bytes += chunk.bytes.len() as u64;
        }
        let _ = chunks.finalize();
    }
    bytes
}

impl End for Peer {
    fn connect(&mut self, now: Time) {
        let (now, client) = (self.at(now), self.client.clone());
        let begun = self.endpoint.connect(now, client, self.other, "peer");
        let (handle, connection) = begun.expect("there is room");
        self.insert(handle, connection);
    }

    fn confirmed(&self) -> usize {
        self.confirmed
    }

    fn forget(&mut self) {
        for (session, connection) in self.sessions.drain(..).enumerate() {
            if connection.is_some() {
                let handle = ConnectionHandle(session);
                let _ = self
                    .endpoint
                    .handle_event(handle, quinn_proto::EndpointEvent::drained());
            }
        }
        self.stirred.clear();
        self.confirmed = 0;
    }

    fn begin_bulk(&mut self) {
        if let Some(Some(connection)) = self.sessions.first_mut() {
            self.sends = connection.streams().open(Dir::Uni);
        }
        self.write();
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn transmit(&mut self, now: Time, batch: &mut Batch) -> bool {
        let now = self.at(now);
        if let Some(answer) = self.answers.pop() {
            batch.size = answer.len();
            batch.segment = answer.len();
            batch.bytes = answer;
            return true;
        }
        while let Some(&session) = self.stirred.last() {
            batch.bytes.clear();
            if let Some(Some(connection)) = self.sessions.get_mut(session)
                && let Some(Transmit {
                    size, segment_size, ..
                }) = connection.poll_transmit(now, BATCH, &mut batch.bytes)
            {
                batch.size = size;
                batch.segment = segment_size.unwrap_or(size);
                return true;
            }
            self.stirred.pop();
            self.attend(session);
        }
        false
    }

    fn receive(&mut self, now: Time, batch: &mut Batch) {
        let now = self.at(now);
        // It keeps what it is given; without a copy, which its own driver makes.
        batch.bytes.truncate(batch.size);
        let whole = Bytes::from(std::mem::take(&mut batch.bytes));
        let mut whole = whole.try_into_mut().expect("nobody else has it");
        while !whole.is_empty() {
            let datagram: BytesMut = whole.split_to(batch.segment.min(whole.len()));
            let mut answer = Vec::new();
            let event = self
                .endpoint
                .handle(now, self.other, None, None, datagram, &mut answer);
            match event {
                Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                    if let Some(Some(connection)) = self.sessions.get_mut(handle.0) {
                        connection.handle_event(event);
                        self.stir(handle.0);
                    }
                }
                Some(DatagramEvent::NewConnection(incoming)) => {
                    let accepted = self.endpoint.accept(incoming, now, &mut answer, None);
                    let (handle, connection) = accepted.map_err(|error| error.cause).expect("fine");
                    self.insert(handle, connection);
                }
                Some(DatagramEvent::Response(transmit)) => {
                    answer.truncate(transmit.size);
                    self.answers.push(answer);
                }
                None => {}
            }
        }
    }

    fn act(&mut self) {
        for index in 0..self.stirred.len() {
            self.attend(self.stirred[index]);
        }
    }

    fn deadline(&mut self) -> Option<Time> {
        let begin = self.begin;
        self.sessions
            .iter_mut()
            .flatten()
            .filter_map(|connection| connection.poll_timeout())
            .map(|at| at.saturating_duration_since(begin).as_nanos() as Time)
            .min()
    }

    fn on_deadline(&mut self, now: Time) {
        let at = self.at(now);
        for session in 0..self.sessions.len() {
            if let Some(connection) = &mut self.sessions[session]
                && connection.poll_timeout().is_some_and(|due| due <= at)
            {
                connection.handle_timeout(at);
                self.stir(session);
            }
        }
    }
}
