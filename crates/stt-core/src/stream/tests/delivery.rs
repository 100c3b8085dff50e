//! What is read is what was written, whatever the channel does.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::channel::{Channel, Luck, Trouble, clock, pair, small_config, small_limits};
use crate::{Dir, ReadError, Side, StreamEvent, StreamId, Streams, WriteError};

/// The byte at an offset of a stream's half: every half has bytes of its own.
fn byte_at(id: StreamId, from: Side, offset: u64) -> u8 {
    let mix = (offset + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(id.as_u64() * 2 + from as u64);
    (mix >> 32) as u8
}

/// An application that opens, writes, reads, resets and stops as its luck has it.
struct App {
    side: Side,
    /// What it writes on, how much it wants to write in all, how much it has.
    writing: BTreeMap<StreamId, (u64, u64)>,
    /// Finished and not told so yet.
    finishing: BTreeMap<StreamId, u64>,
    /// What it reads from, and how much it has read.
    reading: BTreeMap<StreamId, u64>,
    /// How long each stream was that it read to the end.
    ended: BTreeMap<StreamId, u64>,
    /// Total lengths of what it finished.
    finished: BTreeMap<StreamId, u64>,
    to_open: usize,
    /// Per cent of chances taken to reset or stop.
    temper: usize,
}

impl App {
    fn new(side: Side, to_open: usize, temper: usize) -> Self {
        Self {
            side,
            writing: BTreeMap::new(),
            finishing: BTreeMap::new(),
            reading: BTreeMap::new(),
            ended: BTreeMap::new(),
            finished: BTreeMap::new(),
            to_open,
            temper,
        }
    }

    /// Whether nothing is left to do.
    fn is_done(&self) -> bool {
        self.to_open == 0
            && self.writing.is_empty()
            && self.finishing.is_empty()
            && self.reading.is_empty()
    }

    fn act(&mut self, streams: &mut Streams, luck: &mut Luck) {
        while let Some(event) = streams.poll_event() {
            match event {
                StreamEvent::Finished(id) => {
                    let len = self.finishing.remove(&id).expect("only what was finished");
                    self.finished.insert(id, len);
                }
                StreamEvent::Stopped { id, code } => {
                    assert_eq!(code, 77);
                    self.writing.remove(&id);
                    self.finishing.remove(&id);
                }
                StreamEvent::Opened { dir } => {
                    while let Some(id) = streams.accept(dir) {
                        self.reading.insert(id, 0);
                        if dir == Dir::Bi {
                            self.writing.insert(id, (luck.below(6_000) as u64, 0));
                        }
                    }
                }
                _ => {}
            }
        }
        let dir = if luck.percent(50) { Dir::Bi } else { Dir::Uni };
        if self.to_open > 0
            && let Some(id) = streams.open(dir)
        {
            self.to_open -= 1;
            self.writing.insert(id, (luck.below(6_000) as u64, 0));
            if dir == Dir::Bi {
                self.reading.insert(id, 0);
            }
        }
        for id in self.writing.keys().copied().collect::<Vec<_>>() {
            if luck.percent(50) {
                self.write(streams, luck, id);
            }
        }
        for id in self.reading.keys().copied().collect::<Vec<_>>() {
            if luck.percent(50) {
                self.read(streams, luck, id);
            }
        }
    }

    fn write(&mut self, streams: &mut Streams, luck: &mut Luck, id: StreamId) {
        let (total, written) = self.writing[&id];
        if luck.percent(self.temper) {
            streams.reset(id, 66).unwrap();
            self.writing.remove(&id);
            return;
        }
        if luck.percent(10) {
            streams.set_priority(id, luck.below(4) as i32 - 2).unwrap();
        }
        let len = (1 + luck.below(1_500) as u64).min(total - written);
        if len > 0 {
            let data: Vec<u8> = (written..written + len)
                .map(|offset| byte_at(id, self.side, offset))
                .collect();
            match streams.write(id, &data) {
                Ok(taken) => self.writing.insert(id, (total, written + taken as u64)),
                Err(WriteError::Blocked) => return,
                Err(error) => panic!("{error}"),
            };
        }
        if self.writing[&id].1 == total {
            streams.finish(id).unwrap();
            self.writing.remove(&id);
            self.finishing.insert(id, total);
        }
    }

    fn read(&mut self, streams: &mut Streams, luck: &mut Luck, id: StreamId) {
        if luck.percent(self.temper) {
            streams.stop(id, 77).unwrap();
            self.reading.remove(&id);
            return;
        }
        let mut out = vec![0; luck.below(2_000) + 1];
        let data = if luck.percent(50) {
            streams
                .read(id, &mut out)
                .map(|read| read.map(|len| out[..len].to_vec()))
        } else {
            let peeked = streams.peek(id).map(|peeked| peeked.map(<[u8]>::to_vec));
            if let Ok(Some(peeked)) = &peeked {
                streams.consume(id, peeked.len());
            }
            peeked
        };
        let offset = self.reading.get_mut(&id).expect("we read it");
        match data {
            Ok(Some(data)) => {
                for byte in data {
                    assert_eq!(byte, byte_at(id, !self.side, *offset), "{id:?} at {offset}");
                    *offset += 1;
                }
            }
            Ok(None) => {
                self.ended.insert(id, *offset);
                self.reading.remove(&id);
            }
            Err(ReadError::Blocked) => {}
            Err(ReadError::Reset(code)) => {
                assert!(matches!(code, 66 | 77), "code {code}");
                self.reading.remove(&id);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn run(seed: u64, room: usize, trouble: Trouble, temper: usize) {
    let mut luck = Luck::new(seed);
    let (mut left, mut right) = pair(&small_limits(), small_config());
    let mut apps = [
        App::new(Side::Initiator, 12, temper),
        App::new(Side::Responder, 12, temper),
    ];
    let (mut forth, mut back) = (Channel::default(), Channel::default());
    let mut steps = 0;
    loop {
        let (now, rtt) = clock(steps);
        left.set_clock(now, rtt);
        right.set_clock(now, rtt);
        let busy = forth.step(&mut left, &mut right, &mut luck, trouble, room)
            | back.step(&mut right, &mut left, &mut luck, trouble, room);
        if luck.percent(20) || !busy {
            apps[0].act(&mut left, &mut luck);
            apps[1].act(&mut right, &mut luck);
        }
        for streams in [&left, &right] {
            assert!(streams.unacknowledged() <= 8_000 + 8 * 4_096);
            // Blocks in use or free: of windows and send buffers, and one or two a stream.
            assert!(streams.buffer_memory() <= 2 * (16_384 + 8_000 + 4 * 4_096 * 14) + 65_536);
        }
        if !busy && apps.iter().all(App::is_done) {
            break;
        }
        steps += 1;
        assert!(
            steps < 300_000,
            "no progress: {apps:?}",
            apps = apps.map(|app| app.writing)
        );
    }
    // Nothing is left over, and nobody was told more or less than was written.
    for _ in 0..4 {
        while left.poll_event().is_some() || right.poll_event().is_some() {}
        super::channel::settle(&mut left, &mut right);
    }
    for streams in [&left, &right] {
        assert_eq!(streams.unacknowledged(), 0);
        assert_eq!(streams.open_streams(), 0, "{streams:?}");
        assert_eq!(streams.buffer_memory(), 0);
        assert!(!streams.has_pending());
    }
    for (writer, reader) in [(0, 1), (1, 0)] {
        for (id, len) in &apps[reader].ended {
            if let Some(written) = apps[writer].finished.get(id) {
                assert_eq!(len, written);
            }
        }
        if temper == 0 {
            assert_eq!(apps[writer].finished, apps[reader].ended);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn delivers_exactly_what_was_written(
        seed: u64,
        room in prop_oneof![Just(40_usize), 40..120_usize, 120..2_000_usize],
        loss in 0..40_usize,
        repeat in 0..30_usize,
        spurious in 0..20_usize,
        reorder: bool,
        temper in prop_oneof![Just(0_usize), 0..6_usize],
    ) {
        run(seed, room, Trouble { loss, repeat, spurious, reorder }, temper);
    }
}

#[test]
fn progress_with_the_least_room() {
    let trouble = Trouble {
        loss: 10,
        repeat: 10,
        spurious: 5,
        reorder: true,
    };
    for seed in 0..4 {
        run(seed, 32, trouble, 2);
    }
}
