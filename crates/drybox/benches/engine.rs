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
    radio::Block,
    scenario::{self, Mode, Overrides, Plan, Source},
};

/// Answers every callback at once.
struct Noop {
    tone: Option<Block>,
    /// An SDU of this many bytes in every tick.
    sdu: Option<usize>,
}

impl Adapter for Noop {
    fn open(&mut self, _: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        Ok(Capabilities {
            bytelink: true,
            audioblock: true,
            ..Capabilities::default()
        })
    }

    fn poll_link_tx(
        &mut self,
        _: &mut Context,
        _: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        if let Some(bytes) = self.sdu {
            out.push(&[0x5a; 1024][..bytes]);
        }
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
}

fn main() {
    let byte = "mode: byte\nnetwork: {bearer: volte_evs}\n";
    let audio = |vocoder: &str| {
        let modem = format!("{{modem: {{vocoder: {vocoder}, channel_type: awgn, snr_db: 15}}}}");
        format!("mode: audio\nnetwork: {{bearer: volte_evs}}\nleft: {modem}\nright: {modem}\n")
    };
    let case = |name, scenario: &str, seconds, target| Case {
        name,
        plan: plan(scenario, seconds),
        seconds,
        target,
        sdu: None,
    };
    let g711 = audio("g711_alaw");
    let cases = [
        case("native no-op, byte", byte, 200_000, 500_000.0),
        case("native audio, AWGN + G.711", &g711, 1_000, 5_000.0),
        case(
            "native audio, AWGN + AMR mock",
            &audio("amr12k2_mock"),
            400,
            1_500.0,
        ),
    ];
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| {
        wanted
            .as_ref()
            .is_none_or(|part| name.contains(part.as_str()))
    };
    for case in cases.iter().filter(|case| is_wanted(case.name)) {
        case.print_rate();
    }
    let shares = [
        Case {
            sdu: Some(100),
            ..case("outputs of byte mode", byte, 400, 0.0)
        },
        case("outputs of audio", &g711, 400, 0.0),
    ];
    for case in shares.iter().filter(|case| is_wanted(case.name)) {
        case.print_share();
    }
}

fn plan(scenario: &str, seconds: u64) -> Plan {
    let source = Source {
        name: "bench".to_owned(),
        text: format!("{scenario}duration_ms: {}\nseed: 1\n", seconds * 1000),
    };
    scenario::load(&source, &Overrides::default()).expect("the scenario is ours")
}

/// One measurement.
struct Case {
    name: &'static str,
    plan: Plan,
    /// Simulated.
    seconds: u64,
    /// Simulated seconds per wall second.
    target: f64,
    sdu: Option<usize>,
}

impl Case {
    /// The wall time of a run in seconds, its outputs written.
    fn run(&self, mut recorder: Recorder) -> f64 {
        let scenario = &self.plan.points[0].scenario;
        // 400 Hz: a whole number of periods in a block.
        let block: Block = std::array::from_fn(|i| {
            let phase = drybox::math::TAU * 400.0 * i as f64 / 8000.0;
            (8000.0 * drybox::math::sin(phase)) as i16
        });
        let mut sides = [0, 1].map(|_| Noop {
            tone: (scenario.mode == Mode::Audio).then_some(block),
            sdu: self.sdu,
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
        wall
    }

    /// Runs five times with metrics and events on disk and prints the median rate.
    fn print_rate(&self) {
        let mut rates: Vec<f64> = (0..5)
            .map(|_| {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let recorder = Recorder::to_dir(folder.path(), RecorderOptions::default());
                self.seconds as f64 / self.run(recorder.expect("a writable folder"))
            })
            .collect();
        rates.sort_by(f64::total_cmp);
        let (median, target) = (rates[rates.len() / 2], self.target);
        println!(
            "{:<32} {median:>12.0} sim s/s  (target {target:>8.0}, {:.2}×; {:.0}–{:.0})",
            self.name,
            median / target,
            rates[0],
            rates[rates.len() - 1]
        );
    }

    /// Runs in turns with all outputs on disk and with none at all, and prints what the outputs take
    /// as a multiple of the simulation, from the fastest run of each.
    fn print_share(&self) {
        let options = RecorderOptions {
            capture: true,
            ..RecorderOptions::default()
        };
        let (mut with, mut without) = (f64::MAX, f64::MAX);
        for _ in 0..9 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let recorder = Recorder::to_dir(folder.path(), options.clone());
            with = with.min(self.run(recorder.expect("a writable folder")));
            without = without.min(self.run(Recorder::nowhere()));
        }
        println!(
            "{:<32} {:>12.2} × the simulation  ({:.0} ns and {:.0} ns a tick)",
            self.name,
            (with - without) / without,
            (with - without) * 1e7 / self.seconds as f64,
            without * 1e7 / self.seconds as f64,
        );
    }
}
