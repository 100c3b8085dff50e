use stt_crypto::{NodeId, Responder, secret::Secret};

use super::{Credentials, Hello, Refusal, Response, Terms, Ticket, terms::Agreed};
use crate::wire::{Params, WireId};

/// A HELLO that was made with a seed of ours: who sent it and what it offers. Nothing costly was
/// done for it yet (`docs/spec/stt-handshake.md` §3, §9).
pub(crate) struct Heard {
    noise: Responder,
    params: Params,
    peer: NodeId,
}

impl Heard {
    /// Reads message 1 of a HELLO of suite 1 under each of our seeds. `ephemeral` is random and
    /// fresh.
    pub(crate) fn full(
        credentials: &Credentials,
        hello: &Hello<'_>,
        ephemeral: &Secret<32>,
    ) -> Result<Self, Refusal> {
        let prologue = Hello::prologue(&hello.icid, None);
        let (noise, payload) = credentials
            .psks()
            .iter()
            .find_map(|psk| {
                let ephemeral = *ephemeral.expose();
                Responder::read(psk, credentials.key(), &prologue, hello.noise, ephemeral).ok()
            })
            .ok_or(Refusal::WrongSeed)?;
        let peer = noise.peer().ok_or(Refusal::WrongSeed)?.node_id();
        Self::new(noise, &payload, peer)
    }

    /// Reads message 1 of a HELLO of suite 2 that names `ticket`.
    pub(crate) fn resumed(
        credentials: &Credentials,
        hello: &Hello<'_>,
        ephemeral: &Secret<32>,
        ticket: &Ticket,
    ) -> Result<Self, Refusal> {
        let prologue = Hello::prologue(&hello.icid, hello.ticket);
        let (noise, payload) = credentials
            .psks()
            .iter()
            .find_map(|psk| {
                let psk = psk.resume(ticket.secret());
                Responder::resume(&psk, &prologue, hello.noise, *ephemeral.expose()).ok()
            })
            .ok_or(Refusal::WrongSeed)?;
        Self::new(noise, &payload, ticket.peer())
    }

    fn new(noise: Responder, payload: &[u8], peer: NodeId) -> Result<Self, Refusal> {
        let params = Params::from_bytes(payload).map_err(Refusal::Parameters)?;
        Ok(Self {
            noise,
            params,
            peer,
        })
    }

    /// Who claims to be there; proven by the first sealed packet that opens.
    pub(crate) fn peer(&self) -> NodeId {
        self.peer
    }

    /// Does the costly part: agrees on keys, and makes the HELLO_RESP for `hello`.
    pub(crate) fn answer(
        self,
        hello: &Hello<'_>,
        terms: &Terms,
        wire_id: WireId,
    ) -> Result<(Vec<u8>, Agreed), Refusal> {
        let aead = terms.choose(&self.params)?;
        let payload = terms.answer(wire_id, aead).to_vec();
        let (session, message) = self.noise.respond(&payload)?;
        let response = Response {
            icid: hello.icid,
            noise: &message,
        };
        let agreed = Agreed {
            session,
            peer: self.peer,
            aead,
            peer_limits: self.params.limits,
            peer_id: self.params.wire_id,
        };
        Ok((response.encode(), agreed))
    }
}
