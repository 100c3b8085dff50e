//! STT on tokio: nodes, sessions and streams over UDP and WebSocket (`docs/spec/stt-node.md`).
//!
//! The protocol itself is `stt-core`, a state machine without I/O; this crate gives it sockets, a
//! clock and randomness. Beside it stand the primitives, which never look into a payload
//! (`docs/spec/stt-primitives.md`).
//!
//! ```
//! use stt::Node;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shared = b"32 random bytes that all peers have";
//! let server = Node::builder(b"32 random bytes of the server alone", shared).host("127.0.0.1").build()?;
//! let client = Node::builder(b"32 random bytes of the client alone", shared).host("127.0.0.1").build()?;
//! let address = server.start().await?;
//! client.start().await?;
//!
//! let session = client.connect_udp("127.0.0.1", address.port()).await?;
//! let mut sending = session.open_uni().await?;
//! sending.write_all(b"hello").await?;
//! sending.finish()?;
//!
//! let accepted = server.accept().await.expect("the server runs");
//! assert_eq!(accepted.peer(), client.node_id());
//! let mut text = String::new();
//! accepted.accept_uni().await?.read_to_string(&mut text).await?;
//! assert_eq!(text, "hello");
//!
//! client.stop().await;
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

#[cfg(any(feature = "__fuzz", test))]
#[doc(hidden)]
pub mod __fuzz;
mod clock;
mod dispatcher;
mod driver;
mod endpoints;
mod error;
mod events;
mod handler;
mod message;
mod node;
mod session;
mod stream;
pub mod streaming;
pub mod transport;

pub use dispatcher::{DispatchError, FrameDispatcher};
pub use endpoints::{EndpointError, EndpointLimits, EndpointManager};
pub use error::{
    CloseReason, ConnectError, DatagramError, MigrateError, NodeError, ReadError, ReadToEndError,
    WriteError,
};
pub use events::{Emitted, EventEmitter, HandlerFailure, HandlerKey};
pub use handler::{BoxError, HandlerError};
pub use message::{MessageFuture, MessageSink, PeerMessage, SendMessageError};
pub use node::{
    Builder, ConnectOptions, Node, NodeEvent, NodeStats, PathAddress, SystemEnvironment,
    WsConnectOptions,
};
pub use session::{Session, SessionEnd, SessionState};
pub use stream::{RecvStream, SendStream};
pub use stt_core as core;
pub use stt_core::{ConnectionError, LinkProfile, SessionConfig, Side, Stats};
pub use stt_crypto as crypto;
pub use stt_crypto::NodeId;
pub use stt_store as store;
