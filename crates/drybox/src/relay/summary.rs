//! `proxy.json` (`docs/spec/drybox-proxy.md`, 6.3).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FlowId, PER_MS, flow::Flow};
use crate::{
    Direction,
    link::{LatencyHistogram, LinkStats},
    output::{DirectionStats, LatencyStats, Summary},
    report,
};

/// How many open flows a summary shows.
const MAX_SHOWN: usize = 64;

/// Everything that a relay counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelaySummary {
    /// The version of this format: 1.
    pub format: u32,
    /// The version of DryBox.
    pub drybox: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The relay's clock, ms.
    pub elapsed_ms: u64,
    /// How many flows there were and are.
    pub flows: FlowCounts,
    /// Datagrams that were refused.
    pub refused: RefusedCounts,
    /// Datagrams that came out and that the system did not take.
    pub unsent: UnsentCounts,
    /// Bytes held now.
    pub held_bytes: usize,
    /// How late due datagrams were noticed.
    pub lateness_ms: LatencyStats,
    /// The directions that are cut.
    pub cut: Vec<&'static str>,
    /// Sums over all flows.
    pub directions: PerDirection<RelayDirection>,
    /// Open flows, the oldest first, 64 at most.
    pub open_flows: Vec<OpenFlow>,
}

/// How many flows there were and are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FlowCounts {
    /// Opened since the start.
    pub opened: u64,
    /// Open now.
    pub open: usize,
    /// Closed for being idle.
    pub expired: u64,
    /// Opened without being recorded.
    pub unrecorded: u64,
}

/// What is counted of flows beside those that are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClosedFlows {
    /// Closed for being idle.
    pub expired: u64,
    /// Opened without being recorded.
    pub unrecorded: u64,
}

/// Datagrams that were refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RefusedCounts {
    /// For want of a flow.
    pub flows: u64,
    /// For want of room.
    pub held: u64,
    /// For want of file descriptors for a flow.
    pub descriptors: u64,
}

/// Datagrams that came out and that the system did not take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UnsentCounts {
    /// For a client.
    pub to_client: u64,
    /// For the server.
    pub to_server: u64,
}

/// One entry per direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PerDirection<T> {
    /// From clients to the server.
    #[serde(rename = "L>R")]
    pub left_to_right: T,
    /// From the server to clients.
    #[serde(rename = "R>L")]
    pub right_to_left: T,
}

/// One direction over all flows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RelayDirection {
    /// As in a run's summary.
    #[serde(flatten)]
    pub stats: DirectionStats,
    /// What became of PDUs.
    pub causes: Causes,
}

/// PDUs by what befell them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Causes {
    /// Lost: sent while the link was cut.
    pub partition: u64,
    /// Lost: the queue of the rate limit was full.
    pub queue_full: u64,
    /// Lost to the additional Gilbert–Elliott process.
    pub extra_loss: u64,
    /// Lost to the bearer's own.
    pub bearer: u64,
    /// Copies made.
    pub duplicated: u64,
    /// With a bit flipped.
    pub corrupted: u64,
}

/// A flow that is open.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenFlow {
    /// Its number.
    pub flow: FlowId,
    /// When it was opened.
    pub opened_ms: u64,
    /// For how long nothing came in or went out.
    pub idle_ms: u64,
    /// Datagrams that came in.
    pub sent: PerDirection<u64>,
    /// Datagrams that went out, each once.
    pub delivered: PerDirection<u64>,
    /// Datagrams that were lost.
    pub dropped: PerDirection<u64>,
}

/// What a summary is made of.
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) seed: u64,
    pub(super) now_us: u64,
    pub(super) opened: u64,
    pub(super) closed: ClosedFlows,
    pub(super) refused: RefusedCounts,
    pub(super) unsent: UnsentCounts,
    pub(super) held_bytes: usize,
    pub(super) lateness: &'a LatencyHistogram,
    pub(super) cut: Vec<&'static str>,
    pub(super) totals: &'a [LinkStats; 2],
    pub(super) flows: &'a BTreeMap<FlowId, Flow>,
}

impl RelaySummary {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let [left_to_right, right_to_left] = [&parts.totals[0], &parts.totals[1]]
            .map(|stats| RelayDirection::new(stats, parts.now_us));
        let open_flows = parts.flows.iter().take(MAX_SHOWN);
        Self {
            format: 1,
            drybox: Summary::VERSION,
            scenario: parts.name.to_owned(),
            seed: parts.seed,
            elapsed_ms: whole_ms(parts.now_us),
            flows: FlowCounts {
                opened: parts.opened,
                open: parts.flows.len(),
                expired: parts.closed.expired,
                unrecorded: parts.closed.unrecorded,
            },
            refused: parts.refused,
            unsent: parts.unsent,
            held_bytes: parts.held_bytes,
            lateness_ms: report::latency(parts.lateness, PER_MS),
            cut: parts.cut,
            directions: PerDirection {
                left_to_right,
                right_to_left,
            },
            open_flows: open_flows
                .map(|(&id, flow)| OpenFlow::new(id, flow, parts.now_us))
                .collect(),
        }
    }

    /// The file's bytes.
    pub fn to_json(&self) -> String {
        let value = serde_json::to_value(self).expect("a summary's keys are strings");
        format!("{value:#}\n")
    }
}

impl RelayDirection {
    fn new(stats: &LinkStats, elapsed_us: u64) -> Self {
        let [partition, queue_full, extra_loss, bearer] = stats.pdus_lost;
        Self {
            stats: report::link_direction(stats, elapsed_us, PER_MS),
            causes: Causes {
                partition,
                queue_full,
                extra_loss,
                bearer,
                duplicated: stats.pdus_duplicated,
                corrupted: stats.pdus_corrupted,
            },
        }
    }
}

impl OpenFlow {
    fn new(id: FlowId, flow: &Flow, now_us: u64) -> Self {
        let count = |of: fn(&LinkStats) -> u64| PerDirection {
            left_to_right: of(flow.link.stats(Direction::LeftToRight)),
            right_to_left: of(flow.link.stats(Direction::RightToLeft)),
        };
        Self {
            flow: id,
            opened_ms: whole_ms(flow.opened_us),
            idle_ms: whole_ms(now_us - flow.active_us),
            sent: count(|stats| stats.sdus_sent),
            delivered: count(|stats| stats.sdus_delivered),
            dropped: count(|stats| stats.sdus_dropped),
        }
    }
}

const fn whole_ms(us: u64) -> u64 {
    us / PER_MS as u64
}
