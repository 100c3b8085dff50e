use core::time::Duration;

use crate::Timestamp;

/// Searches for the largest packet that a path carries (DPLPMTUD, RFC 8899; RFC 9000 §14.3;
/// `docs/spec/stt-recovery.md`, 9).
#[derive(Debug)]
pub(crate) struct MtuDiscovery {
    /// Size of full packets now.
    current: u16,
    /// The size that the path is taken to carry whatever happens: BASE_PLPMTU.
    base: u16,
    /// The most that either end takes.
    most: u16,
    state: State,
    /// Bursts of loss of packets above `base` since one of that size last arrived.
    suspicious: u8,
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
        self.suspicious = 0;
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
        if size > self.base {
            self.suspicious = 0;
        }
    }

    /// Packets were declared lost at one time, the largest of which, no probe, had `largest` bytes,
    /// or a probe time-out passed with such packets in flight. Whether the path turns out to be a
    /// black hole for them, so that the size falls to the base (RFC 8899 §4.3).
    pub(crate) fn on_loss(&mut self, largest: u16, now: Timestamp) -> bool {
        if self.state == State::Off || largest <= self.base || self.current <= self.base {
            return false;
        }
        self.suspicious += 1;
        if self.suspicious < BLACK_HOLE_BURSTS {
            return false;
        }
        self.suspicious = 0;
        self.current = self.base;
        self.state = State::Done {
            again_at: now + BLACK_HOLE_PAUSE,
        };
        true
    }

    /// Another path: back to the base, and search anew.
    pub(crate) fn on_path_change(&mut self, now: Timestamp) {
        if self.state != State::Off {
            self.current = self.base;
            self.suspicious = 0;
            self.search(self.base, u32::from(self.most) + 1, now);
        }
    }

    fn search(&mut self, carried: u16, refused: u32, now: Timestamp) {
        self.state = if refused <= u32::from(carried) + u32::from(PRECISION) {
            State::Done {
                again_at: now + RAISE_TIMER,
            }
        } else {
            // The sizes of Ethernet and of our own limit are tried first, then halves.
            let usual = USUAL
                .into_iter()
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
            !discovery.on_loss(1_200, Timestamp::ZERO),
            "small ones prove nothing"
        );
        assert!(!discovery.on_loss(1_472, Timestamp::ZERO));
        assert!(!discovery.on_loss(1_472, Timestamp::ZERO));
        discovery.on_acked(1_472);
        assert!(!discovery.on_loss(1_472, Timestamp::ZERO));
        assert!(!discovery.on_loss(1_472, Timestamp::ZERO));
        discovery.on_acked(1_200);
        assert!(discovery.on_loss(1_472, Timestamp::ZERO));
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
        assert!(!discovery.on_loss(65_535, Timestamp::MAX));
    }
}
