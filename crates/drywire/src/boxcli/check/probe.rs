//! An adapter between the engine and the adapter under test, which notes what passes.

use std::collections::BTreeSet;

use drybox::{
    adapter::{
        Adapter, AdapterConfig, AdapterFault, Callback, Capabilities, Context, Pulled, SduBatch,
    },
    radio::Block,
};
use rustix::time::{ClockId, clock_gettime};

/// How many timings are kept of each callback.
const MAX_SAMPLES: usize = 10_000;

/// Notes capabilities, SDUs and CPU time.
pub(super) struct Probe {
    inner: Box<dyn Adapter>,
    notes: Notes,
}

/// What passed between the engine and an adapter.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What was announced, once the adapter opened.
    pub(super) capabilities: Option<Capabilities>,
    /// SDUs polled.
    pub(super) sent: BTreeSet<Vec<u8>>,
    /// SDUs handed over.
    pub(super) received: Vec<Vec<u8>>,
    samples: Vec<(Callback, Vec<u64>)>,
}

impl Notes {
    /// Median CPU time of each callback in ns, over the calls that were kept.
    pub(super) fn medians(&self) -> impl Iterator<Item = (Callback, u64)> {
        self.samples.iter().map(|(callback, samples)| {
            let mut samples = samples.clone();
            samples.sort_unstable();
            (*callback, samples[samples.len() / 2])
        })
    }
}

impl Probe {
    pub(super) fn new(inner: Box<dyn Adapter>) -> Self {
        Self {
            inner,
            notes: Notes::default(),
        }
    }

    /// Ends the adapter and keeps what was noted.
    pub(super) fn into_notes(self) -> Notes {
        self.notes
    }

    fn timed<T>(&mut self, callback: Callback, call: impl FnOnce(&mut dyn Adapter) -> T) -> T {
        let before = thread_cpu_ns();
        let result = call(&mut *self.inner);
        let took = thread_cpu_ns().saturating_sub(before);
        match self
            .notes
            .samples
            .iter_mut()
            .find(|(other, _)| *other == callback)
        {
            Some((_, samples)) if samples.len() < MAX_SAMPLES => samples.push(took),
            Some(_) => {}
            None => self.notes.samples.push((callback, vec![took])),
        }
        result
    }
}

/// CPU time of this thread: what a blocked machine does to others does not count.
fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds * 1_000_000_000 + nanos
}

impl Adapter for Probe {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let capabilities = self.inner.open(config)?;
        self.notes.capabilities = Some(capabilities.clone());
        Ok(capabilities)
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.inner.init(context)
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.inner.start(context)
    }

    fn on_timer(&mut self, context: &mut Context, t_ms: u64) -> Result<(), AdapterFault> {
        self.timed(Callback::OnTimer, |inner| inner.on_timer(context, t_ms))
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        self.timed(Callback::PollLinkTx, |inner| {
            inner.poll_link_tx(context, budget, out)
        })?;
        self.notes.sent.extend(out.iter().map(<[u8]>::to_vec));
        Ok(())
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        self.notes.received.extend(sdus.iter().map(<[u8]>::to_vec));
        self.timed(Callback::OnLinkRx, |inner| inner.on_link_rx(context, sdus))
    }

    fn pull_tx_block(
        &mut self,
        context: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        self.timed(Callback::PullTxBlock, |inner| {
            inner.pull_tx_block(context, block)
        })
    }

    fn push_rx_block(&mut self, context: &mut Context, block: &Block) -> Result<(), AdapterFault> {
        self.timed(Callback::PushRxBlock, |inner| {
            inner.push_rx_block(context, block)
        })
    }

    fn is_handshake_complete(
        &mut self,
        context: &mut Context,
    ) -> Result<Option<bool>, AdapterFault> {
        self.inner.is_handshake_complete(context)
    }

    fn send_sdu(&mut self, context: &mut Context, sdu: &[u8]) -> Result<(), AdapterFault> {
        self.inner.send_sdu(context, sdu)
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.inner.stop(context)
    }
}
