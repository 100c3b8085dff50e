use core::time::Duration;

use crate::{Timestamp, wire::Limits};

/// Searches for the largest packet that a path carries (DPLPMTUD, RFC 8899; RFC 9000 §14.3;
/// `docs/spec/stt-recovery.md`, 9).
#[derive(Debug)]
pub(crate) struct MtuDiscovery {
    /// Size of full packets now.
    current: u16,
    /// The size that the path is taken to carry to begin with: BASE_PLPMTU.
    base: u16,
    /// The most that either end takes.
    most: u16,
    state: State,
    /// Bursts of loss since a packet as large as `suspect` last arrived.
    suspicious: u8,
    /// The smallest of the largest packets of these bursts.
    suspect: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    /// Sizes up to `carried` arrive, from `refused` up they don't.
    Searching {
        carried: u16,
        refused: u32,
        /// The size on trial and how often it was lost.
        size: u16,
        losses: u8,
        in_flight: bool,
    },
    /// Found; to be looked at again at that time.
    Done {
        again_at: Timestamp,
    },
}

impl MtuDiscovery {
    /// Starts with packets of `base` bytes; looks for more, up to `most`, if `enabled`.
    pub(crate) fn new(base: u16, most: u16, enabled: bool) -> Self {
        let mut discovery = Self {
            current: base,
            base,
            most: most.max(base),
            state: State::Off,
            suspicious: 0,
            suspect: u16::MAX,
        };
        if enabled {
            discovery.search(base, u32::from(discovery.most) + 1, Timestamp::ZERO);
        }
        discovery
    }

    /// Size of full packets now, bytes.
    pub(crate) const fn current(&self) -> u16 {
        self.current
    }

    /// Whether packets are smaller than every path should carry (9.4).
    pub(crate) const fn is_below_base(&self) -> bool {
        self.current < self.base
    }

    /// The size of a probe to send now, if one is due.
    pub(crate) fn poll_probe(&mut self, now: Timestamp) -> Option<u16> {
        if let State::Done { again_at } = self.state
            && again_at <= now
        {
            self.search(self.current, u32::from(self.most) + 1, now);
        }
        match self.state {
            State::Searching {
                size,
                in_flight: false,
                ..
            } => Some(size),
            _ => None,
        }
    }

    /// The probe of that size went out.
    pub(crate) fn on_probe_sent(&mut self) {
        if let State::Searching { in_flight, .. } = &mut self.state {
            *in_flight = true;
        }
    }

    /// A probe of `size` bytes arrived. Whether that changes the size of packets.
    pub(crate) fn on_probe_acked(&mut self, size: u16, now: Timestamp) -> bool {
        if let State::Searching { refused, .. } = self.state {
            let refused = if u32::from(size) < refused {
                refused
            } else {
                u32::from(self.most) + 1
            };
            self.search(size.max(self.current), refused, now);
        }
        self.on_acked(size);
        if size > self.current {
            self.current = size;
            return true;
        }
        false
    }

    /// A probe of `size` bytes was lost.
    pub(crate) fn on_probe_lost(&mut self, size: u16, now: Timestamp) {
        let State::Searching {
            carried,
            size: trial,
            losses,
            in_flight,
            ..
        } = &mut self.state
        else {
            return;
        };
        if size != *trial {
            return;
        }
        *in_flight = false;
        *losses += 1;
        if *losses == MAX_PROBES {
            let carried = *carried;
            self.search(carried, u32::from(size), now);
        }
    }

    /// A packet of `size` bytes, no probe, arrived.
    pub(crate) const fn on_acked(&mut self, size: u16) {
        if size >= self.suspect {
            self.trust();
        }
    }

    /// Packets were declared lost at one time, the largest of which, no probe, had `largest` bytes,
    /// because later ones arrived (`others_arrive`), or a probe time-out passed with such packets in
    /// flight. Whether the path turns out to be a black hole for them, so that the size falls to the
    /// base, and from there, if others do arrive, to the least (RFC 8899 §4.3, §5.2).
    pub(crate) fn on_loss(&mut self, largest: u16, others_arrive: bool, now: Timestamp) -> bool {
        let is_above_base = self.current > self.base;
        let fall_to = if is_above_base {
            self.base
        } else {
            self.least()
        };
        // A path that carries nothing at all is no matter of size, and what is larger than packets are now was given up.
        if self.state == State::Off
            || largest <= fall_to
            || largest > self.current
            || self.current <= fall_to
            || !is_above_base && !others_arrive
        {
            return false;
        }
        self.suspicious += 1;
        self.suspect = self.suspect.min(largest);
        if self.suspicious < BLACK_HOLE_BURSTS {
            return false;
        }
        self.trust();
        self.current = fall_to;
        if is_above_base {
            self.state = State::Done {
                again_at: now + BLACK_HOLE_PAUSE,
            };
        } else {
            // So small packets are mostly header: no time to lose.
            self.search(fall_to, u32::from(self.most) + 1, now);
        }
        true
    }

    /// Whether losses look like those of packets that are too large.
    pub(crate) const fn is_suspicious(&self) -> bool {
        self.suspicious > 0
    }

    /// The size that every link carries: MIN_PLPMTU. Where no size is looked for, the only one.
    pub(crate) fn least(&self) -> u16 {
        if self.state == State::Off {
            self.current
        } else {
            Limits::MIN_DATAGRAM.min(self.base)
        }
    }

    const fn trust(&mut self) {
        self.suspicious = 0;
        self.suspect = u16::MAX;
    }

    /// Another path: back to the base, and search anew.
    pub(crate) fn on_path_change(&mut self, now: Timestamp) {
        if self.state != State::Off {
            self.current = self.base;
            self.trust();
            self.search(self.base, u32::from(self.most) + 1, now);
        }
    }

    fn search(&mut self, carried: u16, refused: u32, now: Timestamp) {
        self.state = if refused <= u32::from(carried) + u32::from(PRECISION) {
            let pause = if carried < self.base {
                BLACK_HOLE_PAUSE
            } else {
                RAISE_TIMER
            };
            State::Done {
                again_at: now + pause,
            }
        } else {
            // The base, the sizes of Ethernet and of our own limit are tried first, then halves.
            let usual = [self.base]
                .into_iter()
                .chain(USUAL)
                .find(|&usual| usual > carried && u32::from(usual) < refused);
            let whole = u32::from(carried) + (refused - u32::from(carried)) / 2;
            let middle = u16::try_from(whole).unwrap_or(self.most);
            State::Searching {
                carried,
                refused,
                size: usual.unwrap_or(middle).min(self.most),
                losses: 0,
                in_flight: false,
            }
        };
    }
}

/// Datagrams that fill Ethernet's 1,500 bytes over IPv6 and IPv4 with UDP, PPPoE's share of them
/// first, and jumbo frames.
const USUAL: [u16; 4] = [1_420, 1_452, 1_472, 8_952];
/// MAX_PROBES (RFC 8899 §5.1.2).
const MAX_PROBES: u8 = 3;
/// Less than this is not worth another probe, bytes.
const PRECISION: u16 = 20;
/// PMTU_RAISE_TIMER (RFC 8899 §5.1.1).
const RAISE_TIMER: Duration = Duration::from_secs(600);
/// Bursts of loss in a row without one large packet through: with 10% random loss one in 1,000
/// triples at a packet a burst, and the size is found again.
const BLACK_HOLE_BURSTS: u8 = 3;
/// Time for a route to settle before larger sizes are tried again.
const BLACK_HOLE_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search on a path that carries `limit`; the size found and the probes sent.
    fn found(most: u16, limit: u16) -> (u16, u32) {
        let mut discovery = MtuDiscovery::new(1_200, most, true);
        let mut probes = 0;
        while let Some(size) = discovery.poll_probe(Timestamp::ZERO) {
            assert!(size > discovery.current() && size <= most);
            discovery.on_probe_sent();
            assert_eq!(discovery.poll_probe(Timestamp::ZERO), None, "one at a time");
            probes += 1;
            if size <= limit {
                assert!(discovery.on_probe_acked(size, Timestamp::ZERO));
            } else {
                discovery.on_probe_lost(size, Timestamp::ZERO);
            }
        }
        (discovery.current(), probes)
    }

    #[test]
    fn every_limit_is_found_within_the_precision() {
        for limit in (1_200..=65_535).step_by(37) {
            let (size, probes) = found(65_535, limit);
            assert!(
                size <= limit && limit - size <= PRECISION,
                "{limit}: {size}"
            );
            assert!(probes <= 60, "{limit}: {probes}");
        }
    }

    #[test]
    fn usual_sizes_need_few_probes() {
        assert_eq!(found(1_472, 1_472), (1_472, 3));
        assert_eq!(found(1_200, 9_000), (1_200, 0));
        assert_eq!(found(1_472, 1_200).0, 1_200);
    }

    #[test]
    fn black_hole_falls_to_the_base_and_is_repaired_later() {
        let mut discovery = MtuDiscovery::new(1_200, 1_472, true);
        assert!(discovery.on_probe_acked(1_472, Timestamp::ZERO));
        assert!(
            !discovery.on_loss(1_200, false, Timestamp::ZERO),
            "small ones prove nothing"
        );
        assert!(!discovery.on_loss(1_472, true, Timestamp::ZERO));
        assert!(!discovery.on_loss(1_472, true, Timestamp::ZERO));
        discovery.on_acked(1_472);
        assert!(!discovery.on_loss(1_472, true, Timestamp::ZERO));
        assert!(!discovery.on_loss(1_472, true, Timestamp::ZERO));
        discovery.on_acked(1_200);
        assert!(discovery.on_loss(1_472, true, Timestamp::ZERO));
        assert_eq!(discovery.current(), 1_200);
        assert_eq!(discovery.poll_probe(Timestamp::from_millis(59_999)), None);
        assert!(
            discovery
                .poll_probe(Timestamp::from_millis(60_000))
                .is_some()
        );
    }

    #[test]
    fn off_stays_off() {
        let mut discovery = MtuDiscovery::new(64, 65_535, false);
        assert_eq!(discovery.poll_probe(Timestamp::MAX), None);
        assert!(!discovery.on_loss(65_535, true, Timestamp::MAX));
    }

    #[test]
    fn a_black_hole_below_the_base_is_left_and_its_size_found() {
        let mut discovery = MtuDiscovery::new(1_200, 1_472, true);
        let burst = |discovery: &mut MtuDiscovery| discovery.on_loss(1_200, true, Timestamp::ZERO);
        for _ in 0..10 {
            assert!(
                !discovery.on_loss(1_200, false, Timestamp::ZERO),
                "nothing arrives at all"
            );
            assert!(
                !discovery.on_loss(1_452, true, Timestamp::ZERO),
                "larger than packets are now"
            );
        }
        assert!(!burst(&mut discovery) && !burst(&mut discovery));
        discovery.on_acked(1_200);
        assert!(!discovery.is_suspicious(), "it was chance");
        assert!(!burst(&mut discovery) && !burst(&mut discovery));
        discovery.on_acked(300);
        assert!(burst(&mut discovery), "smaller ones prove nothing");
        assert_eq!(discovery.current(), 64);
        let mut first = None;
        while let Some(size) = discovery.poll_probe(Timestamp::ZERO) {
            first.get_or_insert(size);
            discovery.on_probe_sent();
            if size <= 576 {
                assert!(discovery.on_probe_acked(size, Timestamp::ZERO));
            } else {
                discovery.on_probe_lost(size, Timestamp::ZERO);
            }
        }
        assert_eq!(first, Some(1_200), "perhaps it was only chance");
        assert!((556..=576).contains(&discovery.current()));
        assert!(
            discovery
                .poll_probe(Timestamp::from_millis(60_000))
                .is_some()
        );
    }
}
