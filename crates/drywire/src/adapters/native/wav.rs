//! `native:wav`: plays a WAV file in Mode B and can record what it hears.

use std::{
    fs::File,
    io::{BufReader, BufWriter},
};

use drybox::{
    adapter::{
        Adapter, AdapterConfig, AdapterFault, AudioParams, Capabilities, Context, Pulled, SduBatch,
    },
    radio::{BLOCK_SAMPLES, Block, SAMPLE_RATE},
};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use super::{not_announced, settings::Settings};

/// The one format in which audio crosses a run.
const FORMAT: WavSpec = WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

/// Plays `file` (8 kHz, mono, 16 bit), again and again with `loop: true`; silence without a file or
/// after its end. With `record: true` the received audio goes to `wav_L.wav` or `wav_R.wav` in the
/// output folder.
#[derive(Default)]
pub struct Wav {
    name: String,
    player: Option<WavReader<BufReader<File>>>,
    repeat: bool,
    recorder: Option<WavWriter<BufWriter<File>>>,
}

impl std::fmt::Debug for Wav {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wav")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Wav {
    /// The next sample, or `None` when nothing is left to play.
    fn next_sample(&mut self) -> Result<Option<i16>, hound::Error> {
        let Some(player) = &mut self.player else {
            return Ok(None);
        };
        if let Some(sample) = player.samples::<i16>().next() {
            return sample.map(Some);
        }
        if self.repeat && player.duration() > 0 {
            player.seek(0)?;
            return player.samples::<i16>().next().transpose();
        }
        Ok(None)
    }

    fn failed(&self, error: &hound::Error) -> AdapterFault {
        AdapterFault::raised(format!("{}: {error}", self.name))
    }
}

impl Adapter for Wav {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let settings = Settings::new(config);
        self.repeat = settings.flag("loop", false)?;
        if let Some(path) = settings.text("file")? {
            path.clone_into(&mut self.name);
            let player = WavReader::open(path)
                .map_err(|error| settings.error("file", &format!("cannot read {path}: {error}")))?;
            if player.spec() != FORMAT {
                let WavSpec {
                    channels,
                    sample_rate,
                    bits_per_sample,
                    ..
                } = player.spec();
                let what = format!(
                    "{path} must be 8000 Hz, 1 channel, 16 bit; it is {sample_rate} Hz, {channels}, {bits_per_sample} bit"
                );
                return Err(settings.error("file", &what));
            }
            self.player = Some(player);
        }
        if settings.flag("record", false)? {
            let Some(folder) = &config.out_dir else {
                return Err(settings.error("record", "the run has no output folder"));
            };
            let path = folder.join(format!("wav_{}.wav", config.side.letter()));
            let recorder = WavWriter::create(&path, FORMAT).map_err(|error| {
                settings.error(
                    "record",
                    &format!("cannot write {}: {error}", path.display()),
                )
            })?;
            self.recorder = Some(recorder);
        }
        Ok(Capabilities {
            audioblock: true,
            audioparams: Some(AudioParams {
                sr: SAMPLE_RATE,
                block: BLOCK_SAMPLES as u32,
            }),
            timer: false,
            ..Capabilities::default()
        })
    }

    fn poll_link_tx(
        &mut self,
        _: &mut Context,
        _: usize,
        _: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        Err(not_announced("poll_link_tx"))
    }

    fn on_link_rx(&mut self, _: &mut Context, _: &SduBatch) -> Result<(), AdapterFault> {
        Err(not_announced("on_link_rx"))
    }

    fn pull_tx_block(
        &mut self,
        _: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        for sample in block.iter_mut() {
            *sample = self
                .next_sample()
                .map_err(|error| self.failed(&error))?
                .unwrap_or(0);
        }
        Ok(Pulled::Block)
    }

    fn push_rx_block(&mut self, _: &mut Context, block: &Block) -> Result<(), AdapterFault> {
        if let Some(recorder) = &mut self.recorder {
            let written = block
                .iter()
                .try_for_each(|&sample| recorder.write_sample(sample));
            written.map_err(|error| AdapterFault::raised(format!("cannot record: {error}")))?;
        }
        Ok(())
    }

    fn send_sdu(&mut self, _: &mut Context, _: &[u8]) -> Result<(), AdapterFault> {
        Err(not_announced("send_sdu"))
    }

    fn stop(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        self.player = None;
        match self.recorder.take().map(WavWriter::finalize) {
            Some(Err(error)) => Err(AdapterFault::raised(format!("cannot record: {error}"))),
            _ => Ok(()),
        }
    }
}
