use std::{net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fastwebsockets::Role;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    WsError, WsListenOptions,
    handshake::{accept_of, check_request, check_response, read_head, refusal, request, switching},
    socket::{ReadHalf, Reader, WriteHalf, Writer, halves},
};

/// An open WebSocket.
pub(crate) struct Connection {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    /// Whom it is with.
    pub(crate) remote: SocketAddr,
}

/// What a server asks of its clients' messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accept {
    /// The subprotocol, which must be offered.
    pub(crate) protocol: &'static str,
    /// The longest message, bytes.
    pub(crate) limit: usize,
}

/// Where to connect to.
#[derive(Debug)]
pub(crate) struct Connect<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) path: &'a str,
    pub(crate) origin: Option<&'a str>,
    pub(crate) accept: Accept,
    pub(crate) timeout: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<&'a crate::transport::tls::TlsClient>,
}

/// The server's side of the opening handshake. Ends within the options' time.
pub(crate) async fn accept(
    tcp: TcpStream,
    remote: SocketAddr,
    options: &WsListenOptions,
    accept: Accept,
) -> Result<Connection, WsError> {
    let limit = options.handshake_timeout;
    let opening = async {
        tcp.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &options.tls {
            let mut io = tls.accept(tcp).await?;
            let rest = answer(&mut io, options, accept.protocol).await?;
            return Ok(over_tls(io.into(), rest, Role::Server, remote, accept));
        }
        let mut io = tcp;
        let rest = answer(&mut io, options, accept.protocol).await?;
        Ok(over_tcp(io, rest, Role::Server, remote, accept))
    };
    timeout(limit, opening)
        .await
        .unwrap_or(Err(WsError::TimedOut(limit)))
}

/// The client's side of it, from the name on.
pub(crate) async fn connect(to: &Connect<'_>) -> Result<Connection, WsError> {
    let opening = async {
        let tcp = TcpStream::connect((to.host, to.port)).await;
        let tcp = tcp.map_err(|source| WsError::Connect {
            host: to.host.to_owned(),
            port: to.port,
            source,
        })?;
        tcp.set_nodelay(true)?;
        let remote = tcp.peer_addr()?;
        #[cfg(feature = "tls")]
        if let Some(tls) = to.tls {
            let mut io = tls.connect(to.host, tcp).await?;
            let rest = ask(&mut io, to).await?;
            return Ok(over_tls(io.into(), rest, Role::Client, remote, to.accept));
        }
        let mut io = tcp;
        let rest = ask(&mut io, to).await?;
        Ok(over_tcp(io, rest, Role::Client, remote, to.accept))
    };
    timeout(to.timeout, opening)
        .await
        .unwrap_or(Err(WsError::TimedOut(to.timeout)))
}

/// Reads the request and answers it. Gives what came behind it.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    options: &WsListenOptions,
    protocol: &str,
) -> Result<Vec<u8>, WsError> {
    let (head, rest) = read_head(io).await?;
    match check_request(&head, &options.path, protocol, &options.origins) {
        Ok(accept) => {
            io.write_all(switching(&accept, protocol).as_bytes())
                .await?;
            io.flush().await?;
            Ok(rest)
        }
        Err(refused) => {
            io.write_all(refusal(refused).as_bytes()).await?;
            io.shutdown().await?;
            Err(WsError::BadRequest {
                status: refused.status,
                reason: refused.reason,
            })
        }
    }
}

/// Sends the request and reads the answer. Gives what came behind it.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    to: &Connect<'_>,
) -> Result<Vec<u8>, WsError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(std::io::Error::other)?;
    let key = STANDARD.encode(nonce);
    let (host, port) = (to.host, to.port);
    let host = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let protocol = to.accept.protocol;
    let request = request(&host, to.path, &key, protocol, to.origin)?;
    io.write_all(request.as_bytes()).await?;
    io.flush().await?;
    let (head, rest) = read_head(io).await?;
    check_response(&head, &accept_of(&key), protocol)?;
    Ok(rest)
}

fn over_tcp(
    io: TcpStream,
    rest: Vec<u8>,
    role: Role,
    remote: SocketAddr,
    accept: Accept,
) -> Connection {
    let (read, write) = io.into_split();
    open(Box::new(read), Box::new(write), rest, role, remote, accept)
}

#[cfg(feature = "tls")]
fn over_tls(
    io: tokio_rustls::TlsStream<TcpStream>,
    rest: Vec<u8>,
    role: Role,
    remote: SocketAddr,
    accept: Accept,
) -> Connection {
    let (read, write) = tokio::io::split(io);
    open(Box::new(read), Box::new(write), rest, role, remote, accept)
}

fn open(
    read: ReadHalf,
    write: WriteHalf,
    rest: Vec<u8>,
    role: Role,
    remote: SocketAddr,
    accept: Accept,
) -> Connection {
    let (reader, writer) = halves(read, write, rest, role, accept.limit);
    Connection {
        reader,
        writer,
        remote,
    }
}
