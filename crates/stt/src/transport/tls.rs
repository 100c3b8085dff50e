//! TLS beneath WebSockets, by rustls (`docs/spec/stt-websocket.md` 5).

use std::{fmt, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    },
    server,
};

use super::ws::WsError;

/// A server's certificate and key.
#[derive(Clone)]
pub struct TlsServer(TlsAcceptor);

/// Whom a client believes.
#[derive(Clone)]
pub struct TlsClient(TlsConnector);

impl TlsServer {
    /// From a chain of certificates, the server's own first, and its private key, both as PEM.
    ///
    /// # Errors
    ///
    /// They can't be read, or don't belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, WsError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| tls("the certificates", &error))?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|error| tls("the private key", &error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| tls("the server's settings", &error))?;
        Ok(Arc::new(config).into())
    }

    pub(super) async fn accept(
        &self,
        tcp: TcpStream,
    ) -> Result<server::TlsStream<TcpStream>, WsError> {
        let accepted = self.0.accept(tcp).await;
        accepted.map_err(|error| tls("the handshake", &error))
    }
}

impl TlsClient {
    /// Believes certificates of these authorities, given as PEM, and no others.
    ///
    /// # Errors
    ///
    /// They can't be read, or there are none.
    pub fn from_pem(authorities: &[u8]) -> Result<Self, WsError> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(authorities) {
            let authority = authority.map_err(|error| tls("the authorities", &error))?;
            roots
                .add(authority)
                .map_err(|error| tls("the authorities", &error))?;
        }
        if roots.is_empty() {
            return Err(WsError::Tls(
                "no certificate among the authorities".to_owned(),
            ));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| tls("the client's settings", &error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config).into())
    }

    pub(super) async fn connect(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<client::TlsStream<TcpStream>, WsError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| tls("the server's name", &error))?;
        let connected = self.0.connect(name, tcp).await;
        connected.map_err(|error| tls("the handshake", &error))
    }
}

impl From<Arc<ServerConfig>> for TlsServer {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config.into())
    }
}

impl From<Arc<ClientConfig>> for TlsClient {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(config.into())
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is left out.
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}

fn tls(what: &str, error: &dyn std::error::Error) -> WsError {
    WsError::Tls(format!("{what}: {error}"))
}
