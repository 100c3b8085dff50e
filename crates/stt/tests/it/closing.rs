//! Ends: of sessions, and of nodes.

use std::{sync::Arc, time::Duration};

use stt::{
    CloseReason, ConnectError, ConnectionError, EndpointManager, NodeError, ReadError, WriteError,
};
use tokio::io::AsyncWriteExt;

use crate::support::{builder, join, two_nodes, within};

#[tokio::test]
async fn what_came_before_the_end_can_be_read_after_it() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        let mut cut = opened.open_uni().await.unwrap();
        sending.write_all(b"all of it").await.unwrap();
        sending.finish().unwrap();
        cut.write_all(b"a part").await.unwrap();
        opened.send_datagram(b"live").unwrap();
        opened.flushed().await.unwrap();
        opened.close(5, "enough");

        let reason = accepted.closed().await;
        assert_eq!(reason.peer_code(), Some(5));
        let mut whole = accepted.accept_uni().await.unwrap();
        let mut part = accepted.accept_uni().await.unwrap();
        assert_eq!(whole.read_to_end(100).await.unwrap(), b"all of it");
        let mut buffer = [0; 100];
        assert_eq!(part.read(&mut buffer).await, Ok(Some(6)));
        assert_eq!(&buffer[..6], b"a part");
        let over = part.read(&mut buffer).await;
        assert_eq!(over, Err(ReadError::Session(reason.clone())));
        assert_eq!(accepted.recv_datagram().await.unwrap(), b"live"[..]);
        assert_eq!(accepted.recv_datagram().await, Err(reason.clone()));
        assert_eq!(accepted.accept_uni().await.unwrap_err(), reason);
        assert_eq!(accepted.open_uni().await.unwrap_err(), reason);
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn dropping_everything_sends_what_was_written() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        let data = vec![3; 1_000_000];
        sending.write_all_bytes(&data).await.unwrap();
        sending.finish().unwrap();
        drop((sending, opened));
        let mut receiving = accepted.accept_uni().await.unwrap();
        assert!(receiving.read_to_end(2_000_000).await.unwrap() == data);
        let reason = accepted.closed().await;
        assert_eq!(reason.peer_code(), Some(0));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn stopping_sends_what_was_written_and_ends_calls_that_wait() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(&[8; 100_000]).await.unwrap();
        sending.finish().unwrap();
        let waiting = tokio::spawn({
            let opened = opened.clone();
            async move { opened.accept_uni().await.map(drop) }
        });
        let unanswered = tokio::spawn({
            let client = client.clone();
            // Nobody is there.
            async move { client.connect_udp("127.0.0.1", 9).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let (all, ()) = tokio::join!(
            async {
                let mut receiving = accepted.accept_uni().await.unwrap();
                receiving.read_to_end(200_000).await.unwrap()
            },
            client.stop()
        );
        assert_eq!(all, [8; 100_000]);
        assert!(waiting.await.unwrap().unwrap_err().is_local());
        let outcome = unanswered.await.unwrap();
        assert!(outcome.is_err(), "{outcome:?}");
        assert!(opened.close_reason().unwrap().is_local());
        assert!(matches!(sending.write(b"x").await, Err(WriteError::Closed)));
        assert_eq!(accepted.closed().await.peer_code(), Some(0));

        assert!(matches!(client.local_addr(), Err(NodeError::NotStarted)));
        let late = client.connect_udp("127.0.0.1", 9).await;
        assert!(matches!(late, Err(ConnectError::Stopped)));
        assert!(client.accept().await.is_none());
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stopped_node_leaves_no_task_and_no_socket() {
    within(async {
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.num_alive_tasks();
        let (client, server) = two_nodes().await;
        let port = server.local_addr().unwrap().port();
        let (opened, _accepted) = join(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(b"x").await.unwrap();
        assert!(metrics.num_alive_tasks() > before);
        let waiting = server.clone();
        let acceptor = tokio::spawn(async move { waiting.accept().await.is_none() });
        tokio::task::yield_now().await;
        client.stop().await;
        server.stop().await;
        assert!(acceptor.await.unwrap());
        assert_eq!(metrics.num_alive_tasks(), before);
        // The port is free, though handles of its sessions are still here.
        std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();

        // And both may start again.
        client.start().await.unwrap();
        server.start().await.unwrap();
        assert!(matches!(
            server.start().await,
            Err(NodeError::AlreadyStarted)
        ));
        join(&client, &server).await;
        client.stop().await;
        server.stop().await;
        server.stop().await;
        assert_eq!(metrics.num_alive_tasks(), before);
    })
    .await;
}

#[tokio::test]
async fn a_stopped_node_leaves_nothing_of_web_sockets_messages_and_moves() {
    within(async {
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.num_alive_tasks();
        let (client, server) = two_nodes().await;
        let endpoints = Arc::new(EndpointManager::new());
        server.route_endpoints(Arc::clone(&endpoints) as _);
        let listening = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let over_ws = client.connect_ws("127.0.0.1", listening.port());
        let over_ws = over_ws.await.unwrap();
        let _over_ws = server.accept().await.unwrap();
        let (moving, _moving) = join(&client, &server).await;
        moving.migrate("127.0.0.1", 0).await.unwrap();
        for session in [&over_ws, &moving] {
            session.send_to_endpoint("e", "message").await.unwrap();
            let message = endpoints.receive_from_endpoint("e").await.unwrap();
            assert_eq!(message, "message");
        }
        let bound = [&client, &server].map(|node| node.local_addr().unwrap());
        client.stop().await;
        server.stop().await;
        assert_eq!(metrics.num_alive_tasks(), before);
        for address in bound {
            std::net::UdpSocket::bind(address).unwrap();
        }
        // Nobody listens there any more.
        let refused = std::net::TcpStream::connect(listening).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        drop((over_ws, moving));
    })
    .await;
}

#[tokio::test]
async fn a_stop_that_is_given_up_ends_all_the_same() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, _accepted) = join(&client, &server).await;
        let (mut sending, _receiving) = opened.open_bi().await.unwrap();
        // More than the peer takes, so that stopping takes a while.
        let chunk = vec![5; 1 << 20];
        while tokio::time::timeout(Duration::from_millis(100), sending.write(&chunk))
            .await
            .is_ok()
        {}
        for _ in 0..3 {
            let given_up = tokio::time::timeout(Duration::from_millis(1), client.stop()).await;
            assert!(given_up.is_err());
        }
        // Waits for its end.
        client.start().await.unwrap();
        assert!(opened.close_reason().is_some());
        join(&client, &server).await;
        client.stop().await;
        assert!(!client.is_running());
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_dropped_goes_once_its_sessions_have() {
    within(async {
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.num_alive_tasks();
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        drop(client);
        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(b"still here").await.unwrap();
        sending.finish().unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();
        assert_eq!(receiving.read_to_end(100).await.unwrap(), b"still here");
        drop((opened, sending));
        accepted.closed().await;
        drop((accepted, receiving, server));
        // Both drivers end by themselves.
        while metrics.num_alive_tasks() > before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_beyond_the_backlog_are_closed() {
    within(async {
        let client = builder(1).build().unwrap();
        let server = builder(2).backlog(2).build().unwrap();
        client.start().await.unwrap();
        let port = server.start().await.unwrap().port();
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(client.connect_udp("127.0.0.1", port).await.unwrap());
        }
        let reason = sessions[2].closed().await;
        let expected = ConnectionError::ApplicationClosed {
            code: 1,
            reason: "not accepted".into(),
        };
        assert_eq!(reason, CloseReason::Session(expected));
        assert!(sessions[1].close_reason().is_none());
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn keys_change_while_data_flows() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let (opened, accepted) = (Arc::new(opened), accepted);
        let mut sending = opened.open_uni().await.unwrap();
        let write = async {
            for _ in 0..50 {
                sending.write_all(&[4; 20_000]).await.unwrap();
                tokio::task::yield_now().await;
            }
            sending.finish().unwrap();
        };
        let rekey = async {
            for _ in 0..2 {
                opened.rekey().await.unwrap();
            }
        };
        let read = async {
            let mut receiving = accepted.accept_uni().await.unwrap();
            receiving.read_to_end(1_000_000).await.unwrap()
        };
        let ((), (), all) = tokio::join!(write, rekey, read);
        assert!(all == vec![4; 1_000_000]);
        assert!(opened.stats().unwrap().key_epoch >= 2);
        client.stop().await;
        server.stop().await;
    })
    .await;
}
