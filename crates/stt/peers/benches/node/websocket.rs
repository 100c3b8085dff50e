//! A session over a WebSocket beside the bare library with an AEAD: both echo.

use std::{
    convert::Infallible,
    future::ready,
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use fastwebsockets::{Frame, Payload, Role, WebSocketRead, WebSocketWrite, after_handshake_split};
use stt::Node;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use crate::run::both;

/// 64 KiB messages, the tag included.
const MESSAGE: usize = 64 << 10;
const TAG: usize = 16;
const PIECE: usize = MESSAGE - TAG;

/// Until `total` bytes have come back.
pub(crate) fn ours(total: usize) -> Duration {
    let node = |seed: u8| {
        let builder = Node::builder([seed; 32], [7; 32]).host("127.0.0.1");
        builder.build().expect("a node")
    };
    both(
        move |tell| async move {
            let node = node(1);
            node.start().await.expect("bound");
            let address = node.listen_ws("127.0.0.1", 0).await.expect("bound");
            tell.send(address.port()).expect("the client waits");
            let session = node.accept().await.expect("a session");
            let (mut sending, mut receiving) = session.accept_bi().await.expect("a stream");
            let mut buffer = vec![0; MESSAGE];
            while let Some(len) = receiving.read(&mut buffer).await.expect("data") {
                sending.write_all_bytes(&buffer[..len]).await.expect("room");
            }
            sending.finish().expect("open");
            session.closed().await;
            node.stop().await;
        },
        move |port| async move {
            let node = node(2);
            node.start().await.expect("bound");
            let connected = node.connect_ws("127.0.0.1", port).await;
            let session = connected.expect("a session");
            let (mut sending, mut receiving) = session.open_bi().await.expect("a stream");
            let start = Instant::now();
            let send = async {
                let data = vec![0x5a; PIECE];
                for _ in 0..total / PIECE {
                    sending.write_all_bytes(&data).await.expect("room");
                }
                sending.finish().expect("open");
            };
            let receive = async {
                let mut buffer = vec![0; MESSAGE];
                let mut received = 0;
                while let Some(len) = receiving.read(&mut buffer).await.expect("data") {
                    received += len;
                }
                assert_eq!(received, total / PIECE * PIECE);
            };
            tokio::join!(send, receive);
            let time = start.elapsed();
            session.close(0, "");
            node.stop().await;
            time
        },
    )
}

/// The same by the library alone: each message is sealed, sent, opened, and so back.
pub(crate) fn bare(total: usize) -> Duration {
    let count = total / PIECE;
    both(
        move |tell| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
            let port = listener.local_addr().expect("bound").port();
            tell.send(port).expect("the client waits");
            let (tcp, _) = listener.accept().await.expect("a client");
            let (mut reader, mut writer) = halves(tcp, Role::Server);
            let key = key();
            let mut echo = Vec::with_capacity(MESSAGE);
            for _ in 0..count {
                echo.clear();
                read(&mut reader, &key, |plaintext| {
                    echo.extend_from_slice(plaintext)
                })
                .await;
                write(&mut writer, &key, &mut echo).await;
            }
        },
        move |port| async move {
            let tcp = TcpStream::connect(("127.0.0.1", port))
                .await
                .expect("heard");
            let (mut reader, mut writer) = halves(tcp, Role::Client);
            let key = key();
            let start = Instant::now();
            let send = async {
                let data = vec![0x5a; PIECE];
                let mut message = Vec::with_capacity(MESSAGE);
                for _ in 0..count {
                    message.clear();
                    message.extend_from_slice(&data);
                    write(&mut writer, &key, &mut message).await;
                }
            };
            let receive = async {
                let mut taken = vec![0; PIECE];
                for _ in 0..count {
                    read(&mut reader, &key, |plaintext| {
                        taken.copy_from_slice(plaintext)
                    })
                    .await;
                }
            };
            tokio::join!(send, receive);
            start.elapsed()
        },
    )
}

fn halves(
    tcp: TcpStream,
    role: Role,
) -> (
    WebSocketRead<impl AsyncRead + Unpin>,
    WebSocketWrite<impl AsyncWrite + Unpin>,
) {
    tcp.set_nodelay(true).expect("set");
    let (read, write) = tcp.into_split();
    after_handshake_split(read, write, role)
}

async fn read<R: AsyncRead + Unpin>(
    reader: &mut WebSocketRead<R>,
    key: &LessSafeKey,
    take: impl FnOnce(&[u8]),
) {
    let mut nothing = |_: Frame<'_>| ready(Ok::<(), Infallible>(()));
    let mut frame = reader.read_frame(&mut nothing).await.expect("a message");
    let opened = key.open_in_place(nonce(), Aad::empty(), frame.payload.to_mut());
    take(opened.expect("sealed with it"));
}

async fn write<W: AsyncWrite + Unpin>(
    writer: &mut WebSocketWrite<W>,
    key: &LessSafeKey,
    message: &mut Vec<u8>,
) {
    key.seal_in_place_append_tag(nonce(), Aad::empty(), message)
        .expect("short");
    let payload = Payload::BorrowedMut(message);
    writer
        .write_frame(Frame::binary(payload))
        .await
        .expect("sent");
}

fn key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[3; 32]).expect("a key"))
}

/// The same one always: nothing is secret here, and the work doesn't depend on it.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
