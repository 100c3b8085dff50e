//! One direction of a link: segmentation, bearer, delivery, reassembly, purge.

use super::flight::{Flight, Pdu};
use super::sets::{Sets, State};
use super::stats::{Jitter, LinkStats};
use super::{Layer, LinkEvent, LinkObserver, LinkRecord};
use crate::Direction;
use crate::adapter::SduBatch;
use crate::bearer::{BearerParams, Carrier, Fate, Flip, SarPolicy};
use crate::math::round_ms;
use crate::rng::Streams;
use crate::sar::{self, Accepted, HEADER_BYTES, Header};

/// One direction.
#[derive(Debug)]
pub(super) struct Path {
    direction: Direction,
    mtu: usize,
    force_sar: bool,
    /// The least RTT that reassembly reckons with.
    rtt_floor_ms: f64,
    carrier: Carrier,
    pub(super) flight: Flight,
    pub(super) sets: Sets,
    next_pdu: u64,
    next_frag_id: u8,
    /// Smoothed one-way delay.
    pub(super) delay_ms: f64,
    pdu_jitter: Jitter,
    pub(super) stats: LinkStats,
}

impl Path {
    pub(super) fn new(
        params: &BearerParams,
        direction: Direction,
        streams: &Streams,
        tick_ms: u64,
    ) -> Self {
        Self {
            direction,
            mtu: params.mtu_bytes.max(HEADER_BYTES + 1),
            force_sar: params.sar == SarPolicy::Force,
            rtt_floor_ms: (2.0 * tick_ms as f64).max(50.0),
            carrier: Carrier::new(params, direction, streams),
            flight: Flight::default(),
            sets: Sets::default(),
            next_pdu: 0,
            next_frag_id: 0,
            delay_ms: params.latency_ms + params.frame_ms + 2.0 * params.jitter_ms,
            pdu_jitter: Jitter::default(),
            stats: LinkStats::default(),
        }
    }

    /// The settings for what is sent from now on (`docs/spec/drybox-proxy.md`, section 4).
    pub(super) fn retune(&mut self, params: &BearerParams, streams: &Streams) {
        self.mtu = params.mtu_bytes.max(HEADER_BYTES + 1);
        self.force_sar = params.sar == SarPolicy::Force;
        self.carrier.retune(params, self.direction, streams);
    }

    /// Cuts or heals this direction.
    pub(super) const fn cut(&mut self, cut: bool) {
        self.carrier.cut(cut);
    }

    /// What this direction holds at `now_ms`: on its way, in reassembly, waiting for its turn.
    pub(super) fn held_bytes(&mut self, now_ms: u64) -> usize {
        self.flight.held_bytes() + self.sets.held_bytes() + self.carrier.held_bytes(now_ms)
    }

    /// When something happens next: an arrival or a time-out.
    pub(super) fn next_due(&self) -> u64 {
        let arrival = self.flight.next_due().unwrap_or(u64::MAX);
        arrival.min(self.sets.next_deadline().unwrap_or(u64::MAX))
    }

    pub(super) fn send<O: LinkObserver>(
        &mut self,
        now_ms: u64,
        sdu: &[u8],
        observer: &mut O,
    ) -> Result<(), O::Error> {
        let serial = self.stats.sdus_sent;
        self.stats.sdus_sent += 1;
        self.stats.sdu_bytes_sent += sdu.len() as u64;
        observer.observe(&self.record(now_ms, Layer::Bytelink, LinkEvent::Tx, sdu))?;
        if sdu.len() <= self.mtu && !self.force_sar {
            if !self.send_pdu(now_ms, serial, None, sdu, observer)? {
                self.stats.sdus_dropped += 1;
            }
            return Ok(());
        }
        if sdu.len() > sar::max_sdu_bytes(self.mtu) {
            // The engine refuses these at the adapter's door; here they are counted, no more.
            self.stats.sdus_dropped += 1;
            return Ok(());
        }
        let frag_id = self.next_frag_id;
        self.next_frag_id = frag_id.wrapping_add(1);
        let slot = self.sets.open(serial, self.mtu - HEADER_BYTES, sdu.len());
        for (header, payload) in sar::fragments(sdu, self.mtu - HEADER_BYTES, frag_id) {
            self.send_pdu(now_ms, serial, Some((slot, header)), payload, observer)?;
        }
        // With no fragment on the way no time-out would ever start.
        if self.sets.get(slot).on_the_way == 0 {
            self.sets.settle(slot);
            self.sets.release(slot);
            self.stats.sdus_dropped += 1;
        }
        Ok(())
    }

    /// Puts one PDU on the bearer; tells whether it will arrive.
    fn send_pdu<O: LinkObserver>(
        &mut self,
        now_ms: u64,
        sdu: u64,
        fragment: Option<(usize, Header)>,
        payload: &[u8],
        observer: &mut O,
    ) -> Result<bool, O::Error> {
        let encoded = fragment.map(|(_, header)| header.encode());
        let header: &[u8] = encoded.as_ref().map_or(&[], |bytes| bytes);
        let serial = self.next_pdu;
        self.next_pdu += 1;
        let bytes = self.flight.buffer([header, payload]);
        self.stats.pdus_sent += 1;
        self.stats.pdu_bytes_sent += bytes.len() as u64;
        observer.observe(&self.record(now_ms, Layer::Bearer, LinkEvent::Tx, &bytes))?;
        let arrival = match self.carrier.carry(serial, now_ms, bytes.len()) {
            Fate::Arrives(arrival) => arrival,
            Fate::Lost(cause) => {
                self.stats.lost(cause);
                observer.observe(&self.record(now_ms, Layer::Bearer, LinkEvent::Drop, &bytes))?;
                self.flight.recycle(bytes);
                return Ok(false);
            }
        };
        let mut slot = fragment.map(|(slot, _)| slot);
        let pdu = |bytes, slot| Pdu {
            bytes,
            sent_ms: now_ms,
            sdu,
            slot,
            fragment: fragment.is_some(),
        };
        if let Some(twin) = arrival.duplicate {
            // Two PDUs are on the bearer from here on, and both are accounted for.
            self.stats.pdus_sent += 1;
            self.stats.pdus_duplicated += 1;
            self.stats.pdu_bytes_sent += bytes.len() as u64;
            observer.observe(&self.record(now_ms, Layer::Bearer, LinkEvent::Tx, &bytes))?;
            let slot = *slot.get_or_insert_with(|| self.sets.open(sdu, 0, 0));
            self.sets.get_mut(slot).on_the_way += 1;
            let mut copy = self.flight.buffer([&bytes, &[]]);
            self.corrupt(twin.flip, &mut copy[header.len()..]);
            self.flight
                .push(twin.due_ms, serial, true, pdu(copy, Some(slot)));
        }
        if let Some(slot) = slot {
            self.sets.get_mut(slot).on_the_way += 1;
        }
        let mut bytes = bytes;
        self.corrupt(arrival.flip, &mut bytes[header.len()..]);
        self.flight
            .push(arrival.due_ms, serial, false, pdu(bytes, slot));
        Ok(true)
    }

    fn corrupt(&mut self, flip: Option<Flip>, payload: &mut [u8]) {
        if let Some(flip) = flip
            && !payload.is_empty()
        {
            flip.apply(payload);
            self.stats.pdus_corrupted += 1;
        }
    }

    /// Delivers what is due, then purges what has timed out. `peer_delay_ms` is the other
    /// direction's smoothed delay.
    pub(super) fn deliver<O: LinkObserver>(
        &mut self,
        now_ms: u64,
        peer_delay_ms: f64,
        out: &mut SduBatch,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        while let Some(pdu) = self.flight.pop(now_ms) {
            self.receive(now_ms, peer_delay_ms, &pdu, out, observer)?;
            self.flight.recycle(pdu.bytes);
        }
        while let Some(slot) = self.sets.expired(now_ms) {
            self.purge(now_ms, slot, observer)?;
        }
        Ok(())
    }

    fn receive<O: LinkObserver>(
        &mut self,
        now_ms: u64,
        peer_delay_ms: f64,
        pdu: &Pdu,
        out: &mut SduBatch,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        let latency_ms = now_ms - pdu.sent_ms;
        self.stats.pdus_received += 1;
        self.stats.pdu_bytes_received += pdu.bytes.len() as u64;
        self.delay_ms += (latency_ms as f64 - self.delay_ms) / 8.0;
        self.pdu_jitter.arrive(latency_ms);
        let rtt_ms = self.delay_ms + peer_delay_ms;
        observer.observe(&LinkRecord {
            latency_ms: Some(latency_ms),
            jitter_ms: self.pdu_jitter.ms(),
            rtt_ms_est: Some(rtt_ms),
            ..self.record(now_ms, Layer::Bearer, LinkEvent::Rx, &pdu.bytes)
        })?;
        let Some(slot) = pdu.slot else {
            return self.hand_over(now_ms, pdu, rtt_ms, None, true, out, observer);
        };
        self.sets.get_mut(slot).on_the_way -= 1;
        let state = self.sets.get(slot).state;
        let first = state != State::Settled;
        if !pdu.fragment {
            self.hand_over(now_ms, pdu, rtt_ms, None, first, out, observer)?;
            self.sets.settle(slot);
        } else if first {
            if state == State::Waiting {
                let timeout = round_ms(2.0 * rtt_ms.max(self.rtt_floor_ms));
                self.sets.start(slot, now_ms.saturating_add(timeout));
            }
            if self.accept(slot, &pdu.bytes) == Accepted::Complete {
                self.hand_over(now_ms, pdu, rtt_ms, Some(slot), true, out, observer)?;
                self.sets.settle(slot);
            }
        }
        self.sets.release(slot);
        Ok(())
    }

    fn accept(&mut self, slot: usize, pdu: &[u8]) -> Accepted {
        match Header::decode(pdu) {
            Some((header, payload)) => {
                let set = self.sets.get_mut(slot);
                set.reassembly.accept(set.unit, header, payload)
            }
            None => Accepted::Malformed,
        }
    }

    /// Hands the SDU that `pdu` brought or completed to its receiver.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call's worth of context, used here only"
    )]
    fn hand_over<O: LinkObserver>(
        &mut self,
        now_ms: u64,
        pdu: &Pdu,
        rtt_ms: f64,
        reassembled: Option<usize>,
        first: bool,
        out: &mut SduBatch,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        let latency_ms = now_ms - pdu.sent_ms;
        let sdu = match reassembled {
            Some(slot) => self.sets.get(slot).reassembly.bytes(),
            None => &pdu.bytes,
        };
        let stats = &mut self.stats;
        if first {
            stats.sdus_delivered += 1;
            stats.sdu_bytes_delivered += sdu.len() as u64;
            stats.latency.add(latency_ms);
            stats.order.arrive(pdu.sdu);
            stats.jitter.arrive(latency_ms);
        } else {
            stats.sdu_duplicates += 1;
        }
        out.push(sdu);
        observer.observe(&LinkRecord {
            latency_ms: Some(latency_ms),
            jitter_ms: self.stats.jitter.ms(),
            loss_rate: self.stats.loss_rate(),
            reorder_rate: self.stats.reorder_rate(),
            rtt_ms_est: Some(rtt_ms),
            ..self.record(now_ms, Layer::Bytelink, LinkEvent::Rx, sdu)
        })
    }

    fn purge<O: LinkObserver>(
        &mut self,
        now_ms: u64,
        slot: usize,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        self.stats.sdus_dropped += 1;
        self.stats.sdus_purged += 1;
        let set = self.sets.get(slot);
        let partial = set.reassembly.prefix(set.unit);
        observer.observe(&LinkRecord {
            loss_rate: self.stats.loss_rate(),
            ..self.record(now_ms, Layer::Bytelink, LinkEvent::Drop, partial)
        })?;
        self.sets.settle(slot);
        self.sets.release(slot);
        Ok(())
    }

    const fn record<'a>(
        &self,
        t_ms: u64,
        layer: Layer,
        event: LinkEvent,
        data: &'a [u8],
    ) -> LinkRecord<'a> {
        LinkRecord::new(t_ms, self.direction, layer, event, data)
    }
}
