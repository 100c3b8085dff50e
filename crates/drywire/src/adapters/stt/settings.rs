//! What a side's block of the scenario says about `native:stt`.

use drybox::{
    Side,
    adapter::{AdapterConfig, AdapterFault},
};
use stt_core::{ControllerKind, LinkProfile};

use crate::adapters::native::Settings;

/// The settings of one side.
#[derive(Clone, Debug)]
pub(super) struct SttSettings {
    /// Whether this side opens a session: left by default.
    pub(super) connects: bool,
    pub(super) profile: LinkProfile,
    pub(super) controller: ControllerKind,
    /// Of the seed that both sides share.
    pub(super) seed: Vec<u8>,
    /// Bytes of one stream from this side.
    pub(super) bytes: u64,
    /// Time between requests of this side, each a stream of its own.
    pub(super) request_ms: Option<u64>,
    /// Time between live datagrams of this side, and their size.
    pub(super) datagram_ms: Option<u64>,
    pub(super) datagram_bytes: usize,
    /// Time between key updates that this side asks for.
    pub(super) rekey_ms: Option<u64>,
    /// From then on the peer seems to be at another address.
    pub(super) peer_moves_ms: Option<u64>,
    /// What this side's clock shows at the start of the run.
    pub(super) clock_ms: u64,
}

/// Milliseconds that fit the clock, with an hour to spare for the run.
const LAST_CLOCK_MS: u64 = u64::MAX / 1_000_000 - 3_600_000;

impl SttSettings {
    /// The same side in a session that it only answers in.
    pub(super) fn passive(&self) -> Self {
        Self {
            bytes: 0,
            request_ms: None,
            datagram_ms: None,
            rekey_ms: None,
            ..self.clone()
        }
    }

    pub(super) fn read(config: &AdapterConfig) -> Result<Self, AdapterFault> {
        let settings = Settings::new(config);
        let period = |key| -> Result<Option<u64>, AdapterFault> {
            let has = settings.has(key);
            let value = settings.whole(key, 1, 1..=86_400_000)?;
            Ok(has.then_some(value))
        };
        let mtu = settings.whole("mtu", 1_200, 64..=65_535)? as u16;
        let fragment = settings.whole("fragment", 0, 0..=u64::from(mtu))? as u16;
        let rate = settings.whole("rate_bps", 0, 0..=100_000_000_000)?;
        let controller = match settings.text("controller")? {
            None | Some("cubic") => ControllerKind::Cubic,
            Some("newreno") => ControllerKind::NewReno,
            Some("rate") => ControllerKind::Rate,
            Some(_) => {
                return Err(settings.error("controller", "there are cubic, newreno and rate"));
            }
        };
        let seed = settings
            .text("seed")?
            .unwrap_or("the seed that both sides of a run share")
            .as_bytes()
            .to_vec();
        if seed.is_empty() {
            return Err(settings.error("seed", "an empty seed protects nothing"));
        }
        Ok(Self {
            connects: settings.flag("connects", config.side == Side::Left)?,
            profile: LinkProfile {
                mtu,
                rate_hint: (rate > 0).then_some(rate),
                reliable: settings.flag("reliable", false)?,
                fragment: (fragment > 0).then_some(fragment),
            },
            controller,
            seed,
            bytes: settings.whole("bytes", 0, 0..=1 << 40)?,
            request_ms: period("request_ms")?,
            datagram_ms: period("datagram_ms")?,
            datagram_bytes: settings.whole("datagram_bytes", 20, 8..=60_000)? as usize,
            rekey_ms: period("rekey_ms")?,
            peer_moves_ms: period("peer_moves_ms")?,
            clock_ms: settings.whole("clock_ms", 0, 0..=LAST_CLOCK_MS)?,
        })
    }
}
