//! Wire ids of both ends (`docs/spec/stt-session.md` §6, RFC 9000 §5.1).

use std::collections::VecDeque;

use stt_crypto::secret::ResetToken;

use crate::{
    Code, TransportError,
    range_set::RangeSet,
    wire::{NewId, WireId},
};

/// Unretired ids of the peer that are kept.
const MAX_PEER_IDS: usize = 8;
/// Gaps in the sequences that were given, at most: a peer that counts by one leaves fewer than ids it may give.
const MAX_GAPS: usize = 2 * MAX_PEER_IDS;
/// RETIRE_ID frames that may wait for room.
const MAX_RETIRING: usize = 16;

/// The ids that the peer addresses this end by.
pub(super) struct LocalIds {
    /// In use or on offer: sequence, id, token, whether the peer is known to have been told.
    issued: Vec<Issued>,
    next_sequence: u64,
}

struct Issued {
    sequence: u64,
    id: WireId,
    token: Option<ResetToken>,
    told: Told,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    No,
    InFlight,
    Yes,
}

impl LocalIds {
    /// `first` was told in the handshake; its token was not.
    pub(super) fn new(first: WireId) -> Self {
        Self {
            issued: vec![Issued {
                sequence: 0,
                id: first,
                token: None,
                told: Told::Yes,
            }],
            next_sequence: 1,
        }
    }

    /// Takes the reset token of `id`, which is a new spare if it was not known.
    pub(super) fn issue(&mut self, id: WireId, token: ResetToken) {
        if let Some(known) = self.issued.iter_mut().find(|issued| issued.id == id) {
            known.token = Some(token);
            known.told = Told::No;
            return;
        }
        self.issued.push(Issued {
            sequence: self.next_sequence,
            id,
            token: Some(token),
            told: Told::No,
        });
        self.next_sequence += 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = WireId> {
        self.issued.iter().map(|issued| issued.id)
    }

    /// Whether a NEW_ID waits to be sent.
    pub(super) fn has_pending(&self) -> bool {
        self.issued.iter().any(|issued| issued.told == Told::No)
    }

    /// The next NEW_ID to send. Call [`LocalIds::on_sent`] if it went out.
    pub(super) fn pending(&self) -> Option<NewId> {
        let issued = self.issued.iter().find(|issued| issued.told == Told::No)?;
        Some(NewId {
            sequence: issued.sequence,
            retire_prior_to: 0,
            id: issued.id,
            reset_token: *issued.token.as_ref()?.expose(),
        })
    }

    pub(super) fn on_sent(&mut self, sequence: u64) {
        self.set_told(sequence, Told::InFlight);
    }

    pub(super) fn on_acked(&mut self, sequence: u64) {
        self.set_told(sequence, Told::Yes);
    }

    pub(super) fn on_lost(&mut self, sequence: u64) {
        if let Some(issued) = self.find(sequence)
            && issued.told == Told::InFlight
        {
            issued.told = Told::No;
        }
    }

    /// The peer gives an id back, in a packet that came under `used`. Gives the id, unless it was
    /// given back before.
    pub(super) fn retire(
        &mut self,
        sequence: u64,
        used: &WireId,
    ) -> Result<Option<WireId>, TransportError> {
        if sequence >= self.next_sequence {
            return Err(violation("RETIRE_ID for an id that was never given"));
        }
        let Some(at) = self
            .issued
            .iter()
            .position(|issued| issued.sequence == sequence)
        else {
            return Ok(None);
        };
        if self.issued[at].id == *used {
            return Err(violation("RETIRE_ID for the id of its own packet"));
        }
        Ok(Some(self.issued.remove(at).id))
    }

    fn set_told(&mut self, sequence: u64, told: Told) {
        if let Some(issued) = self.find(sequence) {
            issued.told = told;
        }
    }

    fn find(&mut self, sequence: u64) -> Option<&mut Issued> {
        self.issued
            .iter_mut()
            .find(|issued| issued.sequence == sequence)
    }
}

/// The ids that this end addresses the peer by.
pub(super) struct PeerIds {
    /// From the lowest sequence up; the first that was never used is the next spare.
    known: Vec<PeerId>,
    /// Sequences that were ever given, those given back too: a NEW_ID may come twice (RFC 9000 §19.15).
    given: RangeSet,
    /// Everything below is retired (RFC 9000 §5.1.2).
    retired_before: u64,
    /// Sequences to be given back.
    retiring: VecDeque<u64>,
}

struct PeerId {
    sequence: u64,
    id: WireId,
    token: Option<ResetToken>,
    used: bool,
}

impl PeerIds {
    pub(super) fn new(first: WireId) -> Self {
        let mut given = RangeSet::default();
        given.insert(0, 1);
        Self {
            known: vec![PeerId {
                sequence: 0,
                id: first,
                token: None,
                used: true,
            }],
            given,
            retired_before: 0,
            retiring: VecDeque::new(),
        }
    }

    /// A NEW_ID of the peer. Gives the token if it is new.
    pub(super) fn on_new_id(&mut self, new: &NewId) -> Result<Option<ResetToken>, TransportError> {
        if new.retire_prior_to > new.sequence {
            return Err(TransportError::new(
                Code::FRAME_ENCODING_ERROR,
                "NEW_ID retires itself",
            ));
        }
        let token = ResetToken::new(new.reset_token);
        if let Some(known) = self.known.iter_mut().find(|k| k.sequence == new.sequence) {
            if known.id != new.id || known.token.as_ref().is_some_and(|known| *known != token) {
                return Err(violation("NEW_ID changes an id that was given before"));
            }
            if known.token.is_some() {
                return Ok(None);
            }
            known.token = Some(token);
            return Ok(Some(token));
        }
        if self.given.contains(new.sequence) {
            return Ok(None); // a copy that was late: the id has been given back
        }
        if self.known.iter().any(|known| known.id == new.id) {
            return Err(violation("NEW_ID gives one id twice"));
        }
        self.given
            .insert(new.sequence, new.sequence.saturating_add(1));
        if self.given.len() > MAX_GAPS {
            self.given.join_first();
        }
        if new.sequence < self.retired_before {
            self.give_back(new.sequence)?;
            return Ok(None);
        }
        self.known.push(PeerId {
            sequence: new.sequence,
            id: new.id,
            token: Some(token),
            used: false,
        });
        if new.retire_prior_to > self.retired_before {
            self.retired_before = new.retire_prior_to;
        }
        // Those that this NEW_ID asks back don't count any more (RFC 9000 §5.1.1).
        let kept = |known: &&PeerId| known.sequence >= self.retired_before;
        if self.known.iter().filter(kept).count() > MAX_PEER_IDS {
            return Err(TransportError::new(
                Code::ID_LIMIT_ERROR,
                "more wire ids than are kept",
            ));
        }
        Ok(Some(token))
    }

    /// Whether the peer asked for the retirement of this sequence.
    pub(super) fn must_leave(&self, sequence: u64) -> bool {
        sequence < self.retired_before
    }

    pub(super) fn id(&self, sequence: u64) -> Option<WireId> {
        self.known
            .iter()
            .find(|known| known.sequence == sequence)
            .map(|known| known.id)
    }

    /// Takes a spare id: its sequence.
    pub(super) fn take_spare(&mut self) -> Option<u64> {
        let spare = self
            .known
            .iter_mut()
            .filter(|known| !known.used && known.sequence >= self.retired_before)
            .min_by_key(|known| known.sequence)?;
        spare.used = true;
        Some(spare.sequence)
    }

    /// Retires an id that is used no more. Its token is forgotten with it.
    pub(super) fn retire(&mut self, sequence: u64) -> Result<(), TransportError> {
        let before = self.known.len();
        self.known.retain(|known| known.sequence != sequence);
        if self.known.len() == before {
            return Ok(());
        }
        self.give_back(sequence)
    }

    /// Retires spares that the peer wants back; those in use go when their path does.
    pub(super) fn retire_unused(&mut self) -> Result<(), TransportError> {
        let limit = self.retired_before;
        while let Some(unused) = self
            .known
            .iter()
            .find(|known| !known.used && known.sequence < limit)
        {
            let sequence = unused.sequence;
            self.retire(sequence)?;
        }
        Ok(())
    }

    pub(super) fn next_retiring(&self) -> Option<u64> {
        self.retiring.front().copied()
    }

    pub(super) fn on_retire_sent(&mut self) {
        self.retiring.pop_front();
    }

    pub(super) fn on_retire_lost(&mut self, sequence: u64) {
        self.retiring.push_back(sequence);
    }

    /// Whether `bytes` end with a reset token of the peer. Looks at all of them, each in constant
    /// time.
    pub(super) fn is_reset(&self, bytes: &[u8]) -> bool {
        self.known
            .iter()
            .filter_map(|known| known.token.as_ref())
            .fold(false, |hit, token| hit | token.ends(bytes))
    }

    fn give_back(&mut self, sequence: u64) -> Result<(), TransportError> {
        if self.retiring.len() >= MAX_RETIRING {
            return Err(violation("too many wire ids to give back"));
        }
        self.retiring.push_back(sequence);
        Ok(())
    }
}

fn violation(reason: &'static str) -> TransportError {
    TransportError::new(Code::PROTOCOL_VIOLATION, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody who counts by one leaves so many.
    #[test]
    fn gaps_between_the_ids_that_were_given_are_bounded() {
        let first = WireId::new(&[0; 4]).unwrap();
        let mut ids = PeerIds::new(first);
        for sequence in (2..2_000).step_by(2) {
            let new = NewId {
                sequence,
                retire_prior_to: sequence,
                id: WireId::new(&(sequence as u32).to_be_bytes()).unwrap(),
                reset_token: [0; 16],
            };
            assert!(ids.on_new_id(&new).unwrap().is_some());
            ids.retire_unused().unwrap();
            ids.on_retire_sent();
            assert!(ids.given.len() <= MAX_GAPS);
        }
    }
}
