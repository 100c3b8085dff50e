//! Adapters that are told what to do, and runs in memory.

use std::{cell::RefCell, io, path::Path, rc::Rc};

use drybox::{
    Side,
    adapter::{
        Adapter, AdapterConfig, AdapterFault, Callback, Capabilities, Context, Pulled, SduBatch,
    },
    engine::{self, Hooks, NoHooks, Setup},
    keys::{self, KeyFiles},
    output::{
        Recorded, Recorder, RecorderOptions,
        read::{CaptureReader, Columns},
    },
    radio::{Block, SILENCE},
    report::{self, Conclusion},
    scenario::{self, Overrides, Point, Scenario, Source},
};

/// A bearer on which nothing is lost, late or reordered.
pub(crate) const IDEAL: &str =
    "network: {bearer: ott_udp, latency_ms: 0, jitter_ms: 0, loss_rate: 0, reorder_rate: 0}\n";

/// What both puppets of a run did, in order: `<tick> <side> <callback>`.
pub(crate) type Log = Rc<RefCell<Vec<String>>>;

type Act = Box<dyn FnMut(Callback, &mut Context) -> Result<(), AdapterFault>>;
type Source_ = Box<dyn FnMut(u64, usize) -> Vec<Vec<u8>>>;
type Blocks = Box<dyn FnMut(u64) -> Option<Block>>;

/// An adapter that logs every call and does what its fields say.
pub(crate) struct Puppet {
    side: Side,
    log: Log,
    /// Called in every callback, before anything else.
    pub(crate) act: Act,
    /// What it announces.
    pub(crate) capabilities: Capabilities,
    /// Mode A: what it sends at a tick, given the budget.
    pub(crate) source: Source_,
    /// Mode B: its n-th block.
    pub(crate) blocks: Blocks,
    /// From when on its handshake is complete; `None` for no such notion.
    pub(crate) complete_at: Option<u64>,
    /// Mode A: what it received, and when.
    pub(crate) received: Vec<(u64, Vec<u8>)>,
    /// Mode B: what it heard, and when.
    pub(crate) heard: Vec<(u64, Block)>,
    /// The configuration as `init` saw it.
    pub(crate) config: Option<AdapterConfig>,
    pulled: u64,
}

impl Puppet {
    /// A silent adapter of both modes.
    pub(crate) fn new(side: Side, log: &Log) -> Self {
        Self {
            side,
            log: Rc::clone(log),
            act: Box::new(|_, _| Ok(())),
            capabilities: Capabilities {
                bytelink: true,
                audioblock: true,
                ..Capabilities::default()
            },
            source: Box::new(|_, _| Vec::new()),
            blocks: Box::new(|_| Some(SILENCE)),
            complete_at: None,
            received: Vec::new(),
            heard: Vec::new(),
            config: None,
            pulled: 0,
        }
    }

    /// A pair with one log.
    pub(crate) fn pair() -> ([Self; 2], Log) {
        let log = Log::default();
        (Side::BOTH.map(|side| Self::new(side, &log)), log)
    }

    /// Sends what `source` gives.
    pub(crate) fn sending(
        mut self,
        source: impl FnMut(u64, usize) -> Vec<Vec<u8>> + 'static,
    ) -> Self {
        self.source = Box::new(source);
        self
    }

    /// Emits what `events` lists: tick, type, payload.
    pub(crate) fn emitting(mut self, events: Vec<(u64, &'static str, serde_json::Value)>) -> Self {
        self.act = Box::new(move |callback, context| {
            if callback == Callback::OnTimer {
                for (at, kind, payload) in &events {
                    if *at == context.now_ms() {
                        context.emit_event(*kind, payload.clone());
                    }
                }
            }
            Ok(())
        });
        self
    }

    fn step(
        &mut self,
        callback: Callback,
        what: &str,
        context: &mut Context,
    ) -> Result<(), AdapterFault> {
        self.note(context.now_ms(), what);
        (self.act)(callback, context)
    }

    fn note(&self, t_ms: u64, what: &str) {
        let line = format!("{t_ms} {} {what}", self.side.letter());
        self.log.borrow_mut().push(line);
    }
}

impl Adapter for Puppet {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        self.note(0, "open");
        // There is no context yet; one is made so that faults can be asked for here too.
        (self.act)(Callback::Load, &mut Context::new(config.clone()))?;
        Ok(self.capabilities.clone())
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.config = Some(context.config().clone());
        self.step(Callback::Init, "init", context)
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.step(Callback::Start, "start", context)
    }

    fn on_timer(&mut self, context: &mut Context, t_ms: u64) -> Result<(), AdapterFault> {
        assert_eq!(context.now_ms(), t_ms);
        self.step(Callback::OnTimer, "timer", context)
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        self.step(Callback::PollLinkTx, &format!("poll {budget}"), context)?;
        for sdu in (self.source)(context.now_ms(), budget) {
            out.push(&sdu);
        }
        Ok(())
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        let texts: Vec<_> = sdus.iter().map(String::from_utf8_lossy).collect();
        self.step(
            Callback::OnLinkRx,
            &format!("rx {}", texts.join(" ")),
            context,
        )?;
        let now_ms = context.now_ms();
        self.received
            .extend(sdus.iter().map(|sdu| (now_ms, sdu.to_vec())));
        Ok(())
    }

    fn pull_tx_block(
        &mut self,
        context: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        let k = self.pulled;
        self.pulled += 1;
        self.step(Callback::PullTxBlock, &format!("pull {k}"), context)?;
        Ok(match (self.blocks)(k) {
            Some(filled) => {
                *block = filled;
                Pulled::Block
            }
            None => Pulled::Nothing,
        })
    }

    fn push_rx_block(&mut self, context: &mut Context, block: &Block) -> Result<(), AdapterFault> {
        self.step(
            Callback::PushRxBlock,
            &format!("push {}", block[0]),
            context,
        )?;
        self.heard.push((context.now_ms(), *block));
        Ok(())
    }

    fn is_handshake_complete(
        &mut self,
        context: &mut Context,
    ) -> Result<Option<bool>, AdapterFault> {
        self.step(Callback::IsHandshakeComplete, "complete?", context)?;
        Ok(self.complete_at.map(|at| context.now_ms() >= at))
    }

    fn send_sdu(&mut self, context: &mut Context, sdu: &[u8]) -> Result<(), AdapterFault> {
        let text = format!("send {}", String::from_utf8_lossy(sdu));
        self.step(Callback::SendSdu, &text, context)
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.step(Callback::Stop, "stop", context)
    }
}

/// A run that has ended.
pub(crate) struct Ran {
    pub(crate) conclusion: Conclusion,
    pub(crate) recorded: Recorded,
}

impl Ran {
    pub(crate) fn columns(&self) -> Columns {
        Columns::parse(&self.recorded.metrics).expect("metrics are readable")
    }

    /// The metrics rows that contain `needle`, as lines.
    pub(crate) fn rows(&self, needle: &str) -> Vec<String> {
        let text = std::str::from_utf8(&self.recorded.metrics).expect("metrics are text");
        let rows = text.lines().skip(1);
        rows.filter(|row| row.contains(needle))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn events(&self) -> &str {
        std::str::from_utf8(&self.recorded.events).expect("events are text")
    }

    pub(crate) fn capture(&self) -> CaptureReader<&[u8]> {
        let bytes = self.recorded.capture.as_deref().expect("it was captured");
        CaptureReader::new(bytes).expect("the capture is readable")
    }

    pub(crate) fn exit(&self) -> u8 {
        self.conclusion.exit.code()
    }
}

/// A scenario of one point.
pub(crate) fn scenario(yaml: &str) -> Scenario {
    let mut points = points(yaml);
    assert_eq!(points.len(), 1);
    points.remove(0).scenario
}

/// Every point of a sweep; one, if it is none.
pub(crate) fn points(yaml: &str) -> Vec<Point> {
    let source = Source {
        name: "test.yaml".to_owned(),
        text: yaml.to_owned(),
    };
    let plan = scenario::load(&source, &Overrides::default()).expect("the scenario is valid");
    plan.points
}

/// Runs in memory, with everything captured.
pub(crate) fn run(scenario: &Scenario, pair: &mut [Puppet; 2]) -> Ran {
    run_with(scenario, pair, &mut NoHooks)
}

pub(crate) fn run_with(scenario: &Scenario, pair: &mut [Puppet; 2], hooks: &mut dyn Hooks) -> Ran {
    let [left, right] = pair;
    let (conclusion, recorded) = run_any(scenario, [left, right], hooks, None);
    Ran {
        conclusion,
        recorded: recorded.expect("the run was in memory"),
    }
}

/// Runs any adapters, into a folder or into memory.
pub(crate) fn run_any(
    scenario: &Scenario,
    adapters: [&mut dyn Adapter; 2],
    hooks: &mut dyn Hooks,
    out: Option<&Path>,
) -> (Conclusion, Option<Recorded>) {
    let specs = ["native:puppet", "native:puppet"];
    let keys = keys::provision(scenario, specs, scenario.seed, &NoFiles).expect("no key is given");
    let options = RecorderOptions {
        capture: true,
        pcm: scenario.capture.pcm,
        secrets: keys.secrets(),
    };
    let mut recorder = match out {
        Some(folder) => Recorder::to_dir(folder, options).expect("the folder is writable"),
        None => Recorder::in_memory(options),
    };
    let setup = Setup {
        specs: specs.map(str::to_owned),
        adapters,
        configs: engine::configs(scenario, Some(keys.configs()), out),
    };
    let outcome = engine::run(scenario, setup, &mut recorder, hooks);
    let counts = recorder.event_counts();
    let conclusion = report::conclude("test", scenario, specs, &[], outcome, counts);
    let recorded = recorder
        .finish(
            &conclusion.summary,
            &scenario.resolved_yaml(),
            &keys.public_keys(),
        )
        .expect("the outputs are writable");
    (conclusion, recorded)
}

struct NoFiles;

impl KeyFiles for NoFiles {
    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// SplitMix64: numbers for traffic that depend on nothing but their seed.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// That many bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}
