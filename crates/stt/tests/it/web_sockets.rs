//! Sessions over WebSockets.

use std::{net::SocketAddr, time::Duration};

use stt::{
    CloseReason, ConnectError, ConnectOptions, Node, Session, WsConnectOptions,
    transport::{OriginPolicy, WebSocketListener, WebSocketTransport, WsError, WsListenOptions},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{join, two_nodes, within};

/// Both ends of a session over a WebSocket.
async fn join_ws(client: &Node, server: &Node) -> (Session, Session) {
    let address = server.listen_ws("127.0.0.1", 0).await.unwrap();
    let opened = client
        .connect_ws("127.0.0.1", address.port())
        .await
        .unwrap();
    let accepted = server.accept().await.unwrap();
    assert_eq!(opened.id(), accepted.id());
    (opened, accepted)
}

fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| ((i + seed) * 31 % 251) as u8).collect()
}

/// A WebSocket to a node, opened without its library.
async fn open_by_hand(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Protocol: stt\r\n\r\n";
    socket.write_all(request).await.unwrap();
    assert!(read_head(&mut socket).await.starts_with(b"HTTP/1.1 101 "));
    socket
}

/// An HTTP head, and nothing behind it.
async fn read_head(from: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await.unwrap());
    }
    head
}

/// A server's frame that closes with code 1000.
const CLOSE_NORMAL: [u8; 4] = [0x88, 2, 3, 0xe8];

/// Sends `len` bytes each way on a stream of its own, both at once.
async fn exchange(here: &Session, there: &Session, len: usize) {
    let (mut send, mut receive) = here.open_bi().await.unwrap();
    let opener = async {
        let out = async {
            send.write_all(&pattern(len, 1)).await.unwrap();
            send.finish().unwrap();
        };
        let ((), read) = tokio::join!(out, receive.read_to_end(len + 1));
        assert!(read.unwrap() == pattern(len, 2));
    };
    let answerer = async {
        let (mut send, mut receive) = there.accept_bi().await.unwrap();
        let out = async {
            send.write_all(&pattern(len, 2)).await.unwrap();
            send.finish().unwrap();
        };
        let ((), read) = tokio::join!(out, receive.read_to_end(len + 1));
        assert!(read.unwrap() == pattern(len, 1));
    };
    tokio::join!(opener, answerer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_datagrams_over_a_web_socket() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join_ws(&client, &server).await;
        assert_eq!(opened.peer(), server.node_id());
        exchange(&opened, &accepted, 10 << 20).await;
        opened.send_datagram(&[7; 30_000]).unwrap();
        assert_eq!(accepted.recv_datagram().await.unwrap(), [7; 30_000][..]);
        opened.rekey().await.unwrap();
        exchange(&accepted, &opened, 1 << 20).await;
        assert_eq!(opened.stats().unwrap().packets_lost, 0);
        opened.close(5, "done");
        let reason = accepted.closed().await;
        assert_eq!(reason.peer_code(), Some(5));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_over_both_transports_at_once() {
    within(async {
        const EACH: usize = 20;
        let (client, server) = two_nodes().await;
        let address = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let udp = server.local_addr().unwrap().port();
        let mut opening = tokio::task::JoinSet::new();
        for i in 0..2 * EACH {
            let client = client.clone();
            opening.spawn(async move {
                if i % 2 == 0 {
                    client.connect_udp("127.0.0.1", udp).await.unwrap()
                } else {
                    client
                        .connect_ws("127.0.0.1", address.port())
                        .await
                        .unwrap()
                }
            });
        }
        let opened = opening.join_all().await;
        let mut accepted = std::collections::BTreeMap::new();
        for _ in 0..opened.len() {
            let session = server.accept().await.unwrap();
            accepted.insert(session.id(), session);
        }
        assert_eq!(server.stats().web_sockets, EACH);
        let mut exchanging = tokio::task::JoinSet::new();
        for here in opened {
            let there = accepted.remove(&here.id()).unwrap();
            exchanging.spawn(async move {
                exchange(&here, &there, 300_000).await;
            });
        }
        exchanging.join_all().await;
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_holds_the_sender_up() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join_ws(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        let chunk = pattern(1 << 20, 0);
        let mut written = 0;
        // Windows and buffers hold a few MiB; then nothing more is taken.
        while let Ok(wrote) =
            tokio::time::timeout(Duration::from_millis(500), sending.write(&chunk)).await
        {
            written += wrote.unwrap();
            assert!(written < 64 << 20, "{written} bytes lie somewhere");
        }
        let mut receiving = accepted.accept_uni().await.unwrap();
        sending.finish().unwrap();
        assert_eq!(
            receiving.read_to_end(64 << 20).await.unwrap().len(),
            written
        );
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_socket_goes_with_its_last_session() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join_ws(&client, &server).await;
        assert_eq!(
            (client.stats().web_sockets, server.stats().web_sockets),
            (1, 1)
        );
        drop(opened);
        assert_eq!(accepted.closed().await.peer_code(), Some(0));
        while client.stats().web_sockets + server.stats().web_sockets > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_socket_that_is_cut_ends_its_sessions_and_no_others() {
    within(async {
        let (client, server) = two_nodes().await;
        let (over_udp, accepted) = join(&client, &server).await;
        let behind = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = relay.local_addr().unwrap().port();
        let relaying = tokio::spawn(async move {
            let (mut from, _) = relay.accept().await.unwrap();
            let mut to = TcpStream::connect(behind).await.unwrap();
            drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
        });
        let here = client.connect_ws("127.0.0.1", port).await.unwrap();
        let there = server.accept().await.unwrap();
        exchange(&here, &there, 100_000).await;
        relaying.abort();
        assert_eq!(here.closed().await, CloseReason::LinkClosed);
        assert_eq!(there.closed().await, CloseReason::LinkClosed);
        exchange(&over_udp, &accepted, 1_000).await;
        client.stop().await;
        server.stop().await;
    })
    .await;
}

/// Lets the opening of a WebSocket through to the server `behind`, and nothing else: both sides' connections.
async fn opened_through(relay: &TcpListener, behind: SocketAddr) -> (TcpStream, TcpStream) {
    let (mut from, _) = relay.accept().await.unwrap();
    let mut to = TcpStream::connect(behind).await.unwrap();
    let head = read_head(&mut from).await;
    to.write_all(&head).await.unwrap();
    let head = read_head(&mut to).await;
    from.write_all(&head).await.unwrap();
    (from, to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_ends_with_its_web_socket() {
    within(async {
        let (client, server) = two_nodes().await;
        let behind = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = relay.local_addr().unwrap().port();
        let relaying = async {
            drop(opened_through(&relay, behind).await);
        };
        let (connected, ()) = tokio::join!(client.connect_ws("127.0.0.1", port), relaying);
        assert!(
            matches!(connected, Err(ConnectError::WebSocket(_))),
            "{connected:?}"
        );
        client.stop().await;
        server.stop().await;
    })
    .await;
}

/// The limit that is told is the session's, not the 10 s of the WebSocket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_time_bounds_the_web_socket_and_the_session() {
    within(async {
        let (client, server) = two_nodes().await;
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let limit = Duration::from_millis(50);
        let mut options = WsConnectOptions::default();
        options.session.timeout = limit;
        let error = client
            .connect_ws_with("127.0.0.1", port, options.clone())
            .await
            .unwrap_err();
        assert!(error.is_timeout());
        assert!(
            matches!(&error, ConnectError::WebSocket(WsError::TimedOut(after)) if *after == limit),
            "{error}"
        );

        // Nothing is left for the session: it isn't begun anew.
        let behind = server.listen_ws("127.0.0.1", 0).await.unwrap();
        options.session.timeout = Duration::ZERO;
        let error = client
            .connect_ws_with("127.0.0.1", behind.port(), options)
            .await
            .unwrap_err();
        assert!(error.is_timeout(), "{error}");
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_tells_that_the_peer_closed() {
    within(async {
        let (client, server) = two_nodes().await;
        let behind = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = relay.local_addr().unwrap().port();
        let relaying = async {
            let (mut from, _to) = opened_through(&relay, behind).await;
            from.write_all(&CLOSE_NORMAL).await.unwrap();
            let mut rest = Vec::new();
            from.read_to_end(&mut rest).await.unwrap();
        };
        let (connected, ()) = tokio::join!(client.connect_ws("127.0.0.1", port), relaying);
        assert!(
            matches!(connected, Err(ConnectError::WebSocket(WsError::Closed))),
            "{connected:?}"
        );
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_says_so_on_its_web_sockets() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, _accepted) = join_ws(&client, &server).await;
        let address = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let mut socket = open_by_hand(address).await;
        let (mut close, mut rest) = ([0; 4], Vec::new());
        let peer = async {
            socket.read_exact(&mut close).await.unwrap();
            // A mask of zeros leaves the bytes as they are.
            let answer = [0x88, 0x82, 0, 0, 0, 0, 3, 0xe8];
            socket.write_all(&answer).await.unwrap();
            socket.read_to_end(&mut rest).await.unwrap();
        };
        tokio::join!(server.stop(), peer);
        assert_eq!(close, CLOSE_NORMAL);
        assert_eq!(rest, []);
        // The session's own end came before that of its WebSocket.
        assert_eq!(opened.closed().await.peer_code(), Some(0));
        while client.stats().web_sockets > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_does_not_keep_a_node_from_stopping() {
    within(async {
        let (client, server) = two_nodes().await;
        let address = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let _silent = open_by_hand(address).await;
        server.stop().await;
        assert!(!server.is_running());
        // Nor one that is dropped from going.
        let metrics = tokio::runtime::Handle::current().metrics();
        let address = client.listen_ws("127.0.0.1", 0).await.unwrap();
        let _silent = open_by_hand(address).await;
        drop(client);
        while metrics.num_alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_that_nobody_can_ask_for_is_refused() {
    let (client, server) = two_nodes().await;
    for path in ["", "stt", "/a b", "/\r\nx: y", "/ü"] {
        let mut options = WsListenOptions::default();
        options.path = path.to_owned();
        let listening = server.listen_ws_with("127.0.0.1", 0, options.clone()).await;
        let error = listening.unwrap_err().to_string();
        assert!(error.contains("the path"), "{error}");
        assert!(
            WebSocketListener::bind("127.0.0.1:0", options)
                .await
                .is_err()
        );
    }
    client.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_is_told() {
    within(async {
        let (client, server) = two_nodes().await;
        let mut options = WsListenOptions::default();
        options.path = "/stt".to_owned();
        options.origins = OriginPolicy::Listed(vec!["https://example.org".to_owned()]);
        let address = server
            .listen_ws_with("127.0.0.1", 0, options)
            .await
            .unwrap();
        let port = address.port();

        let refused = client.connect_ws("127.0.0.1", port).await.unwrap_err();
        let as_told = matches!(
            refused,
            ConnectError::WebSocket(WsError::Refused { status: 404, .. })
        );
        assert!(as_told, "{refused}");
        // A transport of standalone frames speaks something else.
        assert!(
            WebSocketTransport::connect("127.0.0.1", port)
                .await
                .is_err()
        );

        let mut options = WsConnectOptions::default();
        options.socket.path = "/stt".to_owned();
        options.socket.origin = Some("https://example.org".to_owned());
        client
            .connect_ws_with("127.0.0.1", port, options.clone())
            .await
            .unwrap();
        server.accept().await.unwrap();

        let mut expecting = ConnectOptions::default();
        expecting.expected_peer = Some(client.node_id());
        options.session = expecting;
        let wrong = client
            .connect_ws_with("127.0.0.1", port, options.clone())
            .await;
        assert_eq!(wrong.unwrap_err().wrong_peer(), Some(server.node_id()));

        // Another shared seed: the server answers nothing.
        let stranger = Node::builder([9; 32], [9; 32])
            .host("127.0.0.1")
            .build()
            .unwrap();
        stranger.start().await.unwrap();
        options.session.expected_peer = None;
        options.session.timeout = Duration::from_millis(300);
        let ignored = stranger.connect_ws_with("127.0.0.1", port, options).await;
        assert!(ignored.unwrap_err().is_timeout());

        server.stop().await;
        let nobody = client.connect_ws("127.0.0.1", port).await.unwrap_err();
        let as_told = matches!(nobody, ConnectError::WebSocket(WsError::Connect { .. }));
        assert!(as_told, "{nobody}");
        assert!(server.listen_ws("127.0.0.1", 0).await.is_err());
        client.stop().await;
        stranger.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_in_messages_harms_nobody() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join_ws(&client, &server).await;
        let address = server.listen_ws("127.0.0.1", 0).await.unwrap();
        let mut socket = open_by_hand(address).await;
        for len in 0..120_u8 {
            // A mask of zeros leaves the bytes as they are.
            let mut frame = vec![0x82, 0x80 | len, 0, 0, 0, 0];
            frame.extend((0..len).map(|i| i.wrapping_mul(len) | if i == 0 { 0x80 } else { 0 }));
            socket.write_all(&frame).await.unwrap();
        }
        // A ping comes back behind all of them.
        socket.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(&[0x8a, 0]) {
            answer.push(socket.read_u8().await.unwrap());
        }
        exchange(&opened, &accepted, 1_000).await;
        client.stop().await;
        server.stop().await;
    })
    .await;
}
