//! Nodes that share a seed.

use std::time::Duration;

use stt::{Builder, Node, Session};

pub(crate) const SHARED: [u8; 32] = [7; 32];

/// A builder for a node on loopback with a seed of its own.
pub(crate) fn builder(seed: u8) -> Builder {
    Node::builder([seed; 32], SHARED).host("127.0.0.1")
}

/// Two nodes that run.
pub(crate) async fn two_nodes() -> (Node, Node) {
    let (client, server) = (builder(1).build().unwrap(), builder(2).build().unwrap());
    client.start().await.unwrap();
    server.start().await.unwrap();
    (client, server)
}

/// Both ends of a session: of the first node's, which opens it, and of the second's.
pub(crate) async fn join(client: &Node, server: &Node) -> (Session, Session) {
    let port = server.local_addr().unwrap().port();
    let opened = client.connect_udp("127.0.0.1", port).await.unwrap();
    let accepted = server.accept().await.unwrap();
    assert_eq!(opened.id(), accepted.id());
    (opened, accepted)
}

/// Guards a test against waiting forever.
pub(crate) async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), test)
        .await
        .expect("the test hangs")
}
