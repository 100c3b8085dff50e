//! WebSockets over TLS. The certificate in `tests/tls` is its own authority, for `localhost` and 127.0.0.1, and for
//! these tests alone.

use stt::{
    ConnectError, WsConnectOptions,
    transport::{TlsClient, TlsServer, WsError, WsListenOptions},
};

use crate::support::{two_nodes, within};

const CERTIFICATE: &[u8] = include_bytes!("../tls/certificate.pem");
const KEY: &[u8] = include_bytes!("../tls/key.pem");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_over_tls() {
    within(async {
        let (client, server) = two_nodes().await;
        let mut options = WsListenOptions::default();
        options.tls = Some(TlsServer::from_pem(CERTIFICATE, KEY).unwrap());
        let address = server
            .listen_ws_with("127.0.0.1", 0, options)
            .await
            .unwrap();
        let mut options = WsConnectOptions::default();
        options.socket.tls = Some(TlsClient::from_pem(CERTIFICATE).unwrap());
        for host in ["localhost", "127.0.0.1"] {
            let opened = client
                .connect_ws_with(host, address.port(), options.clone())
                .await;
            let opened = opened.unwrap();
            let accepted = server.accept().await.unwrap();
            let mut sending = opened.open_uni().await.unwrap();
            let data = vec![7; 1 << 20];
            let receiving = async {
                let mut stream = accepted.accept_uni().await.unwrap();
                stream.read_to_end(2 << 20).await.unwrap()
            };
            let writing = async {
                sending.write_all_bytes(&data).await.unwrap();
                sending.finish().unwrap();
            };
            let (received, ()) = tokio::join!(receiving, writing);
            assert!(received == data);
        }
        // Plain to a server that speaks TLS.
        let plain = client.connect_ws("127.0.0.1", address.port()).await;
        assert!(
            matches!(plain, Err(ConnectError::WebSocket(_))),
            "{plain:?}"
        );
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_has_to_be_for_the_host_and_by_an_authority() {
    within(async {
        let (client, server) = two_nodes().await;
        let mut options = WsListenOptions::default();
        options.tls = Some(TlsServer::from_pem(CERTIFICATE, KEY).unwrap());
        let address = server.listen_ws_with("0.0.0.0", 0, options).await.unwrap();
        let mut options = WsConnectOptions::default();
        options.socket.tls = Some(TlsClient::from_pem(CERTIFICATE).unwrap());
        // The same machine by a name that the certificate doesn't hold.
        let other = client
            .connect_ws_with("127.0.0.2", address.port(), options)
            .await;
        assert!(
            matches!(other, Err(ConnectError::WebSocket(WsError::Tls(_)))),
            "{other:?}"
        );
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[test]
fn what_is_no_certificate_or_key_is_said() {
    assert!(matches!(
        TlsServer::from_pem(CERTIFICATE, b"no key"),
        Err(WsError::Tls(_))
    ));
    assert!(matches!(
        TlsServer::from_pem(b"nothing", KEY),
        Err(WsError::Tls(_))
    ));
    assert!(matches!(
        TlsClient::from_pem(b"nothing"),
        Err(WsError::Tls(_))
    ));
}
