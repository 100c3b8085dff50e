/// Figures of an endpoint since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointStats {
    /// Datagrams that came.
    pub datagrams: u64,
    /// Datagrams that were nothing of ours, or nothing that could be used.
    pub dropped: u64,
    /// HELLOs that came, copies included.
    pub hellos: u64,
    /// HELLOs that were refused, for whatever reason.
    pub refused: u64,
    /// Answers to HELLOs sent, copies included.
    pub responses: u64,
    /// Handshakes that resumed a session with a ticket, in either role.
    pub resumed: u64,
    /// COOKIEs sent.
    pub cookies: u64,
    /// VERSIONS sent.
    pub versions: u64,
    /// Stateless resets sent.
    pub resets: u64,
    /// HELLO_RESPs that were forged, damaged or of the wrong peer.
    pub forged_responses: u64,
}
