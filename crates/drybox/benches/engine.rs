//! Simulated seconds per wall second of whole native runs, outputs included.
//!
//! `cargo bench -p drybox --bench engine [-- PART OF A NAME]`; the figures are kept in `docs/performance.md`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the wall clock"
)]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Instant;

use drybox::{
    adapter::{Adapter, AdapterConfig, AdapterFault, Capabilities, Context, Pulled, SduBatch},
    engine::{self, End, NoHooks, Setup},
    output::{Recorder, RecorderOptions},
    radio::{BLOCK_SAMPLES, Block},
    scenario::{self, Overrides, Source},
};

/// Answers every callback at once.
struct Noop {
    tone: Option<Block>,
}

impl Adapter for Noop {
    fn open(&mut self, _: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        Ok(Capabilities {
            bytelink: true,
            audioblock: true,
            ..Capabilities::default()
        })
    }
    fn init(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn start(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn on_timer(&mut self, _: &mut Context, _: u64) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn poll_link_tx(
        &mut self,
        _: &mut Context,
        _: usize,
        _: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn on_link_rx(&mut self, _: &mut Context, _: &SduBatch) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn pull_tx_block(
        &mut self,
        _: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        if let Some(tone) = &self.tone {
            *block = *tone;
        }
        Ok(Pulled::Block)
    }
    fn push_rx_block(&mut self, _: &mut Context, _: &Block) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn is_handshake_complete(&mut self, _: &mut Context) -> Result<Option<bool>, AdapterFault> {
        Ok(None)
    }
    fn send_sdu(&mut self, _: &mut Context, _: &[u8]) -> Result<(), AdapterFault> {
        Ok(())
    }
    fn stop(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        Ok(())
    }
}

fn main() {
    let byte = "mode: byte\nnetwork: {bearer: volte_evs}\n";
    let audio = |vocoder: &str| {
        let modem = format!("{{modem: {{vocoder: {vocoder}, channel_type: awgn, snr_db: 15}}}}");
        format!("mode: audio\nnetwork: {{bearer: volte_evs}}\nleft: {modem}\nright: {modem}\n")
    };
    measure("native no-op, byte", byte, 200_000, false, 500_000.0);
    measure(
        "native audio, AWGN + G.711",
        &audio("g711_alaw"),
        1_000,
        true,
        5_000.0,
    );
    measure(
        "native audio, AWGN + AMR mock",
        &audio("amr12k2_mock"),
        400,
        true,
        1_500.0,
    );
}

/// Runs five times with outputs on disk and prints the median.
fn measure(name: &str, scenario: &str, seconds: u64, tone: bool, target: f64) {
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if wanted.is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let source = Source {
        name: "bench".to_owned(),
        text: format!("{scenario}duration_ms: {}\nseed: 1\n", seconds * 1000),
    };
    let plan = scenario::load(&source, &Overrides::default()).expect("the scenario is ours");
    let scenario = &plan.points[0].scenario;
    // 400 Hz: a whole number of periods in a block.
    let block: Block = std::array::from_fn(|i| {
        let phase = drybox::math::TAU * 400.0 * i as f64 / 8000.0;
        (8000.0 * drybox::math::sin(phase)) as i16
    });
    assert_eq!(block.len(), BLOCK_SAMPLES);
    let mut rates: Vec<f64> = (0..5)
        .map(|_| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let mut recorder = Recorder::to_dir(folder.path(), RecorderOptions::default())
                .expect("a writable folder");
            let mut sides = [0, 1].map(|_| Noop {
                tone: tone.then_some(block),
            });
            let [left, right] = &mut sides;
            let setup = Setup {
                specs: ["native:noop".to_owned(), "native:noop".to_owned()],
                adapters: [left, right],
                configs: engine::configs(scenario, None, None),
            };
            let began = Instant::now();
            let outcome = engine::run(scenario, setup, &mut recorder, &mut NoHooks);
            recorder.flush().expect("a writable folder");
            let wall = began.elapsed().as_secs_f64();
            assert!(matches!(outcome.end, End::Completed), "{:?}", outcome.end);
            seconds as f64 / wall
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let median = rates[rates.len() / 2];
    println!(
        "{name:<32} {median:>12.0} sim s/s  (target {target:>8.0}, {:.2}×; {:.0}–{:.0})",
        median / target,
        rates[0],
        rates[rates.len() - 1]
    );
}
