use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use crate::{
    Carried, Dir, ReadError, Side, StreamConfig, StreamEvent, StreamId, Streams, Timestamp,
    WriteError,
    message::{Message, MessageDecoder, MessageEncoder, Preface},
    wire::{Frame, Frames, Limits, Writer},
};

/// Two ends, their applications and the channel between them do what the input says, byte by byte.
/// What is read is what was written, memory stays within its bounds, and both come to rest with
/// everything delivered that was not given up.
pub fn streams(mut input: &[u8]) {
    let mut world = World::new();
    for _ in 0..MAX_STEPS {
        let Some(op) = byte(&mut input) else {
            break;
        };
        world.step(op, &mut input);
        for end in &world.ends {
            assert!(end.streams.buffer_memory() <= MAX_MEMORY);
        }
    }
    world.come_to_rest();
}

/// Any frames, from a peer that keeps no rule, between calls of an application. The session ends
/// with an error or goes on; it never panics, never exceeds its memory and has frames to send
/// that can be read.
pub fn stream_frames(input: &[u8]) {
    let mut streams = Streams::new(Side::Initiator, &limits(), config());
    streams.set_peer(&limits());
    let opened = [Dir::Bi, Dir::Uni].map(|dir| streams.open(dir));
    let (mut packet, mut carried) = ([0; 100], Vec::new());
    for frame in Frames::new(input) {
        let Ok(frame) = frame else {
            break;
        };
        if deliver(&mut streams, &frame).is_err() {
            return;
        }
        assert!(streams.buffer_memory() <= MAX_MEMORY);
        assert!(streams.open_streams() <= 2 + 2 * (MAX_STREAMS as usize));
        let ids: BTreeSet<_> = [Dir::Bi, Dir::Uni]
            .into_iter()
            .filter_map(|dir| streams.accept(dir))
            .chain(opened.into_iter().flatten())
            .collect();
        for id in ids {
            // Errors are as good as bytes here: what matters is that neither panics.
            let _ = streams.read(id, &mut [0; 64]);
            let _ = streams.write(id, b"some bytes");
        }
        while streams.poll_event().is_some() {}
        let pending = streams.has_pending();
        let mut writer = Writer::new(&mut packet);
        streams.write_frames(&mut writer, &mut carried);
        let len = writer.len();
        assert_eq!(pending, len > 0);
        assert!(Frames::new(&packet[..len]).all(|frame| frame.is_ok()));
        for (at, what) in carried.drain(..).enumerate() {
            if at % 2 == 0 {
                streams.on_acked(what);
            } else {
                streams.on_lost(what);
            }
        }
    }
}

/// Any bytes are messages or an error, the same however they are cut; what is read is written as it
/// was. The first byte chooses the kind, the second the cuts.
pub fn messages(input: &[u8]) {
    let [kind, piece, wire @ ..] = input else {
        return;
    };
    let preface = Preface::from_byte(kind % 3).expect("there are three");
    let mut encoder = MessageEncoder::new(preface);
    let mut whole = MessageDecoder::new(preface, MAX_MESSAGE);
    let mut rest = wire;
    let error = loop {
        match whole.push(&mut rest) {
            Ok(Some(message)) => encoder.push(&message).expect("it was read"),
            Ok(None) => break whole.finish().err(),
            Err(error) => break Some(error),
        }
    };
    assert!(wire.starts_with(encoder.bytes()), "one form each");

    let mut cut = MessageDecoder::new(preface, MAX_MESSAGE);
    let mut again = MessageEncoder::new(preface);
    let found = wire
        .chunks(usize::from(*piece).max(1))
        .try_for_each(|mut chunk| {
            while let Some(message) = cut.push(&mut chunk)? {
                let (Message::Endpoint { payload, .. } | Message::User { payload, .. }) = message;
                assert!(payload.len() <= MAX_MESSAGE);
                again.push(&message).expect("it was read");
            }
            assert!(cut.memory() <= 2 * MAX_MESSAGE + 64);
            Ok(())
        })
        .and_then(|()| cut.finish());
    assert_eq!((found.err(), again.bytes()), (error, encoder.bytes()));
}

struct World {
    ends: [End; 2],
    flying: Vec<Flying>,
    now: Timestamp,
}

struct End {
    streams: Streams,
    /// Streams it opened or accepted.
    ids: Vec<StreamId>,
    /// How far it has written, and read.
    written: BTreeMap<StreamId, u64>,
    read: BTreeMap<StreamId, u64>,
    /// Read to the end.
    ended: BTreeSet<StreamId>,
    /// Sending halves that it finished.
    finished: BTreeSet<StreamId>,
    /// Sending halves that it gave up, and receiving halves that it stopped.
    given_up: BTreeSet<StreamId>,
}

struct Flying {
    to: usize,
    packet: Vec<u8>,
    /// What the sender is told; nothing for a copy.
    carried: Vec<Carried>,
}

impl World {
    fn new() -> Self {
        let end = |side| {
            let mut streams = Streams::new(side, &limits(), config());
            streams.set_peer(&limits());
            End {
                streams,
                ids: Vec::new(),
                written: BTreeMap::new(),
                read: BTreeMap::new(),
                ended: BTreeSet::new(),
                finished: BTreeSet::new(),
                given_up: BTreeSet::new(),
            }
        };
        Self {
            ends: [end(Side::Initiator), end(Side::Responder)],
            flying: Vec::new(),
            now: Timestamp::ZERO,
        }
    }

    fn step(&mut self, op: u8, input: &mut &[u8]) {
        let who = usize::from(op >> 7);
        let end = &mut self.ends[who];
        let argument = byte(input).unwrap_or_default();
        let id = match end.ids.len() {
            0 => None,
            len => Some(end.ids[usize::from(argument) % len]),
        };
        match (op & 0x0f, id) {
            (0, _) => end.open(argument),
            (1 | 2, Some(id)) => end.write(id, 1 + 12 * usize::from(op >> 4 & 7)),
            (3, Some(id)) => end.finish(id),
            (4, Some(id)) => end.reset(id),
            (5, Some(id)) => end.stop(id),
            (6, Some(id)) => {
                end.read(id, 1 + 40 * usize::from(op >> 4 & 7));
            }
            (7, Some(id)) => {
                let _ = end.streams.set_priority(id, i32::from(op >> 4 & 3));
            }
            (8, _) => end.accept(),
            (9, _) => end.hear(),
            (10, _) => {
                self.now += Duration::from_millis(u64::from(argument));
                end.streams.set_clock(self.now, Duration::from_millis(50));
            }
            (11 | 12, _) => {
                self.send(who, 32 + usize::from(argument));
            }
            (13, _) => self.arrive(argument, false),
            (14, _) => self.arrive(argument, true),
            (15, _) => self.lose(argument),
            _ => {}
        }
    }

    fn send(&mut self, who: usize, room: usize) -> bool {
        let streams = &mut self.ends[who].streams;
        let (mut packet, mut carried) = (vec![0; room], Vec::new());
        let pending = streams.has_pending();
        let mut writer = Writer::new(&mut packet);
        streams.write_frames(&mut writer, &mut carried);
        let len = writer.len();
        assert_eq!(pending, len > 0);
        packet.truncate(len);
        if pending {
            self.flying.push(Flying {
                to: 1 - who,
                packet,
                carried,
            });
        }
        pending
    }

    /// One packet is lost, and its sender finds out.
    fn lose(&mut self, choice: u8) {
        if self.flying.is_empty() {
            return;
        }
        let at = usize::from(choice) % self.flying.len();
        let lost = self.flying.swap_remove(at);
        let from = &mut self.ends[1 - lost.to].streams;
        lost.carried.into_iter().for_each(|what| from.on_lost(what));
    }

    /// One packet arrives; a copy of it stays under way if it is `twice`.
    fn arrive(&mut self, choice: u8, twice: bool) {
        if self.flying.is_empty() {
            return;
        }
        let at = usize::from(choice) % self.flying.len();
        let flying = self.flying.swap_remove(at);
        for frame in Frames::new(&flying.packet) {
            let frame = frame.expect("we wrote it");
            let to = &mut self.ends[flying.to].streams;
            deliver(to, &frame).expect("an honest peer breaks no rule");
        }
        let from = &mut self.ends[1 - flying.to].streams;
        flying
            .carried
            .into_iter()
            .for_each(|what| from.on_acked(what));
        if twice && self.flying.len() < 64 {
            self.flying.push(Flying {
                to: flying.to,
                packet: flying.packet,
                carried: Vec::new(),
            });
        }
    }

    /// Everything under way arrives and everything is read, until nothing moves.
    fn come_to_rest(&mut self) {
        for who in [0, 1] {
            for id in self.ends[who].ids.clone() {
                self.ends[who].finish(id);
            }
        }
        for _ in 0..10_000 {
            let sent = self.send(0, 500) | self.send(1, 500);
            while !self.flying.is_empty() {
                self.arrive(0, false);
            }
            for end in &mut self.ends {
                end.accept();
                end.hear();
                for id in end.ids.clone() {
                    end.finish(id);
                    while end.read(id, 1_000) {}
                }
            }
            let pending = self.ends.iter().any(|end| end.streams.has_pending());
            if !sent && !pending {
                self.check_all_arrived();
                return;
            }
        }
        panic!("never comes to rest");
    }

    fn check_all_arrived(&self) {
        for [from, to] in [[0, 1], [1, 0]] {
            let (from, to) = (&self.ends[from], &self.ends[to]);
            assert_eq!(from.streams.unacknowledged(), 0);
            assert_eq!(from.streams.open_streams(), 0);
            assert_eq!(from.streams.buffer_memory(), 0);
            for id in &from.finished {
                if !from.given_up.contains(id) && !to.given_up.contains(id) {
                    assert!(to.ended.contains(id), "{id:?}");
                    assert_eq!(from.written.get(id), to.read.get(id), "{id:?}");
                }
            }
        }
    }
}

impl End {
    fn open(&mut self, choice: u8) {
        let dir = if choice & 1 == 0 { Dir::Bi } else { Dir::Uni };
        let id = self.streams.open(dir);
        self.ids.extend(id);
    }

    fn accept(&mut self) {
        for dir in [Dir::Bi, Dir::Uni] {
            while let Some(id) = self.streams.accept(dir) {
                self.ids.push(id);
            }
        }
    }

    fn hear(&mut self) {
        while let Some(event) = self.streams.poll_event() {
            match event {
                StreamEvent::Finished(id) => {
                    assert!(self.finished.contains(&id), "the peer has all of {id:?}");
                }
                StreamEvent::Stopped { id, code } => {
                    assert_eq!(code, 2);
                    self.given_up.insert(id);
                }
                _ => {}
            }
        }
    }

    fn write(&mut self, id: StreamId, len: usize) {
        let from = self.written.get(&id).copied().unwrap_or_default();
        let data: Vec<u8> = (from..from + len as u64)
            .map(|at| content(id, at))
            .collect();
        match self.streams.write(id, &data) {
            Ok(taken) => {
                self.written.insert(id, from + taken as u64);
            }
            Err(WriteError::Blocked) => assert!(from > 0, "an empty buffer takes something"),
            Err(_) => {}
        }
    }

    fn reset(&mut self, id: StreamId) {
        if self.streams.reset(id, 1).is_ok() {
            self.given_up.insert(id);
        }
    }

    fn stop(&mut self, id: StreamId) {
        if self.streams.stop(id, 2).is_ok() {
            self.given_up.insert(id);
        }
    }

    fn finish(&mut self, id: StreamId) {
        if self.streams.finish(id).is_ok() {
            self.finished.insert(id);
            self.written.entry(id).or_default();
        }
    }

    /// Whether there was something to read.
    fn read(&mut self, id: StreamId, len: usize) -> bool {
        let mut out = vec![0; len];
        match self.streams.read(id, &mut out) {
            Ok(Some(len)) => {
                let at = self.read.entry(id).or_default();
                for &byte in &out[..len] {
                    assert_eq!(byte, content(id, *at), "{id:?} at {at}");
                    *at += 1;
                }
                true
            }
            Ok(None) => {
                self.read.entry(id).or_default();
                assert!(self.ended.insert(id), "the end is told once");
                false
            }
            Err(ReadError::Reset(code)) => {
                assert!(matches!(code, 1 | 2));
                self.given_up.insert(id);
                false
            }
            Err(_) => false,
        }
    }
}

fn deliver(to: &mut Streams, frame: &Frame<'_>) -> Result<(), crate::TransportError> {
    match *frame {
        Frame::Stream(ref stream) => to.on_stream(stream),
        Frame::Reset {
            id,
            code,
            final_size,
        } => to.on_reset(id, code, final_size),
        Frame::Stop { id, code } => to.on_stop(id, code),
        Frame::MaxData(max) => {
            to.on_max_data(max);
            Ok(())
        }
        Frame::MaxStreamData { id, max } => to.on_max_stream_data(id, max),
        Frame::MaxStreams { dir, max } => to.on_max_streams(dir, max),
        _ => Ok(()),
    }
}

/// The byte of a stream at an offset, alike in both directions.
fn content(id: StreamId, at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9) >> 7) as u8 ^ id.as_u64() as u8
}

fn byte(input: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = input.split_first()?;
    *input = rest;
    Some(first)
}

fn limits() -> Limits {
    Limits::default()
        .with_max_data(1_024)
        .with_max_stream_data(512)
        .with_max_streams(Dir::Bi, MAX_STREAMS)
        .with_max_streams(Dir::Uni, MAX_STREAMS)
}

fn config() -> StreamConfig {
    StreamConfig {
        send_buffer: 800,
        max_unsent: 500,
        session_send_buffer: 2_000,
        max_stream_window: 2_048,
        max_window: 4_096,
    }
}

const MAX_STEPS: usize = 2_000;
const MAX_STREAMS: u64 = 4;
const MAX_MESSAGE: usize = 100;
/// A block or two for each half that can hold bytes; free ones are of those.
const MAX_MEMORY: usize = 40 * 4_096;
