use std::time::{Duration, Instant};

use stt::Node;

use crate::run::{allocated, both};

fn node(seed: u8) -> Node {
    Node::builder([seed; 32], [7; 32])
        .host("127.0.0.1")
        .build()
        .expect("a node")
}

async fn server(tell: std::sync::mpsc::Sender<u16>) -> Node {
    let node = node(1);
    let address = node.start().await.expect("bound");
    tell.send(address.port()).expect("the client waits");
    node
}

async fn client() -> Node {
    let node = node(2);
    node.start().await.expect("bound");
    node
}

pub(crate) fn bulk(total: usize) -> Duration {
    both(
        move |tell| async move {
            let node = server(tell).await;
            let session = node.accept().await.expect("a session");
            let mut stream = session.accept_uni().await.expect("a stream");
            let mut buffer = vec![0; 64 << 10];
            let mut received = 0;
            while let Some(len) = stream.read(&mut buffer).await.expect("data") {
                received += len;
            }
            assert_eq!(received, total);
            session
                .open_uni()
                .await
                .expect("a stream")
                .finish()
                .expect("open");
            session.closed().await;
            node.stop().await;
        },
        |port| async move {
            let node = client().await;
            let session = node
                .connect_udp("127.0.0.1", port)
                .await
                .expect("a session");
            let mut stream = session.open_uni().await.expect("a stream");
            let data = vec![0x5a; 64 << 10];
            let start = Instant::now();
            for _ in 0..total / data.len() {
                stream.write_all_bytes(&data).await.expect("room");
            }
            stream.finish().expect("open");
            session.accept_uni().await.expect("the answer");
            let time = start.elapsed();
            session.close(0, "");
            node.stop().await;
            time
        },
    )
}

pub(crate) fn set_up(count: usize) -> Vec<Duration> {
    both(
        move |tell| async move {
            let node = server(tell).await;
            for _ in 0..count {
                node.accept().await.expect("a session").closed().await;
            }
            node.stop().await;
        },
        |port| async move {
            let node = client().await;
            let mut times = Vec::new();
            for _ in 0..count {
                let start = Instant::now();
                let session = node
                    .connect_udp("127.0.0.1", port)
                    .await
                    .expect("a session");
                times.push(start.elapsed());
                session.close(0, "");
            }
            node.stop().await;
            times
        },
    )
}

pub(crate) fn echo(count: usize) -> Vec<Duration> {
    both(
        move |tell| async move {
            let node = server(tell).await;
            let session = node.accept().await.expect("a session");
            let (mut sending, mut receiving) = session.accept_bi().await.expect("a stream");
            let mut buffer = [0; 64];
            while let Some(len) = receiving.read(&mut buffer).await.expect("data") {
                sending.write_all_bytes(&buffer[..len]).await.expect("room");
            }
            drop(sending);
            session.closed().await;
            node.stop().await;
        },
        |port| async move {
            let node = client().await;
            let session = node
                .connect_udp("127.0.0.1", port)
                .await
                .expect("a session");
            let (mut sending, mut receiving) = session.open_bi().await.expect("a stream");
            let mut buffer = [0; 64];
            let mut times = Vec::new();
            for _ in 0..count {
                let start = Instant::now();
                sending.write_all_bytes(&[1; 64]).await.expect("room");
                let mut got = 0;
                while got < 64 {
                    got += receiving
                        .read(&mut buffer[got..])
                        .await
                        .expect("data")
                        .expect("no end");
                }
                times.push(start.elapsed());
            }
            sending.finish().expect("open");
            assert_eq!(receiving.read(&mut buffer).await, Ok(None));
            session.close(0, "");
            node.stop().await;
            times
        },
    )
}

/// Bytes for each session at the server, once they have been idle for three seconds.
pub(crate) fn idle(count: usize) -> usize {
    let (tell_bytes, bytes) = std::sync::mpsc::channel();
    both(
        move |tell| async move {
            let node = server(tell).await;
            let before = allocated();
            let mut sessions = Vec::with_capacity(count);
            for _ in 0..count {
                sessions.push(node.accept().await.expect("a session"));
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
            tell_bytes
                .send((allocated() - before) as usize / count)
                .expect("heard");
            node.stop().await;
        },
        |port| async move {
            let node = client().await;
            let mut sessions = Vec::new();
            for _ in 0..count {
                sessions.push(
                    node.connect_udp("127.0.0.1", port)
                        .await
                        .expect("a session"),
                );
            }
            for session in &sessions {
                session.closed().await;
            }
            node.stop().await;
        },
    );
    bytes.recv().expect("told")
}
