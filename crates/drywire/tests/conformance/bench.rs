//! Drives two adapters over an ideal link in the engine's order, and keeps what happened.

use std::path::{Path, PathBuf};

use drybox::{
    Side,
    adapter::{
        Adapter, AdapterConfig, AdapterFault, Callback, Capabilities, Context,
        DEFAULT_SDU_MAX_BYTES, Emitted, EndpointError, Pulled, SduBatch,
    },
    radio::{BLOCK_MS, SILENCE},
    rng::Streams,
    scenario::Mode,
};
use drywire::adapters::{Adapters, SidecarOptions};
use serde_json::{Map, Value, json};

/// How many SDUs a poll may return here.
pub(crate) const BUDGET: usize = 4;

/// The interpreter under test: it must have numpy.
pub(crate) fn python() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge of a test: which Python to use"
    )]
    let named = std::env::var("DRYBOX_PYTHON");
    named.unwrap_or_else(|_| "python3".to_owned())
}

pub(crate) fn options() -> SidecarOptions {
    SidecarOptions {
        python: python(),
        ..SidecarOptions::default()
    }
}

/// A file of this suite.
pub(crate) fn fixture(name: &str) -> String {
    path(&["tests", "conformance", "adapters", name])
}

/// A file of the project's examples.
pub(crate) fn example(name: &str) -> String {
    path(&["..", "..", "examples", name])
}

fn path(parts: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path: PathBuf = std::iter::once(root)
        .chain(parts.iter().map(Path::new))
        .collect();
    path.display().to_string()
}

/// The configuration of one side with these settings.
pub(crate) fn config(side: Side, mode: Mode, settings: &Value) -> AdapterConfig {
    let streams = Streams::new(1);
    let seed = |name: &str| {
        let key = streams.key(name);
        u128::from_le_bytes(*key.first_chunk().expect("a key is 32 bytes"))
    };
    AdapterConfig {
        side,
        tick_ms: 10,
        seed: 1,
        mode,
        sdu_max_bytes: DEFAULT_SDU_MAX_BYTES,
        out_dir: None,
        rng_seed: seed(&format!("{}/ctx", side.letter())),
        python_seed: seed("py"),
        crypto: None,
        settings: settings.as_object().cloned().unwrap_or_else(Map::new),
    }
}

/// What a run left behind.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) capabilities: [Option<Capabilities>; 2],
    /// Time, side and event, in the order in which the engine would log them.
    pub(crate) events: Vec<(u64, Side, Emitted)>,
    pub(crate) error: Option<EndpointError>,
    /// What `stop` answered.
    pub(crate) stopped: [Option<Result<(), AdapterFault>>; 2],
    /// Pulls that gave nothing.
    pub(crate) nothings: usize,
}

impl Outcome {
    /// The payloads of one side's events of one type.
    pub(crate) fn payloads(&self, side: Side, kind: &str) -> Vec<&Value> {
        let of = |(_, s, e): &&(u64, Side, Emitted)| *s == side && e.kind == kind;
        self.events
            .iter()
            .filter(of)
            .map(|(_, _, e)| &e.payload)
            .collect()
    }

    /// The error's callback and words.
    pub(crate) fn failure(&self) -> (Callback, String) {
        let error = self
            .error
            .as_ref()
            .unwrap_or_else(|| panic!("no error in {self:#?}"));
        (error.callback, error.to_string())
    }
}

/// A run of two adapters.
pub(crate) struct Bench {
    pub(crate) mode: Mode,
    pub(crate) settings: [Value; 2],
    pub(crate) until_ms: u64,
    pub(crate) options: SidecarOptions,
}

impl Bench {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            settings: [json!({}), json!({})],
            until_ms: 100,
            options: options(),
        }
    }

    /// The same settings for both sides.
    pub(crate) fn with(mut self, settings: Value) -> Self {
        self.settings = [settings.clone(), settings];
        self
    }

    pub(crate) fn until(mut self, ms: u64) -> Self {
        self.until_ms = ms;
        self
    }

    pub(crate) fn run(&self, left: &str, right: &str) -> Outcome {
        let adapters = Adapters::connect(left, right, self.options.clone());
        self.run_adapters([left, right], adapters)
    }

    fn run_adapters(&self, specs: [&str; 2], mut adapters: [Box<dyn Adapter>; 2]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut contexts =
            Side::BOTH.map(|s| Context::new(config(s, self.mode, &self.settings[s.index()])));
        let mut opened = [false; 2];
        let run = self.drive(&mut adapters, &mut contexts, &mut opened, &mut outcome);
        outcome.error = run
            .err()
            .map(|(side, callback, t_ms, fault)| EndpointError {
                side,
                spec: specs[side.index()].to_owned(),
                callback,
                t_ms,
                fault,
            });
        for side in Side::BOTH.into_iter().filter(|s| opened[s.index()]) {
            let (adapter, context) = (&mut adapters[side.index()], &mut contexts[side.index()]);
            outcome.stopped[side.index()] = Some(adapter.stop(context));
            collect(side, context, &mut outcome);
        }
        outcome
    }

    fn drive(
        &self,
        adapters: &mut [Box<dyn Adapter>; 2],
        contexts: &mut [Context; 2],
        opened: &mut [bool; 2],
        outcome: &mut Outcome,
    ) -> Result<(), (Side, Callback, u64, AdapterFault)> {
        let mut t = 0;
        // One call, its events collected whether or not it failed.
        macro_rules! call {
            ($side:expr, $callback:ident, |$adapter:ident, $context:ident| $call:expr) => {{
                let ($adapter, $context) =
                    (&mut adapters[$side.index()], &mut contexts[$side.index()]);
                $context.set_now_ms(t);
                let result = $call;
                collect($side, $context, outcome);
                result.map_err(|fault| ($side, Callback::$callback, t, fault))?
            }};
        }
        for side in Side::BOTH {
            opened[side.index()] = true;
            let found = call!(side, Load, |a, c| a.open(c.config()));
            outcome.capabilities[side.index()] = Some(found);
        }
        for side in Side::BOTH {
            let size = outcome.capabilities[side.index()]
                .as_ref()
                .map_or(0, |c| c.sdu_max_bytes);
            contexts[side.index()].set_sdu_max_bytes(size.min(2048));
            call!(side, Init, |a, c| a.init(c));
        }
        for side in Side::BOTH {
            call!(side, Start, |a, c| a.start(c));
        }
        let mut sent = [SduBatch::new(), SduBatch::new()];
        let mut blocks = 0;
        while t <= self.until_ms {
            for side in Side::BOTH {
                if outcome.capabilities[side.index()]
                    .as_ref()
                    .is_some_and(|c| c.timer)
                {
                    call!(side, OnTimer, |a, c| a.on_timer(c, t));
                }
            }
            if self.mode == Mode::Byte {
                for side in Side::BOTH {
                    let batch = &mut sent[side.index()];
                    batch.clear();
                    call!(side, PollLinkTx, |a, c| a.poll_link_tx(c, BUDGET, batch));
                }
                for side in [Side::Right, Side::Left] {
                    let batch = &sent[side.peer().index()];
                    if !batch.is_empty() {
                        call!(side, OnLinkRx, |a, c| a.on_link_rx(c, batch));
                    }
                }
            }
            while self.mode == Mode::Audio && blocks * BLOCK_MS <= t {
                let mut pulled = [SILENCE; 2];
                for side in Side::BOTH {
                    let block = &mut pulled[side.index()];
                    let answer = call!(side, PullTxBlock, |a, c| a.pull_tx_block(c, block));
                    outcome.nothings += usize::from(answer == Pulled::Nothing);
                }
                for side in [Side::Right, Side::Left] {
                    let block = &pulled[side.peer().index()];
                    call!(side, PushRxBlock, |a, c| a.push_rx_block(c, block));
                }
                blocks += 1;
            }
            t += 10;
        }
        Ok(())
    }
}

fn collect(side: Side, context: &mut Context, outcome: &mut Outcome) {
    let now = context.now_ms();
    outcome
        .events
        .extend(context.take_events().map(|event| (now, side, event)));
}
