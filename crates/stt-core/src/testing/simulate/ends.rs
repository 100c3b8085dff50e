//! How each end is set up, and what becomes of ECN: drawn apart from the rest of a plan, so that
//! what a seed meant before stays.

use core::time::Duration;

use stt_crypto::Aead;

use super::plan::{Draw, Fault};
use crate::{
    ControllerKind, LinkProfile, Overflow, SessionConfig, Side,
    testing::{EcnField, LinkConfig},
};

/// The longest HELLO with a cookie; all links of the plans carry one without, 128 bytes.
const COOKIE_MTU: usize = 144;

/// What an end is set to, beside its sessions.
#[derive(Clone, Debug)]
pub struct EndPlan {
    /// AEADs, the preferred one first.
    pub aeads: Vec<Aead>,
    /// Bytes of its wire ids.
    pub wire_id_len: usize,
    /// Asks for a cookie whoever comes.
    pub cookies: bool,
    /// Tells peers of its restart.
    pub resets: bool,
}

/// What both ends have in common.
pub(super) struct CommonPlan {
    aeads: Vec<Aead>,
}

impl CommonPlan {
    pub(super) fn draw(draw: &mut Draw, profiles: &mut [LinkProfile; 2]) -> Self {
        let aeads = match draw.below(6) {
            0 => vec![Aead::Aes256Gcm],
            1 => vec![Aead::ChaCha20Poly1305],
            _ => Aead::ALL.to_vec(),
        };
        // One knows the rate, the other does not.
        if draw.below(4) == 0 {
            let side = draw.below(2) as usize;
            profiles[side].rate_hint = None;
        }
        Self { aeads }
    }
}

impl EndPlan {
    pub(super) fn draw(draw: &mut Draw, common: &CommonPlan, link: &LinkConfig) -> Self {
        let mut aeads = common.aeads.clone();
        if draw.below(2) == 0 {
            aeads.reverse();
        }
        Self {
            aeads,
            wire_id_len: if draw.below(2) == 0 {
                4
            } else {
                1 + draw.below(8) as usize
            },
            cookies: draw.below(4) == 0 && link.mtu >= COOKIE_MTU,
            resets: draw.below(6) > 0,
        }
    }
}

impl Draw {
    /// What a link does by the ECN field.
    pub(super) fn marks(&mut self, link: &mut LinkConfig) {
        if self.below(16) == 0 {
            link.mark = 1_000_000;
        }
        if self.below(3) == 0 {
            link.mark_above = link.queue / (1 + self.below(16) as usize);
        }
        self.ecn_field(link);
    }

    fn ecn_field(&mut self, link: &mut LinkConfig) {
        link.ecn = match self.below(8) {
            0 => EcnField::Cleared,
            1 => EcnField::Changed,
            2 => EcnField::Dropped,
            _ => EcnField::Kept,
        };
        // One of several routers, or all.
        let some = self.below(1_000_000) as u32;
        link.ecn_share = if self.below(2) == 0 || link.ecn == EcnField::Dropped {
            1_000_000
        } else {
            some
        };
    }

    /// Payload bytes of the bearer's fragments.
    pub(super) fn fragment(&mut self, profile: &LinkProfile) -> Option<u16> {
        let size = 16 + self.below(u64::from(profile.mtu)) as u16;
        (self.below(6) == 0).then_some(size)
    }

    /// Moves of an end's own, and changes of what the link does by the ECN field.
    pub(super) fn more_faults(
        &mut self,
        reliable: bool,
        mover: Side,
        link: &LinkConfig,
        faults: &mut Vec<(Duration, Fault)>,
    ) {
        if reliable {
            return;
        }
        let moves = if self.below(3) == 0 { self.below(4) } else { 0 };
        for _ in 0..moves {
            faults.push((self.millis(5_000), Fault::Move(mover)));
        }
        let changes = if self.below(3) == 0 { self.below(3) } else { 0 };
        for _ in 0..changes {
            let mut changed = *link;
            self.marks(&mut changed);
            faults.push((self.millis(5_000), Fault::Change(changed)));
        }
        faults.sort_by_key(|(at, _)| *at);
    }

    /// What an end asks of its sessions beyond what both do.
    pub(super) fn session(&mut self, side: Side, config: &mut SessionConfig) {
        config.ecn = self.below(4) > 0;
        if self.below(3) == 0 {
            config.controller = ControllerKind::Rate;
        }
        match self.below(4) {
            0 => config.max_mtu = 1_200,
            1 => config.max_mtu = 9_000,
            _ => {}
        }
        if self.below(6) == 0 {
            let most = 64 + self.below(1_500) as u16;
            config.limits = config.limits.with_max_datagram(most);
        }
        if self.below(4) == 0 {
            config.limits = config.limits.with_max_ack_delay(self.millis(1_000));
        }
        if side == Side::Responder && self.below(8) == 0 {
            config.limits = config.limits.with_idle_timeout(None);
        }
        if self.below(4) == 0 {
            config.streams.send_buffer = 200 + self.below(5_000) as usize;
            config.streams.session_send_buffer = 1_000 + self.below(20_000) as usize;
            config.streams.max_stream_window = 1_000 + self.below(50_000);
            config.streams.max_window = 1_000 + self.below(100_000);
        }
        if self.below(4) == 0 {
            config.datagrams.send_buffer = 200 + self.below(4_000) as usize;
            config.datagrams.receive_buffer = 200 + self.below(4_000) as usize;
        }
        if self.below(2) == 0 {
            config.datagrams.overflow = Overflow::Refuse;
        }
        if self.below(4) == 0 {
            config.rekey.bytes = 5_000 + self.below(100_000);
        }
        if self.below(6) == 0 {
            config.rekey.age = Some(Duration::from_millis(100) + self.millis(20_000));
        }
        if self.below(4) == 0 {
            config.keep_alive = Some(Duration::from_secs(1 + self.below(20)));
        }
    }
}
