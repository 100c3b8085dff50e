//! The sidecar as an adapter: one request a tick for all that the tick needs.
//!
//! The first call of a tick sends the tick request, which runs the timers of every side that lives
//! in the process and then their polls or pulls. What it brought waits in `reports` and is handed
//! out call by call, so that events and faults appear exactly where the engine would have seen them
//! from an adapter in its own process (`docs/spec/sidecar.md`, section 5).

use std::{cell::RefCell, fmt::Write as _, rc::Rc};

use drybox::{
    Side,
    adapter::{
        Adapter, AdapterConfig, AdapterFault, Callback, Capabilities, Context, Pulled, SduBatch,
    },
    radio::{BLOCK_MS, Block},
    scenario::Mode,
};

use super::{
    SidecarOptions,
    launch::Launch,
    message::{self, Content, Out, Report},
    process::{MAX_FRAME, Process},
    value::{self, Written},
};
use crate::adapters::contract::Limits;

/// Most of the bytes of SDUs that go into one delivery request.
const DELIVERY_BYTES: usize = MAX_FRAME / 2;

/// A process that hosts the adapter of one side or of both.
#[derive(Debug, Clone)]
pub struct SidecarProcess(Rc<RefCell<Shared>>);

impl SidecarProcess {
    /// The Python host, started when the first of its adapters is opened. Serves both sides.
    pub fn python(options: SidecarOptions) -> Self {
        let launch = Launch::Python {
            interpreter: options.python.clone(),
            watch_entropy: options.watch_entropy,
        };
        Self(Rc::new(RefCell::new(Shared::new(launch, options))))
    }

    /// A program, from the part of its spec after `cmd:`. Serves one side.
    pub fn command(line: &str, options: SidecarOptions) -> Result<Self, AdapterFault> {
        let launch = Launch::from_command_line(line)?;
        Ok(Self(Rc::new(RefCell::new(Shared::new(launch, options)))))
    }

    /// The adapter that `spec` names, playing `side` in this process.
    pub fn adapter(&self, side: Side, spec: &str) -> Sidecar {
        self.0.borrow_mut().sides[side.index()].hosted = true;
        Sidecar {
            shared: Rc::clone(&self.0),
            side,
            spec: spec.to_owned(),
            sdus: SduBatch::new(),
        }
    }
}

/// One side's adapter in a sidecar process.
#[derive(Debug)]
pub struct Sidecar {
    shared: Rc<RefCell<Shared>>,
    side: Side,
    spec: String,
    /// A delivery cut to a size that fits a frame.
    sdus: SduBatch,
}

impl Sidecar {
    /// One request for one callback; `take` gets what it answered.
    fn call(
        &self,
        context: &mut Context,
        callback: Callback,
        arguments: u64,
        write: impl FnOnce(Out<'_, '_>) -> Written,
        take: impl FnMut(Content),
    ) -> Result<(), AdapterFault> {
        let shared = &mut *self.shared.borrow_mut();
        shared.request(self.side, callback, context.now_ms(), arguments, write)?;
        shared.hand_out(context, self.side, callback, take)
    }
}

impl Adapter for Sidecar {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let shared = &mut *self.shared.borrow_mut();
        shared.start()?;
        shared.sides[self.side.index()].open = true;
        let write = |e: Out<'_, '_>| message::open_arguments(e, &self.spec, config);
        shared.request(self.side, Callback::Load, 0, 4, write)?;
        let mut capabilities = None;
        // Events before `start` have no context to go to: an adapter has no `ctx` yet.
        let mut nowhere = Context::new(config.clone());
        shared.hand_out(&mut nowhere, self.side, Callback::Load, |content| {
            if let Content::Capabilities(found) = content {
                capabilities = Some(*found);
            }
        })?;
        capabilities.ok_or_else(|| shared.broken("no capabilities"))
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let size = context.config().sdu_max_bytes;
        let write = |e: Out<'_, '_>| {
            let updates = serde_json::json!({"sdu_max_bytes": size});
            value::write(e, &updates)
        };
        self.call(context, Callback::Init, 1, write, drop)
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.call(context, Callback::Start, 0, nothing, drop)
    }

    fn on_timer(&mut self, context: &mut Context, t_ms: u64) -> Result<(), AdapterFault> {
        let shared = &mut *self.shared.borrow_mut();
        shared.tick(t_ms, context.config().mode)?;
        shared.hand_out(context, self.side, Callback::OnTimer, drop)
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        let shared = &mut *self.shared.borrow_mut();
        let (side, t_ms) = (self.side, context.now_ms());
        shared.budget = u32::try_from(budget).unwrap_or(u32::MAX);
        shared.tick(t_ms, Mode::Byte)?;
        if !std::mem::take(&mut shared.sides[side.index()].ahead) {
            let write = |e: Out<'_, '_>| e.u64(budget as u64)?.ok();
            shared.request(side, Callback::PollLinkTx, t_ms, 1, write)?;
        }
        let start = out.len();
        let limits = Limits {
            budget,
            sdu_max_bytes: context.config().sdu_max_bytes,
        };
        shared.limits = limits;
        shared.hand_out(context, side, Callback::PollLinkTx, |content| {
            if let Content::Sdus(sdus) = content {
                sdus.iter().for_each(|sdu| out.push(sdu));
            }
        })?;
        limits.check(out, start)
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        let mut delivery = std::mem::take(&mut self.sdus);
        let mut bytes = 0;
        let mut result = Ok(());
        for sdu in sdus.iter() {
            if !delivery.is_empty() && bytes + sdu.len() > DELIVERY_BYTES {
                result = self.deliver(context, &delivery);
                delivery.clear();
                bytes = 0;
                if result.is_err() {
                    break;
                }
            }
            delivery.push(sdu);
            bytes += sdu.len();
        }
        if result.is_ok() && !delivery.is_empty() {
            result = self.deliver(context, &delivery);
        }
        delivery.clear();
        self.sdus = delivery;
        result
    }

    fn pull_tx_block(
        &mut self,
        context: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        let shared = &mut *self.shared.borrow_mut();
        let (side, t_ms) = (self.side, context.now_ms());
        shared.tick(t_ms, Mode::Audio)?;
        let state = &mut shared.sides[side.index()];
        state.pulls += 1;
        if !std::mem::take(&mut state.ahead) {
            shared.request(side, Callback::PullTxBlock, t_ms, 0, nothing)?;
        }
        let mut pulled = None;
        shared.hand_out(
            context,
            side,
            Callback::PullTxBlock,
            |content| match content {
                Content::Block(samples) => {
                    *block = *samples;
                    pulled = Some(Pulled::Block);
                }
                Content::Nothing => pulled = Some(Pulled::Nothing),
                _ => {}
            },
        )?;
        pulled.ok_or_else(|| shared.broken("neither a block nor its absence"))
    }

    fn push_rx_block(&mut self, context: &mut Context, block: &Block) -> Result<(), AdapterFault> {
        let bytes: Vec<u8> = block
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        self.call(
            context,
            Callback::PushRxBlock,
            1,
            |e| e.bytes(&bytes)?.ok(),
            drop,
        )
    }

    fn is_handshake_complete(
        &mut self,
        context: &mut Context,
    ) -> Result<Option<bool>, AdapterFault> {
        let mut complete = None;
        self.call(
            context,
            Callback::IsHandshakeComplete,
            0,
            nothing,
            |content| {
                if let Content::Complete(answer) = content {
                    complete = answer;
                }
            },
        )?;
        Ok(complete)
    }

    fn send_sdu(&mut self, context: &mut Context, sdu: &[u8]) -> Result<(), AdapterFault> {
        self.shared.borrow_mut().has_texts = true;
        self.call(context, Callback::SendSdu, 1, |e| e.bytes(sdu)?.ok(), drop)
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let open = {
            let shared = &mut *self.shared.borrow_mut();
            // A process that failed has been reported as such and is gone: nothing is left to stop.
            std::mem::take(&mut shared.sides[self.side.index()].open) && shared.is_running()
        };
        if open {
            self.call(context, Callback::Stop, 0, nothing, drop)?;
        }
        Ok(())
    }
}

impl Sidecar {
    fn deliver(&self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        let write = |e: Out<'_, '_>| {
            e.array(sdus.len() as u64)?;
            sdus.iter().try_for_each(|sdu| e.bytes(sdu)?.ok())
        };
        self.call(context, Callback::OnLinkRx, 1, write, drop)
    }
}

/// No arguments.
fn nothing(_: Out<'_, '_>) -> Written {
    Ok(())
}

/// The process and what both of its sides share.
#[derive(Debug)]
struct Shared {
    launch: Launch,
    options: SidecarOptions,
    process: Option<Process>,
    failed: bool,
    sides: [SideState; 2],
    /// The time of the last tick request.
    ticked: Option<u64>,
    /// The budget to poll ahead with; 0 until the engine has told it.
    budget: u32,
    /// Scripted texts come between timers and polls: with them, nothing is polled or pulled ahead.
    /// The engine asks for them from the first tick on, in which nothing is either.
    has_texts: bool,
    limits: Limits,
    request: Vec<u8>,
    /// What the last reply brought and no call has taken yet.
    reports: Vec<Report>,
}

#[derive(Debug, Default)]
struct SideState {
    /// An adapter of this side lives in the process.
    hosted: bool,
    /// It was opened and not stopped.
    open: bool,
    /// The tick request has polled or pulled, and the engine has not asked yet.
    ahead: bool,
    /// Blocks pulled so far.
    pulls: u64,
}

impl Shared {
    fn new(launch: Launch, options: SidecarOptions) -> Self {
        Self {
            launch,
            options,
            process: None,
            failed: false,
            sides: Default::default(),
            ticked: None,
            budget: 0,
            has_texts: false,
            limits: Limits {
                budget: 0,
                sdu_max_bytes: 0,
            },
            request: Vec::new(),
            reports: Vec::new(),
        }
    }

    fn is_running(&self) -> bool {
        self.process.is_some() && !self.failed
    }

    /// Starts the process unless it runs.
    fn start(&mut self) -> Result<(), AdapterFault> {
        if self.process.is_none() {
            let mut names = String::new();
            for side in Side::BOTH
                .into_iter()
                .filter(|s| self.sides[s.index()].hosted)
            {
                let comma = if names.is_empty() { "" } else { ", " };
                let _infallible = write!(names, "{comma}{}", side.name());
            }
            self.process = Some(Process::start(&self.launch, &names, &self.options)?);
        }
        Ok(())
    }

    /// Sends the tick request, unless this tick's has been sent.
    fn tick(&mut self, t_ms: u64, mode: Mode) -> Result<(), AdapterFault> {
        if self.ticked == Some(t_ms) {
            return Ok(());
        }
        self.ticked = Some(t_ms);
        let budget = if mode == Mode::Byte { self.budget } else { 0 };
        let pulls = self
            .sides
            .iter()
            .filter(|s| s.hosted)
            .map(|s| s.pulls)
            .min();
        let pull = mode == Mode::Audio && pulls.unwrap_or(0) * BLOCK_MS <= t_ms;
        for side in &mut self.sides {
            side.ahead = budget > 0 || pull;
        }
        message::tick(&mut self.request, t_ms, budget, pull);
        self.exchange()?;
        let expected = |callback| match callback {
            Callback::OnTimer => true,
            Callback::PollLinkTx => budget > 0,
            Callback::PullTxBlock => pull,
            _ => false,
        };
        self.expect(|report| expected(report.callback))
    }

    /// Sends the request for one callback.
    fn request(
        &mut self,
        side: Side,
        callback: Callback,
        t_ms: u64,
        arguments: u64,
        write: impl FnOnce(Out<'_, '_>) -> Written,
    ) -> Result<(), AdapterFault> {
        message::call(&mut self.request, callback, t_ms, side, arguments, write);
        // What a tick ran ahead with for the other side stays to be taken.
        let ahead = std::mem::take(&mut self.reports);
        self.exchange()?;
        self.expect(|report| report.side == side && report.callback == callback)?;
        self.reports.splice(0..0, ahead);
        Ok(())
    }

    fn exchange(&mut self) -> Result<(), AdapterFault> {
        self.reports.clear();
        let len = self.request.len() - 4;
        if len > MAX_FRAME {
            return Err(AdapterFault::Process(format!(
                "a request of {len} bytes is over the sidecar's limit of {MAX_FRAME}"
            )));
        }
        let Some(process) = self.process.as_mut().filter(|_| !self.failed) else {
            return Err(AdapterFault::Process(
                "the sidecar process has ended".to_owned(),
            ));
        };
        let reply = process.exchange(&self.request);
        // Nothing happened: the ordinary tick.
        if matches!(reply, Ok(&[0x80])) {
            return Ok(());
        }
        let reports = match reply {
            Ok(body) => message::read_reports(body),
            Err(fault) => {
                self.failed = true;
                return Err(fault);
            }
        };
        match reports {
            Ok(reports) => self.reports = reports,
            Err(error) => return Err(self.broken(&format!("a malformed reply ({error})"))),
        }
        Ok(())
    }

    fn expect(&mut self, is_expected: impl Fn(&Report) -> bool) -> Result<(), AdapterFault> {
        let hosted = |report: &Report| self.sides[report.side.index()].hosted;
        match self.reports.iter().find(|r| !hosted(r) || !is_expected(r)) {
            None => Ok(()),
            Some(report) => {
                let (callback, side) = (report.callback, report.side.name());
                Err(self.broken(&format!("a report on {callback} of {side} out of turn")))
            }
        }
    }

    /// Hands out what the reply holds for one call: events to the context, results to `take`, up to
    /// the first fault.
    fn hand_out(
        &mut self,
        context: &mut Context,
        side: Side,
        callback: Callback,
        mut take: impl FnMut(Content),
    ) -> Result<(), AdapterFault> {
        if self.reports.is_empty() {
            return Ok(());
        }
        let is_asked = |report: &mut Report| report.side == side && report.callback == callback;
        let limits = self.limits;
        for report in self.reports.extract_if(.., is_asked) {
            match report.content {
                Content::Event(event) => context.emit_event(event.kind, event.payload),
                Content::Fault(fault) => return Err(fault),
                Content::Wrong(wrong) => return Err(wrong.fault(limits)),
                other => take(other),
            }
        }
        Ok(())
    }

    fn broken(&mut self, what: &str) -> AdapterFault {
        self.failed = true;
        match &mut self.process {
            Some(process) => process.broken(what),
            None => AdapterFault::Process(format!("the sidecar sent {what}")),
        }
    }
}
