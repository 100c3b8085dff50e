//! User frames and endpoint messages between nodes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use stt::{
    EndpointLimits, EndpointManager, FrameDispatcher, MessageFuture, MessageSink, NodeEvent,
    PeerMessage, SendMessageError, Session, core::message::MessageDecoder,
};
use tokio::{sync::mpsc, time::timeout};

use crate::support::{join, two_nodes, within};

/// A dispatcher that puts what comes with these types into a queue.
fn collector(types: &[u8]) -> (Arc<FrameDispatcher>, mpsc::UnboundedReceiver<(u8, Bytes)>) {
    let dispatcher = FrameDispatcher::new();
    let (sender, receiver) = mpsc::unbounded_channel();
    for &frame_type in types {
        let sender = sender.clone();
        dispatcher
            .register_handler(frame_type, move |payload| {
                drop(sender.send((frame_type, payload)));
                async { Ok(()) }
            })
            .unwrap();
    }
    (Arc::new(dispatcher), receiver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_reach_the_handlers_of_the_peer_in_order() {
    within(async {
        let (client, server) = two_nodes().await;
        let (dispatcher, mut frames) = collector(&[0x80, 0xff]);
        server.dispatch_frames(dispatcher);
        let (here, there) = join(&client, &server).await;
        // A megabyte among small ones.
        for i in 0..200_usize {
            let frame_type = if i % 2 == 0 { 0x80 } else { 0xff };
            let len = if i == 100 { 1 << 20 } else { i };
            here.send_frame(frame_type, vec![i as u8; len])
                .await
                .unwrap();
        }
        for i in 0..200_usize {
            let (frame_type, payload) = frames.recv().await.unwrap();
            assert_eq!(frame_type == 0x80, i % 2 == 0);
            assert!(payload.iter().all(|&byte| byte == i as u8));
            assert_eq!(payload.len(), if i == 100 { 1 << 20 } else { i });
        }
        // A session's own sink goes before the node's, and the other direction is another matter.
        let (dispatcher, mut own) = collector(&[0x80]);
        here.dispatch_frames(dispatcher);
        there.send_frame(0x80, "answer").await.unwrap();
        assert_eq!(own.recv().await.unwrap(), (0x80, Bytes::from("answer")));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_may_answer_by_the_session_of_the_frame() {
    within(async {
        let (client, server) = two_nodes().await;
        let echo = FrameDispatcher::new();
        echo.register_session_handler(0x90, |session, payload| async move {
            session.send_frame(0x91, payload).await?;
            Ok(())
        })
        .unwrap();
        assert!(echo.dispatch(0x90, "from nowhere").await.is_err());
        server.dispatch_frames(Arc::new(echo));
        let (here, _there) = join(&client, &server).await;
        let (dispatcher, mut answers) = collector(&[0x91]);
        here.dispatch_frames(dispatcher);
        here.send_frame(0x90, "hello").await.unwrap();
        assert_eq!(answers.recv().await.unwrap(), (0x91, Bytes::from("hello")));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_handler_is_told_and_stops_nothing() {
    within(async {
        let (client, server) = two_nodes().await;
        let (dispatcher, mut frames) = collector(&[0x82]);
        dispatcher
            .register_handler(0x80, |_| async { Err("no disk".into()) })
            .unwrap();
        dispatcher
            .register_handler(0x81, |_| async { panic!("oh") })
            .unwrap();
        server.dispatch_frames(dispatcher);
        let mut events = server.events();
        let (here, _there) = join(&client, &server).await;
        for frame_type in [0x80, 0x81, 0x83, 0x82] {
            here.send_frame(frame_type, "x").await.unwrap();
        }
        assert_eq!(frames.recv().await.unwrap().0, 0x82);
        let mut reasons = Vec::new();
        while reasons.len() < 3 {
            if let NodeEvent::MessageFailed { session, reason } = events.recv().await.unwrap() {
                assert_eq!(session, here.id());
                reasons.push(reason);
            }
        }
        assert_eq!(
            reasons,
            [
                "handler of frame type 0x80: no disk",
                "handler of frame type 0x81: the handler panicked: oh",
                "no handler for frame type 0x83",
            ]
        );
        assert_eq!(server.stats().messages_failed, 3);
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_wait_until_something_receives_them() {
    within(async {
        let (client, server) = two_nodes().await;
        let (here, there) = join(&client, &server).await;
        here.send_frame(0x80, "early").await.unwrap();
        here.send_to_endpoint("a", "early too").await.unwrap();
        // The stream that follows has arrived when it is accepted.
        let mut stream = here.open_uni().await.unwrap();
        stream.write_all_bytes(b"x").await.unwrap();
        there.accept_uni().await.unwrap();
        let (dispatcher, mut frames) = collector(&[0x80]);
        there.dispatch_frames(dispatcher);
        assert_eq!(frames.recv().await.unwrap().1, "early");
        let endpoints = Arc::new(EndpointManager::new());
        server.route_endpoints(endpoints.clone());
        assert_eq!(
            endpoints.receive_from_endpoint("a").await.unwrap(),
            "early too"
        );
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_endpoint_holds_its_own_senders_up_and_no_others() {
    within(async {
        let (client, server) = two_nodes().await;
        let limits = EndpointLimits {
            messages: 2,
            ..EndpointLimits::default()
        };
        let endpoints = Arc::new(EndpointManager::with_limits(limits));
        server.route_endpoints(endpoints.clone());
        let (here, _there) = join(&client, &server).await;
        let mut sent = 0;
        // Queue, stream and windows hold some of them; then no more are taken.
        while let Ok(sending) = timeout(
            Duration::from_millis(300),
            here.send_to_endpoint("full", vec![sent; 100_000]),
        )
        .await
        {
            sending.unwrap();
            sent += 1;
            assert!(sent < 200, "{sent} messages lie somewhere");
        }
        // What was given up by the time-out is sent all the same, as a whole.
        let given_up = sent;
        here.send_to_endpoint("free", "passes").await.unwrap();
        assert_eq!(
            endpoints.receive_from_endpoint("free").await.unwrap(),
            "passes"
        );
        assert_eq!(endpoints.pending("full"), 2);
        let last = here.send_to_endpoint("full", "last");
        let receiving = async {
            for expected in 0..=given_up {
                let message = endpoints.receive_from_endpoint("full").await.unwrap();
                assert!(message == vec![expected; 100_000]);
            }
            assert_eq!(
                endpoints.receive_from_endpoint("full").await.unwrap(),
                "last"
            );
        };
        let (last, ()) = tokio::join!(last, receiving);
        last.unwrap();
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_endpoints_and_senders_at_once() {
    within(async {
        const EACH: u32 = 20;
        let (client, server) = two_nodes().await;
        let endpoints = Arc::new(EndpointManager::new());
        server.route_endpoints(endpoints.clone());
        let (here, _there) = join(&client, &server).await;
        let mut senders = tokio::task::JoinSet::new();
        // More than there are streams for.
        for name in 0..100_u32 {
            let here = here.clone();
            senders.spawn(async move {
                for i in 0..EACH {
                    let name = format!("endpoint {name}");
                    here.send_to_endpoint(&name, i.to_be_bytes()).await.unwrap();
                }
            });
        }
        senders.join_all().await;
        for name in 0..100 {
            for i in 0..EACH {
                let message = endpoints
                    .receive_from_endpoint(&format!("endpoint {name}"))
                    .await;
                assert_eq!(message.unwrap(), i.to_be_bytes()[..]);
            }
        }
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_is_said_at_once() {
    within(async {
        let (client, server) = two_nodes().await;
        let (here, there) = join(&client, &server).await;
        let error = here.send_frame(0x7f, "").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "frame type 0x7f is reserved; users have 0x80 to 0xff"
        );
        for name in ["", &"n".repeat(256)] {
            let error = here.send_to_endpoint(name, "").await.unwrap_err();
            assert!(matches!(error, SendMessageError::Invalid(_)));
        }
        let long = vec![0; MessageDecoder::DEFAULT_MAX_LEN];
        let error = here.send_frame(0x80, &long).await.unwrap_err();
        assert!(matches!(error, SendMessageError::TooLong { .. }));
        there.close(0, "");
        here.closed().await;
        let error = here.send_frame(0x80, "").await.unwrap_err();
        assert!(matches!(error, SendMessageError::Session(_)));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_message_passes() {
    within(async {
        let (client, server) = two_nodes().await;
        let (dispatcher, mut frames) = collector(&[0x80]);
        server.dispatch_frames(dispatcher);
        let (here, _there) = join(&client, &server).await;
        let len = MessageDecoder::DEFAULT_MAX_LEN - 1;
        here.send_frame(0x80, vec![7; len]).await.unwrap();
        assert_eq!(frames.recv().await.unwrap().1.len(), len);
        client.stop().await;
        server.stop().await;
    })
    .await;
}

/// A sink that tells what comes and from whom.
struct Telling(Mutex<mpsc::UnboundedSender<(Session, PeerMessage)>>);

impl MessageSink for Telling {
    fn deliver<'a>(&'a self, session: &'a Session, message: PeerMessage) -> MessageFuture<'a> {
        let told = self.0.lock().unwrap().send((session.clone(), message));
        Box::pin(async move { Ok(told?) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_of_ones_own_over_a_web_socket() {
    within(async {
        let (client, server) = two_nodes().await;
        let (sender, mut told) = mpsc::unbounded_channel();
        let sink = Arc::new(Telling(Mutex::new(sender)));
        server.dispatch_frames(sink.clone());
        server.route_endpoints(sink);
        let address = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let here = client
            .connect_ws("127.0.0.1", address.port())
            .await
            .unwrap();
        let there = server.accept().await.unwrap();
        here.send_frame(0x80, "frame").await.unwrap();
        let (from, message) = told.recv().await.unwrap();
        assert_eq!((from.id(), from.peer()), (there.id(), client.node_id()));
        let (frame_type, payload) = (0x80, Bytes::from("frame"));
        let is_it = matches!(message, PeerMessage::Frame { frame_type: told, payload: bytes }
            if told == frame_type && bytes == payload);
        assert!(is_it);
        here.send_to_endpoint("naïve", vec![1; 300_000])
            .await
            .unwrap();
        let (_, message) = told.recv().await.unwrap();
        assert!(matches!(message, PeerMessage::Endpoint { name, payload }
            if name == "naïve" && payload.len() == 300_000));
        client.stop().await;
        server.stop().await;
    })
    .await;
}
