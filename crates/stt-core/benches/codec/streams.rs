//! A bulk transfer through both ends' streams, without packets around the frames; and what sealing and
//! opening the same packets takes, to compare.

use std::{collections::VecDeque, hint::black_box};

use stt_core::{
    Carried, Dir, Side, StreamConfig, StreamId, Streams,
    wire::{Frame, Frames, Limits, Writer},
};
use stt_crypto::{Aead, Initiator, Responder, TAG_LEN, secret::Seed};

use crate::Case;

/// Frames in a packet of 1,200 bytes, one of 64 bytes, and one over a WebSocket.
const ROOMS: [(&str, usize); 3] = [
    ("streams, both ends, packets of 1,200 B", 1_178),
    ("streams, both ends, packets of 64 B", 42),
    ("streams, both ends, packets of 65,535 B", 65_513),
];

pub(crate) fn streams() -> Vec<Case> {
    let mut cases: Vec<Case> = ROOMS
        .into_iter()
        .map(|(name, room)| {
            let mut transfer = Transfer::new(room);
            Case {
                name,
                amount: (Transfer::PACKETS * room) as f64 / 1e6,
                unit: "MB/s",
                bound: None,
                call: Box::new(move || transfer.packets()),
            }
        })
        .collect();
    cases.push(aead());
    cases
}

/// AES-256-GCM at both ends of a packet of 1,200 bytes.
fn aead() -> Case {
    let seed = Seed::new(&[7; 32]).expect("not empty");
    let psk = seed.psk();
    let (initiator, hello) =
        Initiator::start(&psk, &seed.node_key(b"left"), b"", [1; 32], b"").expect("a key pair");
    drop(initiator);
    let (responder, _) =
        Responder::read(&psk, &seed.node_key(b"right"), b"", &hello, [2; 32]).expect("genuine");
    let (session, _) = responder.respond(b"").expect("an answer");
    let mut seal = session.send.packet_key(Aead::Aes256Gcm);
    let open = session.send.packet_key(Aead::Aes256Gcm);
    let (mut packet, mut pn) = (vec![0; 1_178 + TAG_LEN], 0);
    Case {
        name: "AES-256-GCM, both ends, packets of 1,200 B",
        amount: 1_178e-6,
        unit: "MB/s",
        bound: None,
        call: Box::new(move || {
            // The keys' limit of packets is far off in a benchmark.
            seal.seal(pn, b"header", &mut packet).expect("a new number");
            open.open(pn, b"header", black_box(&mut packet))
                .expect("genuine");
            pn += 1;
        }),
    }
}

/// Two ends, an application that writes whatever fits and one that reads whatever came; packets are
/// acknowledged a hundred later.
struct Transfer {
    left: Streams,
    right: Streams,
    id: StreamId,
    packet: Vec<u8>,
    carried: Vec<Carried>,
    flying: VecDeque<Carried>,
    data: Vec<u8>,
    out: Vec<u8>,
}

impl Transfer {
    /// Packets of one call.
    const PACKETS: usize = 64;

    fn new(room: usize) -> Self {
        let limits = Limits::default();
        let mut left = Streams::new(Side::Initiator, &limits, StreamConfig::default());
        let mut right = Streams::new(Side::Responder, &limits, StreamConfig::default());
        left.set_peer(&limits);
        right.set_peer(&limits);
        let id = left.open(Dir::Uni).expect("the first stream");
        Self {
            left,
            right,
            id,
            packet: vec![0; room],
            carried: Vec::new(),
            flying: VecDeque::new(),
            data: vec![7; 1 << 16],
            out: vec![0; 1 << 16],
        }
    }

    fn packets(&mut self) {
        for packet in 0..Self::PACKETS {
            while self.left.write(self.id, &self.data) == Ok(self.data.len()) {}
            pass(
                &mut self.left,
                &mut self.right,
                &mut self.packet,
                &mut self.carried,
            );
            self.flying.extend(self.carried.drain(..));
            if packet % 2 == 0 || self.packet.len() > 10_000 {
                while self.right.read(self.id, &mut self.out).is_ok() {}
                while self.right.has_pending() {
                    pass(
                        &mut self.right,
                        &mut self.left,
                        &mut self.packet,
                        &mut self.carried,
                    );
                    self.carried.clear();
                }
            }
            while self.flying.len() > 30 {
                self.flying
                    .pop_front()
                    .into_iter()
                    .for_each(|what| self.left.on_acked(what));
            }
            while self.left.poll_event().is_some() || self.right.poll_event().is_some() {}
        }
    }
}

/// Writes a packet at one end and takes its frames at the other.
fn pass(from: &mut Streams, to: &mut Streams, packet: &mut [u8], carried: &mut Vec<Carried>) {
    let mut writer = Writer::new(packet);
    from.write_frames(&mut writer, carried);
    let len = writer.len();
    assert!(len > 0, "the transfer goes on");
    for frame in Frames::new(black_box(&packet[..len])) {
        match frame.expect("we wrote it") {
            Frame::Stream(stream) => to.on_stream(&stream).expect("allowed"),
            Frame::MaxData(max) => to.on_max_data(max),
            Frame::MaxStreamData { id, max } => to.on_max_stream_data(id, max).expect("its own"),
            frame => unreachable!("no reason for {frame:?}"),
        }
    }
}
