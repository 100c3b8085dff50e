use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::transport::{OriginPolicy, WsError, WsListenOptions};

fn frame(sequence: u64, len: usize) -> SttFrame {
    SttFrame {
        sequence,
        payload: vec![sequence as u8; len],
        ..SttFrame::default()
    }
}

/// A guard: nothing here takes that long.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future)
        .await
        .expect("it ends within half a minute")
}

async fn pair() -> (WebSocketListener, WebSocketTransport, WebSocketTransport) {
    let listener = WebSocketListener::bind("127.0.0.1:0", WsListenOptions::default())
        .await
        .unwrap();
    let port = listener.local_addr().port();
    let here = WebSocketTransport::connect("127.0.0.1", port)
        .await
        .unwrap();
    let there = within(listener.accept()).await.unwrap();
    (listener, here, there)
}

#[tokio::test]
async fn frames_of_every_size_both_ways() {
    let (_listener, here, there) = pair().await;
    let sizes = [0, 1, 1_000, 65_536, SttFrame::MAX_PAYLOAD];
    let send = |from: WebSocketTransport| async move {
        for (sequence, len) in (0..).zip(sizes) {
            from.send_frame(&frame(sequence, len)).await.unwrap();
        }
        for (sequence, len) in (0..).zip(sizes) {
            assert_eq!(from.receive_frame().await.unwrap(), frame(sequence, len));
        }
        from
    };
    let (here, there) = within(async { tokio::join!(send(here), send(there)) }).await;
    within(here.close()).await;
    assert!(matches!(
        there.receive_frame().await,
        Err(FrameTransportError::Closed)
    ));
    assert!(here.send_frame(&frame(0, 0)).await.is_err());
    within(there.close()).await;
}

#[tokio::test]
async fn a_peer_that_receives_nothing_holds_its_sender_up_and_loses_nothing() {
    const MANY: u64 = 200;
    let (_listener, here, there) = pair().await;
    let mut sent = 0;
    // Queues and socket buffers hold a few dozen of these at most.
    while let Ok(sending) = timeout(
        Duration::from_millis(500),
        here.send_frame(&frame(sent, 1 << 20)),
    )
    .await
    {
        sending.unwrap();
        sent += 1;
        assert!(sent < MANY, "{sent} MiB lie somewhere");
    }
    let rest = async {
        for sequence in sent..MANY {
            here.send_frame(&frame(sequence, 10)).await.unwrap();
        }
    };
    let receiving = async {
        for sequence in 0..MANY {
            assert_eq!(there.receive_frame().await.unwrap().sequence, sequence);
        }
    };
    within(async { tokio::join!(rest, receiving) }).await;
}

#[tokio::test]
async fn accepted_ones_outlive_their_listener_and_others_do_not() {
    let (listener, here, there) = pair().await;
    let port = listener.local_addr().port();
    let unaccepted = WebSocketTransport::connect("127.0.0.1", port)
        .await
        .unwrap();
    drop(listener);
    assert!(within(unaccepted.receive_frame()).await.is_err());
    here.send_frame(&frame(1, 1)).await.unwrap();
    assert_eq!(within(there.receive_frame()).await.unwrap(), frame(1, 1));
    let refused = within(WebSocketTransport::connect("127.0.0.1", port)).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(
            refused,
            FrameTransportError::WebSocket(WsError::Connect { .. })
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn path_and_origin_have_to_be_the_servers() {
    let options = WsListenOptions {
        path: "/frames".to_owned(),
        origins: OriginPolicy::Listed(vec!["https://example.org".to_owned()]),
        ..WsListenOptions::default()
    };
    let listener = WebSocketListener::bind("127.0.0.1:0", options)
        .await
        .unwrap();
    let port = listener.local_addr().port();
    for (path, origin, status) in [
        ("/", None, 404),
        ("/frames", Some("https://example.com"), 403),
        ("/frames", Some("https://example.org"), 101),
        ("/frames", None, 101),
    ] {
        let options = WsClientOptions {
            path: path.to_owned(),
            origin: origin.map(str::to_owned),
            ..WsClientOptions::default()
        };
        let connected = within(WebSocketTransport::connect_with(
            "127.0.0.1",
            port,
            &options,
        ))
        .await;
        match connected {
            Ok(_) => assert_eq!(status, 101),
            Err(FrameTransportError::WebSocket(WsError::Refused { status: told, .. })) => {
                assert_eq!(told, status);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_message_is_one_whole_frame() {
    let bytes = frame(1, 10).to_bytes().unwrap();
    assert_eq!(whole(&bytes).unwrap(), frame(1, 10));
    let partial = whole(&bytes[..bytes.len() - 1]).unwrap_err();
    assert!(matches!(partial, FrameTransportError::Partial { .. }));
    let trailing = whole(&[&bytes[..], b"xy"].concat()).unwrap_err();
    assert!(matches!(trailing, FrameTransportError::Trailing { len: 2 }));
    assert!(matches!(whole(b"XT"), Err(FrameTransportError::Frame(_))));
}
