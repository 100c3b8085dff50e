//! Many sessions at one node.

use stt::Session;
use tokio::io::AsyncWriteExt;

use crate::support::{builder, within};

const SESSIONS: usize = 1_000;

#[tokio::test]
async fn a_thousand_sessions_at_once() {
    within(async {
        let (client, server) = (builder(1).build().unwrap(), builder(2).build().unwrap());
        client.start().await.unwrap();
        let port = server.start().await.unwrap().port();
        let opening = async {
            let mut opened = Vec::with_capacity(SESSIONS);
            // Fifty at a time: one address may have only so many half-open handshakes.
            while opened.len() < SESSIONS {
                let mut attempts = tokio::task::JoinSet::new();
                for _ in 0..50 {
                    let client = client.clone();
                    attempts.spawn(async move { client.connect_udp("127.0.0.1", port).await });
                }
                for session in attempts.join_all().await {
                    opened.push(session.unwrap());
                }
            }
            opened
        };
        let accepting = async {
            let mut accepted = Vec::with_capacity(SESSIONS);
            for _ in 0..SESSIONS {
                accepted.push(server.accept().await.unwrap());
            }
            accepted
        };
        let (opened, accepted) = tokio::join!(opening, accepting);
        assert_eq!(server.stats().sessions, SESSIONS);

        // Each gets its own bytes back, all at once.
        let mut work = tokio::task::JoinSet::new();
        for session in accepted {
            work.spawn(echo(session));
        }
        for (number, session) in opened.iter().cloned().enumerate() {
            work.spawn(async move {
                let text = number.to_be_bytes().repeat(100);
                let (mut sending, mut receiving) = session.open_bi().await.unwrap();
                sending.write_all(&text).await.unwrap();
                sending.finish().unwrap();
                assert!(receiving.read_to_end(text.len()).await.unwrap() == text);
                session.close(0, "");
            });
        }
        work.join_all().await;
        client.stop().await;
        server.stop().await;
    })
    .await;
}

async fn echo(session: Session) {
    let (mut sending, mut receiving) = session.accept_bi().await.unwrap();
    let text = receiving.read_to_end(10_000).await.unwrap();
    sending.write_all(&text).await.unwrap();
    sending.finish().unwrap();
    session.closed().await;
}
