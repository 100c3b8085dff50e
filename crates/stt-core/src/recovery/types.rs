use core::time::Duration;

use crate::{Code, ControllerKind, Ecn, LinkProfile, Timestamp, TransportError, wire::EcnCounts};

/// What a [`super::Recovery`] starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecoveryConfig {
    pub(crate) profile: LinkProfile,
    /// How long the peer may hold an acknowledgement back (its transport parameter).
    pub(crate) peer_max_ack_delay: Duration,
    /// Size of full packets to start with, bytes.
    pub(crate) initial_mtu: u16,
    /// The most that the peer (its largest datagram) and our own driver take, bytes.
    pub(crate) max_mtu: u16,
    pub(crate) controller: ControllerKind,
    /// Whether the driver can set and read the ECN field.
    pub(crate) ecn: bool,
    /// Spreads periodic behaviour (the phase of the rate controller's cycle) over sessions.
    pub(crate) seed: u64,
}

/// A packet that goes out.
#[derive(Debug)]
pub(crate) struct Sent<T> {
    /// From [`super::Recovery::next_pn`].
    pub(crate) pn: u64,
    /// The whole datagram, bytes.
    pub(crate) size: u16,
    pub(crate) ack_eliciting: bool,
    pub(crate) ecn: Ecn,
    /// A probe for a larger path MTU, of the size that [`super::Recovery::poll_mtu_probe`] gave.
    pub(crate) is_mtu_probe: bool,
    /// As of [`super::Recovery::path_generation`]; another value marks a packet that went on
    /// another path and has no part in this one's congestion control (RFC 9000 §9.4).
    pub(crate) path_generation: u32,
    /// What to give back when the packet is acknowledged or lost.
    pub(crate) carried: T,
}

/// The fixed part of an ACK frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AckInfo {
    pub(crate) largest: u64,
    /// How long the peer held it back, by its own account.
    pub(crate) delay: Duration,
    pub(crate) ecn: Option<EcnCounts>,
}

/// What an acknowledgement or a timer settled. The caller keeps one and clears it after use, so
/// that nothing is allocated per packet.
#[derive(Debug)]
pub(crate) struct Outcome<T> {
    pub(crate) acked: Vec<(u64, T)>,
    pub(crate) lost: Vec<(u64, T)>,
    /// The window was lowered for loss or a mark.
    pub(crate) congestion: bool,
    /// RFC 9002 §7.6.
    pub(crate) persistent_congestion: bool,
    /// [`super::Recovery::mtu`] has changed.
    pub(crate) mtu_changed: bool,
}

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self {
            acked: Vec::new(),
            lost: Vec::new(),
            congestion: false,
            persistent_congestion: false,
            mtu_changed: false,
        }
    }
}

impl<T> Outcome<T> {
    /// Empties it and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.acked.clear();
        self.lost.clear();
        self.congestion = false;
        self.persistent_congestion = false;
        self.mtu_changed = false;
    }
}

/// Whether a packet may go out now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum SendState {
    Now,
    /// Not before this time: pacing.
    At(Timestamp),
    /// Not before something is acknowledged or lost: the window is full.
    Blocked,
}

/// Ack-eliciting packets to send at once, whatever the window says (RFC 9002 §6.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Probes(pub(crate) u8);

/// Counters of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryStats {
    /// Packets declared lost.
    pub lost_packets: u64,
    /// Their bytes.
    pub lost_bytes: u64,
    /// Packets declared lost and acknowledged after all.
    pub spurious_losses: u64,
    /// Times that the window was lowered.
    pub congestion_events: u64,
    /// Probe time-outs.
    pub probe_timeouts: u64,
    /// Times that loss lasted so long that the window fell to its minimum.
    pub persistent_congestions: u64,
    /// Times that the path seemed to swallow large packets.
    pub black_holes: u64,
}

/// An acknowledgement of a packet that was never sent: the peer acknowledges what it hasn't
/// received (RFC 9000 §13.1, §21.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AckError {
    /// Above everything sent.
    #[error("the peer acknowledged packet {0}, which is still to be sent")]
    NotYetSent(u64),
    /// A number left out on purpose.
    #[error("the peer acknowledged packet {0}, whose number was skipped")]
    Skipped(u64),
}

impl From<AckError> for TransportError {
    fn from(error: AckError) -> Self {
        Self::in_frame(Code::PROTOCOL_VIOLATION, 0x02, error.to_string())
    }
}

/// All 2^62 packet numbers are used up (RFC 9000 §12.3): the session has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no packet number is left: open a new session")]
pub(crate) struct PacketNumbersExhausted;
