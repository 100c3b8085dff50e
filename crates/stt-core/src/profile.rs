/// What is known of the link before the first packet: sets timers and sizes that a session starts
/// with, until it has measured them (`docs/spec/stt-recovery.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkProfile {
    /// Largest datagram that the link takes, bytes.
    pub mtu: u16,
    /// The rate, if known, bit/s.
    pub rate_hint: Option<u64>,
    /// Whether the link delivers everything in order (a WebSocket): no loss recovery, congestion
    /// control, probe time-outs or path MTU discovery then.
    pub reliable: bool,
    /// Set if the bearer cuts datagrams into fragments of this many payload bytes (SAR): packet
    /// sizes become multiples of it, and path MTU discovery is off.
    pub fragment: Option<u16>,
}

impl LinkProfile {
    /// An unknown path through the Internet: 1,200-byte datagrams to start with (RFC 9000 §14).
    pub const INTERNET: Self = Self {
        mtu: 1_200,
        rate_hint: None,
        reliable: false,
        fragment: None,
    };

    /// A reliable ordered transport of messages, such as a WebSocket.
    pub const RELIABLE: Self = Self {
        mtu: u16::MAX,
        rate_hint: None,
        reliable: true,
        fragment: None,
    };
}

impl Default for LinkProfile {
    fn default() -> Self {
        Self::INTERNET
    }
}
