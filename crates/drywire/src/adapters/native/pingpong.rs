//! `native:pingpong`: the reference adapter of Mode A (`docs/spec/adapters.md`, section 7.1).
//!
//! A three-message handshake, signed with the keys of `cfg["crypto"]` as the users' document's
//! appendix says, then a ping each second from either side. The Python adapter
//! `drybox.adapters.pingpong` speaks the same protocol.

use std::collections::VecDeque;

use drybox::{
    Side,
    adapter::{
        Adapter, AdapterConfig, AdapterFault, Capabilities, Context, CryptoConfig, Pulled, SduBatch,
    },
    radio::Block,
    rng::Streams,
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::json;

use super::{not_announced, settings::Settings};

const SYN: &[u8] = b"PPv1|SYN|";
const SYNACK: &[u8] = b"PPv1|SYNACK|";
const ACK: &[u8] = b"PPv1|ACK|";
/// Lengths tell the messages of the handshake apart from one another and from the rest.
const HELLO_LEN: usize = 8 + 64;
const ACK_LEN: usize = 64;
/// Messages waiting to be polled; more are dropped, as the document asks of a bounded queue.
const QUEUE: usize = 256;
/// Messages with a wrong signature after which the handshake has failed.
const MAX_REFUSED: u32 = 5;
/// The longest time between two copies of a handshake message, in ms.
const MAX_RETRY_MS: u64 = 4000;

type Nonce = [u8; 8];

/// Shakes hands, then sends pings every `ping_ms` (1,000) and answers them. Handshake messages are
/// repeated after `retry_ms` (500), doubling; it fails after `hs_timeout_ms` (10,000).
#[derive(Debug, Default)]
pub struct PingPong {
    keys: Option<Keys>,
    state: State,
    nonce: Nonce,
    peer_nonce: Nonce,
    queue: VecDeque<Vec<u8>>,
    retry_ms: u64,
    ping_ms: u64,
    hs_timeout_ms: u64,
    next_retry: u64,
    backoff: u64,
    next_ping: u64,
    pings: u64,
    refused: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Left: a SYN is under way. Right: waiting for one.
    #[default]
    Opening,
    /// Right: a SYNACK is under way.
    Answering,
    Done,
    Failed,
}

#[derive(Debug)]
struct Keys {
    own: SigningKey,
    peer: VerifyingKey,
}

impl Keys {
    fn new(crypto: &CryptoConfig) -> Result<Self, AdapterFault> {
        let peer = VerifyingKey::from_bytes(&crypto.peer_public)
            .map_err(|_| AdapterFault::Load("the peer's public key is not Ed25519".to_owned()))?;
        Ok(Self {
            own: SigningKey::from_bytes(&crypto.private),
            peer,
        })
    }
}

impl PingPong {
    /// Signs, or gives 64 zero bytes when the run has no keys.
    fn sign(&self, parts: &[&[u8]]) -> [u8; 64] {
        match &self.keys {
            Some(keys) => keys.own.sign(&parts.concat()).to_bytes(),
            None => [0; 64],
        }
    }

    fn is_genuine(&self, parts: &[&[u8]], signature: &[u8; 64]) -> bool {
        match &self.keys {
            Some(keys) => {
                let signature = Signature::from_bytes(signature);
                keys.peer.verify_strict(&parts.concat(), &signature).is_ok()
            }
            None => *signature == [0; 64],
        }
    }

    fn push(&mut self, message: Vec<u8>) {
        if self.queue.len() < QUEUE {
            self.queue.push_back(message);
        }
    }

    fn push_syn(&mut self) {
        let signature = self.sign(&[SYN, &self.nonce]);
        self.push([&self.nonce[..], &signature].concat());
    }

    fn push_synack(&mut self) {
        let signature = self.sign(&[SYNACK, &self.peer_nonce, &self.nonce]);
        self.push([&self.nonce[..], &signature].concat());
    }

    fn push_ack(&mut self) {
        let signature = self.sign(&[ACK, &self.nonce, &self.peer_nonce]);
        self.push(signature.to_vec());
    }

    fn finish(&mut self, context: &mut Context) {
        let now = context.now_ms();
        let auth = if self.keys.is_some() { "ok" } else { "none" };
        self.state = State::Done;
        self.next_ping = now + self.ping_ms;
        context.emit_event("hs_done", json!({"auth": auth, "time_ms": now}));
    }

    fn fail(&mut self, context: &mut Context, reason: &str) {
        self.state = State::Failed;
        let now = context.now_ms();
        context.emit_event("hs_fail", json!({"reason": reason, "time_ms": now}));
    }

    /// A message with a wrong signature may be a damaged copy: several of them are a wrong key.
    fn refuse(&mut self, context: &mut Context) {
        self.refused += 1;
        if self.refused == MAX_REFUSED && self.state != State::Done {
            self.fail(context, "bad signature");
        }
    }

    /// A SYN at the right side, a SYNACK at the left one.
    fn on_hello(&mut self, context: &mut Context, nonce: Nonce, signature: &[u8; 64]) {
        match (context.config().side, self.state) {
            (Side::Right, State::Opening | State::Answering) => {
                if !self.is_genuine(&[SYN, &nonce], signature) {
                    return self.refuse(context);
                }
                self.peer_nonce = nonce;
                self.state = State::Answering;
                self.next_retry = context.now_ms() + self.backoff;
                self.push_synack();
            }
            (Side::Left, State::Opening | State::Done) => {
                if !self.is_genuine(&[SYNACK, &self.nonce, &nonce], signature) {
                    return self.refuse(context);
                }
                self.peer_nonce = nonce;
                // A SYNACK after the end means that the ACK was lost.
                self.push_ack();
                if self.state != State::Done {
                    self.finish(context);
                }
            }
            _ => {}
        }
    }

    fn on_ack(&mut self, context: &mut Context, signature: &[u8; 64]) {
        if self.state != State::Answering {
            return;
        }
        if self.is_genuine(&[ACK, &self.peer_nonce, &self.nonce], signature) {
            self.finish(context);
        } else {
            self.refuse(context);
        }
    }

    fn on_text(&mut self, context: &mut Context, sdu: &[u8]) {
        if let Some(rest) = sdu.strip_prefix(b"PING ") {
            self.push([&b"PONG "[..], rest].concat());
        } else if let Some((seq, sent)) = sdu.strip_prefix(b"PONG ").and_then(numbers) {
            let rtt = context.now_ms().saturating_sub(sent);
            context.emit_event("pong_rx", json!({"seq": seq, "rtt_ms": rtt}));
        } else if let Some(text) = sdu.strip_prefix(b"TEXT ") {
            let text = String::from_utf8_lossy(text).into_owned();
            context.emit_event("text_rx", json!({"text": text}));
        }
    }
}

/// `"<seq> <t_ms>"`.
fn numbers(text: &[u8]) -> Option<(u64, u64)> {
    let (seq, sent) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    Some((seq.parse().ok()?, sent.parse().ok()?))
}

impl Adapter for PingPong {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let settings = Settings::new(config);
        self.retry_ms = settings.whole("retry_ms", 500, 1..=60_000)?;
        self.ping_ms = settings.whole("ping_ms", 1000, 1..=3_600_000)?;
        self.hs_timeout_ms = settings.whole("hs_timeout_ms", 10_000, 1..=3_600_000)?;
        self.keys = config.crypto.as_ref().map(Keys::new).transpose()?;
        self.backoff = self.retry_ms;
        let stream = format!("{}/pingpong", config.side.letter());
        self.nonce = Streams::new(config.seed)
            .stream(&stream)
            .at(0)
            .bits()
            .to_le_bytes();
        Ok(Capabilities {
            bytelink: true,
            takes_messages: true,
            ..Capabilities::default()
        })
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        if let Some(crypto) = &context.config().crypto {
            let hex = |key: &[u8; 32]| -> String {
                key.iter().map(|byte| format!("{byte:02x}")).collect()
            };
            let info = json!({
                "key_id": crypto.key_id,
                "peer_key_id": crypto.peer_key_id,
                "pub": hex(&crypto.public),
                "peer_pub": hex(&crypto.peer_public),
            });
            context.emit_event("crypto_info", info);
        }
        Ok(())
    }

    fn on_timer(&mut self, context: &mut Context, t_ms: u64) -> Result<(), AdapterFault> {
        match self.state {
            State::Opening | State::Answering if t_ms >= self.hs_timeout_ms => {
                let reason = if self.refused > 0 {
                    "bad signature"
                } else {
                    "timeout"
                };
                self.fail(context, reason);
            }
            State::Opening | State::Answering if t_ms >= self.next_retry => {
                match (context.config().side, self.state) {
                    (Side::Left, _) => self.push_syn(),
                    (Side::Right, State::Answering) => self.push_synack(),
                    // Nothing to repeat before the first SYN has come.
                    (Side::Right, _) => return Ok(()),
                }
                self.next_retry = t_ms + self.backoff;
                self.backoff = (self.backoff * 2).min(MAX_RETRY_MS.max(self.retry_ms));
            }
            State::Done if t_ms >= self.next_ping => {
                self.push(format!("PING {} {t_ms}", self.pings).into_bytes());
                self.pings += 1;
                self.next_ping += self.ping_ms;
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_link_tx(
        &mut self,
        _: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        let count = budget.min(self.queue.len());
        self.queue.drain(..count).for_each(|sdu| out.push(&sdu));
        Ok(())
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        for sdu in sdus.iter() {
            if sdu.len() == HELLO_LEN
                && let Some((nonce, rest)) = sdu.split_first_chunk()
                && let Some(signature) = rest.first_chunk()
            {
                self.on_hello(context, *nonce, signature);
            } else if sdu.len() == ACK_LEN
                && let Some(signature) = sdu.first_chunk()
            {
                self.on_ack(context, signature);
            } else {
                self.on_text(context, sdu);
            }
        }
        Ok(())
    }

    fn pull_tx_block(&mut self, _: &mut Context, _: &mut Block) -> Result<Pulled, AdapterFault> {
        Err(not_announced("pull_tx_block"))
    }

    fn push_rx_block(&mut self, _: &mut Context, _: &Block) -> Result<(), AdapterFault> {
        Err(not_announced("push_rx_block"))
    }

    fn is_handshake_complete(&mut self, _: &mut Context) -> Result<Option<bool>, AdapterFault> {
        Ok(Some(self.state == State::Done))
    }

    fn send_sdu(&mut self, _: &mut Context, sdu: &[u8]) -> Result<(), AdapterFault> {
        self.push([&b"TEXT "[..], sdu].concat());
        Ok(())
    }
}
