//! The delay law of one direction (`docs/spec/bearers.md`, section 5).

use super::loss::happens;
use super::{BearerKind, BearerParams};
use crate::Direction;
use crate::math::round_ms;
use crate::rng::{Draws, Stream, Streams};

/// Latency, jitter, reordering hold, handover spike and the in-order rule.
#[derive(Debug)]
pub(super) struct Delay {
    latency_ms: f64,
    jitter: Jitter,
    reorder_rate: f64,
    hold_ms: f64,
    in_order: bool,
    previous_due: u64,
    handover: Option<Handover>,
    jitter_stream: Stream,
    reorder_stream: Stream,
}

impl Delay {
    pub(super) fn new(params: &BearerParams, direction: Direction, streams: &Streams) -> Self {
        let stream = |name: &str| streams.stream(&format!("{}/{name}", direction.label()));
        Self {
            latency_ms: params.latency_ms,
            jitter: Jitter::new(params),
            reorder_rate: params.reorder_rate,
            hold_ms: params.frame_ms,
            in_order: params.bearer.in_order(),
            previous_due: 0,
            handover: Handover::new(params, streams),
            jitter_stream: stream("jitter"),
            reorder_stream: stream("reorder"),
        }
    }

    /// The law for what comes next; an in-order bearer stays in order across the change.
    pub(super) fn retune(
        &mut self,
        params: &BearerParams,
        direction: Direction,
        streams: &Streams,
    ) {
        *self = Self {
            previous_due: self.previous_due,
            ..Self::new(params, direction, streams)
        };
    }

    /// When PDU `serial`, sent at `now_ms` and kept for `queued_ms` by the bottleneck, is due.
    ///
    /// Called for every PDU that enters the bearer, lost on the way or not: the in-order rule
    /// then moves nobody's delay when only a loss setting changes.
    pub(super) fn due(&mut self, serial: u64, now_ms: u64, queued_ms: f64) -> u64 {
        let mut delay = self.base(now_ms, queued_ms);
        delay += self.jitter.at(&mut self.jitter_stream, serial);
        if happens(&mut self.reorder_stream, serial, self.reorder_rate) {
            delay += self.hold_ms;
        }
        let mut due = now_ms.saturating_add(round_ms(delay));
        if self.in_order {
            due = due.max(self.previous_due);
            self.previous_due = due;
        }
        due
    }

    /// When the copy of a PDU is due whose original is due at `original_due`: with jitter of its
    /// own, or right behind the original on a bearer that keeps the order.
    pub(super) fn duplicate_due(
        &mut self,
        draws: &mut Draws<'_>,
        now_ms: u64,
        queued_ms: f64,
        original_due: u64,
    ) -> u64 {
        if self.in_order {
            return original_due;
        }
        let delay = self.base(now_ms, queued_ms) + self.jitter.draw(draws);
        now_ms.saturating_add(round_ms(delay))
    }

    fn base(&mut self, now_ms: u64, queued_ms: f64) -> f64 {
        let spike = self.handover.as_mut().map_or(0.0, |h| h.spike(now_ms));
        queued_ms + self.latency_ms + spike
    }
}

impl BearerKind {
    /// Whether the bearer delivers in the order of sending.
    pub const fn in_order(self) -> bool {
        matches!(self, Self::CsGsm | Self::PstnG711)
    }
}

/// The law of the jitter.
#[derive(Debug, Clone, Copy)]
enum Jitter {
    None,
    /// σ in ms, clamped (not redrawn) at ±3σ.
    Gaussian(f64),
    /// Uniform within ± this many ms.
    Uniform(f64),
}

impl Jitter {
    fn new(params: &BearerParams) -> Self {
        match params.bearer {
            _ if params.jitter_ms <= 0.0 => Self::None,
            BearerKind::PstnG711 => Self::Uniform(params.jitter_ms),
            _ => Self::Gaussian(params.jitter_ms / 2.0),
        }
    }

    fn at(self, stream: &mut Stream, serial: u64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Gaussian(sigma) => gaussian(sigma, stream.at(serial).gaussian()),
            Self::Uniform(width) => uniform(width, stream.at(serial).unit()),
        }
    }

    fn draw(self, draws: &mut Draws<'_>) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Gaussian(sigma) => gaussian(sigma, draws.gaussian()),
            Self::Uniform(width) => uniform(width, draws.unit()),
        }
    }
}

fn gaussian(sigma: f64, normal: f64) -> f64 {
    sigma * normal.clamp(-3.0, 3.0)
}

fn uniform(width: f64, unit: f64) -> f64 {
    width * (2.0 * unit - 1.0)
}

/// Handovers: one in every interval of time, at a random place within it. Both directions of a
/// call are handed over together, so both draw from one stream.
#[derive(Debug)]
struct Handover {
    interval_ms: f64,
    duration_ms: f64,
    delay_ms: f64,
    stream: Stream,
    /// The interval last looked at and when its handover begins.
    cached: Option<(u64, f64)>,
}

impl Handover {
    fn new(params: &BearerParams, streams: &Streams) -> Option<Self> {
        let wanted = params.handover_interval_ms > 0.0
            && params.handover_duration_ms > 0.0
            && params.handover_delay_ms > 0.0;
        wanted.then(|| Self {
            interval_ms: params.handover_interval_ms,
            duration_ms: params.handover_duration_ms,
            delay_ms: params.handover_delay_ms,
            stream: streams.stream("handover"),
            cached: None,
        })
    }

    /// The delay that the latest handover adds at `now_ms`: all spikes are alike, so the latest is
    /// the highest.
    fn spike(&mut self, now_ms: u64) -> f64 {
        let now = now_ms as f64;
        let interval = (now / self.interval_ms) as u64;
        let mut begin = match self.cached {
            Some((cached, begin)) if cached == interval => begin,
            _ => {
                let begin = self.begin(interval);
                self.cached = Some((interval, begin));
                begin
            }
        };
        if begin > now {
            let Some(earlier) = interval.checked_sub(1) else {
                return 0.0;
            };
            // Past the end of the interval the handover of the one before has usually faded.
            if now - earlier as f64 * self.interval_ms > self.interval_ms + self.duration_ms {
                return 0.0;
            }
            begin = self.begin(earlier);
        }
        let left = 1.0 - (now - begin) / self.duration_ms;
        self.delay_ms * left.max(0.0)
    }

    fn begin(&mut self, interval: u64) -> f64 {
        (interval as f64 + self.stream.at(interval).unit()) * self.interval_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDUS: u64 = 100_000;

    fn quiet(bearer: BearerKind) -> BearerParams {
        BearerParams {
            reorder_rate: 0.0,
            handover_interval_ms: 0.0,
            ..BearerParams::defaults(bearer)
        }
    }

    fn delays(params: &BearerParams, seed: u64) -> Vec<u64> {
        let mut delay = Delay::new(params, Direction::LeftToRight, &Streams::new(seed));
        // Far apart, so that the in-order rule never acts.
        (0..PDUS)
            .map(|serial| delay.due(serial, serial * 10_000, 0.0) - serial * 10_000)
            .collect()
    }

    fn moments(delays: &[u64]) -> (f64, f64) {
        let n = delays.len() as f64;
        let mean = delays.iter().sum::<u64>() as f64 / n;
        let square = delays
            .iter()
            .map(|&d| (d as f64 - mean) * (d as f64 - mean))
            .sum::<f64>();
        (mean, (square / n).sqrt())
    }

    #[test]
    fn gaussian_jitter_has_sigma_half_of_jitter_ms_and_is_clamped_at_three_sigma() {
        for bearer in [BearerKind::VolteEvs, BearerKind::CsGsm, BearerKind::OttUdp] {
            let params = BearerParams {
                latency_ms: 200.0,
                jitter_ms: 40.0,
                ..quiet(bearer)
            };
            let delays = delays(&params, 11);
            let (mean, sigma) = moments(&delays);
            // Five standard errors; clamping lowers σ by 0.5 %, rounding to ms adds 1/12 ms².
            assert!(
                (mean - 200.0).abs() < 5.0 * 20.0 / (PDUS as f64).sqrt(),
                "{mean}"
            );
            assert!((sigma / 20.0 - 0.995).abs() < 0.0125, "{sigma}");
            // Clamped, not redrawn: 0.135 % pile up at each edge.
            for edge in [140, 260] {
                let piled = delays.iter().filter(|&&d| d == edge).count() as f64;
                assert!(
                    (piled - 135.0 - 5.0).abs() < 5.0 * 12.0,
                    "{piled} at {edge}"
                );
            }
            assert!(delays.iter().all(|d| (140..=260).contains(d)));
        }
    }

    #[test]
    fn pstn_jitter_is_uniform() {
        let params = BearerParams {
            latency_ms: 100.0,
            jitter_ms: 10.5,
            ..quiet(BearerKind::PstnG711)
        };
        let delays = delays(&params, 12);
        assert!(delays.iter().all(|d| (90..=110).contains(d)));
        // 21 cells of one ms each: chi-squared with 20 degrees of freedom, 99.99 % at 52.4.
        let expected = PDUS as f64 / 21.0;
        let chi: f64 = (90..=110)
            .map(|ms| {
                let seen = delays.iter().filter(|&&d| d == ms).count() as f64;
                (seen - expected) * (seen - expected) / expected
            })
            .sum();
        assert!(chi < 52.4, "chi-squared {chi}");
    }

    #[test]
    fn no_jitter_and_no_negative_delay() {
        let exact = BearerParams {
            latency_ms: 60.5,
            jitter_ms: 0.0,
            ..quiet(BearerKind::VolteEvs)
        };
        assert!(delays(&exact, 1).iter().all(|&d| d == 60), "ties to even");
        let wild = BearerParams {
            latency_ms: 1.0,
            jitter_ms: 100.0,
            ..quiet(BearerKind::OttUdp)
        };
        let early = delays(&wild, 1).iter().filter(|&&d| d == 0).count() as f64 / PDUS as f64;
        // P(jitter ≤ -0.5 ms) at σ = 50: Φ(-0.01) = 0.496; never before it was sent.
        assert!((early - 0.496).abs() < 0.01, "{early}");
    }

    #[test]
    fn in_order_bearers_never_overtake() {
        for bearer in [BearerKind::CsGsm, BearerKind::PstnG711] {
            let params = BearerParams {
                jitter_ms: 50.0,
                reorder_rate: 0.2,
                handover_interval_ms: 500.0,
                handover_duration_ms: 100.0,
                handover_delay_ms: 80.0,
                ..BearerParams::defaults(bearer)
            };
            let mut delay = Delay::new(&params, Direction::RightToLeft, &Streams::new(4));
            let dues: Vec<u64> = (0..10_000).map(|s| delay.due(s, s * 2, 0.0)).collect();
            assert!(dues.is_sorted(), "{bearer:?}");
        }
        // The others do overtake under the same jitter.
        let params = BearerParams {
            jitter_ms: 50.0,
            ..BearerParams::defaults(BearerKind::OttUdp)
        };
        let mut delay = Delay::new(&params, Direction::RightToLeft, &Streams::new(4));
        let dues: Vec<u64> = (0..10_000).map(|s| delay.due(s, s * 2, 0.0)).collect();
        assert!(!dues.is_sorted());
    }

    #[test]
    fn a_reordered_pdu_is_held_back_by_one_frame() {
        let params = BearerParams {
            latency_ms: 50.0,
            jitter_ms: 0.0,
            reorder_rate: 0.1,
            frame_ms: 20.0,
            ..quiet(BearerKind::OttUdp)
        };
        let delays = delays(&params, 6);
        assert!(delays.iter().all(|&d| d == 50 || d == 70));
        let held = delays.iter().filter(|&&d| d == 70).count() as f64 / PDUS as f64;
        assert!(
            (held - 0.1).abs() < 5.0 * (0.09 / PDUS as f64).sqrt(),
            "{held}"
        );
    }

    #[test]
    fn a_handover_is_a_spike_that_passes_and_strikes_both_directions_at_once() {
        let params = BearerParams {
            latency_ms: 100.0,
            jitter_ms: 0.0,
            handover_interval_ms: 10_000.0,
            handover_duration_ms: 400.0,
            handover_delay_ms: 200.0,
            ..BearerParams::defaults(BearerKind::CsGsm)
        };
        let spikes = |direction| {
            let mut delay = Delay::new(&params, direction, &Streams::new(9));
            (0..100_000_u64)
                .map(|s| delay.due(s, s * 10, 0.0) - s * 10 - 100)
                .collect::<Vec<u64>>()
        };
        let left = spikes(Direction::LeftToRight);
        assert_eq!(left, spikes(Direction::RightToLeft));
        // 1,000 s at one per 10 s; neighbours may merge.
        let begins = left.windows(2).filter(|w| w[0] == 0 && w[1] > 0).count();
        assert!((90..=100).contains(&begins), "{begins}");
        let peak = left.iter().copied().max();
        assert!((190..=200).contains(&peak.unwrap_or(0)), "{peak:?}");
        // Each lasts 400 ms of every 10 s.
        let share = left.iter().filter(|&&d| d > 0).count() as f64 / left.len() as f64;
        assert!((0.035..=0.041).contains(&share), "{share}");
    }

    #[test]
    fn a_spike_longer_than_the_interval_ends_in_the_latest_handover() {
        let params = BearerParams {
            handover_interval_ms: 10.0,
            handover_duration_ms: 1000.0,
            handover_delay_ms: 100.0,
            ..BearerParams::defaults(BearerKind::CsGsm)
        };
        let mut handover = Handover::new(&params, &Streams::new(2)).expect("it is on");
        // At most two intervals since the latest handover: at least 98 % of the spike is left.
        assert!((20..10_000).all(|now| handover.spike(now) >= 98.0));
    }
}
