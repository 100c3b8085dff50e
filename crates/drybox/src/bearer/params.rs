//! The settings of a bearer, all of them with defaults (`docs/spec/bearers.md`, section 1).

use serde::{Deserialize, Serialize};

/// The network a bearer imitates; its defaults and its delay law, never a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BearerKind {
    /// Packet-switched LTE voice: Gilbert–Elliott bursts, Gaussian jitter, reordering.
    VolteEvs,
    /// Circuit-switched GSM: burst loss, in order, handovers as passing delay spikes.
    CsGsm,
    /// Wireline telephony: uniform ±jitter, in order.
    PstnG711,
    /// Best-effort UDP over the Internet.
    OttUdp,
}

/// When SDUs are segmented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SarPolicy {
    /// Only SDUs larger than the bearer's MTU.
    Auto,
    /// Every SDU, for tests of the MTU handling.
    Force,
}

/// The settings of both directions of a bearer. Times in ms, rates as probabilities in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BearerParams {
    /// Which model.
    pub bearer: BearerKind,
    /// One-way base delay.
    pub latency_ms: f64,
    /// Jitter: the Gaussian has σ = `jitter_ms / 2` clamped at ±3σ; uniform is ±`jitter_ms`.
    pub jitter_ms: f64,
    /// Loss probability in the good state.
    pub loss_rate: f64,
    /// Probability that a PDU is held back by one `frame_ms`.
    pub reorder_rate: f64,
    /// Gilbert–Elliott: probability of good → bad per PDU (per 20 ms slot in Mode B).
    pub ge_p_good_bad: f64,
    /// Gilbert–Elliott: probability of bad → good.
    pub ge_p_bad_good: f64,
    /// Loss probability added in the bad state.
    pub ge_bad_extra_loss: f64,
    /// The largest PDU in bytes.
    pub mtu_bytes: usize,
    /// The bearer's frame interval, by which a reordered PDU is held back.
    pub frame_ms: f64,
    /// Mean time between handovers; 0 for none (`cs_gsm`).
    pub handover_interval_ms: f64,
    /// How long a handover lasts.
    pub handover_duration_ms: f64,
    /// Delay added at the start of a handover; it decays linearly to 0 over its duration.
    pub handover_delay_ms: f64,
    /// When SDUs are segmented.
    pub sar: SarPolicy,
    /// Mode B: the jitter buffer's depth; `None` for ⌈1.5·jitter_ms⌉.
    pub jitter_buffer_ms: Option<f64>,
    /// Further impairments, all off by default.
    pub impairments: Impairments,
}

/// Composable impairments, in the order in which they act (`docs/spec/bearers.md`, section 2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Impairments {
    /// Times at which the link carries nothing.
    pub partitions: Vec<Partition>,
    /// A serialising bottleneck with a queue.
    pub rate_limit: Option<RateLimit>,
    /// A second loss process beside the bearer's own.
    pub gilbert_elliott: Option<GilbertElliottParams>,
    /// Probability that a PDU arrives twice.
    pub duplicate_rate: f64,
    /// Probability that one bit of a PDU is flipped; the SAR header is spared.
    pub corrupt_rate: f64,
}

/// One interval in which every PDU sent is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// When it begins.
    pub at_ms: u64,
    /// How long it lasts.
    pub duration_ms: u64,
}

/// A bottleneck: PDUs leave one after another at `rate_bps`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Bits per second.
    pub rate_bps: f64,
    /// How much may wait; what comes beyond is dropped at the tail.
    pub queue_bytes: usize,
}

/// A Gilbert–Elliott loss process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GilbertElliottParams {
    /// Probability of good → bad per PDU.
    pub p_good_bad: f64,
    /// Probability of bad → good per PDU.
    pub p_bad_good: f64,
    /// Loss probability in the good state.
    pub loss_good: f64,
    /// Loss probability in the bad state.
    pub loss_bad: f64,
}

impl BearerParams {
    /// The same bearer on a clock that counts `per_ms` units in a ms: every time in those units,
    /// the rate in bits per 1,000 of them.
    #[must_use]
    pub fn in_units(&self, per_ms: u32) -> Self {
        let per = f64::from(per_ms);
        let mut scaled = self.clone();
        for time in [
            &mut scaled.latency_ms,
            &mut scaled.jitter_ms,
            &mut scaled.frame_ms,
            &mut scaled.handover_interval_ms,
            &mut scaled.handover_duration_ms,
            &mut scaled.handover_delay_ms,
        ] {
            *time *= per;
        }
        if let Some(depth) = &mut scaled.jitter_buffer_ms {
            *depth *= per;
        }
        for partition in &mut scaled.impairments.partitions {
            partition.at_ms = partition.at_ms.saturating_mul(per_ms.into());
            partition.duration_ms = partition.duration_ms.saturating_mul(per_ms.into());
        }
        if let Some(limit) = &mut scaled.impairments.rate_limit {
            limit.rate_bps /= per;
        }
        scaled
    }

    /// The defaults of a bearer (`docs/spec/bearers.md`, table 1).
    pub fn defaults(bearer: BearerKind) -> Self {
        let common = Self {
            bearer,
            latency_ms: 50.0,
            jitter_ms: 10.0,
            loss_rate: 0.01,
            reorder_rate: 0.0,
            ge_p_good_bad: 0.0,
            ge_p_bad_good: 0.0,
            ge_bad_extra_loss: 0.3,
            mtu_bytes: 256,
            frame_ms: 20.0,
            handover_interval_ms: 0.0,
            handover_duration_ms: 0.0,
            handover_delay_ms: 0.0,
            sar: SarPolicy::Auto,
            jitter_buffer_ms: None,
            impairments: Impairments::default(),
        };
        match bearer {
            BearerKind::VolteEvs => Self {
                latency_ms: 60.0,
                jitter_ms: 20.0,
                loss_rate: 0.01,
                reorder_rate: 0.005,
                ge_p_good_bad: 0.001,
                ge_p_bad_good: 0.1,
                mtu_bytes: 256,
                ..common
            },
            BearerKind::CsGsm => Self {
                latency_ms: 100.0,
                jitter_ms: 10.0,
                loss_rate: 0.01,
                mtu_bytes: 128,
                handover_interval_ms: 30_000.0,
                handover_duration_ms: 400.0,
                handover_delay_ms: 200.0,
                ..common
            },
            BearerKind::PstnG711 => Self {
                latency_ms: 30.0,
                jitter_ms: 5.0,
                loss_rate: 0.001,
                mtu_bytes: 256,
                ..common
            },
            BearerKind::OttUdp => Self {
                latency_ms: 40.0,
                jitter_ms: 15.0,
                loss_rate: 0.01,
                reorder_rate: 0.01,
                mtu_bytes: 1200,
                ..common
            },
        }
    }
}
