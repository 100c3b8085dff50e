//! Sessions, streams and datagrams as programs use them.

use stt::{CloseReason, ConnectionError, SessionState};
use tokio::io::AsyncWriteExt;

use crate::support::{join, two_nodes, within};

#[tokio::test]
async fn a_stream_both_ways() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        assert_eq!(opened.peer(), server.node_id());
        assert_eq!(accepted.peer(), client.node_id());
        assert!(opened.session_key() == accepted.session_key());

        let text: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        let echo = async {
            let (mut sending, mut receiving) = accepted.accept_bi().await.unwrap();
            let mut buffer = vec![0; 10_000];
            loop {
                let len = receiving.read(&mut buffer).await.unwrap();
                let Some(len) = len else { break };
                sending.write_all(&buffer[..len]).await.unwrap();
            }
            sending.finish().unwrap();
            assert_eq!(sending.stopped().await, Ok(None));
        };
        let ask = async {
            let (mut sending, mut receiving) = opened.open_bi().await.unwrap();
            let write = async {
                sending.write_all(&text).await.unwrap();
                sending.shutdown().await.unwrap();
            };
            let (_, back) = tokio::join!(write, receiving.read_to_end(text.len()));
            assert!(back.unwrap() == text);
        };
        tokio::join!(echo, ask);
        opened.close(7, "done");
        assert_eq!(opened.state(), SessionState::Closed);
        let reason = accepted.closed().await;
        let expected = ConnectionError::ApplicationClosed {
            code: 7,
            reason: "done".into(),
        };
        assert_eq!(reason, CloseReason::Session(expected));
        client.stop().await;
        server.stop().await;
    })
    .await;
}
