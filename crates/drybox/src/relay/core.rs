//! The flows of a proxy and what falls due.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    PER_MS,
    flow::Flow,
    summary::{ClosedFlows, RefusedCounts, RelaySummary, UnsentCounts},
};
use crate::{
    Direction,
    adapter::SduBatch,
    bearer::BearerParams,
    link::{LatencyHistogram, LinkStats},
    output::{OutputError, Recorder},
    rng::Streams,
    scenario::{Scenario, ScenarioError, amend},
};

/// The stream of which serial n is the seed of flow n > 0.
const SEEDS: &str = "proxy/flow";

/// What a datagram counts beside its bytes when it is asked whether there is room.
const OVERHEAD_BYTES: usize = 128;

/// A flow's number: 0, 1, 2 … in the order of opening.
pub type FlowId = u64;

/// What is wanting where a flow can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A free flow: as many as may be are open, or the system refuses a socket.
    Flow,
    /// File descriptors, of which the system gives no more.
    Descriptors,
}

/// What a relay may hold (`docs/spec/drybox-proxy.md`, 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayLimits {
    /// Flows at a time.
    pub flows: usize,
    /// Bytes of datagrams held, all flows together.
    pub held_bytes: usize,
    /// How long a flow stays open without a datagram, µs.
    pub idle_us: u64,
}

/// Flows of datagrams, each over a link of its own.
///
/// The driver's loop: [`Relay::deliver`] what is due and send it, [`Relay::expired`] flows are
/// closed, then wait until [`Relay::next_event_us`] or for datagrams, which are handed to
/// [`Relay::send`]. Times are µs since its start; one below an earlier one counts as the earlier.
///
/// An [`OutputError`] of any method means that a record could not be written: the relay is then
/// good for [`Relay::close_all`] only.
#[derive(Debug)]
pub struct Relay {
    name: String,
    scenario: Scenario,
    /// The network on this clock.
    scaled: BearerParams,
    streams: Streams,
    limits: RelayLimits,
    now_us: u64,
    flows: BTreeMap<FlowId, Flow>,
    next_flow: FlowId,
    /// When each flow has something to do next.
    due: BTreeSet<(u64, FlowId)>,
    /// One entry per flow: when to look whether it is idle, not after it could be.
    idle: BTreeSet<(u64, FlowId)>,
    held_bytes: usize,
    cut: [bool; 2],
    arrived: SduBatch,
    /// Of closed flows.
    ended: [LinkStats; 2],
    closed: ClosedFlows,
    refused: RefusedCounts,
    unsent: UnsentCounts,
    lateness: LatencyHistogram,
}

impl Relay {
    /// A relay for the network and the seed of `scenario`, called `name` in outputs.
    pub fn new(name: &str, scenario: &Scenario, limits: RelayLimits) -> Self {
        let micro = || LatencyHistogram::exact_below(LatencyHistogram::LEAST_EXACT);
        let stats = || LinkStats {
            latency: micro(),
            ..LinkStats::default()
        };
        Self {
            name: name.to_owned(),
            scaled: scenario.network.in_units(PER_MS),
            streams: Streams::new(scenario.seed),
            scenario: scenario.clone(),
            limits,
            now_us: 0,
            flows: BTreeMap::new(),
            next_flow: 0,
            due: BTreeSet::new(),
            idle: BTreeSet::new(),
            held_bytes: 0,
            cut: [false; 2],
            arrived: SduBatch::new(),
            ended: [stats(), stats()],
            closed: ClosedFlows::default(),
            refused: RefusedCounts::default(),
            unsent: UnsentCounts::default(),
            lateness: micro(),
        }
    }

    /// The number that the next flow will have; `None` while there is no room for one.
    pub fn next_flow(&self) -> Option<FlowId> {
        (self.flows.len() < self.limits.flows).then_some(self.next_flow)
    }

    /// Opens a flow, recorded where a recorder is given; `None` without room for one.
    pub fn open(&mut self, now_us: u64, recorder: Option<Recorder>) -> Option<FlowId> {
        let now_us = self.advance(now_us);
        let id = self.next_flow()?;
        self.next_flow += 1;
        let seed = match id {
            0 => self.scenario.seed,
            id => self.streams.stream(SEEDS).at(id).bits(),
        };
        if recorder.is_none() {
            self.closed.unrecorded += 1;
        }
        let mut flow = Flow::new(&self.scaled, seed, self.cut, recorder, now_us);
        flow.idle_us = now_us.saturating_add(self.limits.idle_us);
        self.idle.insert((flow.idle_us, id));
        self.flows.insert(id, flow);
        Some(id)
    }

    /// Counts a datagram that no flow could be opened for.
    pub const fn refuse(&mut self, wants: Wants) {
        match wants {
            Wants::Flow => self.refused.flows += 1,
            Wants::Descriptors => self.refused.descriptors += 1,
        }
    }

    /// Counts delivered datagrams that the system did not take.
    pub const fn unsent(&mut self, counts: UnsentCounts) {
        self.unsent.to_client += counts.to_client;
        self.unsent.to_server += counts.to_server;
    }

    /// Takes one datagram of a flow; one of a flow that is closed is ignored.
    pub fn send(
        &mut self,
        now_us: u64,
        id: FlowId,
        direction: Direction,
        datagram: &[u8],
    ) -> Result<(), OutputError> {
        let now_us = self.advance(now_us);
        let Some(flow) = self.flows.get_mut(&id) else {
            return Ok(());
        };
        flow.active_us = now_us;
        let needs = datagram.len() + OVERHEAD_BYTES;
        if self.held_bytes + needs > self.limits.held_bytes {
            // What has begun to leave its queue since makes room without anything arriving.
            recount(&mut self.held_bytes, flow, now_us);
            if self.held_bytes + needs > self.limits.held_bytes {
                self.refused.held += 1;
                return Ok(());
            }
        }
        let (link, mut tap) = flow.parts();
        let sent = link.send(direction, now_us, datagram, &mut tap);
        recount(&mut self.held_bytes, flow, now_us);
        list(&mut self.due, id, flow);
        sent
    }

    /// Hands out everything that is due, each flow's datagrams in the order of arrival.
    pub fn deliver(
        &mut self,
        now_us: u64,
        mut sink: impl FnMut(FlowId, Direction, &[u8]),
    ) -> Result<(), OutputError> {
        let now_us = self.advance(now_us);
        if let Some(&(due_us, _)) = self.due.first()
            && due_us <= now_us
        {
            self.lateness.add(now_us - due_us);
        }
        while let Some(&(due_us, id)) = self.due.first()
            && due_us <= now_us
        {
            let Some(flow) = self.flows.get_mut(&id) else {
                // Closed flows are not listed.
                self.due.pop_first();
                continue;
            };
            for direction in Direction::BOTH {
                self.arrived.clear();
                let (link, mut tap) = flow.parts();
                link.deliver(direction, now_us, &mut self.arrived, &mut tap)?;
                if !self.arrived.is_empty() {
                    flow.active_us = now_us;
                }
                for datagram in self.arrived.iter() {
                    sink(id, direction, datagram);
                }
            }
            recount(&mut self.held_bytes, flow, now_us);
            list(&mut self.due, id, flow);
        }
        Ok(())
    }

    /// When something happens next without a datagram coming in.
    pub fn next_event_us(&self) -> Option<u64> {
        let due = self.due.first().map(|&(at, _)| at);
        let idle = self.idle.first().map(|&(at, _)| at);
        match (due, idle) {
            (Some(due), Some(idle)) => Some(due.min(idle)),
            (due, idle) => due.or(idle),
        }
    }

    /// The next flow that has been idle for too long, for [`Relay::close`].
    pub fn expired(&mut self, now_us: u64) -> Option<FlowId> {
        let now_us = self.advance(now_us);
        while let Some(&(at, id)) = self.idle.first()
            && at <= now_us
        {
            let flow = self.flows.get_mut(&id)?;
            // What is on its way arrives first; looked at again right after.
            let busy = flow.link.next_due().map_or(0, |due| due.saturating_add(1));
            let idle_at = flow.active_us.saturating_add(self.limits.idle_us).max(busy);
            if idle_at <= now_us {
                return Some(id);
            }
            flow.idle_us = idle_at;
            self.idle.remove(&(at, id));
            self.idle.insert((idle_at, id));
        }
        None
    }

    /// Closes an expired flow and completes its outputs.
    pub fn close(&mut self, now_us: u64, id: FlowId) -> Result<(), OutputError> {
        self.closed.expired += 1;
        self.end(now_us, id, false)
    }

    /// Closes every flow and completes their outputs, all of them even where some fail; the first
    /// failure is returned.
    pub fn close_all(&mut self, now_us: u64, interrupted: bool) -> Result<(), OutputError> {
        let ids: Vec<FlowId> = self.flows.keys().copied().collect();
        let mut result = Ok(());
        for id in ids {
            let ended = self.end(now_us, id, interrupted);
            result = result.and(ended);
        }
        result
    }

    fn end(&mut self, now_us: u64, id: FlowId, interrupted: bool) -> Result<(), OutputError> {
        let now_us = self.advance(now_us);
        let Some(flow) = self.flows.remove(&id) else {
            return Ok(());
        };
        self.held_bytes -= flow.held_bytes;
        if let Some(listed) = flow.listed_us {
            self.due.remove(&(listed, id));
        }
        self.idle.remove(&(flow.idle_us, id));
        for direction in Direction::BOTH {
            self.ended[direction.index()].absorb(flow.link.stats(direction));
        }
        flow.finish(&self.name, &self.scenario, now_us, interrupted)
            .map(drop)
    }

    /// Changes settings for what comes next (`docs/spec/drybox-proxy.md`, section 4).
    ///
    /// # Errors
    /// The outer one is what is wrong with the settings: nothing changed then.
    pub fn set(
        &mut self,
        now_us: u64,
        settings: &Map<String, Value>,
    ) -> Result<Result<(), OutputError>, ScenarioError> {
        let now_us = self.advance(now_us);
        self.scenario.network = amend(&self.scenario.network, settings)?;
        self.scaled = self.scenario.network.in_units(PER_MS);
        for flow in self.flows.values_mut() {
            flow.retune(&self.scaled);
        }
        Ok(self.event(now_us, "proxy_set", &Value::Object(settings.clone())))
    }

    /// The settings as they are.
    pub const fn network(&self) -> &BearerParams {
        &self.scenario.network
    }

    /// Cuts a direction from now on, or heals it.
    pub fn cut(&mut self, now_us: u64, direction: Direction, cut: bool) -> Result<(), OutputError> {
        let now_us = self.advance(now_us);
        if std::mem::replace(&mut self.cut[direction.index()], cut) == cut {
            return Ok(());
        }
        for flow in self.flows.values_mut() {
            flow.link.cut(direction, cut);
        }
        let kind = if cut { "proxy_cut" } else { "proxy_heal" };
        self.event(now_us, kind, &json!({ "direction": direction.label() }))
    }

    /// The directions that are cut, as labels.
    pub fn cuts(&self) -> Vec<&'static str> {
        Direction::BOTH
            .into_iter()
            .filter(|direction| self.cut[direction.index()])
            .map(Direction::label)
            .collect()
    }

    /// Writes an event of the proxy's own into every recorded flow.
    fn event(&mut self, now_us: u64, kind: &str, payload: &Value) -> Result<(), OutputError> {
        self.flows
            .values_mut()
            .try_for_each(|flow| flow.event(now_us, kind, payload))
    }

    /// Everything counted so far.
    pub fn summary(&mut self, now_us: u64) -> RelaySummary {
        let now_us = self.advance(now_us);
        let mut totals = self.ended.clone();
        for flow in self.flows.values() {
            for direction in Direction::BOTH {
                totals[direction.index()].absorb(flow.link.stats(direction));
            }
        }
        RelaySummary::new(super::summary::Parts {
            name: &self.name,
            seed: self.scenario.seed,
            now_us,
            opened: self.next_flow,
            closed: self.closed,
            refused: self.refused,
            unsent: self.unsent,
            held_bytes: self.held_bytes,
            lateness: &self.lateness,
            cut: self.cuts(),
            totals: &totals,
            flows: &self.flows,
        })
    }

    /// When a link has something to do next, whatever is idle.
    #[cfg(test)]
    pub(super) fn due_for_test(&self) -> Option<(u64, FlowId)> {
        self.due.first().copied()
    }

    /// Time never runs backwards.
    fn advance(&mut self, now_us: u64) -> u64 {
        self.now_us = self.now_us.max(now_us);
        self.now_us
    }
}

/// Counts anew what a flow holds.
fn recount(total: &mut usize, flow: &mut Flow, now_us: u64) {
    let held = flow.link.held_bytes(now_us);
    *total = *total + held - flow.held_bytes;
    flow.held_bytes = held;
}

/// Lists a flow under its next due time.
fn list(due: &mut BTreeSet<(u64, FlowId)>, id: FlowId, flow: &mut Flow) {
    let next = flow.link.next_due();
    if next == flow.listed_us {
        return;
    }
    if let Some(listed) = flow.listed_us {
        due.remove(&(listed, id));
    }
    if let Some(next) = next {
        due.insert((next, id));
    }
    flow.listed_us = next;
}
