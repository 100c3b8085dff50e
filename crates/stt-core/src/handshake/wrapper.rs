use core::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use stt_crypto::{NodeId, Session, secret::Key32};
use subtle::ConstantTimeEq;

use super::{
    Credentials, Hello, Icid, Refusal, ResponseError, Terms, envelope::NEW_ICID_LEN,
    initiator::Attempt, responder::Heard,
};
use crate::{scalar, wire::WireId};

/// The handshake by itself, three calls and a confirmation, for callers that carry its messages on
/// their own (`docs/spec/stt-handshake.md` §5, §15). An endpoint does all this, and answers
/// retransmissions, load and forgeries besides.
///
/// ```
/// use stt_core::handshake::{Credentials, SttHandshake};
/// use stt_crypto::secret::Seed;
///
/// let shared = Seed::new(b"what all peers share, 32 bytes or more")?;
/// let credentials = |node: &[u8]| Credentials::new(shared.node_key(node), shared.psk());
/// let mut alice = SttHandshake::new(credentials(b"alice"), [1; 32]);
/// let mut bob = SttHandshake::new(credentials(b"bob"), [2; 32]);
///
/// let hello = alice.initiate_handshake()?;
/// let response = bob.handle_hello(&hello)?;
/// let (session_key, peer_node_id) = alice.handle_response(&response)?;
/// assert_eq!(peer_node_id, bob.node_id());
/// assert_eq!(Some(session_key), bob.session_key());
///
/// // Until here Bob knows who claims to be there; now he knows that it is true.
/// assert_eq!(bob.peer_node_id(), None);
/// assert_eq!(bob.handle_confirm(&alice.confirm()?)?, alice.node_id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SttHandshake {
    credentials: Credentials,
    rng: ChaCha20Rng,
    state: State,
}

enum State {
    Idle,
    Opening(Box<Attempt>),
    /// Answered; the initiator has yet to prove itself.
    Answered(Box<Done>),
    Done(Box<Done>),
}

struct Done {
    session: Session,
    peer: NodeId,
    initiated: bool,
}

impl SttHandshake {
    /// Bytes of a confirmation.
    pub const CONFIRM_LEN: usize = 32;

    /// A handshake of the node with these credentials. `seed` is 32 bytes from a cryptographic
    /// generator, never used again.
    pub fn new(credentials: Credentials, seed: [u8; 32]) -> Self {
        Self {
            credentials,
            rng: ChaCha20Rng::from_seed(seed),
            state: State::Idle,
        }
    }

    /// The HELLO for the peer. Begins anew: what came before is forgotten.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    pub fn initiate_handshake(&mut self) -> Result<Vec<u8>, HandshakeError> {
        let icid = self.icid();
        let ephemeral = *scalar::draw(&mut self.rng).expose();
        let wire_id = self.wire_id();
        let attempt = Attempt::start(
            &self.credentials,
            Terms::default(),
            wire_id,
            icid,
            ephemeral,
            None,
        )
        .map_err(ResponseError::from)?;
        let hello = attempt.hello();
        self.state = State::Opening(Box::new(attempt));
        Ok(hello)
    }

    /// Answers a peer's HELLO with the HELLO_RESP. From here on [`SttHandshake::session_key`] is
    /// set; only the peer that the HELLO names can derive it.
    ///
    /// # Errors
    ///
    /// [`Refusal`]: made with another seed, of another version, malformed, or our own. The state
    /// is as it was.
    pub fn handle_hello(&mut self, hello: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        let hello = Hello::decode(hello).map_err(Refusal::from)?;
        if hello.ticket.is_some() {
            // There are no tickets here.
            let (version, suite) = (super::VERSION, hello.suite().to_wire());
            return Err(Refusal::WrongVersion { version, suite }.into());
        }
        if let State::Opening(attempt) = &self.state
            && hello.ephemeral() == Some(&attempt.ephemeral())
        {
            return Err(HandshakeError::Reflected);
        }
        let ephemeral = scalar::draw(&mut self.rng);
        let heard = Heard::full(&self.credentials, &hello, &ephemeral)?;
        let (response, agreed) = heard.answer(&hello, &Terms::default(), self.wire_id())?;
        self.state = State::Answered(Box::new(Done {
            session: agreed.session,
            peer: agreed.peer,
            initiated: false,
        }));
        Ok(response)
    }

    /// Reads the HELLO_RESP: the session key, and the node id that the peer has proven.
    ///
    /// # Errors
    ///
    /// [`ResponseError`]: forged, damaged or not the answer to our HELLO; the genuine one can
    /// still be handed in. [`HandshakeError::OutOfTurn`] if no HELLO is waiting for an answer.
    pub fn handle_response(&mut self, response: &[u8]) -> Result<(Key32, NodeId), HandshakeError> {
        let State::Opening(attempt) = &mut self.state else {
            return Err(HandshakeError::OutOfTurn);
        };
        let agreed = attempt.on_response(&self.credentials, response, |_| true)?;
        let key = agreed.session.exporter.session_key();
        let peer = agreed.peer;
        self.state = State::Done(Box::new(Done {
            session: agreed.session,
            peer,
            initiated: true,
        }));
        Ok((key, peer))
    }

    /// What proves to the responder that it is us, after [`SttHandshake::handle_response`].
    ///
    /// # Errors
    ///
    /// [`HandshakeError::OutOfTurn`] before that, or if we answered.
    pub fn confirm(&self) -> Result<[u8; Self::CONFIRM_LEN], HandshakeError> {
        match &self.state {
            State::Done(done) if done.initiated => Ok(*confirmation(&done.session).expose()),
            _ => Err(HandshakeError::OutOfTurn),
        }
    }

    /// Checks the initiator's confirmation and gives its node id, which is proven now.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::NotConfirmed`] if it is not the one of this handshake;
    /// [`HandshakeError::OutOfTurn`] if no HELLO was answered.
    pub fn handle_confirm(&mut self, confirm: &[u8]) -> Result<NodeId, HandshakeError> {
        let done = match &self.state {
            State::Answered(done) => done,
            State::Done(done) if !done.initiated => done,
            _ => return Err(HandshakeError::OutOfTurn),
        };
        if !bool::from(confirmation(&done.session).expose()[..].ct_eq(confirm)) {
            return Err(HandshakeError::NotConfirmed);
        }
        let peer = done.peer;
        self.state = match core::mem::replace(&mut self.state, State::Idle) {
            State::Answered(done) => State::Done(done),
            same => same,
        };
        Ok(peer)
    }

    /// The key that both ends share, once there is one.
    pub fn session_key(&self) -> Option<Key32> {
        self.done().map(|done| done.session.exporter.session_key())
    }

    /// The session's id, 8 bytes, the same at both ends, once there is one.
    pub fn session_id(&self) -> Option<[u8; 8]> {
        self.done().map(|done| done.session.exporter.session_id())
    }

    /// Who the peer is, once that is proven: for the responder after
    /// [`SttHandshake::handle_confirm`].
    pub fn peer_node_id(&self) -> Option<NodeId> {
        match &self.state {
            State::Done(done) => Some(done.peer),
            _ => None,
        }
    }

    /// Our own node id.
    pub fn node_id(&self) -> NodeId {
        self.credentials.node_id()
    }

    fn done(&self) -> Option<&Done> {
        match &self.state {
            State::Answered(done) | State::Done(done) => Some(done),
            State::Idle | State::Opening(_) => None,
        }
    }

    fn icid(&mut self) -> Icid {
        let bytes: [u8; NEW_ICID_LEN] = self.random();
        Icid::new(&bytes).expect("the length is one that names have")
    }

    /// Nothing is sent to it, but the parameters have one.
    fn wire_id(&mut self) -> WireId {
        let bytes: [u8; 4] = self.random();
        WireId::new(&bytes).expect("4 bytes are a wire id")
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

impl fmt::Debug for SttHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The generator and the state are left out.
        f.debug_struct("SttHandshake")
            .field("credentials", &self.credentials)
            .field("peer_node_id", &self.peer_node_id())
            .finish_non_exhaustive()
    }
}

/// Both ends can derive it, but only the initiator ever sends it.
fn confirmation(session: &Session) -> Key32 {
    session
        .exporter
        .export(b"stt confirm", b"")
        .expect("the label is short enough")
}

/// Why a step of [`SttHandshake`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Another call comes first.
    #[error("this step is not due: a HELLO comes first, then its answer, then the confirmation")]
    OutOfTurn,
    /// A confirmation of another handshake.
    #[error("the confirmation is not that of this handshake")]
    NotConfirmed,
    /// Our own HELLO came back.
    #[error("our own HELLO came back")]
    Reflected,
    /// A HELLO that gets no session.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A HELLO_RESP that is none.
    #[error(transparent)]
    Response(#[from] ResponseError),
}
