use std::collections::VecDeque;

use crate::Timestamp;

/// Packets sent and not yet settled, one slot per packet number
/// (`docs/spec/stt-recovery.md`, 3.2).
///
/// A settled slot holds the distance to a later slot that may be open, and looking for an open one
/// shortens these chains (union-find), so that acknowledgements that repeat what is known cost
/// next to nothing however long the flight.
#[derive(Debug)]
pub(super) struct SentPackets<T> {
    first: u64,
    slots: VecDeque<Slot<T>>,
}

#[derive(Debug)]
struct Slot<T> {
    packet: Option<SentPacket<T>>,
    /// 0 if open, else no slot within this distance is.
    skip: u32,
    /// Settled by an acknowledgement, not by never having been sent.
    acked: bool,
}

/// What is remembered of a packet.
#[derive(Debug)]
pub(super) struct SentPacket<T> {
    pub(super) sent_at: Timestamp,
    pub(super) mark: RateMark,
    pub(super) size: u16,
    pub(super) kind: Kind,
    pub(super) carried: T,
}

/// The state of delivery when a packet was sent: what a rate sample is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RateMark {
    pub(super) delivered: u64,
    pub(super) delivered_at: Timestamp,
    pub(super) first_sent_at: Timestamp,
    pub(super) app_limited: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) ack_eliciting: bool,
    pub(super) mtu_probe: bool,
    pub(super) ect0: bool,
    /// Sent on a path other than the current one: counts for nothing but its own delivery.
    pub(super) off_path: bool,
}

/// What stands at the front of the store.
pub(super) enum Front<'a, T> {
    Acked,
    NeverSent,
    Open(u64, &'a SentPacket<T>),
}

impl<T> SentPackets<T> {
    pub(super) const fn new() -> Self {
        Self {
            first: 0,
            slots: VecDeque::new(),
        }
    }

    /// The lowest number that is still in the store.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// One past the highest number in the store.
    pub(super) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Puts `packet` in under `pn`, which is [`SentPackets::end`] or above; numbers left out were
    /// never sent.
    pub(super) fn push(&mut self, pn: u64, packet: SentPacket<T>) {
        debug_assert!(pn >= self.end(), "packet numbers only grow");
        if self.slots.is_empty() {
            self.first = pn;
        }
        while self.end() < pn {
            self.slots.push_back(Slot {
                packet: None,
                skip: 1,
                acked: false,
            });
        }
        self.slots.push_back(Slot {
            packet: Some(packet),
            skip: 0,
            acked: false,
        });
    }

    /// The lowest open number from `pn` up, or [`SentPackets::end`].
    pub(super) fn open_from(&mut self, pn: u64) -> u64 {
        let Ok(start) = usize::try_from(pn.saturating_sub(self.first)) else {
            return self.end();
        };
        let mut at = start;
        while let Some(slot) = self.slots.get(at)
            && slot.skip > 0
        {
            at += slot.skip as usize;
        }
        let mut behind = start;
        while behind < at
            && let Some(slot) = self.slots.get_mut(behind)
        {
            behind += slot.skip as usize;
            // Lengths are bounded by `Recovery`, far below 2^32.
            slot.skip = u32::try_from(at - (behind - slot.skip as usize)).unwrap_or(slot.skip);
        }
        (self.first + at as u64).min(self.end())
    }

    /// Settles open packet `pn` as acknowledged.
    pub(super) fn acknowledge(&mut self, pn: u64) -> Option<SentPacket<T>> {
        let index = usize::try_from(pn.checked_sub(self.first)?).ok()?;
        let slot = self.slots.get_mut(index)?;
        let packet = slot.packet.take()?;
        slot.skip = 1;
        slot.acked = true;
        Some(packet)
    }

    pub(super) fn front(&self) -> Option<Front<'_, T>> {
        let slot = self.slots.front()?;
        Some(match &slot.packet {
            Some(packet) => Front::Open(self.first, packet),
            None if slot.acked => Front::Acked,
            None => Front::NeverSent,
        })
    }

    /// Takes the front slot out; gives its packet if that was open.
    pub(super) fn pop_front(&mut self) -> Option<SentPacket<T>> {
        let slot = self.slots.pop_front()?;
        self.first += 1;
        slot.packet
    }

    /// The open packets, oldest first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut SentPacket<T>> {
        self.slots
            .iter_mut()
            .filter_map(|slot| slot.packet.as_mut())
    }

    /// The open packets, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &SentPacket<T>)> {
        (self.first..)
            .zip(&self.slots)
            .filter_map(|(pn, slot)| Some((pn, slot.packet.as_ref()?)))
    }

    pub(super) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    fn packet() -> SentPacket<()> {
        SentPacket {
            sent_at: Timestamp::ZERO,
            mark: RateMark::default(),
            size: 1,
            kind: Kind {
                ack_eliciting: true,
                mtu_probe: false,
                ect0: false,
                off_path: false,
            },
            carried: (),
        }
    }

    #[test]
    fn open_ones_are_found_across_gaps() {
        let mut sent = SentPackets::new();
        for pn in [10, 11, 14, 15, 16] {
            sent.push(pn, packet());
        }
        assert_eq!((sent.first(), sent.end()), (10, 17));
        assert_eq!(sent.open_from(0), 10);
        assert_eq!(sent.open_from(12), 14);
        assert!(sent.acknowledge(12).is_none());
        assert!(sent.acknowledge(14).is_some());
        assert!(sent.acknowledge(14).is_none());
        assert_eq!(sent.open_from(12), 15);
        assert!(sent.acknowledge(16).is_some());
        assert_eq!(sent.open_from(16), 17);
        sent.push(17, packet());
        assert_eq!(sent.open_from(16), 17);
        assert_eq!(sent.open_from(99), 18);
        assert_eq!(
            sent.iter().map(|(pn, _)| pn).collect::<Vec<_>>(),
            [10, 11, 15, 17]
        );
    }

    #[test]
    fn agrees_with_a_plain_scan() {
        let mut sent = SentPackets::new();
        let mut open = std::collections::BTreeSet::new();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |below: u64| rng.next_u64() % below;
        for _ in 0..20_000 {
            match draw(4) {
                0 => {
                    let pn = sent.end() + draw(3) / 2;
                    sent.push(pn, packet());
                    open.insert(pn);
                }
                1 => {
                    let pn = sent.first() + draw(sent.len() as u64 + 2);
                    assert_eq!(sent.acknowledge(pn).is_some(), open.remove(&pn));
                }
                2 if draw(3) == 0 => {
                    let pn = sent.first();
                    assert_eq!(sent.pop_front().is_some(), open.remove(&pn));
                }
                _ => {
                    let pn = sent.first() + draw(sent.len() as u64 + 2);
                    let next = open.range(pn..).next().copied();
                    assert_eq!(sent.open_from(pn), next.unwrap_or(sent.end()));
                }
            }
        }
    }
}
