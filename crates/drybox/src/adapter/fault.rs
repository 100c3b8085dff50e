//! How an adapter fails.

use std::fmt;

use crate::side::Side;

/// What went wrong inside, or at the boundary of, an adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterFault {
    /// The adapter raised an exception or returned an error.
    #[error("{message}")]
    Raised {
        /// The exception's own words, its type first.
        message: String,
        /// The traceback in the adapter's language, if it has one.
        traceback: Option<String>,
    },
    /// The adapter could not be found or loaded: unknown file, module or class.
    #[error("{0}")]
    Load(String),
    /// The adapter returned something else than the interface asks for.
    #[error("{0}")]
    Contract(String),
    /// A sidecar process ended, stalled or broke the framing.
    #[error("{0}")]
    Process(String),
    /// The user interrupted the run while the adapter had control. Not the adapter's fault.
    #[error("interrupted")]
    Interrupted,
}

impl AdapterFault {
    /// An error raised by an adapter without a traceback.
    pub fn raised(message: impl Into<String>) -> Self {
        Self::Raised {
            message: message.into(),
            traceback: None,
        }
    }
}

/// Which call of an adapter failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// Finding, importing or constructing the adapter, or asking its capabilities.
    Load,
    /// `init(cfg)`.
    Init,
    /// `start(ctx)`.
    Start,
    /// `on_timer(t_ms)`.
    OnTimer,
    /// `poll_link_tx(budget)`.
    PollLinkTx,
    /// `on_link_rx(sdu)`.
    OnLinkRx,
    /// `pull_tx_block()`.
    PullTxBlock,
    /// `push_rx_block(block)`.
    PushRxBlock,
    /// `is_handshake_complete()`.
    IsHandshakeComplete,
    /// `send_sdu(bytes)`.
    SendSdu,
    /// `stop()` or `close()`.
    Stop,
    /// `ctx.emit_event(type, payload)`, called by the adapter.
    EmitEvent,
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Init => "init",
            Self::Start => "start",
            Self::OnTimer => "on_timer",
            Self::PollLinkTx => "poll_link_tx",
            Self::OnLinkRx => "on_link_rx",
            Self::PullTxBlock => "pull_tx_block",
            Self::PushRxBlock => "push_rx_block",
            Self::IsHandshakeComplete => "is_handshake_complete",
            Self::SendSdu => "send_sdu",
            Self::Stop => "stop",
            Self::EmitEvent => "emit_event",
        })
    }
}

/// An adapter's fault with its place: what exit code 3 reports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} adapter ({spec}) failed in {callback} at t={t_ms} ms: {fault}{}", side.name(), trace(fault))]
pub struct EndpointError {
    /// Whose adapter.
    pub side: Side,
    /// The adapter as the user named it.
    pub spec: String,
    /// The call that failed.
    pub callback: Callback,
    /// The logical time of the call in ms.
    pub t_ms: u64,
    /// What happened.
    pub fault: AdapterFault,
}

/// The traceback below the message, where there is one.
fn trace(fault: &AdapterFault) -> String {
    match fault {
        AdapterFault::Raised {
            traceback: Some(traceback),
            ..
        } => format!("\n{}", traceback.trim_end()),
        _ => String::new(),
    }
}
