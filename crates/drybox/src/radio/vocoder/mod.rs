//! Speech codecs on the path (`docs/spec/radio.md`, section 8).

mod bandlimit;
mod dtx;
mod g711;
mod lpc;
mod mock;

use super::{BLOCK_SAMPLES, Block, VocoderKind};
use mock::Mock;

pub(crate) use dtx::{Activity, ComfortNoise};

/// The longest coded frame: a block of plain PCM.
pub(crate) const MAX_FRAME_BYTES: usize = 2 * BLOCK_SAMPLES;

/// One speech codec, both ends of it, with a frame per block.
///
/// The encoder sees every block of the sender, the decoder only the frames that arrived in time;
/// each end's state is therefore its own.
pub(crate) trait Codec: Send {
    /// Codes one block and returns the frame's length in bytes.
    fn encode(&mut self, block: &Block, frame: &mut [u8; MAX_FRAME_BYTES]) -> usize;

    /// Decodes a frame. Any bytes give some block: a frame may have been corrupted.
    fn decode(&mut self, frame: &[u8], out: &mut Block);
}

/// The codec of this kind.
pub(crate) fn codec(kind: VocoderKind) -> Box<dyn Codec> {
    match kind {
        VocoderKind::None => Box::new(Pcm),
        VocoderKind::G711Alaw => g711::alaw(),
        VocoderKind::G711Ulaw => g711::ulaw(),
        VocoderKind::Amr12k2Mock => Box::new(Mock::new(mock::AMR_12K2)),
        VocoderKind::Evs13k2Mock => Box::new(Mock::new(mock::EVS_13K2)),
        VocoderKind::OpusNbMock => Box::new(Mock::new(mock::OPUS_NB)),
    }
}

/// No codec: the samples themselves, little-endian.
struct Pcm;

impl Codec for Pcm {
    fn encode(&mut self, block: &Block, frame: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        for (bytes, sample) in frame.as_chunks_mut::<2>().0.iter_mut().zip(block) {
            *bytes = sample.to_le_bytes();
        }
        MAX_FRAME_BYTES
    }

    fn decode(&mut self, frame: &[u8], out: &mut Block) {
        for (bytes, sample) in frame.as_chunks::<2>().0.iter().zip(out) {
            *sample = i16::from_le_bytes(*bytes);
        }
    }
}
