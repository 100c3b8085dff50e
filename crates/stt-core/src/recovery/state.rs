use core::time::Duration;
use std::collections::VecDeque;

use super::{
    PacketNumbersExhausted, RecoveryConfig, RecoveryStats, RttEstimator, SendState, Sent,
    delivery::Delivery,
    ecn::EcnValidator,
    reordering::Reordering,
    sent::{Kind, RateMark, SentPacket, SentPackets},
};
use crate::{
    ControllerKind, Ecn, LinkTimers, Timestamp, congestion::Controller, mtud::MtuDiscovery,
    pacing::Pacer,
};

/// Loss recovery and congestion control of a session: one packet number space
/// (`docs/spec/stt-recovery.md`). `T` is what a packet carried; each comes back once, as
/// acknowledged or as lost.
///
/// The caller takes a number with [`Recovery::next_pn`], tells of the packet with
/// [`Recovery::on_sent`], of ACK frames with [`Recovery::on_ack`], and calls
/// [`Recovery::on_timeout`] at [`Recovery::next_timeout`], which any of these calls may change.
#[derive(Debug)]
pub(crate) struct Recovery<T> {
    pub(super) timers: LinkTimers,
    pub(super) reliable: bool,
    pub(super) peer_max_ack_delay: Duration,
    kind: ControllerKind,
    seed: u64,

    next_pn: u64,
    pub(super) sent: SentPackets<T>,
    /// Numbers left out on purpose, ascending, the last few.
    pub(super) skipped: VecDeque<u64>,
    pub(super) largest_acked: Option<u64>,
    /// Open packets that are ack-eliciting, and those that are not.
    pub(super) eliciting: usize,
    pub(super) silent: usize,
    /// Packets sent since the last ack-eliciting one.
    since_eliciting: u32,
    pub(super) last_eliciting_at: Timestamp,
    pub(super) pto_count: u32,
    pub(super) loss_time: Option<Timestamp>,

    /// Numbers from here up were sent on the current path.
    pub(super) path_start: u64,
    path_generation: u32,
    pub(super) in_flight: u64,
    /// The most in flight during this round and the one before.
    peaks: [u64; 2],
    /// The round ends when a number from here up is acknowledged.
    round_end: u64,
    /// Packets below this number were sent before the last congestion event began.
    pub(super) event_end: u64,
    /// The first of a row of lost ack-eliciting packets, none acknowledged between them.
    pub(super) lost_since: Option<Timestamp>,
    /// When the first round-trip time of this path was measured.
    pub(super) first_sample_at: Option<Timestamp>,

    pub(super) rtt: RttEstimator,
    pub(super) reordering: Reordering,
    pub(super) delivery: Delivery,
    pub(super) ecn: EcnValidator,
    pub(super) controller: Box<dyn Controller>,
    pacer: Pacer,
    /// The latest pacing rate, and the window, the round-trip time and the phase that it follows from.
    paced: Option<((u64, Duration, bool), u64)>,
    pub(super) mtud: MtuDiscovery,
    pub(super) stats: RecoveryStats,
}

impl<T> Recovery<T> {
    /// Nothing sent yet.
    pub(crate) fn new(config: RecoveryConfig, now: Timestamp) -> Self {
        let timers = config.profile.timers();
        let reliable = config.profile.reliable;
        let mtu = timers.packet_size(config.initial_mtu);
        // CUBIC's curve runs in seconds: where a round trip takes some, it overshoots by half.
        let kind = match config.controller {
            ControllerKind::Cubic if timers.is_narrow() => ControllerKind::NewReno,
            kind => kind,
        };
        let fixed = reliable || config.profile.fragment.is_some();
        Self {
            timers,
            reliable,
            peer_max_ack_delay: config.peer_max_ack_delay,
            kind,
            seed: config.seed,
            next_pn: 0,
            sent: SentPackets::new(),
            skipped: VecDeque::new(),
            largest_acked: None,
            eliciting: 0,
            silent: 0,
            since_eliciting: 0,
            last_eliciting_at: now,
            pto_count: 0,
            loss_time: None,
            path_start: 0,
            path_generation: 0,
            in_flight: 0,
            peaks: [0; 2],
            round_end: 0,
            event_end: 0,
            lost_since: None,
            first_sample_at: None,
            rtt: RttEstimator::new(timers.first_rtt()),
            reordering: Reordering::new(),
            delivery: Delivery::new(now),
            ecn: EcnValidator::new(config.ecn && !fixed),
            controller: kind.build(mtu, timers.first_window(mtu), config.seed),
            pacer: Pacer::new(now),
            paced: None,
            mtud: MtuDiscovery::new(mtu, config.max_mtu, timers.discovers_mtu()),
            stats: RecoveryStats::default(),
        }
    }

    /// Takes the number for the next packet. It never comes again; one that isn't used counts as
    /// skipped. The last is 2^62 - 1 (RFC 9000 §12.3).
    pub(crate) fn next_pn(&mut self) -> Result<u64, PacketNumbersExhausted> {
        let pn = self.peek_pn();
        if pn >= PACKET_NUMBERS {
            return Err(PacketNumbersExhausted);
        }
        self.next_pn += 1;
        Ok(pn)
    }

    /// The number that [`Recovery::next_pn`] gives next, for the length of a header.
    pub(crate) const fn peek_pn(&self) -> u64 {
        self.next_pn
    }

    /// Leaves a number out, so that a peer that acknowledges what it hasn't received gives itself
    /// away (RFC 9000 §21.4). Which ones, the caller draws.
    pub(crate) fn skip_pn(&mut self) -> Result<(), PacketNumbersExhausted> {
        let pn = self.next_pn()?;
        if self.skipped.len() == SKIPPED {
            self.skipped.pop_front();
        }
        self.skipped.push_back(pn);
        Ok(())
    }

    /// A packet goes out at `now`.
    pub(crate) fn on_sent(&mut self, now: Timestamp, sent: Sent<T>) {
        let Sent {
            pn,
            size,
            ack_eliciting,
            ecn,
            is_mtu_probe,
            path_generation,
            carried,
        } = sent;
        debug_assert!(pn < self.next_pn, "the number was taken with next_pn");
        let bytes = u64::from(size);
        let off_path = path_generation != self.path_generation;
        let kind = Kind {
            ack_eliciting,
            mtu_probe: is_mtu_probe,
            ect0: ecn == Ecn::Ect0 && !off_path,
            off_path,
        };
        let counted = kind.counts();
        let before = self.in_flight;
        if counted {
            self.in_flight += bytes;
            self.peaks[0] = self.peaks[0].max(self.in_flight);
            self.pacer.on_sent(bytes);
        }
        if ack_eliciting {
            self.eliciting += 1;
            self.since_eliciting = 0;
            self.last_eliciting_at = now;
        } else {
            self.silent += 1;
            self.since_eliciting = self.since_eliciting.saturating_add(1);
        }
        if kind.ect0 {
            self.ecn.on_sent_marked();
        }
        if is_mtu_probe {
            self.mtud.on_probe_sent();
        }
        let mark = if counted {
            self.delivery.on_sent(now, before)
        } else {
            RateMark::default()
        };
        let packet = SentPacket {
            sent_at: now,
            mark,
            size,
            kind,
            carried,
        };
        self.sent.push(pn, packet);
    }

    /// Whether an ack-eliciting packet of `bytes` may go out now. Probes
    /// ([`Recovery::on_timeout`]), and packets that elicit nothing, may whatever this says.
    pub(crate) fn can_send(&mut self, now: Timestamp, bytes: u64) -> SendState {
        if self.sent.len() >= TRACKED {
            return SendState::Blocked;
        }
        if self.reliable {
            return SendState::Now;
        }
        let window = self.controller.window();
        if self.in_flight + bytes > window {
            return SendState::Blocked;
        }
        let rate = self.cached_rate(window);
        let burst = self.burst(rate);
        match self.pacer.delay(now, bytes, rate, burst) {
            Some(at) => SendState::At(at),
            None => SendState::Now,
        }
    }

    /// The caller has nothing more to send, although it may: what is measured from here on is its
    /// own rate, not the path's.
    pub(crate) fn on_app_limited(&mut self) {
        self.delivery.on_app_limited(self.in_flight);
    }

    /// The session has moved to another path (RFC 9000 §9.4): start anew. Packets sent before
    /// are still acknowledged or lost, without effect on the new path.
    pub(crate) fn on_path_change(&mut self, now: Timestamp) {
        self.path_generation = self.path_generation.wrapping_add(1);
        self.path_start = self.next_pn;
        self.in_flight = 0;
        self.peaks = [0; 2];
        self.round_end = self.next_pn;
        self.event_end = self.next_pn;
        self.lost_since = None;
        self.first_sample_at = None;
        self.pto_count = 0;
        self.rtt = RttEstimator::new(self.timers.first_rtt());
        self.reordering.reset();
        self.delivery = Delivery::new(now);
        self.ecn.on_path_change(self.next_pn);
        self.mtud.on_path_change(now);
        let mtu = self.mtu();
        self.controller = self
            .kind
            .build(mtu, self.timers.first_window(mtu), self.seed);
        self.pacer = Pacer::new(now);
    }

    /// A round trip measured outside the session's packets: the handshake's.
    pub(crate) fn on_handshake_rtt(&mut self, now: Timestamp, sample: Duration) {
        self.rtt.update(sample, Duration::ZERO);
        self.first_sample_at.get_or_insert(now);
    }

    /// The value to give [`Sent::path_generation`] for packets of the current path.
    pub(crate) const fn path_generation(&self) -> u32 {
        self.path_generation
    }

    /// The ECN field for the next packet of the current path. From the second time-out in a row on none is marked:
    /// perhaps the path drops what is.
    pub(crate) const fn ecn(&self) -> Ecn {
        if self.pto_count > 1 {
            Ecn::NotEct
        } else {
            self.ecn.mark()
        }
    }

    /// Size of full packets, bytes.
    pub(crate) fn mtu(&self) -> u16 {
        self.timers.packet_size(self.mtud.current())
    }

    /// The size of an ack-eliciting packet, padded to it, to send now as a probe for a larger MTU.
    pub(crate) fn poll_mtu_probe(&mut self, now: Timestamp) -> Option<u16> {
        let size = self.mtud.poll_probe(now)?;
        // Only once the path has answered at all, and not into a full window; but one of the smallest
        // packets, filled by them, would never have room for a large one.
        let is_free = self.mtud.is_below_base()
            || matches!(self.can_send(now, u64::from(size)), SendState::Now);
        (self.rtt.is_sampled() && is_free).then_some(size)
    }

    /// Whether the next packet should elicit an acknowledgement although it has no need to: the
    /// peer has acknowledged none of the many pure acknowledgements before it (RFC 9000 §13.2.4).
    pub(crate) const fn wants_ping(&self) -> bool {
        self.since_eliciting >= SILENT_RUN && self.eliciting == 0
    }

    /// Numbers used since the last packet that is remembered: they take room once another is.
    pub(crate) fn untracked(&self) -> u64 {
        if self.sent.len() == 0 {
            0
        } else {
            self.next_pn.saturating_sub(self.sent.end())
        }
    }

    /// The largest number that the peer has acknowledged.
    pub(crate) const fn largest_acked(&self) -> Option<u64> {
        self.largest_acked
    }

    /// Bytes in flight on the current path.
    pub(crate) const fn bytes_in_flight(&self) -> u64 {
        self.in_flight
    }

    /// The congestion window, bytes.
    pub(crate) fn cwnd(&self) -> u64 {
        if self.reliable {
            u64::MAX
        } else {
            self.controller.window()
        }
    }

    pub(crate) const fn rtt(&self) -> &RttEstimator {
        &self.rtt
    }

    pub(crate) const fn stats(&self) -> &RecoveryStats {
        &self.stats
    }

    /// What the oldest open ack-eliciting packets carried, oldest first: what a probe repeats if
    /// there is nothing new to send (RFC 9002 §6.2.4).
    pub(crate) fn unacknowledged(&mut self) -> impl Iterator<Item = &mut T> {
        self.sent
            .iter_mut()
            .filter(|packet| packet.kind.ack_eliciting && !packet.kind.mtu_probe)
            .map(|packet| &mut packet.carried)
    }

    /// Gives back memory that a busy time has left behind; for sessions that fall idle.
    pub(crate) fn release_memory(&mut self) {
        self.sent.shrink();
        self.reordering.shrink();
    }

    /// Whether marks don't come through on this path (8.2).
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn ecn_has_failed(&self) -> bool {
        self.ecn.has_failed()
    }

    /// Slots in the store.
    #[cfg(test)]
    pub(super) fn tracked(&self) -> usize {
        self.sent.len()
    }

    /// Bytes per second to pace at.
    pub(crate) fn pacing_rate(&self) -> u64 {
        if let Some(rate) = self.controller.pacing_rate() {
            return rate;
        }
        // RFC 9002 §7.7: N·cwnd/srtt, N = 1.25, 2 in slow start, where the window doubles.
        let quarters = if self.controller.is_slow_start() {
            8
        } else {
            5
        };
        let nanos = self.rtt.smoothed().as_nanos().max(1);
        let rate = u128::from(self.controller.window()) * quarters * 250_000_000 / nanos;
        // A byte a second at least: a round trip of minutes must not stop a session.
        u64::try_from(rate).unwrap_or(u64::MAX).max(1)
    }

    /// The pacing rate, computed anew only when something has changed that it follows from: a wide division for every
    /// packet would be felt.
    fn cached_rate(&mut self, window: u64) -> u64 {
        if let Some(rate) = self.controller.pacing_rate() {
            return rate;
        }
        let from = (window, self.rtt.smoothed(), self.controller.is_slow_start());
        match self.paced {
            Some((same, rate)) if same == from => rate,
            _ => {
                let rate = self.pacing_rate();
                self.paced = Some((from, rate));
                rate
            }
        }
    }

    /// A burst that the path takes: RFC 9002 §7.7's initial window, or what 1 ms carries, since no
    /// driver's timer is finer.
    fn burst(&self, rate: u64) -> u64 {
        self.timers.first_window(self.mtu()).max(rate / 1_000)
    }

    /// The highest number of bytes in flight during this round trip and the one before.
    pub(super) fn peak(&self) -> u64 {
        self.peaks[0].max(self.peaks[1])
    }

    /// Whether `pn`, just acknowledged, ends a round trip; starts the next one then.
    pub(super) fn ends_round(&mut self, pn: u64) -> bool {
        if pn < self.round_end {
            return false;
        }
        self.round_end = self.next_pn;
        self.peaks = [self.in_flight, self.peaks[0]];
        true
    }
}

impl Kind {
    /// Whether the packet counts in the bytes in flight of its path.
    pub(super) const fn counts(self) -> bool {
        self.ack_eliciting && !self.off_path
    }
}

/// RFC 9000 §12.3.
const PACKET_NUMBERS: u64 = 1 << 62;
/// Skipped numbers that are remembered: the caller skips one in a thousand or so, and a peer that
/// guesses meets one of these.
const SKIPPED: usize = 8;
/// Packets in the store, at most: 10 Gbit/s over 60 ms in packets of 1,200 bytes.
pub(super) const TRACKED: usize = 1 << 16;
/// Pure acknowledgements in a row before one is made to elicit an acknowledgement.
const SILENT_RUN: u32 = 32;
