use core::time::Duration;

use stt_crypto::secret::Seed;

use crate::{
    Ecn, PathId, Timestamp,
    endpoint::{ConnectConfig, Endpoint, EndpointConfig, HalfOpenLimits},
    handshake::Credentials,
};

/// Two endpoints that hold the same seed, and an adversary between them who does with their
/// datagrams what the input says, or sends his own. Nothing panics, tables stay within their
/// bounds, nobody gets more than three times what he sent before he is proven, and both come to
/// rest.
pub fn endpoint(mut input: &[u8]) {
    let mut world = World::new();
    let mut steps = 0;
    while let [op, rest @ ..] = input
        && steps < MAX_STEPS
    {
        input = rest;
        world.step(*op, &mut input);
        steps += 1;
    }
    world.come_to_rest();
}

struct World {
    now: Timestamp,
    ends: [Endpoint; 2],
    /// What was sent and not yet delivered, with the end it is for.
    flying: Vec<(usize, Vec<u8>)>,
    /// Bytes that an end was sent by, and sent to, strangers' paths.
    heard: [usize; 2],
    answered: [usize; 2],
}

impl World {
    fn new() -> Self {
        let seed = Seed::new(&[1; 32]).expect("not empty");
        let ends = [b"alice", b"bobby"].map(|name| {
            let credentials = Credentials::new(seed.node_key(name), seed.psk());
            let mut config = EndpointConfig::new(credentials);
            config.half_open = HalfOpenLimits {
                total: 4,
                unproven: 2,
                per_address: 3,
                tries_per_second: 20,
                timeout: Duration::from_secs(5),
            };
            config.max_sessions = 4;
            config.wire_id_len = 1;
            Endpoint::new(config, [name[0]; 32])
        });
        Self {
            now: Timestamp::ZERO,
            ends,
            flying: Vec::new(),
            heard: [0; 2],
            answered: [0; 2],
        }
    }

    fn step(&mut self, op: u8, input: &mut &[u8]) {
        let end = usize::from(op & 1);
        match op >> 1 & 7 {
            0 => {
                // The other end is known by a path of one byte, strangers by two.
                let _ = self.ends[end].connect(self.now, path(1 - end), ConnectConfig::default());
            }
            // Delivered; delivered and kept; changed in one place; cut; dropped.
            1 => self.deliver(op, |_| true),
            2 => self.deliver(op, |_| false),
            3 => {
                let (place, change) = (take(input), take(input));
                self.deliver(op, |datagram| {
                    let at = usize::from(place) % datagram.len().max(1);
                    if let Some(byte) = datagram.get_mut(at) {
                        *byte ^= change;
                    }
                    true
                });
            }
            4 => {
                let keep = usize::from(take(input));
                self.deliver(op, |datagram| {
                    datagram.truncate(keep);
                    true
                });
            }
            5 => {
                let len = usize::from(take(input)).min(input.len());
                let (datagram, rest) = input.split_at(len);
                *input = rest;
                self.heard[end] += len;
                let stranger = PathId::new(&[9, op]).expect("two bytes");
                let ecn = Ecn::from_bits(op);
                self.ends[end].handle_datagram(self.now, stranger, ecn, &mut datagram.to_vec());
            }
            6 => {
                self.now += Duration::from_millis(u64::from(take(input)) * 20);
                for end in &mut self.ends {
                    end.handle_timeout(self.now);
                }
            }
            _ => {
                let _ = self.flying.pop();
            }
        }
        self.drain();
    }

    /// Delivers one of the flying datagrams after `change`, which says whether it is gone then.
    fn deliver(&mut self, op: u8, change: impl FnOnce(&mut Vec<u8>) -> bool) {
        if self.flying.is_empty() {
            return;
        }
        let at = usize::from(op >> 4) % self.flying.len();
        let (end, mut datagram) = self.flying[at].clone();
        if change(&mut datagram) {
            self.flying.remove(at);
        }
        self.ends[end].handle_datagram(self.now, path(1 - end), Ecn::NotEct, &mut datagram);
    }

    fn drain(&mut self) {
        let mut buf = [0; 2_000];
        for number in 0..2 {
            let end = &mut self.ends[number];
            let mut sent = 0;
            while let Some(transmit) = end.poll_transmit(self.now, 1, &mut buf) {
                if transmit.path == path(1 - number) {
                    if self.flying.len() < MAX_FLYING {
                        self.flying
                            .push((1 - number, buf[..transmit.size].to_vec()));
                    }
                } else {
                    self.answered[number] += transmit.size;
                }
                sent += 1;
                assert!(sent < 10_000, "it never stops sending");
            }
            assert!(self.answered[number] <= 3 * self.heard[number]);
            while end.poll_event().is_some() {}
            assert!(end.half_open() <= 4 && end.sessions() <= 4);
        }
    }

    /// With nothing more delivered, everything ends by its time-outs.
    fn come_to_rest(&mut self) {
        for _ in 0..10_000 {
            let next = self.ends.iter().filter_map(|end| end.poll_timeout()).min();
            let Some(next) = next else {
                assert_eq!(self.ends[0].half_open() + self.ends[1].half_open(), 0);
                assert_eq!(self.ends[0].sessions() + self.ends[1].sessions(), 0);
                return;
            };
            self.now = self.now.max(next);
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
            self.drain();
        }
        panic!("still not at rest");
    }
}

fn path(end: usize) -> PathId {
    PathId::new(&[end as u8]).expect("one byte")
}

fn take(input: &mut &[u8]) -> u8 {
    match input.split_first() {
        Some((first, rest)) => {
            *input = rest;
            *first
        }
        None => 0,
    }
}

const MAX_STEPS: usize = 400;
const MAX_FLYING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the target would test little.
    #[test]
    fn sessions_come_about() {
        let mut world = World::new();
        world.step(0, &mut &[][..]);
        for _ in 0..3 {
            world.step(2, &mut &[][..]);
        }
        let sessions = world.ends.each_ref().map(Endpoint::sessions);
        assert_eq!(sessions, [1, 1]);
    }
}
