use stt_crypto::{Aead, NodeId, Session};

use super::{Refusal, VERSION};
use crate::wire::{Codes, Limits, Params, WireId};

/// What one end brings into the agreement (`docs/spec/stt-handshake.md` §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// AEADs that may be used: for an initiator the preferred one first. At least one; more than
    /// there are is the same as all.
    pub aeads: Vec<Aead>,
    /// What the peer is allowed.
    pub limits: Limits,
}

impl Default for Terms {
    /// Both AEADs, AES-256-GCM first, and the default limits.
    fn default() -> Self {
        Self {
            aeads: Aead::ALL.to_vec(),
            limits: Limits::default(),
        }
    }
}

/// What a finished handshake agreed on.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) session: Session,
    pub(crate) peer: NodeId,
    pub(crate) aead: Aead,
    pub(crate) peer_limits: Limits,
    pub(crate) peer_id: WireId,
}

impl Terms {
    /// The payload of message 1.
    pub(super) fn offer(&self, wire_id: WireId) -> Params {
        let numbers: Vec<u8> = self.aeads.iter().map(|aead| aead.to_wire()).collect();
        let default = Params::new(wire_id);
        Params {
            // The default order takes no bytes.
            aeads: (numbers != default.offered_aeads())
                .then(|| Codes::new(&numbers))
                .flatten(),
            limits: self.limits,
            ..default
        }
    }

    /// The AEAD for `offer`, or why there can be no session.
    pub(super) fn choose(&self, offer: &Params) -> Result<Aead, Refusal> {
        if is_downgrade(offer.offered_versions(), VERSION, &[VERSION]) {
            return Err(Refusal::Downgrade);
        }
        offer
            .offered_aeads()
            .iter()
            .filter_map(|number| Aead::from_wire(*number))
            .find(|aead| self.aeads.contains(aead))
            .ok_or(Refusal::NoCommonAead)
    }

    /// The payload of message 2.
    pub(super) fn answer(&self, wire_id: WireId, aead: Aead) -> Params {
        Params {
            aeads: (aead != Aead::Aes256Gcm)
                .then(|| Codes::new(&[aead.to_wire()]))
                .flatten(),
            limits: self.limits,
            ..Params::new(wire_id)
        }
    }

    /// The AEAD that `answer` names, if it was offered.
    pub(super) fn chosen(&self, answer: &Params) -> Option<Aead> {
        Aead::from_wire(answer.chosen_aead()?).filter(|aead| self.aeads.contains(aead))
    }
}

/// Whether one of the `offered` versions is in `spoken`, preferred first, before the one `used`.
fn is_downgrade(offered: &[u8], used: u8, spoken: &[u8]) -> bool {
    spoken
        .iter()
        .take_while(|version| **version != used)
        .any(|version| offered.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> WireId {
        WireId::new(&[1, 2, 3, 4]).unwrap()
    }

    #[test]
    fn the_first_of_the_offer_that_both_speak_is_chosen() {
        use Aead::{Aes256Gcm, ChaCha20Poly1305};
        let terms = |aeads: &[Aead]| Terms {
            aeads: aeads.to_vec(),
            ..Terms::default()
        };
        for (offer, answer, expected) in [
            (
                &[Aes256Gcm, ChaCha20Poly1305][..],
                &Aead::ALL[..],
                Some(Aes256Gcm),
            ),
            (
                &[ChaCha20Poly1305, Aes256Gcm],
                &Aead::ALL,
                Some(ChaCha20Poly1305),
            ),
            (
                &[Aes256Gcm, ChaCha20Poly1305],
                &[ChaCha20Poly1305],
                Some(ChaCha20Poly1305),
            ),
            (&[Aes256Gcm], &[ChaCha20Poly1305], None),
        ] {
            let (initiator, responder) = (terms(offer), terms(answer));
            let chosen = responder.choose(&initiator.offer(id()));
            assert_eq!(chosen.ok(), expected);
            if let Some(aead) = expected {
                let answer = responder.answer(id(), aead);
                assert_eq!(initiator.chosen(&answer), Some(aead));
            }
        }
        let answer = Terms::default().answer(id(), ChaCha20Poly1305);
        assert_eq!(terms(&[Aes256Gcm]).chosen(&answer), None, "was not offered");
    }

    #[test]
    fn defaults_take_no_bytes() {
        let terms = Terms::default();
        assert_eq!(terms.offer(id()).to_vec(), [1, 4, 1, 2, 3, 4]);
        assert_eq!(
            terms.answer(id(), Aead::Aes256Gcm).to_vec(),
            [1, 4, 1, 2, 3, 4]
        );
    }

    #[test]
    fn a_better_version_that_both_speak_is_a_downgrade() {
        assert!(!is_downgrade(&[1], 1, &[1]));
        assert!(!is_downgrade(&[9, 2, 1], 1, &[1]), "not spoken here");
        assert!(is_downgrade(&[2, 1], 1, &[2, 1]));
        assert!(!is_downgrade(&[2, 1], 2, &[2, 1]));
        assert!(!is_downgrade(&[1], 1, &[2, 1]), "not spoken there");
    }
}
