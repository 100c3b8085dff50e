use core::time::Duration;

use super::{
    Outcome, Probes, Recovery,
    sent::{Front, SentPacket},
    state::TRACKED,
};
use crate::{Timestamp, congestion::Loss};

/// What was found lost at one time.
#[derive(Debug, Default)]
struct Tally {
    /// Bytes of this path that tell of congestion, and the highest number among them.
    bytes: u64,
    highest: Option<u64>,
    /// A congestion event begins with them.
    event: bool,
    persistent: bool,
    /// The largest packet, no MTU probe.
    largest: u16,
}

impl<T> Recovery<T> {
    /// When [`Recovery::on_timeout`] has something to do (RFC 9002 A.8).
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        if self.is_overfull() {
            return Some(Timestamp::ZERO);
        }
        if self.reliable {
            return None;
        }
        self.loss_time.or_else(|| self.pto_time())
    }

    /// Does what is due at `now`: declares packets lost, or asks for probes.
    pub(crate) fn on_timeout(&mut self, now: Timestamp, out: &mut Outcome<T>) -> Probes {
        if self.is_overfull() {
            self.give_up_oldest(now, out);
        }
        if self.reliable {
            return Probes(0);
        }
        if self.loss_time.is_some_and(|at| at <= now) {
            self.detect_losses(now, self.in_flight, out);
            if out.mtu_changed {
                self.controller.on_mtu(self.mtu());
            }
            return Probes(0);
        }
        if self.loss_time.is_some() || self.pto_time().is_none_or(|at| at > now) {
            return Probes(0);
        }
        self.pto_count = (self.pto_count + 1).min(PTO_COUNT_MOST);
        // Counted from here, so that a late driver doesn't run through several at once.
        self.last_eliciting_at = now;
        self.stats.probe_timeouts += 1;
        if self.pto_count > 1 {
            self.ecn.on_silence(self.peek_pn());
            let largest = self.largest_open();
            self.on_large_loss(largest, false, now, out);
        }
        if out.mtu_changed {
            self.controller.on_mtu(self.mtu());
        }
        Probes(self.timers.probes())
    }

    /// The most bytes of a probe that a time-out asked for, with `left` of them to go. From the second time-out in a row
    /// on, and once large packets seem to vanish, the last one is as small as can be: it tells whether the path carries
    /// anything.
    pub(crate) fn probe_size(&self, left: u8) -> u16 {
        let doubtful = self.pto_count > 1 || self.mtud.is_suspicious();
        if doubtful && left == 1 {
            self.mtud.least().min(self.mtu())
        } else {
            self.mtu()
        }
    }

    /// The probe time-out without backoff (RFC 9002 §6.2.1): also the unit of a session's other
    /// waits.
    pub(crate) fn pto(&self) -> Duration {
        self.rtt.pto_base() + self.peer_max_ack_delay
    }

    fn pto_time(&self) -> Option<Timestamp> {
        if self.eliciting == 0 {
            return None;
        }
        // What is in flight has to get through a bottleneck whose rate is known.
        let base = self.pto() + self.timers.serialisation(self.in_flight);
        let backed_off = base.saturating_mul(1 << self.pto_count);
        Some(self.last_eliciting_at + backed_off.min(PTO_MOST.max(base)))
    }

    /// RFC 9002 A.10, and in the same pass the front of the store is cleared of what is settled.
    /// `flight` was in flight before the acknowledgement that calls for it.
    pub(super) fn detect_losses(&mut self, now: Timestamp, flight: u64, out: &mut Outcome<T>) {
        self.loss_time = None;
        let delay = self.reordering.delay(&self.rtt);
        let mut tally = Tally::default();
        loop {
            match self.sent.front() {
                None => break,
                // Between two lost packets this one arrived: no persistent congestion.
                Some(Front::Acked) => self.lost_since = None,
                Some(Front::NeverSent) => {}
                Some(Front::Open(pn, packet)) => {
                    let Some(largest) = self.largest_acked.filter(|&largest| pn < largest) else {
                        break;
                    };
                    let by_count = largest - pn >= self.reordering.packets();
                    let lost_at = packet.sent_at + delay;
                    if !by_count && lost_at > now {
                        self.loss_time = Some(lost_at);
                        break;
                    }
                    self.lose(now, pn, !by_count, &mut tally, out);
                    continue;
                }
            }
            self.sent.pop_front();
        }
        self.on_losses(now, flight, true, &tally, out);
    }

    /// Declares the packet at the front of the store lost.
    fn lose(
        &mut self,
        now: Timestamp,
        pn: u64,
        by_time: bool,
        tally: &mut Tally,
        out: &mut Outcome<T>,
    ) {
        let Some(SentPacket {
            sent_at,
            size,
            kind,
            carried,
            ..
        }) = self.sent.pop_front()
        else {
            return;
        };
        self.settle(pn, size, kind);
        let current = self.is_current(pn, kind);
        // A lost MTU probe tells of its size only (RFC 9000 §14.4).
        let congestion = current && kind.ack_eliciting && !kind.mtu_probe;
        if kind.mtu_probe {
            self.mtud.on_probe_lost(size, now);
        } else if current {
            tally.largest = tally.largest.max(size);
        }
        if kind.ect0 && current {
            self.ecn.on_lost_marked(pn);
        }
        if congestion {
            tally.bytes += u64::from(size);
            tally.highest = Some(pn);
            self.note_row(sent_at, tally);
        }
        self.stats.lost_packets += 1;
        self.stats.lost_bytes += u64::from(size);
        if current {
            if congestion && pn >= self.event_end {
                self.begin_event(true);
                tally.event = true;
                out.congestion = true;
            }
            let forget_at = now + 3 * self.pto();
            self.reordering.on_lost(pn, by_time, congestion, forget_at);
        }
        out.lost.push((pn, carried));
    }

    /// RFC 9002 §7.6: the row of lost packets that began at `lost_since` goes on.
    fn note_row(&mut self, sent_at: Timestamp, tally: &mut Tally) {
        if self.first_sample_at.is_none_or(|first| sent_at <= first) {
            return;
        }
        let since = *self.lost_since.get_or_insert(sent_at);
        let duration = (self.rtt.pto_base() + self.peer_max_ack_delay) * PERSISTENT_THRESHOLD;
        if sent_at.saturating_since(since) > duration {
            tally.persistent = true;
        }
    }

    /// Tells of what was lost, because others were acknowledged (`others_arrive`) or because the store is full.
    fn on_losses(
        &mut self,
        now: Timestamp,
        flight: u64,
        others_arrive: bool,
        tally: &Tally,
        out: &mut Outcome<T>,
    ) {
        if tally.largest > 0 {
            self.on_large_loss(tally.largest, others_arrive, now, out);
        }
        if tally.highest.is_none() {
            return;
        }
        self.controller.on_loss(&Loss {
            bytes: tally.bytes,
            flight,
            rtt: self.rtt.latest(),
            event: tally.event,
            persistent: tally.persistent,
        });
        if tally.persistent {
            self.lost_since = None;
            self.rtt.reset_min();
            self.stats.persistent_congestions += 1;
            out.persistent_congestion = true;
        }
    }

    /// The peer saw a congestion mark on a packet up to `largest` (RFC 9002 §7.1).
    pub(super) fn on_mark(&mut self, largest: u64, flight: u64, out: &mut Outcome<T>) {
        if largest < self.event_end {
            return;
        }
        self.begin_event(false);
        out.congestion = true;
        self.controller.on_loss(&Loss {
            bytes: 0,
            flight,
            rtt: self.rtt.latest(),
            event: true,
            persistent: false,
        });
    }

    fn begin_event(&mut self, by_loss: bool) {
        self.event_end = self.peek_pn();
        self.reordering.on_congestion_event(by_loss);
        self.stats.congestion_events += 1;
    }

    fn on_large_loss(
        &mut self,
        largest: u16,
        others_arrive: bool,
        now: Timestamp,
        out: &mut Outcome<T>,
    ) {
        if self.mtud.on_loss(largest, others_arrive, now) {
            self.stats.black_holes += 1;
            out.mtu_changed = true;
        }
    }

    /// Clears the front of the store of what is settled.
    pub(super) fn drop_settled(&mut self) {
        while let Some(Front::Acked | Front::NeverSent) = self.sent.front() {
            self.sent.pop_front();
        }
    }

    /// More packets that elicit nothing are out than a peer of good faith leaves unacknowledged.
    fn is_overfull(&self) -> bool {
        self.silent > SILENT || self.sent.len() > TRACKED
    }

    fn give_up_oldest(&mut self, now: Timestamp, out: &mut Outcome<T>) {
        let flight = self.in_flight;
        let mut tally = Tally::default();
        while self.is_overfull() {
            match self.sent.front() {
                None => break,
                Some(Front::Open(pn, _)) => self.lose(now, pn, true, &mut tally, out),
                Some(Front::Acked | Front::NeverSent) => {
                    self.sent.pop_front();
                }
            }
        }
        self.on_losses(now, flight, false, &tally, out);
    }

    /// The largest of the oldest open packets of this path.
    fn largest_open(&self) -> u16 {
        self.sent
            .iter()
            .filter(|&(pn, packet)| self.is_current(pn, packet.kind) && !packet.kind.mtu_probe)
            .take(LOOK_AT)
            .map(|(_, packet)| packet.size)
            .max()
            .unwrap_or(0)
    }
}

/// kPersistentCongestionThreshold (RFC 9002 §7.6.1).
const PERSISTENT_THRESHOLD: u32 = 3;
/// Backoff ends at a minute, RFC 6298 §2.5's least bound, so that a path that heals is noticed.
const PTO_MOST: Duration = Duration::from_secs(60);
const PTO_COUNT_MOST: u32 = 16;
/// Packets that elicit nothing, at most, see `Recovery::wants_ping`: with a PING every 32, that
/// many mean 32 PINGs without an answer.
const SILENT: usize = 1_024;
/// A few packets show whether a flight holds large ones.
const LOOK_AT: usize = 16;
