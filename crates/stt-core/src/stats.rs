use core::time::Duration;

/// Figures of one session since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Datagrams sent.
    pub packets_sent: u64,
    /// Bytes of datagrams sent.
    pub bytes_sent: u64,
    /// Datagrams that came, whatever became of them.
    pub packets_received: u64,
    /// Bytes of datagrams that came.
    pub bytes_received: u64,
    /// Packets counted as lost.
    pub packets_lost: u64,
    /// Packets that did not open.
    pub failed_opens: u64,
    /// Packets that opened but had come before, or were too old to tell.
    pub duplicates: u64,
    /// Probes sent because acknowledgements stayed out.
    pub probes: u64,
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// Smallest round-trip time of the path.
    pub min_rtt: Duration,
    /// Congestion window, bytes.
    pub congestion_window: u64,
    /// Bytes sent and neither acknowledged nor lost.
    pub bytes_in_flight: u64,
    /// Largest datagram that is sent, bytes.
    pub mtu: u16,
    /// Key updates of the sending direction.
    pub key_epoch: u64,
    /// Changes of path.
    pub path_changes: u64,
    /// Datagrams of the application dropped for lack of room, both directions.
    pub datagrams_dropped: u64,
}
