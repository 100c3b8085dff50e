//! A bottleneck with a queue, a delay and random loss, shared by flows of `Recovery<()>`, on a
//! virtual clock.

use core::{ops::RangeInclusive, time::Duration};
use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::{
    ControllerKind, Ecn, LinkProfile, Timestamp,
    recovery::{AckInfo, Outcome, Probes, Recovery, RecoveryConfig, SendState, Sent},
    wire::EcnCounts,
};

/// What the way to the receiver does; the way back only delays.
pub(super) struct Link {
    /// Bytes per second.
    pub(super) rate: u64,
    /// One way, without queue.
    pub(super) delay: Duration,
    /// Bytes.
    pub(super) queue: u64,
    /// Lost at random, of a million.
    pub(super) loss: u64,
    /// Delayed by `late` more, of a million.
    pub(super) reorder: u64,
    pub(super) late: Duration,
    /// Packets are marked, if they may be, when the queue is longer than this, bytes.
    pub(super) mark_above: u64,
    /// Larger packets vanish.
    pub(super) mtu: u16,
    /// Everything sent in this span vanishes.
    pub(super) down: RangeInclusive<Timestamp>,
}

impl Link {
    pub(super) fn new(mbit: u64, rtt_ms: u64) -> Self {
        let rate = mbit * 125_000;
        Self {
            rate,
            delay: Duration::from_millis(rtt_ms) / 2,
            queue: (rate * rtt_ms / 1_000).max(18_000),
            loss: 0,
            reorder: 0,
            late: Duration::ZERO,
            mark_above: u64::MAX,
            mtu: u16::MAX,
            down: Timestamp::MAX..=Timestamp::MAX,
        }
    }
}

pub(super) struct Flow {
    pub(super) recovery: Recovery<()>,
    pub(super) out: Outcome<()>,
    /// Bytes that the application still has.
    pub(super) backlog: u64,
    start: Timestamp,
    wake_at: Option<Timestamp>,
    // The receiver.
    ranges: Vec<RangeInclusive<u64>>,
    counts: EcnCounts,
    unacknowledged: u32,
    pub(super) received: u64,
    pub(super) last_arrival: Timestamp,
}

enum Event {
    Wake(usize),
    Arrive {
        flow: usize,
        pn: u64,
        size: u16,
        ecn: Ecn,
    },
    DelayedAck(usize),
    Ack {
        flow: usize,
        ack: AckInfo,
        ranges: Vec<RangeInclusive<u64>>,
    },
}

pub(super) struct Sim {
    pub(super) now: Timestamp,
    pub(super) link: Link,
    pub(super) flows: Vec<Flow>,
    free_at: Timestamp,
    events: BTreeMap<(Timestamp, u64), Event>,
    serial: u64,
    random: ChaCha8Rng,
}

pub(super) fn config(controller: ControllerKind) -> RecoveryConfig {
    RecoveryConfig {
        profile: LinkProfile::INTERNET,
        peer_max_ack_delay: Duration::from_millis(25),
        initial_mtu: 1_200,
        max_mtu: 1_200,
        controller,
        ecn: false,
        seed: 1,
    }
}

impl Sim {
    pub(super) fn new(link: Link, seed: u64) -> Self {
        Self {
            now: Timestamp::ZERO,
            link,
            flows: Vec::new(),
            free_at: Timestamp::ZERO,
            events: BTreeMap::new(),
            serial: 0,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Adds a flow that has everything to send from `start` on.
    pub(super) fn add(&mut self, config: RecoveryConfig, start: Timestamp) -> usize {
        self.flows.push(Flow {
            recovery: Recovery::new(config, start),
            out: Outcome::default(),
            backlog: u64::MAX,
            start,
            wake_at: Some(start),
            ranges: Vec::new(),
            counts: EcnCounts::default(),
            unacknowledged: 0,
            received: 0,
            last_arrival: Timestamp::ZERO,
        });
        let flow = self.flows.len() - 1;
        self.schedule(start, Event::Wake(flow));
        flow
    }

    /// Runs to `end`.
    pub(super) fn run(&mut self, end: Timestamp) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((now, _), event) = entry.remove_entry();
            assert!(now >= self.now);
            self.now = now;
            match event {
                // One that was planned before an earlier one turned up is stale.
                Event::Wake(flow) if self.flows[flow].wake_at != Some(now) => {}
                Event::Wake(flow) => {
                    self.flows[flow].wake_at = None;
                    self.drive(flow);
                }
                Event::Arrive {
                    flow,
                    pn,
                    size,
                    ecn,
                } => self.arrive(flow, pn, size, ecn),
                Event::DelayedAck(flow) => self.acknowledge(flow),
                Event::Ack { flow, ack, ranges } => {
                    let state = &mut self.flows[flow];
                    let ranges = ranges.into_iter();
                    state
                        .recovery
                        .on_ack(now, &ack, ranges, &mut state.out)
                        .unwrap();
                    state.out.clear();
                    self.drive(flow);
                }
            }
        }
        self.now = end;
    }

    /// Runs on by `span`; the bytes of each flow that arrived in it.
    pub(super) fn run_for(&mut self, span: Duration) -> Vec<u64> {
        let before: Vec<u64> = self.flows.iter().map(|flow| flow.received).collect();
        self.run(self.now + span);
        self.flows
            .iter()
            .zip(before)
            .map(|(flow, before)| flow.received - before)
            .collect()
    }

    fn drive(&mut self, index: usize) {
        let now = self.now;
        let flow = &mut self.flows[index];
        if now < flow.start {
            return;
        }
        let mut probes = 0;
        for round in 0.. {
            assert!(round < 4, "a timer that doesn't move on");
            if flow.recovery.next_timeout().is_none_or(|at| at > now) {
                break;
            }
            let Probes(count) = flow.recovery.on_timeout(now, &mut flow.out);
            flow.out.clear();
            probes += count;
        }
        if let Some(size) = self.flows[index].recovery.poll_mtu_probe(now) {
            self.send(index, size, true);
        }
        for left in (1..=probes).rev() {
            let size = self.flows[index].recovery.probe_size(left);
            self.send(index, size, false);
        }
        let mut wake = None;
        loop {
            let flow = &mut self.flows[index];
            let size = flow.backlog.min(u64::from(flow.recovery.mtu()));
            if size == 0 {
                flow.recovery.on_app_limited();
                break;
            }
            match flow.recovery.can_send(now, size) {
                SendState::Now => {
                    flow.backlog -= size;
                    self.send(index, u16::try_from(size).unwrap(), false);
                }
                SendState::At(at) => {
                    assert!(at > now);
                    wake = Some(at);
                    break;
                }
                SendState::Blocked => break,
            }
        }
        let flow = &mut self.flows[index];
        let wake = [wake, flow.recovery.next_timeout()]
            .into_iter()
            .flatten()
            .min();
        if let Some(at) = wake
            && flow.wake_at.is_none_or(|planned| at < planned)
        {
            flow.wake_at = Some(at);
            self.schedule(at, Event::Wake(index));
        }
    }

    fn send(&mut self, flow: usize, size: u16, is_mtu_probe: bool) {
        let recovery = &mut self.flows[flow].recovery;
        let pn = recovery.next_pn().unwrap();
        let mut ecn = recovery.ecn();
        let sent = Sent {
            pn,
            size,
            ack_eliciting: true,
            ecn,
            is_mtu_probe,
            path_generation: recovery.path_generation(),
            carried: (),
        };
        recovery.on_sent(self.now, sent);
        let backlog = self.backlog();
        // Each draw is made whatever the others give.
        let (lost, reordered) = (self.chance(self.link.loss), self.chance(self.link.reorder));
        if backlog + u64::from(size) > self.link.queue
            || size > self.link.mtu
            || self.link.down.contains(&self.now)
        {
            return;
        }
        if backlog > self.link.mark_above && ecn == Ecn::Ect0 {
            ecn = Ecn::Ce;
        }
        let nanos = u64::from(size) * 1_000_000_000 / self.link.rate;
        self.free_at = self.free_at.max(self.now) + Duration::from_nanos(nanos);
        if !lost {
            let late = if reordered {
                self.link.late
            } else {
                Duration::ZERO
            };
            let at = self.free_at + self.link.delay + late;
            self.schedule(
                at,
                Event::Arrive {
                    flow,
                    pn,
                    size,
                    ecn,
                },
            );
        }
    }

    /// Bytes in the queue.
    pub(super) fn backlog(&self) -> u64 {
        let wait = self.free_at.saturating_since(self.now).as_nanos();
        u64::try_from(wait * u128::from(self.link.rate) / 1_000_000_000).unwrap()
    }

    fn arrive(&mut self, index: usize, pn: u64, size: u16, ecn: Ecn) {
        let now = self.now;
        let flow = &mut self.flows[index];
        flow.received += u64::from(size);
        flow.last_arrival = now;
        match ecn {
            Ecn::Ect0 => flow.counts.ect0 += 1,
            Ecn::Ect1 => flow.counts.ect1 += 1,
            Ecn::Ce => flow.counts.ce += 1,
            Ecn::NotEct => {}
        }
        let in_order = flow.ranges.last().is_none_or(|last| pn == last.end() + 1);
        insert(&mut flow.ranges, pn);
        if flow.ranges.len() > 32 {
            flow.ranges.remove(0);
        }
        flow.unacknowledged += 1;
        if flow.unacknowledged >= 2 || !in_order || ecn == Ecn::Ce {
            self.acknowledge(index);
        } else {
            self.schedule(now + Duration::from_millis(25), Event::DelayedAck(index));
        }
    }

    fn acknowledge(&mut self, index: usize) {
        let flow = &mut self.flows[index];
        if flow.unacknowledged == 0 {
            return;
        }
        flow.unacknowledged = 0;
        let ack = AckInfo {
            largest: *flow.ranges.last().unwrap().end(),
            delay: self.now.saturating_since(flow.last_arrival),
            ecn: (flow.counts != EcnCounts::default()).then_some(flow.counts),
        };
        let ranges = flow.ranges.iter().rev().cloned().collect();
        let at = self.now + self.link.delay;
        self.schedule(
            at,
            Event::Ack {
                flow: index,
                ack,
                ranges,
            },
        );
    }

    fn schedule(&mut self, at: Timestamp, event: Event) {
        self.serial += 1;
        self.events.insert((at, self.serial), event);
    }

    fn chance(&mut self, millionths: u64) -> bool {
        self.random.next_u64() % 1_000_000 < millionths
    }
}

/// Adds `pn` to ascending `ranges`.
fn insert(ranges: &mut Vec<RangeInclusive<u64>>, pn: u64) {
    let at = ranges.partition_point(|range| *range.end() < pn);
    if ranges.get(at).is_some_and(|range| range.contains(&pn)) {
        return;
    }
    ranges.insert(at, pn..=pn);
    if ranges
        .get(at + 1)
        .is_some_and(|next| *next.start() == pn + 1)
    {
        ranges[at] = pn..=*ranges.remove(at + 1).end();
    }
    if at > 0 && *ranges[at - 1].end() + 1 == pn {
        ranges[at - 1] = *ranges[at - 1].start()..=*ranges.remove(at).end();
    }
}
