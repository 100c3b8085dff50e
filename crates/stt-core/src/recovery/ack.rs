use core::ops::RangeInclusive;

use super::{
    AckError, AckInfo, Outcome, Recovery,
    reordering::Arrived,
    sent::{Kind, SentPacket},
};
use crate::{Timestamp, congestion::Acked};

/// What an acknowledgement adds up to.
#[derive(Debug, Default)]
struct Tally {
    /// Bytes of this path, and those of them sent since the last congestion event.
    bytes: u64,
    fresh: u64,
    ect0: u64,
    eliciting: bool,
    /// When the largest acknowledged packet was sent, if that is news and of this path.
    largest_sent_at: Option<Timestamp>,
    highest: u64,
    mtu_changed: bool,
}

impl<T> Recovery<T> {
    /// Processes an ACK frame (RFC 9002 A.7): `ranges` descend from `ack.largest`, as on the wire.
    /// Costs what is newly acknowledged and the ranges that are still of interest.
    pub(crate) fn on_ack(
        &mut self,
        now: Timestamp,
        ack: &AckInfo,
        ranges: impl Iterator<Item = RangeInclusive<u64>>,
        out: &mut Outcome<T>,
    ) -> Result<(), AckError> {
        if ack.largest >= self.peek_pn() {
            return Err(AckError::NotYetSent(ack.largest));
        }
        self.reordering.forget(now);
        let largest_before = self.largest_acked.unwrap_or(0);
        let before = self.in_flight;
        let mut tally = Tally::default();
        let mut arrived = Arrived::default();
        let news_from = self
            .sent
            .first()
            .min(self.reordering.first().unwrap_or(u64::MAX));
        let news_from = news_from.min(self.skipped.front().copied().unwrap_or(u64::MAX));
        for range in ranges {
            // Everything from here down was settled long ago.
            if *range.end() < news_from {
                break;
            }
            self.check_skipped(&range)?;
            self.reordering
                .on_range(&range, largest_before, &mut arrived);
            self.acknowledge(now, ack.largest, &range, &mut tally, out);
        }
        let is_news = self
            .largest_acked
            .is_none_or(|largest| ack.largest > largest);
        self.largest_acked = self.largest_acked.max(Some(ack.largest));
        self.stats.spurious_losses += arrived.packets;
        if let (Some(sent_at), true) = (tally.largest_sent_at, tally.eliciting) {
            let delay = ack.delay.min(self.peer_max_ack_delay);
            self.rtt.update(now.saturating_since(sent_at), delay);
            self.first_sample_at.get_or_insert(now);
        }
        if self.reliable {
            self.drop_settled();
            return Ok(());
        }
        let event_end = self.event_end;
        if is_news && self.ecn.on_ack(tally.ect0, ack.ecn) {
            self.on_mark(ack.largest, before, out);
        }
        out.mtu_changed |= tally.mtu_changed;
        self.detect_losses(now, before, out);
        if self.event_end > event_end {
            // All of it was sent before the event that has just begun.
            tally.fresh = 0;
        }
        if arrived.undo {
            self.controller.on_spurious();
            self.event_end = self.path_start;
        }
        if tally.bytes > 0 {
            let round = self.ends_round(tally.highest);
            let sample = self.delivery.sample(self.rtt.min());
            self.controller.on_ack(&Acked {
                now,
                bytes: tally.bytes,
                fresh: tally.fresh,
                before,
                in_flight: self.in_flight,
                peak: self.peak(),
                rtt: &self.rtt,
                round,
                sample,
            });
        }
        if tally.eliciting {
            self.pto_count = 0;
        }
        if out.mtu_changed {
            self.controller.on_mtu(self.mtu());
        }
        Ok(())
    }

    /// RFC 9000 §21.4: nobody can have received these.
    fn check_skipped(&self, range: &RangeInclusive<u64>) -> Result<(), AckError> {
        match self.skipped.iter().find(|pn| range.contains(pn)) {
            Some(&pn) => Err(AckError::Skipped(pn)),
            None => Ok(()),
        }
    }

    fn acknowledge(
        &mut self,
        now: Timestamp,
        largest: u64,
        range: &RangeInclusive<u64>,
        tally: &mut Tally,
        out: &mut Outcome<T>,
    ) {
        let mut pn = self.sent.open_from(*range.start());
        while pn <= *range.end() {
            let Some(packet) = self.sent.acknowledge(pn) else {
                return;
            };
            let SentPacket {
                sent_at,
                mark,
                size,
                kind,
                carried,
            } = packet;
            self.settle(pn, size, kind);
            if self.is_current(pn, kind) {
                let bytes = u64::from(size);
                if kind.counts() {
                    tally.bytes += bytes;
                    tally.fresh += if pn >= self.event_end { bytes } else { 0 };
                    tally.highest = tally.highest.max(pn);
                    self.delivery.on_acked(now, mark, sent_at, bytes);
                }
                tally.ect0 += u64::from(kind.ect0);
                if pn == largest {
                    tally.largest_sent_at = Some(sent_at);
                }
                if kind.mtu_probe {
                    tally.mtu_changed |= self.mtud.on_probe_acked(size, now);
                } else {
                    self.mtud.on_acked(size);
                }
            }
            tally.eliciting |= kind.ack_eliciting;
            out.acked.push((pn, carried));
            pn = self.sent.open_from(pn + 1);
        }
    }

    /// Takes a packet that is no longer open out of the counts.
    pub(super) fn settle(&mut self, pn: u64, size: u16, kind: Kind) {
        if kind.ack_eliciting {
            self.eliciting -= 1;
        } else {
            self.silent -= 1;
        }
        if kind.counts() && self.is_current(pn, kind) {
            self.in_flight -= u64::from(size);
        }
    }

    /// Whether a packet was sent on the path that is current now.
    pub(super) const fn is_current(&self, pn: u64, kind: Kind) -> bool {
        pn >= self.path_start && !kind.off_path
    }
}
