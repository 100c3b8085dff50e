//! What a seed says: link, faults, who sends what.

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::ends::{CommonPlan, EndPlan};
use crate::{
    ControllerKind, Dir, LinkProfile, SessionConfig, Side, StreamId, connection::RekeyLimits,
    testing::LinkConfig, wire::Limits,
};

/// Something that happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing passes for so long.
    Cut(Duration),
    /// An end gets another address.
    Rebind(Side),
    /// A second way opens, and an end goes there by itself.
    Move(Side),
    /// An end asks for new keys.
    Rekey(Side),
    /// Both links change.
    Change(LinkConfig),
    /// The responder forgets everything. Nothing else is expected of the run but that the
    /// initiator notices.
    Restart,
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was drawn from.
    pub seed: u64,
    /// What each end believes of the link.
    pub profiles: [LinkProfile; 2],
    /// What it is.
    pub link: LinkConfig,
    /// What each end asks of its sessions.
    pub sessions: [SessionConfig; 2],
    /// What else each end is set to.
    pub ends: [EndPlan; 2],
    /// Streams that each end opens, by direction.
    pub streams: [[u64; 2]; 2],
    /// Bytes of a stream, at most.
    pub max_len: u64,
    /// Datagrams that each end sends.
    pub datagrams: [u64; 2],
    /// Both ends connect at once.
    pub both_open: bool,
    /// What happens when, counted from the confirmation.
    pub faults: Vec<(Duration, Fault)>,
}

/// What one end sends on a stream, and what the other makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HalfPlan {
    pub(super) len: u64,
    /// The sender gives up after so many bytes.
    pub(super) reset_after: Option<u64>,
    /// The receiver gives up after so many bytes.
    pub(super) stop_after: Option<u64>,
    pub(super) priority: i32,
}

impl Plan {
    /// Draws a run.
    pub fn from_seed(seed: u64) -> Self {
        let mut draw = Draw::new(seed, 0);
        let kind = draw.below(8);
        let reliable = kind == 7;
        let (mut link, mut profile) = match kind {
            0 => draw.narrow(),
            7 => (LinkConfig::PERFECT, LinkProfile::RELIABLE),
            _ => draw.link(),
        };
        Draw::new(seed, 10).marks(&mut link);
        if !reliable {
            profile.fragment = Draw::new(seed, 11).fragment(&profile);
        }
        let rate = link.rate.unwrap_or(100_000_000);
        // Enough for the link to be busy for some seconds, little enough to be quick.
        let max_len = (rate / 8 / 2).clamp(200, 60_000);
        let mut draw = Draw::new(seed, 1);
        let few = |draw: &mut Draw, max| {
            if draw.below(3) == 0 {
                0
            } else {
                draw.below(max)
            }
        };
        let streams = [0, 1].map(|_| [few(&mut draw, 5), few(&mut draw, 4)]);
        let datagrams = [few(&mut draw, 20), few(&mut draw, 20)];
        let mut config = SessionConfig {
            limits: Limits::default().with_idle_timeout(Some(Duration::from_secs(600))),
            controller: match draw.below(3) {
                0 => ControllerKind::NewReno,
                _ => ControllerKind::default(),
            },
            ..SessionConfig::default()
        };
        if draw.below(3) == 0 {
            config.rekey = RekeyLimits {
                packets: 5 + draw.below(200),
                ..RekeyLimits::default()
            };
        }
        if draw.below(3) == 0 {
            config.limits = config
                .limits
                .with_max_data(500 + draw.below(20_000))
                .with_max_stream_data(100 + draw.below(5_000))
                .with_max_streams(Dir::Bi, 1 + draw.below(3))
                .with_max_streams(Dir::Uni, 1 + draw.below(3));
        }
        let both_open = draw.below(10) == 0;
        let shrinks = profile.timers().discovers_mtu();
        let (mover, mut faults) = Draw::new(seed, 2).faults(reliable, shrinks, &link);
        Draw::new(seed, 12).more_faults(reliable, mover, &link, &mut faults);
        if faults
            .iter()
            .any(|(_, fault)| matches!(fault, Fault::Rebind(_)))
        {
            // Who may be moved has to speak now and then, or nobody ever learns where it is.
            config.keep_alive = Some(Duration::from_secs(15));
        }
        let mut profiles = [profile; 2];
        let common = CommonPlan::draw(&mut Draw::new(seed, 13), &mut profiles);
        let mut sessions = [config.clone(), config];
        let ends = [Side::Initiator, Side::Responder].map(|side| {
            let mut draw = Draw::new(seed, 14 + side as u64);
            draw.session(side, &mut sessions[side as usize]);
            EndPlan::draw(&mut draw, &common, &link)
        });
        Self {
            seed,
            profiles,
            link,
            sessions,
            ends,
            streams,
            max_len,
            datagrams,
            both_open,
            faults,
        }
    }

    /// Whether the responder restarts: then nothing is expected to finish.
    pub(super) fn restarts(&self) -> bool {
        self.faults
            .iter()
            .any(|(_, fault)| matches!(fault, Fault::Restart))
    }

    /// What `sender` does on a stream. Both ends know.
    pub(super) fn half(&self, id: StreamId, sender: Side) -> HalfPlan {
        let name = 16 + id.as_u64() * 2 + sender as u64;
        let mut draw = Draw::new(self.seed, name);
        let len = draw.below(self.max_len);
        let mut some = |one_in| (draw.below(one_in) == 0).then(|| draw.below(len.max(1)));
        HalfPlan {
            len,
            reset_after: some(8),
            stop_after: some(8),
            priority: i32::try_from(draw.below(3)).unwrap_or(0) - 1,
        }
    }
}

/// The byte at `offset` of what `sender` sends on a stream.
pub(super) fn byte(id: StreamId, sender: Side, offset: u64) -> u8 {
    let mixed = (offset / 8 + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(id.as_u64() << 1 | sender as u64)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> (offset % 8 * 8)) as u8
}

/// Numbers from a seed, one stream of them for each name.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64, name: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(name);
        Self(rng)
    }

    /// Below `end`; 0 if that is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end.max(1)
    }

    pub(super) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(super) fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }

    /// A probability of up to `max` per million, often none.
    fn chance(&mut self, max: u64) -> u32 {
        let chance = self.below(max);
        if self.below(2) == 0 { 0 } else { chance as u32 }
    }

    fn link(&mut self) -> (LinkConfig, LinkProfile) {
        let latency = Duration::from_micros(100 << self.below(13));
        let rate = 20_000_u64 << self.below(13);
        let mtu = 128 + self.below(1_372) as usize;
        let link = LinkConfig {
            jitter: if self.below(2) == 0 {
                Duration::ZERO
            } else {
                self.millis(80)
            },
            loss: self.chance(200_000),
            burst: self.chance(600_000),
            duplicate: self.chance(100_000),
            corrupt: self.chance(50_000),
            mark: self.chance(50_000),
            mtu,
            ..LinkConfig::bottleneck(rate, latency)
        };
        // Half of the ends know less of the path than it takes.
        let known = if self.below(2) == 0 {
            mtu
        } else {
            mtu.min(200)
        };
        let profile = LinkProfile {
            mtu: known as u16,
            rate_hint: (self.below(2) == 0).then_some(rate),
            ..LinkProfile::INTERNET
        };
        (link, profile)
    }

    fn narrow(&mut self) -> (LinkConfig, LinkProfile) {
        let rate = 1_200 + self.below(8_000);
        let link = LinkConfig {
            loss: self.chance(50_000),
            mtu: 128,
            queue: 2_000,
            ..LinkConfig::bottleneck(rate, self.millis(500))
        };
        let profile = LinkProfile {
            mtu: 128,
            rate_hint: Some(rate),
            ..LinkProfile::INTERNET
        };
        (link, profile)
    }

    /// Who moves, and what happens. `shrinks`: sessions find out that a link takes less than they were told.
    fn faults(
        &mut self,
        reliable: bool,
        shrinks: bool,
        link: &LinkConfig,
    ) -> (Side, Vec<(Duration, Fault)>) {
        let count = self.below(5);
        // Two ends that move at once have nobody to ask for each other.
        let mover = if self.below(2) == 0 {
            Side::Initiator
        } else {
            Side::Responder
        };
        let mut faults: Vec<_> = (0..count)
            .map(|_| {
                let at = self.millis(5_000);
                let side = if self.below(2) == 0 {
                    Side::Initiator
                } else {
                    Side::Responder
                };
                let fault = match self.below(if reliable { 1 } else { 8 }) {
                    0..3 => Fault::Rekey(side),
                    3 => Fault::Cut(self.millis(10_000)),
                    4 | 5 => Fault::Rebind(mover),
                    6 => Fault::Change(LinkConfig {
                        latency: self.millis(1_000),
                        loss: self.chance(100_000),
                        mtu: match self.below(3) {
                            0 if shrinks => 64 + self.below(link.mtu as u64 - 64) as usize,
                            _ => link.mtu,
                        },
                        ..*link
                    }),
                    _ if self.below(4) == 0 => Fault::Restart,
                    _ => Fault::Rekey(side),
                };
                (at, fault)
            })
            .collect();
        faults.sort_by_key(|(at, _)| *at);
        (mover, faults)
    }
}
