use stt_core::endpoint::EndpointStats;

/// Figures of a node since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// Sessions and attempts under way.
    pub sessions: usize,
    /// Handshakes that were answered and not confirmed.
    pub half_open: usize,
    /// Sessions that wait to be accepted.
    pub to_accept: usize,
    /// WebSockets that are open, to this node and from it.
    pub web_sockets: usize,
    /// Messages of peers that were dropped, or that nobody could take: see
    /// [`NodeEvent::MessageFailed`](crate::NodeEvent::MessageFailed).
    pub messages_failed: u64,
    /// Datagrams, refusals, answers.
    pub endpoint: EndpointStats,
}
