//! Streams whose messages are none, through a session (`docs/spec/stt-primitives.md` 7.3).

use std::sync::Arc;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use stt_core::message::Preface;
use tokio::sync::{broadcast::Receiver, mpsc};

use crate::{EndpointManager, FrameDispatcher, Node, NodeEvent, Session};

/// Two nodes and the ends of a session between them. The second takes messages: what comes as a
/// frame of type 0x80 comes out of the queue.
struct Pair {
    client: Node,
    server: Node,
    here: Session,
    _there: Session,
    frames: mpsc::UnboundedReceiver<Bytes>,
    endpoints: Arc<EndpointManager>,
}

impl Pair {
    async fn new() -> Self {
        let node = |seed: u8| Node::builder([seed; 32], [7; 32]).host("127.0.0.1");
        let (client, server) = (node(1).build().unwrap(), node(2).build().unwrap());
        client.start().await.unwrap();
        let port = server.start().await.unwrap().port();
        let (sender, frames) = mpsc::unbounded_channel();
        let dispatcher = FrameDispatcher::new();
        let take = move |payload| {
            drop(sender.send(payload));
            async { Ok(()) }
        };
        dispatcher.register_handler(0x80, take).unwrap();
        let endpoints = Arc::new(EndpointManager::new());
        server.dispatch_frames(Arc::new(dispatcher));
        server.route_endpoints(Arc::clone(&endpoints) as _);
        let here = client.connect_udp("127.0.0.1", port).await.unwrap();
        let there = server.accept().await.unwrap();
        Self {
            client,
            server,
            here,
            _there: there,
            frames,
            endpoints,
        }
    }

    /// The session still carries messages of both kinds.
    async fn goes_on(&mut self) {
        self.here.send_frame(0x80, "frame").await.unwrap();
        assert_eq!(self.frames.recv().await.unwrap(), "frame");
        self.here.send_to_endpoint("a", "message").await.unwrap();
        let message = self.endpoints.receive_from_endpoint("a").await.unwrap();
        assert_eq!(message, "message");
    }

    async fn end(self) {
        self.client.stop().await;
        self.server.stop().await;
    }
}

async fn failure(events: &mut Receiver<NodeEvent>) -> ([u8; 8], String) {
    loop {
        if let NodeEvent::MessageFailed { session, reason } = events.recv().await.unwrap() {
            return (session, reason);
        }
    }
}

async fn within<T>(test: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, test)
        .await
        .expect("the test hangs")
}

#[tokio::test]
async fn a_stream_of_bad_messages_is_stopped_and_the_session_goes_on() {
    const OVER_16_MIB: &[u8] = &[0x81, 0x80, 0x80, 0x08];
    let bad: [(Preface, &[u8]); 11] = [
        // No type; one of STT's; a length in too many bytes; in far too many; over the limit.
        (Preface::User, &[0]),
        (Preface::User, &[1, 0x7f]),
        (Preface::User, &[0x81, 0, 0x80]),
        (Preface::User, &[0xff; 12]),
        (Preface::User, OVER_16_MIB),
        // A good one before a bad one.
        (Preface::User, &[1, 0x80, 1, 0]),
        // No name; an empty one; one longer than the body; one that is no text.
        (Preface::Endpoint, &[0]),
        (Preface::Endpoint, &[1, 0]),
        (Preface::Endpoint, &[2, 5, b'a']),
        (Preface::Endpoint, &[3, 2, 0xff, 0xfe]),
        (Preface::Endpoint, OVER_16_MIB),
    ];
    within(async {
        let mut pair = Pair::new().await;
        let mut events = pair.server.events();
        for (i, (preface, bytes)) in bad.into_iter().enumerate() {
            let mut stream = pair.here.core().open_messages(preface).await.unwrap();
            stream.write_all_bytes(bytes).await.unwrap();
            assert_eq!(stream.stopped().await, Ok(Some(0x22)), "{bytes:?}");
            let (session, reason) = failure(&mut events).await;
            assert_eq!(session, pair.here.id());
            assert!(!reason.is_empty());
            assert_eq!(pair.server.stats().messages_failed, i as u64 + 1);
        }
        assert_eq!(pair.frames.recv().await.unwrap(), "");
        pair.goes_on().await;
        pair.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_end_inside_a_message_is_told() {
    within(async {
        let mut pair = Pair::new().await;
        let mut events = pair.server.events();
        for (preface, bytes) in [
            (Preface::User, &[5, 0x80][..]),
            (Preface::User, &[0x80]),
            (Preface::Endpoint, &[9, 1, b'a']),
        ] {
            let mut stream = pair.here.core().open_messages(preface).await.unwrap();
            stream.write_all_bytes(bytes).await.unwrap();
            stream.finish().unwrap();
            let (session, reason) = failure(&mut events).await;
            assert_eq!(session, pair.here.id());
            assert!(!reason.is_empty());
        }
        pair.goes_on().await;
        pair.end().await;
    })
    .await;
}

#[tokio::test]
async fn any_bytes_on_streams_of_messages_harm_nobody() {
    within(async {
        let mut pair = Pair::new().await;
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut random = move || rng.next_u64();
        for i in 0..300 {
            let preface = if i % 2 == 0 {
                Preface::User
            } else {
                Preface::Endpoint
            };
            let bytes: Vec<u8> = (0..random() % 300).map(|_| random() as u8).collect();
            let mut stream = pair.here.core().open_messages(preface).await.unwrap();
            // It may be stopped in the middle.
            let _ = stream.write_all_bytes(&bytes).await;
            if random() % 2 == 0 {
                let _ = stream.reset(random() % 100);
            }
        }
        pair.here.flushed().await.unwrap();
        assert!(pair.server.stats().messages_failed > 0);
        while pair.frames.try_recv().is_ok() {}
        pair.goes_on().await;
        pair.end().await;
    })
    .await;
}
