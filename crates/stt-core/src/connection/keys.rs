//! Keys of a session and their updates (`docs/spec/stt-session.md` §4, RFC 9001 §6).

use core::time::Duration;

use stt_crypto::{Aead, ForgeryCount, HeaderKey, PacketKey, SealError, secret::TrafficSecret};

use crate::{Code, Timestamp};

/// When an end updates its keys by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RekeyLimits {
    /// Packets sealed with one key. At most the AEAD's confidentiality limit, 2^23 for
    /// AES-256-GCM (RFC 9001 §6.6); what is above it is cut to it.
    pub packets: u64,
    /// Bytes sealed with one key.
    pub bytes: u64,
    /// Age of a key. `None`: no limit.
    pub age: Option<Duration>,
}

impl Default for RekeyLimits {
    /// 2^22 packets, 4 GiB or one hour, whichever comes first.
    fn default() -> Self {
        Self {
            packets: 1 << 22,
            bytes: 1 << 32,
            age: Some(Duration::from_secs(3_600)),
        }
    }
}

/// Sealing and opening across key updates.
pub(super) struct Keys {
    aead: Aead,
    send: SendKeys,
    receive: ReceiveKeys,
    /// Packets that failed to open, over all epochs.
    forgeries: ForgeryCount,
}

struct SendKeys {
    header: HeaderKey,
    secret: TrafficSecret,
    packet: PacketKey,
    epoch: u64,
    /// The first packet number of the epoch, once one was used.
    first: Option<u64>,
    bytes: u64,
    since: Timestamp,
}

struct ReceiveKeys {
    header: HeaderKey,
    current: PacketKey,
    /// Derived ahead, so that an update by the peer costs no more time than any packet.
    next: PacketKey,
    /// The secret of `next`.
    next_secret: TrafficSecret,
    /// The lowest number that the current key has opened.
    first: Option<u64>,
    /// The highest number that the current key has opened.
    highest: Option<u64>,
    /// The highest number that an older key has opened: newer keys seal higher numbers only.
    highest_before: Option<u64>,
    previous: Option<PacketKey>,
    epoch: u64,
}

/// A packet that opened.
pub(super) struct Opened {
    /// Length of the plaintext.
    pub(super) len: usize,
    /// The peer went on to its next keys with this packet.
    pub(super) updated: bool,
    /// The first packet of the current epoch: the previous key may be discarded soon.
    pub(super) first_of_epoch: bool,
}

/// Why a packet gave no plaintext.
pub(super) enum OpenFailure {
    /// Not sealed by the peer, or damaged.
    Forged,
    /// The peer broke a rule of key updates, or the integrity limit is reached.
    Fatal(Code, &'static str),
}

/// RFC 9001 §6.4: what has a higher number is sealed with the same or newer keys.
const BELOW_OLDER_KEYS: OpenFailure = OpenFailure::Fatal(
    Code::KEY_UPDATE_ERROR,
    "the peer sealed a lower number with newer keys than a higher one",
);

impl Keys {
    pub(super) fn new(
        aead: Aead,
        send: TrafficSecret,
        receive: TrafficSecret,
        now: Timestamp,
    ) -> Self {
        let next_secret = receive.next();
        Self {
            aead,
            send: SendKeys {
                header: send.header_key(aead),
                packet: send.packet_key(aead),
                secret: send,
                epoch: 0,
                first: None,
                bytes: 0,
                since: now,
            },
            receive: ReceiveKeys {
                header: receive.header_key(aead),
                current: receive.packet_key(aead),
                next: next_secret.packet_key(aead),
                next_secret,
                first: None,
                highest: None,
                highest_before: None,
                previous: None,
                epoch: 0,
            },
            forgeries: ForgeryCount::new(aead),
        }
    }

    /// The phase bit to send with.
    pub(super) fn phase(&self) -> bool {
        self.send.epoch & 1 == 1
    }

    /// Key updates of the sending direction so far.
    pub(super) fn epoch(&self) -> u64 {
        self.send.epoch
    }

    /// Key updates of the receiving direction so far.
    pub(super) fn receive_epoch(&self) -> u64 {
        self.receive.epoch
    }

    pub(super) fn failed_opens(&self) -> u64 {
        self.forgeries.failed()
    }

    pub(super) fn send_header(&self) -> &HeaderKey {
        &self.send.header
    }

    pub(super) fn receive_header(&self) -> &HeaderKey {
        &self.receive.header
    }

    /// Whether the current key may seal one more packet, keeping one in reserve for a CLOSE.
    pub(super) fn can_seal(&self) -> bool {
        self.send.packet.sealed() + 1 < self.aead.confidentiality_limit()
    }

    /// Seals `body`, whose last 16 bytes are room for the tag.
    pub(super) fn seal(
        &mut self,
        number: u64,
        header: &[u8],
        body: &mut [u8],
    ) -> Result<(), SealError> {
        self.send.packet.seal(number, header, body)?;
        self.send.first.get_or_insert(number);
        self.send.bytes += (header.len() + body.len()) as u64;
        Ok(())
    }

    /// Opens `body`: in place, or to `out`, which has room for it.
    pub(super) fn open(
        &mut self,
        number: u64,
        phase: bool,
        header: &[u8],
        body: &mut [u8],
        out: Option<&mut [u8]>,
    ) -> Result<Opened, OpenFailure> {
        let receive = &mut self.receive;
        let is_current = phase == (receive.epoch & 1 == 1);
        let below_current = receive.first.is_none_or(|first| number < first);
        let key = if is_current {
            &receive.current
        } else if let Some(previous) = receive.previous.as_ref().filter(|_| below_current) {
            previous
        } else {
            &receive.next
        };
        let opened = match out {
            None => key.open(number, header, body),
            Some(out) => key.open_to(number, header, body, out),
        };
        let Ok(len) = opened else {
            return Err(match self.forgeries.record() {
                Ok(()) => OpenFailure::Forged,
                Err(_) => OpenFailure::Fatal(Code::AEAD_LIMIT_REACHED, "too many forged packets"),
            });
        };
        if is_current {
            if receive
                .highest_before
                .is_some_and(|highest| number < highest)
            {
                return Err(BELOW_OLDER_KEYS);
            }
            let first_of_epoch = receive.first.is_none();
            receive.first = Some(receive.first.map_or(number, |first| first.min(number)));
            receive.highest = receive.highest.max(Some(number));
            return Ok(Opened {
                len,
                updated: false,
                first_of_epoch,
            });
        }
        if receive.previous.is_some() && below_current {
            receive.highest_before = receive.highest_before.max(Some(number));
            return Ok(Opened {
                len,
                updated: false,
                first_of_epoch: false,
            });
        }
        // The next key opened it: the peer has updated (RFC 9001 §6.2).
        if receive.highest.is_some_and(|highest| number < highest) {
            return Err(BELOW_OLDER_KEYS);
        }
        // To update it needs an acknowledgement of something that it sealed with the current key,
        // and that comes under our current key.
        if receive.first.is_none() || self.send.first.is_none() {
            return Err(OpenFailure::Fatal(
                Code::KEY_UPDATE_ERROR,
                "the peer updated its keys before it saw the update before answered",
            ));
        }
        self.advance_receive();
        self.receive.first = Some(number);
        self.receive.highest = Some(number);
        Ok(Opened {
            len,
            updated: true,
            first_of_epoch: true,
        })
    }

    /// Whether the peer has gone on to an epoch that our own sending keys have not reached.
    pub(super) fn must_answer_update(&self) -> bool {
        self.receive.epoch > self.send.epoch
    }

    /// Whether an update may be started: the last one is answered, its old key discarded, and
    /// something of the current epoch has been acknowledged (RFC 9001 §6.1, §6.5).
    pub(super) fn may_update(&self, largest_acked: Option<u64>) -> bool {
        let acked = match (self.send.first, largest_acked) {
            (Some(first), Some(largest)) => largest >= first,
            _ => false,
        };
        acked
            && self.receive.first.is_some()
            && self.receive.previous.is_none()
            && self.receive.epoch == self.send.epoch
    }

    /// Whether the current key has served long enough.
    pub(super) fn is_worn(&self, limits: &RekeyLimits) -> bool {
        // Half of the limit leaves the rest for the time until an update is possible.
        let packets = limits.packets.min(self.aead.confidentiality_limit() / 2);
        self.send.packet.sealed() >= packets || self.send.bytes >= limits.bytes
    }

    /// When the current key is too old.
    pub(super) fn expires(&self, limits: &RekeyLimits) -> Option<Timestamp> {
        limits.age.map(|age| self.send.since + age)
    }

    /// Whether an update waits for something of the current epoch to be acknowledged.
    pub(super) fn wants_ack(&self, largest_acked: Option<u64>) -> bool {
        match (self.send.first, largest_acked) {
            (Some(first), Some(largest)) => largest < first,
            _ => true,
        }
    }

    /// Starts an update: both directions go on.
    pub(super) fn update(&mut self, now: Timestamp) {
        self.advance_send(now);
        self.advance_receive();
    }

    /// Answers an update by the peer: the sending direction goes on.
    pub(super) fn answer_update(&mut self, now: Timestamp) {
        self.advance_send(now);
    }

    /// Wipes the previous receive key.
    pub(super) fn discard_previous(&mut self) {
        self.receive.previous = None;
    }

    /// Leaves so many packets to seal, and so many that may fail to open.
    #[cfg(test)]
    pub(super) fn pretend_left(&mut self, seals: u64, failures: u64) {
        let limit = self.aead.confidentiality_limit();
        self.send.packet.pretend_sealed(limit - seals);
        self.forgeries.pretend_left(failures);
    }

    fn advance_send(&mut self, now: Timestamp) {
        let send = &mut self.send;
        send.secret = send.secret.next();
        send.packet = send.secret.packet_key(self.aead);
        send.epoch += 1;
        send.first = None;
        send.bytes = 0;
        send.since = now;
    }

    fn advance_receive(&mut self) {
        let receive = &mut self.receive;
        receive.next_secret = receive.next_secret.next();
        let next = receive.next_secret.packet_key(self.aead);
        let current = core::mem::replace(&mut receive.next, next);
        receive.previous = Some(core::mem::replace(&mut receive.current, current));
        receive.first = None;
        receive.highest_before = receive.highest_before.max(receive.highest.take());
        receive.epoch += 1;
    }
}
