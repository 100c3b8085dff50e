//! PCM as WAV files (`docs/spec/outputs.md`, section 4).

use super::{error::OutputError, scrub::Scrubber, sink::Sink};
use crate::radio::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

/// Which end of an adapter's audio port is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PcmTap {
    /// What the adapter's source gave.
    Tx,
    /// What its sink was given.
    Rx,
}

const HEADER_BYTES: u32 = 44;
const BYTES_PER_SAMPLE: u32 = 2;

/// One WAV file that is being written.
pub(super) struct WavSink {
    sink: Sink,
    blocks: u64,
}

impl WavSink {
    pub(super) fn new(mut sink: Sink) -> Self {
        sink.buffer().extend_from_slice(&header());
        Self { sink, blocks: 0 }
    }

    pub(super) fn push(&mut self, block: &Block, scrubber: &Scrubber) -> Result<(), OutputError> {
        let out = self.sink.buffer();
        let start = out.len();
        out.extend_from_slice(block.map(i16::to_le_bytes).as_flattened());
        scrubber.data(&mut out[start..]);
        self.blocks += 1;
        self.sink.commit()
    }

    pub(super) fn flush(&mut self) -> Result<(), OutputError> {
        let bytes = self.blocks * (BLOCK_SAMPLES as u64) * u64::from(BYTES_PER_SAMPLE);
        let data = u32::try_from(bytes).unwrap_or(u32::MAX);
        let riff = data.saturating_add(HEADER_BYTES - 8);
        self.sink.patch(4, &riff.to_le_bytes())?;
        self.sink.patch(40, &data.to_le_bytes())
    }

    /// Takes the whole file out of memory; empty when it is on disk.
    pub(super) fn take_memory(&mut self) -> Vec<u8> {
        self.sink.take_memory()
    }
}

impl Drop for WavSink {
    fn drop(&mut self) {
        // Best effort: an abandoned file should still say how long it is.
        drop(self.flush());
    }
}

/// The header of an empty file.
fn header() -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(HEADER_BYTES - 8).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    out.extend_from_slice(&[1, 0, 1, 0]);
    out.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    out.extend_from_slice(&(SAMPLE_RATE * BYTES_PER_SAMPLE).to_le_bytes());
    // Bytes of a sample of all channels, bits of one.
    out.extend_from_slice(&[2, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&0_u32.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_sizes_of_its_blocks() {
        let mut wav = WavSink::new(Sink::memory("x.wav"));
        let mut block = [0; BLOCK_SAMPLES];
        block[0] = -2;
        wav.push(&block, &Scrubber::default()).unwrap();
        wav.push(&block, &Scrubber::default()).unwrap();
        wav.flush().unwrap();
        let bytes = wav.take_memory();
        assert_eq!(bytes.len(), 44 + 640);
        assert_eq!(
            bytes[..46],
            *b"RIFF\xa4\x02\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x80\x02\0\0\xfe\xff"
        );
    }
}
