use core::time::Duration;

use crate::{
    ControllerKind, DatagramConfig, Observer, StreamConfig, connection::RekeyLimits, wire::Limits,
};

/// What one end asks of its sessions. The same for all sessions of an endpoint.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// What the peer may do: windows, streams, idle time-out, largest packet. Told to it in the
    /// handshake.
    pub limits: Limits,
    /// Memory of the streams.
    pub streams: StreamConfig,
    /// Largest datagram that the driver sends, bytes; path MTU discovery goes up to it. Default
    /// 1,452: an Ethernet frame without the headers of IPv6 and UDP.
    pub max_mtu: u16,
    /// Whether the driver sets and reads the ECN field. Default false.
    pub ecn: bool,
    /// Memory of the datagrams.
    pub datagrams: DatagramConfig,
    /// When to change keys.
    pub rekey: RekeyLimits,
    /// Send a PING after so much silence. Default: never.
    pub keep_alive: Option<Duration>,
    /// Congestion control. Default CUBIC.
    pub controller: ControllerKind,
    /// Is told what each session does, inner frames in the clear. Default: nobody. Costs the time
    /// that it takes.
    pub observer: Option<Observer>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            streams: StreamConfig::default(),
            max_mtu: 1_452,
            ecn: false,
            datagrams: DatagramConfig::default(),
            rekey: RekeyLimits::default(),
            keep_alive: None,
            controller: ControllerKind::default(),
            observer: None,
        }
    }
}
