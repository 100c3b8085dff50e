//! What a voice path tells about each block (`docs/spec/radio.md`, section 13).

use super::{Block, ppm::Slip};
use crate::Direction;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VoiceEvent {
    /// The sender's block entered the bearer.
    Tx,
    /// A frame was played to the receiver.
    Rx,
    /// A frame was lost by the bearer (when it was sent) or came too late (when it should have
    /// been played).
    Drop,
    /// The sampling clocks drifted one block apart.
    Slip(Slip),
}

/// One thing that happened to one block. A field that does not apply is `None`.
#[derive(Debug, Clone, Copy)]
pub struct VoiceRecord<'a> {
    /// When, in logical ms.
    pub t_ms: u64,
    /// Whose direction; the row's `side` is its sender for [`VoiceEvent::Tx`], else its receiver.
    pub direction: Direction,
    /// What.
    pub event: VoiceEvent,
    /// The block's number at the sender.
    pub block: u64,
    /// The coded frame, for the capture; empty without a vocoder and for slips.
    pub frame: &'a [u8],
    /// The sender's own block for [`VoiceEvent::Tx`], the played one for [`VoiceEvent::Rx`].
    pub pcm: Option<&'a Block>,
    /// Signal-to-noise ratio that the channel left, in dB, on [`VoiceEvent::Rx`].
    pub snr_db: Option<f64>,
    /// Frame error: 1 on [`VoiceEvent::Drop`], 0 on [`VoiceEvent::Rx`].
    pub per: Option<f64>,
    /// From pull to push, on [`VoiceEvent::Rx`].
    pub latency_ms: Option<f64>,
    /// RFC 3550 interarrival jitter of the frames so far, on [`VoiceEvent::Rx`].
    pub jitter_ms: Option<f64>,
    /// Lost among the direction's settled frames so far, on [`VoiceEvent::Rx`] and
    /// [`VoiceEvent::Drop`].
    pub loss_rate: Option<f64>,
}

/// Takes the records of a [`VoicePath`](super::VoicePath).
pub trait VoiceObserver {
    /// Why recording may fail.
    type Error;

    /// Takes one record. An error ends the call that made the record.
    fn observe(&mut self, record: &VoiceRecord<'_>) -> Result<(), Self::Error>;
}

/// Looks away.
impl VoiceObserver for () {
    type Error = std::convert::Infallible;

    fn observe(&mut self, _: &VoiceRecord<'_>) -> Result<(), Self::Error> {
        Ok(())
    }
}
