//! Tickets and starts in a chamber.

use std::{path::Path, time::Duration};

use stt::{CloseReason, ConnectionError, Node};
use tokio::io::AsyncWriteExt;

use crate::support::{builder, join, within};

async fn started(seed: u8, chamber: &Path, port: u16) -> Node {
    let node = builder(seed).chamber_path(chamber).port(port);
    let node = node.build().unwrap();
    node.start().await.unwrap();
    node
}

async fn talk(client: &Node, server: &Node) {
    let (opened, accepted) = join(client, server).await;
    let mut sending = opened.open_uni().await.unwrap();
    sending.write_all(b"hello").await.unwrap();
    sending.finish().unwrap();
    let mut receiving = accepted.accept_uni().await.unwrap();
    assert_eq!(receiving.read_to_end(10).await.unwrap(), b"hello");
    assert_eq!(accepted.peer(), client.node_id());
    opened.close(0, "");
    accepted.closed().await;
}

#[tokio::test]
async fn sessions_resume_also_after_both_ends_restarted() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("client"), folder.path().join("server"));
        let client = started(1, &ours, 0).await;
        let server = started(2, &theirs, 0).await;
        let port = server.local_addr().unwrap().port();
        talk(&client, &server).await;
        assert_eq!(client.stats().endpoint.resumed, 0);
        talk(&client, &server).await;
        assert_eq!(client.stats().endpoint.resumed, 1);
        client.stop().await;
        server.stop().await;

        let client = started(1, &ours, 0).await;
        let server = started(2, &theirs, port).await;
        talk(&client, &server).await;
        assert_eq!(
            (
                client.stats().endpoint.resumed,
                server.stats().endpoint.resumed
            ),
            (1, 1)
        );
        client.stop().await;
        server.stop().await;

        // A server that lost its chamber: the full handshake goes on.
        std::fs::remove_file(&theirs).unwrap();
        let client = started(1, &ours, 0).await;
        let server = started(2, &theirs, port).await;
        talk(&client, &server).await;
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_restart_is_noticed_at_once() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let chamber = folder.path().join("server");
        let client = builder(1).build().unwrap();
        client.start().await.unwrap();
        // A runtime of its own that ends without a word, as a process that is killed.
        let (tell, told) = tokio::sync::oneshot::channel();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let place = chamber.clone();
        let first = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let node = runtime.block_on(started(2, &place, 0));
            tell.send(node.local_addr().unwrap().port()).unwrap();
            let accepted = runtime.block_on(async {
                let accepted = node.accept().await;
                ended.await.unwrap();
                accepted
            });
            // The tasks end here, before anybody can say good-bye.
            drop(runtime);
            drop((accepted, node));
        });
        let port = told.await.unwrap();
        let session = client.connect_udp("127.0.0.1", port).await.unwrap();
        session
            .open_uni()
            .await
            .unwrap()
            .write_all(b"x")
            .await
            .unwrap();
        session.flushed().await.unwrap();
        end.send(()).unwrap();
        first.join().unwrap();

        let server = started(2, &chamber, port).await;
        session
            .open_uni()
            .await
            .unwrap()
            .write_all(b"y")
            .await
            .unwrap();
        let reason = session.closed().await;
        assert_eq!(reason, CloseReason::Session(ConnectionError::Reset));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_has_stopped_has_let_go_of_its_chamber() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let client = started(1, &folder.path().join("client"), 0).await;
        let server = started(2, &folder.path().join("server"), 0).await;
        for _ in 0..10 {
            // Both begin to keep the ticket of the session.
            let sessions = join(&client, &server).await;
            tokio::join!(client.stop(), server.stop());
            drop(sessions);
            client.start().await.unwrap();
            server.start().await.unwrap();
        }
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_was_given_up_does_not_hold_the_chamber() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let node = builder(1)
            .chamber_path(folder.path().join("chamber"))
            .build()
            .unwrap();
        for _ in 0..20 {
            let given_up = tokio::time::timeout(Duration::from_millis(1), node.start()).await;
            assert!(!matches!(given_up, Ok(Err(_))), "{given_up:?}");
            if given_up.is_err() {
                node.start().await.unwrap();
            }
            node.stop().await;
        }
    })
    .await;
}
