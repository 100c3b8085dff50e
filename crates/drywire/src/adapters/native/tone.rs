//! `native:tone`: a sine in Mode B.

use drybox::{
    adapter::{
        Adapter, AdapterConfig, AdapterFault, AudioParams, Capabilities, Context, Pulled, SduBatch,
    },
    math,
    radio::{BLOCK_SAMPLES, Block, SAMPLE_RATE},
};

use super::{not_announced, settings::Settings};

/// A sine of `hz` (1,000) at `level` (0.2 of full scale), from the first sample on.
#[derive(Debug, Default)]
pub struct Tone {
    hz: f64,
    level: f64,
    /// Samples produced so far.
    produced: u64,
}

impl Adapter for Tone {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let settings = Settings::new(config);
        self.hz = settings.number("hz", 1000.0, 0.0..=f64::from(SAMPLE_RATE / 2))?;
        self.level = settings.number("level", 0.2, 0.0..=1.0)?;
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

    fn start(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        self.produced = 0;
        Ok(())
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
            let turns = self.produced as f64 * self.hz / f64::from(SAMPLE_RATE);
            let angle = std::f64::consts::TAU * (turns - turns.floor());
            *sample = (self.level * 32767.0 * math::sin(angle)).round_ties_even() as i16;
            self.produced += 1;
        }
        Ok(Pulled::Block)
    }

    fn send_sdu(&mut self, _: &mut Context, _: &[u8]) -> Result<(), AdapterFault> {
        Err(not_announced("send_sdu"))
    }
}
