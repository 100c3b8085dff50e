//! Sessions over WebSockets (`docs/spec/stt-websocket.md`).

use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use bytes::BytesMut;
use stt_core::LinkProfile;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

use super::{ConnectOptions, Node, connect, run};
use crate::{
    error::{ConnectError, NodeError},
    session::Session,
    transport::{
        WsClientOptions, WsError, WsListenOptions,
        links::{Link, LinkQueue, LinkUsage, Packet},
        ws::{
            Accept, Connect, Connection, Deliver, End, Outgoing, connect as connect_socket, pump,
            serve,
        },
    },
};

/// How to open a session over a WebSocket.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WsConnectOptions {
    /// Of the session. Its time bounds the whole, the opening of the WebSocket included.
    pub session: ConnectOptions,
    /// Of the WebSocket; its time bounds the opening alone.
    pub socket: WsClientOptions,
}

impl Node {
    /// Lets peers open sessions over WebSockets too; gives the address that was bound. Their
    /// sessions come by [`Node::accept`] like all others. Ends with the node.
    ///
    /// # Errors
    ///
    /// The address can't be bound, or the node isn't running.
    pub async fn listen_ws(&self, host: &str, port: u16) -> Result<SocketAddr, NodeError> {
        let options = WsListenOptions::default();
        self.listen_ws_with(host, port, options).await
    }

    /// The same with options.
    ///
    /// # Errors
    ///
    /// The address can't be bound, or the node isn't running.
    pub async fn listen_ws_with(
        &self,
        host: &str,
        port: u16,
        options: WsListenOptions,
    ) -> Result<SocketAddr, NodeError> {
        options.check()?;
        let shared = self.shared().ok_or(NodeError::NotStarted)?;
        let address = run::resolve(host, port).await?;
        let bind = |source| NodeError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let bound = listener.local_addr().map_err(bind)?;
        let keep_alive = options.keep_alive;
        // The tasks of a node don't keep it: they end with it.
        let node = Arc::downgrade(&shared);
        let serving = serve(listener, options, PACKETS, move |_, opened| {
            let node = node.clone();
            async move {
                if let (Ok(connection), Some(shared)) = (opened, node.upgrade())
                    && !shared.with(|state| state.links.is_ending())
                {
                    let (link, queue) = Link::open(&shared, QUEUE);
                    let opening = Box::pin(sleep(OPENING));
                    drop(shared);
                    carry(connection, link, queue, opening, keep_alive).await;
                }
            }
        });
        shared.spawn(serving);
        Ok(bound)
    }

    /// Opens a session over a WebSocket to the node that listens there.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: nobody answered, or not the right one.
    pub async fn connect_ws(&self, host: &str, port: u16) -> Result<Session, ConnectError> {
        let options = WsConnectOptions::default();
        self.connect_ws_with(host, port, options).await
    }

    /// The same with options. Dropping the future gives the attempt up.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect_ws_with(
        &self,
        host: &str,
        port: u16,
        options: WsConnectOptions,
    ) -> Result<Session, ConnectError> {
        let shared = self.shared().ok_or(ConnectError::Stopped)?;
        let WsConnectOptions {
            mut session,
            socket,
        } = options;
        let begun = Instant::now();
        let connection = connect_socket(&Connect {
            host,
            port,
            path: &socket.path,
            origin: socket.origin.as_deref(),
            accept: PACKETS,
            timeout: socket.timeout.min(session.timeout),
            #[cfg(feature = "tls")]
            tls: socket.tls.as_ref(),
        })
        .await?;
        // What the WebSocket has left of it.
        session.timeout = session.timeout.saturating_sub(begun.elapsed());
        let (link, queue) = Link::open(&shared, QUEUE);
        let route = link.route();
        // Dropped with the attempt: then only sessions keep the WebSocket.
        let (_attempt, ended) = oneshot::channel::<()>();
        let opening = Box::pin(async move { drop(ended.await) });
        let (end, mut ending) = oneshot::channel();
        shared.spawn(async move {
            let ended = carry(connection, link, queue, opening, socket.keep_alive).await;
            drop(end.send(ended));
        });
        let profile = session.profile.unwrap_or(LinkProfile::RELIABLE);
        tokio::select! {
            biased;
            session = connect::open(&shared, route, profile, session) => match session {
                // The WebSocket knows why.
                Err(ConnectError::LinkClosed) => Err(unopened(ending.await)),
                session => session,
            },
            ended = &mut ending => Err(unopened(ended)),
        }
    }
}

/// Why a session was not opened over a WebSocket that has ended.
fn unopened(ended: Result<End, oneshot::error::RecvError>) -> ConnectError {
    match ended {
        Ok(End::Failed(error)) => error.into(),
        Ok(End::Peer) => WsError::Closed.into(),
        Ok(End::Silent) => WsError::Silent.into(),
        // Its task ends with the node, or because the node stops.
        Ok(End::Local) | Err(_) => ConnectError::Stopped,
    }
}

/// Carries packets between a WebSocket and its link until one of them ends.
async fn carry(
    connection: Connection,
    mut link: Link,
    queue: LinkQueue,
    opening: Opening,
    keep_alive: Duration,
) -> End {
    let mut packets = Packets {
        usage: Usage {
            link: queue.usage(),
            opening: Some(opening),
            vacant_since: None,
        },
        queue,
    };
    pump(connection, &mut packets, &mut link, keep_alive).await
}

/// How long the first session has.
type Opening = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The packets of a link, until no session needs it.
struct Packets {
    queue: LinkQueue,
    usage: Usage,
}

/// Whether the link is needed.
struct Usage {
    link: LinkUsage,
    /// `None` once a session was there, or none came.
    opening: Option<Opening>,
    vacant_since: Option<Instant>,
}

impl Usage {
    /// Waits until no session is on the link, for good.
    async fn ends(&mut self) {
        loop {
            let changed = self.link.changed();
            if self.link.sessions() > 0 {
                (self.opening, self.vacant_since) = (None, None);
                changed.await;
                continue;
            }
            if let Some(opening) = &mut self.opening {
                tokio::select! {
                    () = opening => self.opening = None,
                    () = changed => {}
                }
                continue;
            }
            let since = *self.vacant_since.get_or_insert_with(Instant::now);
            tokio::select! {
                () = sleep_until(since + VACANT) => return,
                () = changed => {}
            }
        }
    }
}

impl Outgoing for Packets {
    type Message = Packet;

    async fn next(&mut self) -> Option<Packet> {
        if let Some(packet) = self.queue.try_next() {
            return Some(packet);
        }
        tokio::select! {
            packet = self.queue.next() => packet,
            () = self.usage.ends() => None,
        }
    }

    fn try_next(&mut self) -> Option<Packet> {
        self.queue.try_next()
    }

    fn recycle(&mut self, packet: Packet) {
        self.queue.recycle(packet);
    }
}

impl Deliver for Link {
    async fn deliver(&mut self, mut message: BytesMut) {
        self.received(&mut message);
    }
}

/// What both ends speak.
const PACKETS: Accept = Accept {
    protocol: "stt",
    limit: u16::MAX as usize,
};
/// Packets that wait for a socket.
const QUEUE: usize = 64;
/// How long a WebSocket that a peer opened waits for its first session.
const OPENING: Duration = Duration::from_secs(30);
/// How long it outlives its last session: what was sent last still leaves.
const VACANT: Duration = Duration::from_secs(1);
