//! A session allocates nothing for a packet once a flow is steady (streams and datagrams alone: `docs/spec/stt-streams.md`
//! §8), and little when it is idle. An allocator that counts is the witness, so this file is a test binary of its own.

#![expect(
    unsafe_code,
    reason = "implementing GlobalAlloc needs it; every call is passed on unchanged"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;

use stt_core::wire::{Frame, Frames, Limits, Writer};
use stt_core::{Carried, DatagramConfig, Datagrams, Dir, Side, StreamConfig, StreamId, Streams};
use stt_core_peers::{
    Settings,
    ours::{self, Ours},
    world::{End, Link, MS, SECOND, World},
};

struct Counting;

thread_local! {
    /// Calls for memory by this thread, and bytes that it holds.
    static ASKED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: everything is the system allocator's; the counter is thread-local, needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (calls, held) = ASKED.get();
        ASKED.set((calls + 1, held.wrapping_add(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let (calls, held) = ASKED.get();
        ASKED.set((calls, held.wrapping_sub(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Two ends and a channel that loses one packet in `loss`, and delivers the others `delay` packets later.
struct Flow {
    left: Streams,
    right: Streams,
    ids: Vec<StreamId>,
    packet: Vec<u8>,
    carried: Vec<Carried>,
    flying: VecDeque<(u64, Carried, bool)>,
    data: Vec<u8>,
    out: Vec<u8>,
    sent: u64,
    loss: u64,
}

impl Flow {
    const DELAY: u64 = 50;

    fn new(streams: usize, room: usize, loss: u64) -> Self {
        let limits = Limits::default();
        let mut left = Streams::new(Side::Initiator, &limits, StreamConfig::default());
        let mut right = Streams::new(Side::Responder, &limits, StreamConfig::default());
        left.set_peer(&limits);
        right.set_peer(&limits);
        let ids = (0..streams)
            .map(|_| left.open(Dir::Bi).expect("allowed"))
            .collect();
        Self {
            left,
            right,
            ids,
            packet: vec![0; room],
            carried: Vec::new(),
            flying: VecDeque::new(),
            data: vec![7; 10_000],
            out: vec![0; 50_000],
            sent: 0,
            loss,
        }
    }

    /// Sends so many packets, with all that goes with them at both ends.
    fn packets(&mut self, count: u64) {
        for _ in 0..count {
            for &id in &self.ids {
                while self.left.write(id, &self.data).is_ok() {}
            }
            self.carried.clear();
            let mut writer = Writer::new(&mut self.packet);
            self.left.write_frames(&mut writer, &mut self.carried);
            let len = writer.len();
            self.sent += 1;
            let lost = self.sent.is_multiple_of(self.loss);
            if !lost {
                deliver(&mut self.right, &self.packet[..len]);
            }
            for &what in &self.carried {
                self.flying.push_back((self.sent, what, lost));
            }
            while let Some(&(sent, what, lost)) = self.flying.front()
                && sent + Self::DELAY < self.sent
            {
                self.flying.pop_front();
                if lost {
                    self.left.on_lost(what);
                } else {
                    self.left.on_acked(what);
                }
            }
            self.answer();
        }
    }

    /// The right end reads and gives credit.
    fn answer(&mut self) {
        for &id in &self.ids {
            while let Ok(Some(1..)) = self.right.read(id, &mut self.out) {}
        }
        self.carried.clear();
        let mut writer = Writer::new(&mut self.packet);
        self.right.write_frames(&mut writer, &mut self.carried);
        let len = writer.len();
        deliver(&mut self.left, &self.packet[..len]);
        self.carried
            .drain(..)
            .for_each(|what| self.right.on_acked(what));
        while self.left.poll_event().is_some() {}
        while self.right.poll_event().is_some() {}
    }
}

fn deliver(to: &mut Streams, packet: &[u8]) {
    for frame in Frames::new(packet) {
        let taken = match frame.expect("we wrote it") {
            Frame::Stream(stream) => to.on_stream(&stream),
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
            frame => panic!("{frame:?}"),
        };
        taken.expect("allowed");
    }
}

#[test]
fn a_steady_flow_allocates_nothing() {
    for (streams, room, loss) in [
        (1, 1_200, u64::MAX),
        (1, 1_200, 10),
        (5, 1_200, 10),
        (1, 40, 10),
        (3, 60_000, u64::MAX),
    ] {
        let mut flow = Flow::new(streams, room, loss);
        flow.packets(20_000);
        let before = ASKED.get();
        flow.packets(20_000);
        let calls = ASKED.get().0 - before.0;
        assert_eq!(
            calls, 0,
            "{streams} streams, packets of {room}, one in {loss} lost"
        );
    }
}

#[test]
fn datagrams_allocate_nothing() {
    let (mut left, mut right) = {
        let config = DatagramConfig::default();
        (Datagrams::new(config), Datagrams::new(config))
    };
    left.set_max_size(1_100);
    let (data, mut packet, mut out) = (vec![1; 1_000], vec![0; 1_200], Vec::new());
    let mut round = || {
        for len in (0..1_000).step_by(100) {
            left.send(&data[..len]).expect("it fits");
        }
        while left.has_pending() {
            let mut writer = Writer::new(&mut packet);
            left.write_frames(&mut writer);
            let len = writer.len();
            for frame in Frames::new(&packet[..len]) {
                if let Frame::Datagram(data) = frame.expect("we wrote it") {
                    right.on_datagram(data);
                }
            }
        }
        while right.recv_into(&mut out) {}
    };
    (0..10).for_each(|_| round());
    let before = ASKED.get();
    (0..1_000).for_each(|_| round());
    assert_eq!(ASKED.get().0 - before.0, 0);
}

#[test]
fn an_idle_session_holds_less_than_a_kibibyte() {
    let before = ASKED.get().1;
    let mut flow = Box::new(Streams::new(
        Side::Initiator,
        &Limits::default(),
        StreamConfig::default(),
    ));
    flow.set_peer(&Limits::default());
    let datagrams = Box::new(Datagrams::new(DatagramConfig::default()));
    let held = ASKED.get().1.wrapping_sub(before);
    assert!(held < 1_024, "{held} bytes");
    drop((flow, datagrams));
}

#[test]
fn a_flow_that_ends_gives_its_memory_back() {
    let mut flow = Flow::new(4, 1_200, u64::MAX);
    flow.packets(5_000);
    while flow.right.accept(Dir::Bi).is_some() {}
    for &id in &flow.ids {
        flow.left.reset(id, 1).expect("it is open");
        flow.left.stop(id, 1).expect("it is open");
    }
    flow.packets(2 * Flow::DELAY);
    let open = (flow.left.open_streams(), flow.right.open_streams());
    assert_eq!(open, (0, 0));
    flow.left.trim();
    flow.right.trim();
    let before = ASKED.get().1;
    drop((flow.left, flow.right));
    let held = before.wrapping_sub(ASKED.get().1);
    assert!(held < 1_024, "{held} bytes");
}

/// Both ends of a session with everything on top of them, on virtual time: endpoints, keys, recovery, streams. Packets are
/// counted from the outside.
fn session(loss: u64) -> World<Ours> {
    let settings = Settings {
        mtu: 1_200,
        window: 256 << 10,
        peer_ack_every: None,
    };
    let link = Link {
        delay: 5 * MS,
        bottleneck: Some((2_500_000, 50_000)),
        loss,
    };
    let mut world = World::new(ours::pair(&settings), [link, Link::plain(5 * MS)], 1);
    world.ends[0].connect(0);
    world.run_until(|ends| ends.iter().all(|end| end.confirmed() == 1));
    world.ends[0].begin_bulk();
    world
}

#[test]
fn steady_session_sends_and_receives_without_an_allocation_per_packet() {
    for loss in [0, 10_000] {
        let mut world = session(loss);
        world.run_for(20 * SECOND);
        let before = (ASKED.get().0, world.ends[1].received());
        world.run_for(10 * SECOND);
        let calls = ASKED.get().0 - before.0;
        let packets = (world.ends[1].received() - before.1) / 1_172;
        assert!(packets > 1_000, "{packets} packets");
        // A queue grows when more is in flight than ever before, which CUBIC brings about now and then.
        assert!(
            calls * 200 < packets as usize,
            "{calls} allocations for {packets} packets, {loss} of a million lost"
        );
    }
}

/// The rest of what an idle session may hold, 8 KiB, is the cryptographic library's: three AEAD contexts of 592 bytes.
/// `benches/quinn` measures both together.
#[test]
fn idle_session_holds_at_most_8_kib() {
    const SESSIONS: usize = 100;
    let settings = Settings {
        mtu: 1_200,
        window: 1 << 20,
        peer_ack_every: None,
    };
    let empty = ours::pair(&settings);
    let mut world = World::new(empty, [Link::plain(MS); 2], 1);
    let before = ASKED.get().1;
    for number in 1..=SESSIONS {
        let now = world.now;
        world.ends[0].connect(now);
        world.run_until(|ends| ends.iter().all(|end| end.confirmed() == number));
    }
    world.run_for(10 * SECOND);
    let held = ASKED.get().1.wrapping_sub(before) / (2 * SESSIONS);
    assert!(held <= 8_192 - 3 * 592, "{held} bytes");
}
