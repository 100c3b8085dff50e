use core::fmt;

use stt_crypto::{
    COOKIE_LEN, Initiator, NodeId, NoiseError, ephemeral_of,
    secret::{Psk, Secret},
};

use super::{
    CookiePacket, Credentials, Hello, Icid, Response, ResponseError, Terms, Ticket, Versions,
    envelope::TICKET_ID_LEN, terms::Agreed,
};
use crate::wire::{Params, WireId};

/// An attempt to open a session: a HELLO that stays the same, but for the cookie, and what reads
/// its answers (`docs/spec/stt-handshake.md` §5, §8). Has no timer of its own.
pub(crate) struct Attempt {
    noise: Initiator,
    message: Vec<u8>,
    icid: Icid,
    cookie: Option<[u8; COOKIE_LEN]>,
    resumes: Option<Resumes>,
    terms: Terms,
    /// To make the Noise state anew after an authentic answer of the wrong peer.
    ephemeral: Secret<32>,
    payload: Vec<u8>,
}

struct Resumes {
    id: [u8; TICKET_ID_LEN],
    peer: NodeId,
}

impl Attempt {
    /// Begins with the name `icid` and the secret scalar `ephemeral`, both random and fresh;
    /// `wire_id` is where the peer is to send. With a ticket, resumes.
    pub(crate) fn start(
        credentials: &Credentials,
        terms: Terms,
        wire_id: WireId,
        icid: Icid,
        ephemeral: [u8; 32],
        ticket: Option<&Ticket>,
    ) -> Result<Self, NoiseError> {
        let payload = terms.offer(wire_id).to_vec();
        let prologue = Hello::prologue(&icid, ticket.map(Ticket::id));
        let (noise, message) = match ticket {
            None => full(credentials, &prologue, ephemeral, &payload)?,
            Some(ticket) => {
                let psk = credentials.psk().resume(ticket.secret());
                Initiator::resume(&psk, &prologue, ephemeral, &payload)?
            }
        };
        Ok(Self {
            noise,
            message,
            icid,
            cookie: None,
            resumes: ticket.map(|ticket| Resumes {
                id: *ticket.id(),
                peer: ticket.peer(),
            }),
            terms,
            ephemeral: Secret::new(ephemeral),
            payload,
        })
    }

    /// The HELLO to send.
    pub(crate) fn hello(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.len() + 64);
        self.packet().encode(&mut out);
        out
    }

    fn packet(&self) -> Hello<'_> {
        Hello {
            icid: self.icid,
            cookie: self.cookie.as_ref(),
            ticket: self.resumes.as_ref().map(|resumes| &resumes.id),
            noise: &self.message,
        }
    }

    pub(crate) fn icid(&self) -> Icid {
        self.icid
    }

    /// The public ephemeral key.
    pub(crate) fn ephemeral(&self) -> [u8; 32] {
        *ephemeral_of(&self.message).expect("we wrote the message, which begins with e")
    }

    pub(crate) fn is_resumption(&self) -> bool {
        self.resumes.is_some()
    }

    /// Reads a HELLO_RESP. After an error the attempt is as it was: only an authentic answer of a
    /// node that is `wanted` ends it.
    pub(crate) fn on_response(
        &mut self,
        credentials: &Credentials,
        datagram: &[u8],
        wanted: impl FnOnce(&NodeId) -> bool,
    ) -> Result<Agreed, ResponseError> {
        let response =
            Response::decode(datagram, self.icid.as_bytes().len(), self.packet().suite())?;
        if response.icid != self.icid {
            let found = response.icid;
            return Err(ResponseError::OtherAttempt { found });
        }
        let (session, payload) = self.noise.finish(response.noise)?;

        let peer = match (&self.resumes, &session.peer) {
            (Some(resumes), _) => resumes.peer,
            (None, Some(key)) => key.node_id(),
            // IX carries a static key, or the message would not have opened.
            (None, None) => return Err(NoiseError::Refused.into()),
        };
        if !wanted(&peer) {
            self.begin_again(credentials)?;
            return Err(ResponseError::WrongPeer { found: peer });
        }
        let params = Params::from_bytes(&payload)?;
        let aead = self
            .terms
            .chosen(&params)
            .ok_or(ResponseError::AeadNotOffered)?;
        Ok(Agreed {
            session,
            peer,
            aead,
            peer_limits: params.limits,
            peer_id: params.wire_id,
        })
    }

    /// Makes the Noise state that an answer has used up anew: the HELLO stands, another may come.
    fn begin_again(&mut self, credentials: &Credentials) -> Result<(), NoiseError> {
        if self.resumes.is_none() {
            let prologue = Hello::prologue(&self.icid, None);
            let ephemeral = *self.ephemeral.expose();
            (self.noise, _) = full(credentials, &prologue, ephemeral, &self.payload)?;
        }
        Ok(())
    }

    /// Reads a COOKIE; `true` if the HELLO has changed by it and is worth sending now.
    pub(crate) fn on_cookie(&mut self, psk: &Psk, datagram: &[u8]) -> bool {
        let Ok(packet) = CookiePacket::decode(datagram, self.icid.as_bytes().len()) else {
            return false;
        };
        if packet.icid != self.icid {
            return false;
        }
        let e = self.ephemeral();
        let opened = packet
            .boxes()
            .find_map(|sealed| psk.open_cookie(&e, sealed, packet.nonce).ok());
        match opened {
            Some(cookie) if self.cookie != Some(cookie) => {
                self.cookie = Some(cookie);
                true
            }
            _ => false,
        }
    }

    /// What a VERSIONS claims that its sender speaks.
    pub(crate) fn on_versions(&self, datagram: &[u8]) -> Option<Vec<(u8, u8)>> {
        let versions = Versions::decode(datagram, self.icid.as_bytes().len()).ok()?;
        (versions.icid == self.icid).then(|| versions.pairs().collect())
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The Noise state and the ephemeral key are left out.
        f.debug_struct("Attempt")
            .field("icid", &self.icid)
            .finish_non_exhaustive()
    }
}

fn full(
    credentials: &Credentials,
    prologue: &[u8],
    ephemeral: [u8; 32],
    payload: &[u8],
) -> Result<(Initiator, Vec<u8>), NoiseError> {
    Initiator::start(
        credentials.psk(),
        credentials.key(),
        prologue,
        ephemeral,
        payload,
    )
}
