//! Our end.

use std::{sync::Arc, time::Duration};

use stt_core::{
    ControllerKind, Dir, Ecn, Endpoint, EndpointConfig, EndpointEvent, Event, LinkProfile, PathId,
    SessionConfig, StreamConfig, StreamEvent, StreamId, Timestamp,
    connection::RekeyLimits,
    endpoint::{AnyPath, ConnectConfig, ConnectionHandle},
    handshake::Credentials,
    wire::Limits,
};
use stt_crypto::{Aead, secret::Seed};

use crate::{
    Settings,
    world::{BATCH, Batch, End, Time},
};

pub struct Ours {
    endpoint: Endpoint,
    profile: LinkProfile,
    to: PathId,
    from: PathId,
    room: usize,
    sessions: Vec<ConnectionHandle>,
    confirmed: usize,
    sends: Option<StreamId>,
    blocked: bool,
    data: Vec<u8>,
    received: u64,
}

/// The initiator and the responder.
pub fn pair(settings: &Settings) -> [Ours; 2] {
    [0_u8, 1].map(|name| {
        let profile = LinkProfile {
            mtu: settings.mtu,
            ..LinkProfile::INTERNET
        };
        let own = Seed::new(&[200; 32]).expect("not empty");
        let shared = Seed::new(&[1; 32]).expect("not empty");
        let mut config = EndpointConfig::new(Credentials::new(own.node_key(&[name]), shared.psk()));
        let window = settings.window;
        config.aeads = vec![Aead::Aes256Gcm];
        config.paths = Box::new(AnyPath(profile));
        let streams = {
            let mut streams = StreamConfig::default();
            streams.send_buffer = window as usize;
            streams.session_send_buffer = window as usize;
            streams.max_stream_window = window;
            streams.max_window = window;
            streams
        };
        config.session = Arc::new(SessionConfig {
            limits: Limits::default()
                .with_max_data(window)
                .with_max_stream_data(window)
                .with_idle_timeout(None),
            streams,
            max_mtu: settings.mtu,
            controller: ControllerKind::Cubic,
            rekey: RekeyLimits {
                age: None,
                ..RekeyLimits::default()
            },
            ..SessionConfig::default()
        });
        let address = |name: u8| PathId::new(&[name; 6]).expect("short");
        Ours {
            endpoint: Endpoint::new(config, [name + 1; 32]),
            profile,
            to: address(1 - name),
            from: address(1 - name),
            room: usize::from(settings.mtu) * BATCH,
            sessions: Vec::new(),
            confirmed: 0,
            sends: None,
            blocked: false,
            data: vec![0x5a; 16 << 10],
            received: 0,
        }
    })
}

impl Ours {
    fn write(&mut self) {
        let (Some(id), Some(&handle)) = (self.sends, self.sessions.first()) else {
            return;
        };
        if !self.blocked
            && let Some(connection) = self.endpoint.connection(handle)
        {
            while connection.streams().write(id, &self.data).is_ok() {}
            self.blocked = true;
        }
    }

    fn read(&mut self, handle: ConnectionHandle, id: StreamId) {
        let Some(connection) = self.endpoint.connection(handle) else {
            return;
        };
        while let Ok(Some(piece)) = connection.streams().peek(id) {
            let len = piece.len();
            self.received += len as u64;
            connection.streams().consume(id, len);
        }
    }
}

impl End for Ours {
    fn connect(&mut self, now: Time) {
        let config = ConnectConfig {
            profile: self.profile,
            timeout: Duration::from_secs(10),
            ..ConnectConfig::default()
        };
        let begun = self
            .endpoint
            .connect(Timestamp::from_nanos(now), self.to, config);
        begun.expect("there is room");
    }

    fn confirmed(&self) -> usize {
        self.confirmed
    }

    fn forget(&mut self) {
        for handle in self.sessions.drain(..) {
            self.endpoint.abandon(handle);
        }
        self.confirmed = 0;
    }

    fn begin_bulk(&mut self) {
        let connection = self.endpoint.connection(self.sessions[0]).expect("open");
        self.sends = connection.open(Dir::Uni);
        self.write();
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn transmit(&mut self, now: Time, batch: &mut Batch) -> bool {
        batch.bytes.resize(self.room, 0);
        let now = Timestamp::from_nanos(now);
        let Some(transmit) = self.endpoint.poll_transmit(now, BATCH, &mut batch.bytes) else {
            return false;
        };
        batch.size = transmit.size;
        batch.segment = transmit.segment_size.unwrap_or(transmit.size);
        true
    }

    fn receive(&mut self, now: Time, batch: &mut Batch) {
        let now = Timestamp::from_nanos(now);
        for datagram in batch.bytes[..batch.size].chunks_mut(batch.segment) {
            self.endpoint
                .handle_datagram(now, self.from, Ecn::NotEct, datagram);
        }
    }

    fn act(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                EndpointEvent::Opened { handle, .. } => self.sessions.push(handle),
                EndpointEvent::Session { handle, event } => match event {
                    Event::Confirmed => self.confirmed += 1,
                    Event::Stream(StreamEvent::Opened { dir }) => {
                        let connection = self.endpoint.connection(handle);
                        if let Some(id) = connection.and_then(|open| open.streams().accept(dir)) {
                            self.read(handle, id);
                        }
                    }
                    Event::Stream(StreamEvent::Readable(id)) => self.read(handle, id),
                    Event::Stream(StreamEvent::Writable(_)) => {
                        self.blocked = false;
                        self.write();
                    }
                    event => assert!(!matches!(event, Event::Closed(_)), "{event:?}"),
                },
                event => panic!("{event:?}"),
            }
        }
    }

    fn deadline(&mut self) -> Option<Time> {
        self.endpoint.poll_timeout().map(Timestamp::as_nanos)
    }

    fn on_deadline(&mut self, now: Time) {
        self.endpoint.handle_timeout(Timestamp::from_nanos(now));
    }
}
