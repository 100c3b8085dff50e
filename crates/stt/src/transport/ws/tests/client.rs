use tokio::io::AsyncWriteExt;

use super::{by_hand::*, *};

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn connect_to(address: SocketAddr, limit: Duration) -> Result<Connection, WsError> {
    let host = address.ip().to_string();
    connect(&Connect {
        host: &host,
        port: address.port(),
        path: "/",
        origin: None,
        accept: WHAT,
        timeout: limit,
        #[cfg(feature = "tls")]
        tls: None,
    })
    .await
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn both_ends_of_ours() {
    let messages: Vec<Vec<u8>> = (0..100_usize).map(|i| vec![i as u8; i * 10]).collect();
    let mut server = Server::start(WsListenOptions::default(), messages.clone()).await;
    let connection = connect_to(server.address, LONG).await.unwrap();
    let (sender, mut queue) = mpsc::channel(100);
    let (mut teller, mut told) = mpsc::unbounded_channel();
    for message in messages.clone() {
        sender.send(message).await.unwrap();
    }
    let pumping = pump(connection, &mut queue, &mut teller, LONG);
    let checking = async {
        for expected in &messages {
            let told = within(told.recv()).await.unwrap();
            assert!(matches!(told, Told::Message(bytes) if bytes == expected[..]));
            assert!(matches!(server.told().await, Told::Message(bytes) if bytes == expected[..]));
        }
        // Nothing more to send: the connection is closed.
        drop(sender);
        assert!(matches!(server.told().await, Told::Ended(End::Peer)));
    };
    let (end, ()) = tokio::join!(pumping, checking);
    assert!(matches!(end, End::Local), "{end:?}");
}

#[tokio::test]
async fn answers_that_are_none() {
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: test\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "HTTP/1.1 1",
        "",
    ] {
        let (listener, address) = listen().await;
        let answering = async {
            let (mut io, _) = listener.accept().await.unwrap();
            io.write_all(answer.as_bytes()).await.unwrap();
            io.shutdown().await.unwrap();
            io
        };
        let (connected, _io) = tokio::join!(within(connect_to(address, LONG)), answering);
        assert!(connected.is_err(), "{answer}");
    }
}

#[tokio::test]
async fn servers_that_say_nothing_or_do_not_end() {
    let (listener, address) = listen().await;
    let connected = within(connect_to(address, Duration::from_millis(50))).await;
    assert!(matches!(connected, Err(WsError::TimedOut(_))));
    drop(listener);
    let connected = within(connect_to(address, LONG)).await;
    assert!(matches!(connected, Err(WsError::Connect { .. })));

    let (listener, address) = listen().await;
    let answering = async {
        let (mut io, _) = listener.accept().await.unwrap();
        io.write_all(&[b'x'; 20_000]).await.ok();
        io
    };
    let (connected, _io) = tokio::join!(within(connect_to(address, LONG)), answering);
    assert!(matches!(connected, Err(WsError::HeadTooLong { .. })));
}

#[tokio::test]
async fn a_server_that_breaks_the_protocol_is_told_its_code() {
    let (listener, address) = listen().await;
    let serving = async {
        let (io, _) = listener.accept().await.unwrap();
        let mut server = ByHand::server(io);
        let head = server.head().await;
        let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap();
        let accept = handshake::accept_of(key.lines().next().unwrap());
        // A message comes right behind the answer.
        let mut bytes = handshake::switching(&accept, "test").into_bytes();
        bytes.extend([FIN | BINARY, 2, b'h', b'i']);
        server.send(&bytes).await;
        server.frame(FIN | 1, b"text").await;
        server.is_closed_with(1003).await;
        server.is_over().await;
    };
    let running = async {
        let connection = connect_to(address, LONG).await.unwrap();
        let (_sender, mut queue) = mpsc::channel(1);
        let (mut teller, mut told) = mpsc::unbounded_channel();
        let end = pump(connection, &mut queue, &mut teller, LONG).await;
        assert!(matches!(end, End::Failed(WsError::Text)), "{end:?}");
        assert!(matches!(told.recv().await, Some(Told::Message(bytes)) if bytes == "hi"));
    };
    within(async { tokio::join!(serving, running) }).await;
}
