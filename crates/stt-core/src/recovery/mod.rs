//! Which packets arrived, which are lost, when to ask, and how much may be in flight (RFC 9002;
//! `docs/spec/stt-recovery.md`).

mod ack;
mod delivery;
mod ecn;
mod loss;
mod reordering;
mod rtt;
mod sent;
mod state;
mod types;

pub(crate) use self::state::Recovery;
pub(crate) use self::types::{
    AckError, AckInfo, Outcome, PacketNumbersExhausted, Probes, RecoveryConfig, SendState, Sent,
};
pub use self::{rtt::RttEstimator, types::RecoveryStats};

#[cfg(test)]
mod tests;
