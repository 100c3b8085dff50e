use std::{net::SocketAddr, sync::Mutex, time::Duration};

use bytes::BytesMut;
use stt_core::SttFrame;
use tokio::{
    net::{TcpListener, ToSocketAddrs},
    sync::{Mutex as AsyncMutex, mpsc, watch},
    task::AbortHandle,
};

use super::{FrameTransportError, whole};
use crate::transport::ws::{
    Accept, Connect, Connection, Deliver, End, HANDSHAKE_TIMEOUT, KEEP_ALIVE, Outgoing,
    WsListenOptions, connect, pump, serve,
};

/// Standalone frames over a WebSocket, one a message: reliable and in order. **No replay
/// protection**: `docs/spec/stt-websocket.md`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use stt::{
///     core::SttFrame,
///     transport::{WebSocketListener, WebSocketTransport, WsListenOptions},
/// };
///
/// let listener = WebSocketListener::bind("127.0.0.1:0", WsListenOptions::default()).await?;
/// let here = WebSocketTransport::connect("127.0.0.1", listener.local_addr().port()).await?;
/// let there = listener.accept().await?;
/// let frame = SttFrame { payload: b"hello".to_vec(), ..SttFrame::default() };
/// here.send_frame(&frame).await?;
/// assert_eq!(there.receive_frame().await?, frame);
/// here.close().await;
/// assert!(there.receive_frame().await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WebSocketTransport {
    remote: SocketAddr,
    /// Gone once it is closed.
    outgoing: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    incoming: AsyncMutex<mpsc::Receiver<Received>>,
    /// Its other end goes with the connection.
    running: watch::Receiver<()>,
}

/// Accepts [`WebSocketTransport`]s. Dropping it ends handshakes and closes those that were not
/// accepted; the others go on.
#[derive(Debug)]
pub struct WebSocketListener {
    local: SocketAddr,
    accepted: AsyncMutex<mpsc::Receiver<WebSocketTransport>>,
    task: AbortHandle,
}

/// How to connect a [`WebSocketTransport`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WsClientOptions {
    /// The path to ask for, by default `/`.
    pub path: String,
    /// The origin to tell; programs that are no browsers need none.
    pub origin: Option<String>,
    /// How long connecting may take, handshakes included; 10 s by default.
    pub timeout: Duration,
    /// How often a ping is sent. A peer that is silent for three times as long is gone. 20 s by
    /// default.
    pub keep_alive: Duration,
    /// Whom to believe; without it the connection is plain.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::transport::tls::TlsClient>,
}

impl Default for WsClientOptions {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            origin: None,
            timeout: HANDSHAKE_TIMEOUT,
            keep_alive: KEEP_ALIVE,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

type Received = Result<SttFrame, FrameTransportError>;

impl WebSocketTransport {
    /// Connects to a [`WebSocketListener`].
    ///
    /// # Errors
    ///
    /// Nobody listens there, or it isn't one ([`WsError`](crate::transport::WsError)).
    pub async fn connect(host: &str, port: u16) -> Result<Self, FrameTransportError> {
        Self::connect_with(host, port, &WsClientOptions::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    ///
    /// Nobody listens there, or it isn't one ([`WsError`](crate::transport::WsError)).
    pub async fn connect_with(
        host: &str,
        port: u16,
        options: &WsClientOptions,
    ) -> Result<Self, FrameTransportError> {
        let connection = connect(&Connect {
            host,
            port,
            path: &options.path,
            origin: options.origin.as_deref(),
            accept: FRAMES,
            timeout: options.timeout,
            #[cfg(feature = "tls")]
            tls: options.tls.as_ref(),
        })
        .await?;
        let (transport, task) = Self::over(connection, options.keep_alive);
        tokio::spawn(task);
        Ok(transport)
    }

    /// Sends a frame, once there is room: a peer that takes nothing holds this end up.
    ///
    /// # Errors
    ///
    /// The frame can't be written, or the transport is closed. No error doesn't mean that it
    /// arrives.
    pub async fn send_frame(&self, frame: &SttFrame) -> Result<(), FrameTransportError> {
        let bytes = frame.to_bytes()?;
        let outgoing = self.outgoing().clone();
        let outgoing = outgoing.ok_or(FrameTransportError::Closed)?;
        outgoing
            .send(bytes)
            .await
            .map_err(|_| FrameTransportError::Closed)
    }

    /// Waits for the next frame. While nobody does, the peer is held up. Cancelling loses nothing.
    ///
    /// # Errors
    ///
    /// What came is no frame (others may follow), the connection failed, or it is closed.
    pub async fn receive_frame(&self) -> Result<SttFrame, FrameTransportError> {
        let mut incoming = self.incoming.lock().await;
        let received = incoming.recv().await;
        received.unwrap_or(Err(FrameTransportError::Closed))
    }

    /// Sends what waits, closes, and returns when the connection is gone.
    pub async fn close(&self) {
        self.outgoing().take();
        // Nothing is ever sent by it: it ends.
        drop(self.running.clone().changed().await);
    }

    /// Whom it is with.
    pub const fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    /// A transport, and what has to run for it.
    fn over(
        connection: Connection,
        keep_alive: Duration,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (outgoing, mut to_send) = mpsc::channel(QUEUE);
        let (mut received, incoming) = mpsc::channel(QUEUE);
        let (alive, running) = watch::channel(());
        let transport = Self {
            remote: connection.remote,
            outgoing: Mutex::new(Some(outgoing)),
            incoming: AsyncMutex::new(incoming),
            running,
        };
        let task = async move {
            let _alive = alive;
            let end = pump(connection, &mut to_send, &mut received, keep_alive).await;
            if let End::Failed(error) = end {
                // Nobody receives any more: then nobody wants to know.
                drop(received.send(Err(error.into())).await);
            }
        };
        (transport, task)
    }

    fn outgoing(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Vec<u8>>>> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.outgoing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl WebSocketListener {
    /// Listens at an address.
    ///
    /// # Errors
    ///
    /// It can't be bound.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn bind(
        address: impl ToSocketAddrs,
        options: WsListenOptions,
    ) -> Result<Self, FrameTransportError> {
        options.check()?;
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let keep_alive = options.keep_alive;
        let (opened, accepted) = mpsc::channel(BACKLOG);
        let serving = serve(listener, options, FRAMES, move |_, outcome| {
            let opened = opened.clone();
            async move {
                if let Ok(connection) = outcome {
                    let (transport, task) = WebSocketTransport::over(connection, keep_alive);
                    // It outlives the listener; until then it counts as one of its connections.
                    let task = tokio::spawn(task);
                    // Without a listener the transport is dropped, and its connection closed.
                    drop(opened.send(transport).await);
                    drop(task.await);
                }
            }
        });
        Ok(Self {
            local,
            accepted: AsyncMutex::new(accepted),
            task: tokio::spawn(serving).abort_handle(),
        })
    }

    /// The address that was bound.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for the next client whose handshake is done.
    ///
    /// # Errors
    ///
    /// The listener's task has ended.
    pub async fn accept(&self) -> Result<WebSocketTransport, FrameTransportError> {
        let mut accepted = self.accepted.lock().await;
        accepted.recv().await.ok_or(FrameTransportError::Closed)
    }
}

impl Drop for WebSocketListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Outgoing for mpsc::Receiver<Vec<u8>> {
    type Message = Vec<u8>;

    async fn next(&mut self) -> Option<Vec<u8>> {
        self.recv().await
    }

    fn try_next(&mut self) -> Option<Vec<u8>> {
        self.try_recv().ok()
    }

    fn recycle(&mut self, _: Vec<u8>) {}
}

impl Deliver for mpsc::Sender<Received> {
    async fn deliver(&mut self, message: BytesMut) {
        // Nobody receives any more: the peer will be told when this end closes.
        drop(self.send(whole(&message)).await);
    }
}

/// What both ends speak.
const FRAMES: Accept = Accept {
    protocol: "stt-frames",
    limit: SttFrame::MAX_FRAME,
};
/// Frames that wait on each side: of the longest, 16 MiB.
const QUEUE: usize = 8;
/// Clients that wait to be accepted.
const BACKLOG: usize = 128;
