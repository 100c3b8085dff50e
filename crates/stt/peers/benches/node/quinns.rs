use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer},
    quic::Suite,
};

use crate::run::{allocated, both};

/// AES-256-GCM and X25519, as ours.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        ..aws_lc_rs::default_provider()
    })
}

fn initial() -> Suite {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    suite
        .tls13()
        .and_then(|suite| suite.quic_suite())
        .expect("QUIC's first suite")
}

/// A certificate for all runs.
fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    static MADE: OnceLock<Mutex<(CertificateDer<'static>, Vec<u8>)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made =
            rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
        Mutex::new((made.cert.der().clone(), made.signing_key.serialize_der()))
    });
    let made = made.lock().unwrap_or_else(PoisonError::into_inner);
    let key = PrivateKeyDer::try_from(made.1.clone()).expect("a key");
    (made.0.clone(), key)
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn server(tell: std::sync::mpsc::Sender<u16>) -> Endpoint {
    let (certificate, key) = certificate();
    let tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the certificate's key");
    let quic = QuicServerConfig::with_initial(Arc::new(tls), initial()).expect("a suite of QUIC's");
    let endpoint =
        Endpoint::server(ServerConfig::with_crypto(Arc::new(quic)), loopback()).expect("bound");
    tell.send(endpoint.local_addr().expect("bound").port())
        .expect("the client waits");
    endpoint
}

fn client() -> Endpoint {
    let mut roots = RootCertStore::empty();
    roots.add(certificate().0).expect("a certificate");
    let mut tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Full handshakes, as ours without a chamber.
    tls.resumption = rustls::client::Resumption::disabled();
    let quic = QuicClientConfig::with_initial(Arc::new(tls), initial()).expect("a suite of QUIC's");
    let mut endpoint = Endpoint::client(loopback()).expect("bound");
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(quic)));
    endpoint
}

async fn connect(endpoint: &Endpoint, port: u16) -> Connection {
    let connecting = endpoint.connect((Ipv4Addr::LOCALHOST, port).into(), "localhost");
    connecting.expect("begun").await.expect("a connection")
}

async fn accept(endpoint: &Endpoint) -> Connection {
    endpoint
        .accept()
        .await
        .expect("an attempt")
        .await
        .expect("a connection")
}

pub(crate) fn bulk(total: usize) -> Duration {
    both(
        move |tell| async move {
            let endpoint = server(tell);
            let connection = accept(&endpoint).await;
            let mut stream = connection.accept_uni().await.expect("a stream");
            let mut buffer = vec![0; 64 << 10];
            let mut received = 0;
            while let Some(len) = stream.read(&mut buffer).await.expect("data") {
                received += len;
            }
            assert_eq!(received, total);
            connection
                .open_uni()
                .await
                .expect("a stream")
                .finish()
                .expect("open");
            connection.closed().await;
        },
        |port| async move {
            let endpoint = client();
            let connection = connect(&endpoint, port).await;
            let mut stream = connection.open_uni().await.expect("a stream");
            let data = vec![0x5a; 64 << 10];
            let start = Instant::now();
            for _ in 0..total / data.len() {
                stream.write_all(&data).await.expect("room");
            }
            stream.finish().expect("open");
            connection.accept_uni().await.expect("the answer");
            let time = start.elapsed();
            connection.close(0_u8.into(), b"");
            endpoint.wait_idle().await;
            time
        },
    )
}

pub(crate) fn set_up(count: usize) -> Vec<Duration> {
    both(
        move |tell| async move {
            let endpoint = server(tell);
            for _ in 0..count {
                accept(&endpoint).await.closed().await;
            }
        },
        |port| async move {
            let endpoint = client();
            let mut times = Vec::new();
            for _ in 0..count {
                let start = Instant::now();
                let connection = connect(&endpoint, port).await;
                times.push(start.elapsed());
                connection.close(0_u8.into(), b"");
            }
            endpoint.wait_idle().await;
            times
        },
    )
}

pub(crate) fn echo(count: usize) -> Vec<Duration> {
    both(
        move |tell| async move {
            let endpoint = server(tell);
            let connection = accept(&endpoint).await;
            let (mut sending, mut receiving) = connection.accept_bi().await.expect("a stream");
            let mut buffer = [0; 64];
            while let Some(len) = receiving.read(&mut buffer).await.expect("data") {
                sending.write_all(&buffer[..len]).await.expect("room");
            }
            sending.finish().expect("open");
            connection.closed().await;
        },
        |port| async move {
            let endpoint = client();
            let connection = connect(&endpoint, port).await;
            let (mut sending, mut receiving) = connection.open_bi().await.expect("a stream");
            let mut buffer = [0; 64];
            let mut times = Vec::new();
            for _ in 0..count {
                let start = Instant::now();
                sending.write_all(&[1; 64]).await.expect("room");
                receiving.read_exact(&mut buffer).await.expect("data");
                times.push(start.elapsed());
            }
            sending.finish().expect("open");
            assert_eq!(receiving.read(&mut buffer).await, Ok(None));
            connection.close(0_u8.into(), b"");
            endpoint.wait_idle().await;
            times
        },
    )
}

/// Bytes for each connection at the server, once they have been idle for three seconds.
pub(crate) fn idle(count: usize) -> usize {
    let (tell_bytes, bytes) = std::sync::mpsc::channel();
    both(
        move |tell| async move {
            let endpoint = server(tell);
            let before = allocated();
            let mut connections = Vec::with_capacity(count);
            for _ in 0..count {
                connections.push(accept(&endpoint).await);
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
            tell_bytes
                .send((allocated() - before) as usize / count)
                .expect("heard");
            for connection in &connections {
                connection.close(0_u8.into(), b"");
            }
            endpoint.wait_idle().await;
        },
        |port| async move {
            let endpoint = client();
            let mut connections = Vec::new();
            for _ in 0..count {
                connections.push(connect(&endpoint, port).await);
            }
            for connection in &connections {
                connection.closed().await;
            }
        },
    );
    bytes.recv().expect("told")
}
