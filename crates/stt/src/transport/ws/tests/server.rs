use super::{by_hand::*, *};

fn options() -> WsListenOptions {
    WsListenOptions::default()
}

#[tokio::test]
async fn messages_come_whole_however_they_are_cut() {
    let mut server = Server::start(options(), vec![b"from the server".to_vec()]).await;
    let mut client = ByHand::open(server.address).await;
    assert_eq!(
        client.read().await,
        (FIN | BINARY, b"from the server".to_vec())
    );
    client.frame(FIN | BINARY, b"").await;
    client.frame(FIN | BINARY, &[7; 1_000]).await;
    client.frame(BINARY, b"three ").await;
    // Control frames may stand between the frames of a message.
    client.frame(FIN | PING, b"are you there").await;
    client.frame(0, b"frames, ").await;
    client.frame(FIN | PONG, b"unasked").await;
    client.frame(FIN, b"one message").await;
    for expected in [&b""[..], &[7; 1_000], b"three frames, one message"] {
        assert!(matches!(server.told().await, Told::Message(bytes) if bytes == expected));
    }
    assert_eq!(client.read().await, (FIN | PONG, b"are you there".to_vec()));
    client.frame(FIN | CLOSE, &1000_u16.to_be_bytes()).await;
    client.is_closed_with(1000).await;
    client.is_over().await;
    assert!(matches!(server.told().await, Told::Ended(End::Peer)));
}

#[tokio::test]
async fn a_frame_may_follow_the_request_at_once() {
    let mut server = Server::start(options(), vec![]).await;
    let mut client = ByHand::connect(server.address).await;
    let frame = [FIN | BINARY, 0x80 | 2, 0, 0, 0, 0, b'h', b'i'];
    let bytes = [request(&[]).as_bytes(), &frame].concat();
    client.send(&bytes).await;
    assert!(matches!(server.told().await, Told::Message(bytes) if bytes == "hi"));
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_with_its_code() {
    let mut server = Server::start(options(), vec![]).await;
    for (frames, code) in [
        (&[(FIN | BINARY, 1_001)][..], 1009),
        (&[(FIN | BINARY, usize::MAX)], 1009),
        (&[(BINARY, 600), (FIN, 401)], 1009),
        (&[(FIN | 1, 4)], 1003),
        (&[(FIN | 0x40 | BINARY, 1)], 1002),
        (&[(FIN | 3, 1)], 1002),
        (&[(FIN, 1)], 1002),
        (&[(BINARY, 1), (FIN | BINARY, 1)], 1002),
        (&[(PING, 0)], 1002),
        (&[(FIN | PING, 126)], 1002),
    ] {
        let mut client = ByHand::open(server.address).await;
        for &(first, len) in frames {
            client.header(first, len).await;
            if len <= 600 {
                client.send(&vec![0; len]).await;
            }
        }
        client.is_closed_with(code).await;
        let told = server.told().await;
        assert!(
            matches!(told, Told::Ended(End::Failed(_))),
            "{frames:?}: {told:?}"
        );
    }
}

#[tokio::test]
async fn a_cut_connection_is_told_from_a_closed_one() {
    let mut server = Server::start(options(), vec![]).await;
    let mut client = ByHand::open(server.address).await;
    client.header(FIN | BINARY, 10).await;
    client.send(b"half").await;
    drop(client);
    let told = server.told().await;
    assert!(
        matches!(
            told,
            Told::Ended(End::Failed(WsError::Cut | WsError::Io(_)))
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn bad_requests_are_answered_and_hung_up_on() {
    let mut server = Server::start(options(), vec![]).await;
    let origin = request(&["Origin: https://example.org"]);
    let elsewhere = request(&[]).replacen("GET /", "GET /elsewhere", 1);
    for (bytes, status) in [
        (&b"\x16\x03\x01 that is TLS\r\n\r\n"[..], 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 426),
        (origin.as_bytes(), 403),
        (elsewhere.as_bytes(), 404),
    ] {
        let mut client = ByHand::connect(server.address).await;
        client.send(bytes).await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let told = server.told().await;
        let as_told = matches!(&told, Told::Refused(WsError::BadRequest { status: told, .. }) if *told == status);
        assert!(as_told, "{told:?}");
    }
    let mut client = ByHand::connect(server.address).await;
    client.send(&[b'x'; 9_000]).await;
    let told = server.told().await;
    assert!(
        matches!(told, Told::Refused(WsError::HeadTooLong { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_listed_origin_is_let_in() {
    let mut options = options();
    options.origins = OriginPolicy::Listed(vec!["https://example.org".to_owned()]);
    let server = Server::start(options, vec![]).await;
    let mut client = ByHand::connect(server.address).await;
    client
        .send(request(&["Origin: https://example.org"]).as_bytes())
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn slow_handshakes_are_given_up() {
    let mut options = options();
    options.handshake_timeout = Duration::from_millis(50);
    let mut server = Server::start(options, vec![]).await;
    let mut silent = ByHand::connect(server.address).await;
    let mut slow = ByHand::connect(server.address).await;
    slow.send(b"GET / HTTP/1.1\r\nHost: ").await;
    silent.is_over().await;
    slow.is_over().await;
    for _ in 0..2 {
        assert!(matches!(
            server.told().await,
            Told::Refused(WsError::TimedOut(_))
        ));
    }
}

#[tokio::test]
async fn handshakes_and_connections_have_their_limits() {
    let mut options = options();
    options.max_handshakes = 1;
    options.max_connections = 2;
    let mut server = Server::start(options, vec![]).await;
    let first = ByHand::open(server.address).await;
    let mut second = ByHand::connect(server.address).await;
    // The second's handshake is under way: a third finds no room.
    second.send(b"GET / HT").await;
    ByHand::connect(server.address).await.is_over().await;
    second.send(&request(&[]).as_bytes()[8..]).await;
    assert!(second.head().await.starts_with("HTTP/1.1 101 "));
    // Two are open: neither does a fourth.
    ByHand::connect(server.address).await.is_over().await;
    drop(first);
    assert!(matches!(server.told().await, Told::Ended(_)));
    // The task is counted until it is gone, just after it has told.
    within(async {
        loop {
            let mut next = ByHand::connect(server.address).await;
            next.send(request(&[]).as_bytes()).await;
            let mut byte = [0; 1];
            if tokio::io::AsyncReadExt::read(&mut next.io, &mut byte)
                .await
                .is_ok_and(|n| n == 1)
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_peer_is_asked_and_then_given_up() {
    let mut options = options();
    options.keep_alive = Duration::from_millis(30);
    let mut server = Server::start(options, vec![]).await;
    let mut client = ByHand::open(server.address).await;
    assert_eq!(client.read().await, (FIN | PING, vec![]));
    assert!(matches!(server.told().await, Told::Ended(End::Silent)));
}

#[tokio::test]
async fn a_peer_that_answers_is_kept() {
    let mut options = options();
    options.keep_alive = Duration::from_millis(30);
    let mut server = Server::start(options, vec![]).await;
    let mut client = ByHand::open(server.address).await;
    for _ in 0..8 {
        assert_eq!(client.read().await, (FIN | PING, vec![]));
        client.frame(FIN | PONG, b"").await;
    }
    client.frame(FIN | BINARY, b"still here").await;
    assert!(matches!(server.told().await, Told::Message(_)));
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let mut options = options();
    options.keep_alive = Duration::from_millis(50);
    let flood = vec![vec![0; 1 << 20]; 64];
    let mut server = Server::start(options, flood).await;
    let mut client = ByHand::open(server.address).await;
    // It talks, but doesn't listen.
    let pong = [FIN | PONG, 0x80, 0, 0, 0, 0];
    let talking = async {
        // Until it is hung up on.
        while tokio::io::AsyncWriteExt::write_all(&mut client.io, &pong)
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
        std::future::pending().await
    };
    tokio::select! {
        told = server.told() => assert!(matches!(told, Told::Ended(End::Silent)), "{told:?}"),
        () = talking => {}
    }
}
