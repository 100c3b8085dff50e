//! Sessions of stt-core and of quinn-proto as two ends of one simulated link: the ground on which they are compared.

pub mod ours;
pub mod peer;
pub mod world;

/// What both implementations are set to.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Size of full datagrams, bytes.
    pub mtu: u16,
    /// Credit of a stream and of the session, and what a sender keeps until it is acknowledged, bytes.
    pub window: u64,
    /// If set, quinn-proto's sender asks for an acknowledgement every so many packets.
    pub peer_ack_every: Option<u32>,
}
