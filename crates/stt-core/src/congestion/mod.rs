//! Congestion control behind one trait (`docs/spec/stt-recovery.md`, 7).

mod cubic;
mod new_reno;
mod rate;

use core::{fmt, time::Duration};

use self::{cubic::Cubic, new_reno::NewReno, rate::Rate};
use crate::{RttEstimator, Timestamp};

/// Which congestion controller a session uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControllerKind {
    /// CUBIC (RFC 9438): the default.
    #[default]
    Cubic,
    /// NewReno (RFC 9002 §7).
    NewReno,
    /// Models the path's rate and round trip instead of backing off at each loss: for links that
    /// lose packets without being congested.
    Rate,
}

impl ControllerKind {
    /// A controller for packets of `mtu` bytes that starts with `window` bytes. `seed` spreads its
    /// periodic behaviour over sessions.
    pub(crate) fn build(self, mtu: u16, window: u64, seed: u64) -> Box<dyn Controller> {
        match self {
            Self::Cubic => Box::new(Cubic::new(mtu, window)),
            Self::NewReno => Box::new(NewReno::new(mtu, window)),
            Self::Rate => Box::new(Rate::new(mtu, window, seed)),
        }
    }
}

/// Decides how many bytes may be in flight on a path. Told of every acknowledgement and loss once,
/// all packets together.
pub(crate) trait Controller: fmt::Debug + Send + Sync {
    /// Packets were acknowledged; losses of the same acknowledgement are told before.
    fn on_ack(&mut self, ack: &Acked<'_>);

    /// Packets were declared lost, or came marked.
    fn on_loss(&mut self, loss: &Loss);

    /// The last congestion event was none: everything declared lost then has arrived.
    fn on_spurious(&mut self);

    /// The size of full packets is now `mtu` bytes.
    fn on_mtu(&mut self, mtu: u16);

    /// Bytes that may be in flight.
    fn window(&self) -> u64;

    /// Bytes per second to pace at; `None` lets the window and the round-trip time decide
    /// (RFC 9002 §7.7).
    fn pacing_rate(&self) -> Option<u64> {
        None
    }

    /// Whether the window is still being looked for, so that pacing leaves room for its doubling.
    fn is_slow_start(&self) -> bool;
}

/// What one acknowledgement brought.
#[derive(Debug)]
pub(crate) struct Acked<'a> {
    pub(crate) now: Timestamp,
    /// Bytes acknowledged on this path.
    pub(crate) bytes: u64,
    /// Those of them sent since the last congestion event.
    pub(crate) fresh: u64,
    /// Bytes in flight before and after.
    pub(crate) before: u64,
    pub(crate) in_flight: u64,
    /// The most in flight during this round trip and the one before.
    pub(crate) peak: u64,
    pub(crate) rtt: &'a RttEstimator,
    /// A round trip has passed since the last one did: a packet sent after that was acknowledged.
    pub(crate) round: bool,
    pub(crate) sample: Option<RateSample>,
}

/// A measurement of the delivery rate (draft-ietf-ccwg-bbr §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateSample {
    /// Bytes per second.
    pub(crate) rate: u64,
    /// The sender had nothing more to send: the path may carry more than this.
    pub(crate) app_limited: bool,
}

/// Losses found at one time.
#[derive(Debug)]
pub(crate) struct Loss {
    /// Bytes lost on this path, 0 if this is about a mark.
    pub(crate) bytes: u64,
    /// Bytes in flight before them, and before what the same acknowledgement tells of arrived
    /// (flight_size, RFC 9438 §4.6).
    pub(crate) flight: u64,
    /// The latest round-trip time.
    pub(crate) rtt: Duration,
    /// A congestion event begins: the first loss or mark among what was sent since the last began
    /// (RFC 9002 §7.3.2).
    pub(crate) event: bool,
    /// RFC 9002 §7.6.
    pub(crate) persistent: bool,
}

/// kMinimumWindow (RFC 9002 §7.2).
pub(crate) const fn minimum_window(mtu: u16) -> u64 {
    2 * mtu as u64
}
