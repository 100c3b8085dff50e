//! `native:tone`: a sine in Mode B.

use drybox::{
    adapter::{
        Adapter, AdapterConfig, AdapterFault, AudioParams, Capabilities, Context, Pulled, SduBatch,
    },
    math,
    radio::{self, BLOCK_SAMPLES, Block, SAMPLE_RATE, Signal},
};

use super::{not_announced, settings::Settings};

/// A sine of `hz` (1,000) at `level` (0.2 of full scale), from the first sample on.
#[derive(Debug)]
pub struct Tone {
    hz: f64,
    level: f64,
    /// Cosine and sine of the angle from a block's first sample to each.
    within: [Signal; 2],
    /// Samples produced so far.
    produced: u64,
}

impl Default for Tone {
    fn default() -> Self {
        Self {
            hz: 0.0,
            level: 0.0,
            within: [[0.0; BLOCK_SAMPLES]; 2],
            produced: 0,
        }
    }
}

impl Tone {
    /// The angle of sample `n`.
    fn angle(&self, n: u64) -> f64 {
        let turns = n as f64 * self.hz / f64::from(SAMPLE_RATE);
        math::TAU * (turns - turns.floor())
    }
}

impl Adapter for Tone {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let settings = Settings::new(config);
        self.hz = settings.number("hz", 1000.0, 0.0..=f64::from(SAMPLE_RATE / 2))?;
        self.level = settings.number("level", 0.2, 0.0..=1.0)?;
        for n in 0..BLOCK_SAMPLES {
            let (sin, cos) = math::sin_cos(self.angle(n as u64));
            (self.within[0][n], self.within[1][n]) = (cos, sin);
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
        // The sine of a sum: one angle a block, and no error that would grow.
        let (sin, cos) = math::sin_cos(self.angle(self.produced));
        let amplitude = self.level * 32767.0;
        let [within_cos, within_sin] = &self.within;
        let tone: Signal =
            std::array::from_fn(|n| amplitude * (sin * within_cos[n] + cos * within_sin[n]));
        radio::to_block(&tone, block);
        self.produced += BLOCK_SAMPLES as u64;
        Ok(Pulled::Block)
    }

    fn send_sdu(&mut self, _: &mut Context, _: &[u8]) -> Result<(), AdapterFault> {
        Err(not_announced("send_sdu"))
    }
}
