//! A peer that keeps no rule: it has the keys of a session and seals whatever a test wants.
//!
//! Written from the pages alone, beside the code that it is used against: `docs/spec/stt-handshake.md`
//! §2–§4, `stt-wire.md` §3, §5, §7, `stt-crypto.md` §11. Only the primitives are shared.

use stt_crypto::{
    Aead, HeaderKey, Initiator, NoiseError, Responder, Session, TAG_LEN, ephemeral_of,
    secret::{NodeKey, Psk, TrafficSecret},
};

/// Wire id that such a peer goes by.
pub const PEER_ID: [u8; 4] = *b"peer";

/// Parameters that say nothing but the wire id.
pub fn parameters() -> Vec<u8> {
    [&[0x01, 4][..], &PEER_ID].concat()
}

/// A number as frames carry it: LEB128, shortest form. No bound of 2^62 here.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// Frames of numbers alone: a type byte under 80 and the fields after it.
pub fn numbers(values: &[u64]) -> Vec<u8> {
    values.iter().copied().flat_map(varint).collect()
}

/// A HELLO that is out.
pub struct Attempt {
    initiator: Initiator,
    icid: [u8; 4],
    /// Its bytes.
    pub hello: Vec<u8>,
}

impl Attempt {
    /// A HELLO with these transport parameters. `luck` makes ephemeral key and icid.
    ///
    /// # Errors
    /// Those of the Noise library: parameters too long, for instance.
    pub fn new(psk: &Psk, key: &NodeKey, luck: u8, parameters: &[u8]) -> Result<Self, NoiseError> {
        let icid = [luck; 4];
        let (initiator, message) =
            Initiator::start(psk, key, &prologue(&icid), [luck; 32], parameters)?;
        let hello = [&[0x01, 1, 1, 4][..], &icid, &[0], &message].concat();
        Ok(Self {
            initiator,
            icid,
            hello,
        })
    }

    /// The session, from a HELLO_RESP; `None` if that is no answer to this HELLO.
    pub fn finish(mut self, response: &[u8]) -> Option<Peer> {
        let message = response
            .strip_prefix(&[0x02])?
            .strip_prefix(self.icid.as_slice())?;
        let (session, payload) = self.initiator.finish(message).ok()?;
        let aead = match parameter(&payload, 0x02) {
            Some([2]) => Aead::ChaCha20Poly1305,
            _ => Aead::Aes256Gcm,
        };
        Peer::new(session, aead, parameter(&payload, 0x01)?)
    }
}

/// One end of a session, with all its keys and none of its rules.
pub struct Peer {
    aead: Aead,
    /// Of each epoch, from 0.
    send: Vec<TrafficSecret>,
    receive: Vec<TrafficSecret>,
    send_header: HeaderKey,
    receive_header: HeaderKey,
    /// Number of the next packet.
    pub next: u64,
    /// Epoch that [`Peer::seal`] seals with.
    pub epoch: usize,
    /// Wire id that packets are addressed to.
    pub to: Vec<u8>,
    /// Largest number that has opened.
    pub largest: Option<u64>,
}

/// A packet's header, and what it is sealed with: one of a peer that keeps the rules has the phase
/// of its epoch.
#[derive(Clone, Debug)]
pub struct Header {
    /// Packet number, whole.
    pub number: u64,
    /// Bytes of it on the wire, 1 to 4.
    pub number_len: usize,
    /// Whose key seals.
    pub epoch: usize,
    /// Key phase bit.
    pub phase: bool,
    /// The two reserved bits, 0 to 3.
    pub reserved: u8,
    /// Wire id.
    pub to: Vec<u8>,
}

/// A packet of the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Packet number, whole.
    pub number: u64,
    /// Whose key opened it.
    pub epoch: usize,
    /// Inner frames.
    pub frames: Vec<u8>,
}

impl Peer {
    /// Answers a HELLO with these parameters: the session, and HELLO_RESP. `None` if it isn't one
    /// that this node can answer.
    pub fn answer(
        psk: &Psk,
        key: &NodeKey,
        luck: u8,
        hello: &[u8],
        parameters: &[u8],
    ) -> Option<(Self, Vec<u8>)> {
        let (head, rest) = hello.split_at_checked(4)?;
        let [0x01, 1, 1, icid_len] = head else {
            return None;
        };
        let (icid, rest) = rest.split_at_checked(usize::from(*icid_len))?;
        let (cookie_len, rest) = rest.split_first()?;
        let message = rest.get(usize::from(*cookie_len)..)?;
        ephemeral_of(message)?;
        let (responder, offer) =
            Responder::read(psk, key, &prologue(icid), message, [luck; 32]).ok()?;
        let (session, message) = responder.respond(parameters).ok()?;
        let aead = match parameter(parameters, 0x02) {
            Some([2]) => Aead::ChaCha20Poly1305,
            _ => Aead::Aes256Gcm,
        };
        let peer = Self::new(session, aead, parameter(&offer, 0x01)?)?;
        Some((peer, [&[0x02], icid, &message].concat()))
    }

    fn new(session: Session, aead: Aead, to: &[u8]) -> Option<Self> {
        Some(Self {
            aead,
            send_header: session.send.header_key(aead),
            receive_header: session.receive.header_key(aead),
            send: vec![session.send],
            receive: vec![session.receive],
            next: 0,
            epoch: 0,
            to: to.to_vec(),
            largest: None,
        })
    }

    /// The header of the next packet as the rules want it. Its number is used up.
    pub fn header(&mut self) -> Header {
        let number = self.next;
        self.next += 1;
        Header {
            number,
            number_len: 4,
            epoch: self.epoch,
            phase: self.epoch % 2 == 1,
            reserved: 0,
            to: self.to.clone(),
        }
    }

    /// Seals frames in the next packet.
    pub fn seal(&mut self, frames: &[u8]) -> Vec<u8> {
        let header = self.header();
        self.seal_as(&header, frames)
    }

    /// Seals anything under any header. A number may come again: the key is made afresh.
    ///
    /// # Panics
    /// If the number is over 2^62 − 1, or has no 1 to 4 bytes.
    pub fn seal_as(&mut self, header: &Header, frames: &[u8]) -> Vec<u8> {
        assert!((1..=4).contains(&header.number_len), "1 to 4 bytes");
        let flags = 0x80
            | (header.reserved & 3) << 3
            | u8::from(header.phase) << 2
            | (header.number_len as u8 - 1);
        let mut packet = vec![flags];
        packet.extend_from_slice(&header.to);
        let number_at = packet.len();
        let number = header.number.to_be_bytes();
        packet.extend_from_slice(&number[8 - header.number_len..]);
        let body_at = packet.len();
        packet.extend_from_slice(frames);
        // Room for the sample of header protection, unless the test wants no frames at all.
        while !frames.is_empty() && packet.len() < number_at + 4 {
            packet.push(0x00);
        }
        packet.extend_from_slice(&[0; TAG_LEN]);
        let (head, body) = packet.split_at_mut(body_at);
        epoch(&mut self.send, header.epoch)
            .packet_key(self.aead)
            .seal(header.number, head, body)
            .expect("a number within 62 bits");
        if let Some(sample) = sample(&packet, number_at) {
            let mask = self.send_header.mask(&sample);
            packet[0] ^= mask[0] & 0x1f;
            for (byte, mask) in packet[number_at..body_at].iter_mut().zip(&mask[1..]) {
                *byte ^= mask;
            }
        }
        packet
    }

    /// Opens a packet that is addressed to [`PEER_ID`], or to one of as many bytes, with the key of
    /// any epoch up to the next.
    pub fn open(&mut self, datagram: &[u8]) -> Option<Opened> {
        let number_at = 1 + PEER_ID.len();
        if datagram.first()? & 0xe0 != 0x80 {
            return None;
        }
        let mask = self.receive_header.mask(&sample(datagram, number_at)?);
        let mut packet = datagram.to_vec();
        packet[0] ^= mask[0] & 0x1f;
        let number_len = usize::from(packet[0] & 3) + 1;
        let body_at = number_at + number_len;
        let mut low = 0;
        for (byte, mask) in packet[number_at..body_at].iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
            low = low << 8 | u64::from(*byte);
        }
        let number = nearest(
            low,
            number_len,
            self.largest.map_or(0, |largest| largest + 1),
        );
        let (head, body) = packet.split_at(body_at);
        let phase = usize::from(head[0] >> 2 & 1);
        let last = self.receive.len();
        for number_of_epoch in (0..=last).rev().filter(|epoch| epoch % 2 == phase) {
            let key = epoch(&mut self.receive, number_of_epoch).packet_key(self.aead);
            let mut body = body.to_vec();
            if let Ok(len) = key.open(number, head, &mut body) {
                body.truncate(len);
                self.largest = self.largest.max(Some(number));
                return Some(Opened {
                    number,
                    epoch: number_of_epoch,
                    frames: body,
                });
            }
        }
        None
    }
}

fn prologue(icid: &[u8]) -> Vec<u8> {
    [b"STT", &[1, 1, icid.len() as u8][..], icid].concat()
}

/// The value of a transport parameter.
fn parameter(mut payload: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [kind, len, rest @ ..] = payload {
        let (value, next) = rest.split_at_checked(usize::from(*len))?;
        if *kind == wanted {
            return Some(value);
        }
        payload = next;
    }
    None
}

/// The secret of an epoch, made from the one before.
fn epoch(secrets: &mut Vec<TrafficSecret>, wanted: usize) -> &TrafficSecret {
    while secrets.len() <= wanted {
        let next = secrets[secrets.len() - 1].next();
        secrets.push(next);
    }
    &secrets[wanted]
}

fn sample(packet: &[u8], number_at: usize) -> Option<[u8; 16]> {
    packet.get(number_at + 4..)?.first_chunk().copied()
}

/// The number with these low bytes that is nearest to `expected`, the larger of two.
fn nearest(low: u64, bytes: usize, expected: u64) -> u64 {
    let range = 1_u64 << (8 * bytes);
    let same = expected / range * range + low;
    [same.checked_sub(range), Some(same), same.checked_add(range)]
        .into_iter()
        .flatten()
        .filter(|number| *number < 1 << 62)
        .min_by_key(|number| (number.abs_diff(expected), core::cmp::Reverse(*number)))
        .unwrap_or(same)
}
